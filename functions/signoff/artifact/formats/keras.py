"""Keras: the JSON that describes a model's layers, in a .keras archive's config.json and in HDF5.

Keras builds every object that such a JSON names (keras.saving.deserialize_keras_object): a Lambda layer's bytecode is
run, and what lies outside Keras is imported, by versions of Keras that allow it. So each object is checked, wherever in
the JSON it stands.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras_objects import ObjectCheck
from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAX_CONFIG = 4 * 1024 * 1024  # bytes; a network of a thousand layers takes about one million

_OBJECT = compiled_on_use(rb"\s*\{")
_KEY = compiled_on_use(rb"\"(?:module|class_name|config)\"\s*:")


def is_keras_config(head: bytes) -> bool:
    """Whether content that begins with `head` is a JSON object that describes an object of Keras."""
    if b"class_name" not in head or not _OBJECT.match(head):
        return False
    keys = set(_KEY.findall(head))
    return any(b"class_name" in key for key in keys) and len(keys) > 1


def keras_config(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check every object that the JSON describes as it is read, without keeping it.

    Reports `keras-lambda`, `keras-unsafe-module`, `keras-external-file` and `keras-custom-object` (warning); raises
    `Refused` (`keras-config-too-large`, `unreadable-keras-config`).
    """
    data = _whole(content)
    try:
        decoder(FindingCollector(context)).decode(_text(data))
    except UnicodeDecodeError as error:
        raise unreadable(f"is not {error.encoding} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise unreadable(f"{error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise unreadable("it is nested too deep") from None


def check_metadata(text: str, findings: FindingCollector) -> None:
    """Check the layer that Keras 2 describes in a SavedModel; text that is no JSON describes none.

    Reports what `keras_config` does; raises `Refused` (`unreadable-keras-config`) when it is nested too deep.
    """
    try:
        decoder(findings).decode(text)
    except json.JSONDecodeError:
        return
    except RecursionError:
        raise unreadable("it is nested too deep") from None


def decoder(findings: FindingCollector) -> json.JSONDecoder:
    """Return what reads the JSON as Keras does, and checks each object in it as it is read."""
    # A number's value is not needed, and Python refuses to parse very long ones.
    return json.JSONDecoder(object_pairs_hook=ObjectCheck(findings).check, parse_int=len)


def too_large() -> Refused:
    """Return the refusal of a description that is larger than what is read."""
    return Refused("keras-config-too-large", f"Describes a Keras model in more than {MAX_CONFIG} bytes of JSON")


def unreadable(reason: str) -> Refused:
    """Return the refusal of a description that cannot be read."""
    return Refused("unreadable-keras-config", f"Cannot be read as the JSON of a Keras model: {reason}")


def _text(data: bytes) -> str:
    """Return the text as `json.loads`, which Keras hands the bytes to, decodes it: in UTF-8, UTF-16 or UTF-32."""
    return data.decode(json.detect_encoding(data), "surrogatepass")


def _whole(content: PeekableReader) -> bytes:
    data = bytearray()
    while len(data) <= MAX_CONFIG and (part := content.read(64 * 1024)):
        data += part
    if len(data) > MAX_CONFIG:
        raise too_large()
    return bytes(data)
