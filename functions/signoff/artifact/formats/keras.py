"""Keras: the JSON that describes a model's layers, in a .keras archive's config.json and in HDF5.

Keras builds every object that such a JSON names (keras.saving.deserialize_keras_object): a Lambda layer's bytecode is
run, and what lies outside Keras is imported, by versions of Keras that allow it. So each object is checked by its
`class_name`, `module` and `config`.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.artifact.context import FindingCollector
from signoff.artifact.member_names import shown
from signoff.artifact.streams.refusal import Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAX_CONFIG = 4 * 1024 * 1024  # bytes; a network of a thousand layers takes about one million
MODULES = ("keras", "keras_nlp", "keras_hub", "keras_cv", "tensorflow.keras", "tf_keras", "builtins")
# Layers and values that hold Python bytecode or a pickle, by their class's name.
CODE = ("Lambda", "__lambda__", "TorchModuleWrapper")
# Layers that hold, or load when they are built, a computation that is not in the JSON.
FOREIGN = ("TFSMLayer", "JaxLayer", "FlaxLayer")
# Parts of Keras that read, write or fetch files or switch its safeguards off; no layer or loss lies in them.
HELPERS = re.compile(r"keras\.(?:src\.)?(?:utils|saving|config|models|backend|preprocessing|export|datasets)\b")
FUNCTIONS = ("function", "__function__")

_OBJECT = re.compile(rb"\s*\{")
_KEY = re.compile(rb"\"(?:module|class_name|config)\"\s*:")


def is_keras_config(head: bytes) -> bool:
    """Whether content that begins with `head` is a JSON object that describes an object of Keras."""
    keys = set(_KEY.findall(head))
    return _OBJECT.match(head) is not None and any(b"class_name" in key for key in keys) and len(keys) > 1


def keras_config(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check every object that the JSON describes as it is read, without keeping it.

    Reports `keras-lambda`, `keras-unsafe-module`, `keras-external-file` and `keras-custom-object` (warning); raises
    `Refused` (`keras-config-too-large`, `unreadable-keras-config`).
    """
    data = _whole(content)
    objects = _ObjectCheck(FindingCollector(context))
    try:
        json.loads(data.decode("utf-8"), object_pairs_hook=objects.check, parse_int=_length)
    except UnicodeDecodeError as error:
        raise _unreadable(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _unreadable("it is nested too deep") from None


def _whole(content: PeekableReader) -> bytes:
    data = bytearray()
    while len(data) <= MAX_CONFIG and (part := content.read(64 * 1024)):
        data += part
    if len(data) > MAX_CONFIG:
        raise Refused("keras-config-too-large", f"Describes a Keras model in more than {MAX_CONFIG} bytes of JSON")
    return bytes(data)


def _length(digits: str) -> int:
    """Return a number's length: its value is not needed, and Python refuses to parse very long ones."""
    return len(digits)


def _unreadable(reason: str) -> Refused:
    return Refused("unreadable-keras-config", f"Cannot be read as the JSON of a Keras model: {reason}")


@dataclass
class _ObjectCheck:
    """Checks the objects of one document."""

    findings: FindingCollector

    def check(self, pairs: list[tuple[str, Any]]) -> None:
        """Report what an object would run; returns nothing, so that it is not kept."""
        described = dict(pairs)
        if len(described) < len(pairs):
            self.findings.report(
                "unreadable-keras-config", "Gives a key of its JSON more than once: readers may disagree"
            )
        vocabulary = described.get("vocabulary")
        if isinstance(vocabulary, str) and vocabulary:
            reason = f"Reads its vocabulary from a file when it is loaded: {shown(vocabulary)!r}"
            self.findings.report("keras-external-file", reason)
        name, module = described.get("class_name"), described.get("module")
        if isinstance(name, str):
            self._class(name, module if isinstance(module, str) else "", described)

    def _class(self, name: str, module: str, described: dict[str, Any]) -> None:
        if name in CODE:
            self.findings.report("keras-lambda", f"Holds Python code that would run when it is loaded: {name}")
        elif name in FOREIGN:
            self.findings.report("keras-unsafe-module", f"Holds a layer that runs code not described here: {name}")
        elif _unsafe(name, module):
            self.findings.report(
                "keras-unsafe-module", f"Uses {_called(name, described)} from the module {shown(module)!r}"
            )
        elif _custom(module, described):
            registered = described.get("registered_name")
            named = shown(str(registered or name))
            self.findings.report("keras-custom-object", f"Needs {named!r}, which is not Keras' own", "warning")


def _unsafe(name: str, module: str) -> bool:
    """Whether a module is Python's own, or a function is taken from Keras' helpers."""
    package = module.split(".")[0]
    if package != "builtins" and package in sys.stdlib_module_names:
        return package != "__main__"
    if name in FUNCTIONS or name[:1].islower():
        return HELPERS.match(module) is not None
    return False


def _called(name: str, described: dict[str, Any]) -> str:
    config = described.get("config")
    return shown(config if name in FUNCTIONS and isinstance(config, str) else name)


def _custom(module: str, described: dict[str, Any]) -> bool:
    """Whether what is described is neither Keras' own nor plain data.

    Keras before 3 writes no `module`; then nothing can be said. A function of the user's own has `builtins` for one.
    """
    if described.get("registered_name") and described.get("module") is None:
        return True
    if module == "builtins" and described.get("class_name") == "function":
        return ">" in str(described.get("config"))
    return bool(module) and not any(module == known or module.startswith(f"{known}.") for known in MODULES)
