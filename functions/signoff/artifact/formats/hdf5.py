"""HDF5: Keras' format before .keras, still used for weights.

No HDF5 reader can stream, so the bytes are searched in overlapping blocks for the JSON of Keras' `model_config`
attribute. HDF5 never compresses an attribute that Keras writes, and stores its text in one piece. What this cannot see:
text in compressed or chunked datasets and in attributes stored with a filter, which Keras does not read a model from,
text that is not in UTF-8 or ASCII, and anything that only an HDF5 reader would put together.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras import CODE, FOREIGN, MODULES
from signoff.artifact.member_names import shown
from signoff.artifact.streams.readers import BLOCK

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAGIC = b"\x89HDF\r\n\x1a\n"
OFFSETS = (0, 512, 1024, 2048)  # a file may begin with a user block
OVERLAP = 4096


def _spelled(text: str) -> bytes:
    r"""Return a pattern for `text` in JSON, where each character may be written as `\u` and four digits."""
    return b"".join(rb"(?:%s|\\u00(?i:%02x))" % (re.escape(c).encode(), ord(c)) for c in text)


_CLASS = re.compile(rb'"%s"\s{0,64}:\s{0,64}"((?:[^"\\]|\\[^\x00]){1,400})"' % _spelled("class_name"))
_MODULE = re.compile(rb'"%s"\s{0,64}:\s{0,64}"((?:[^"\\]|\\[^\x00]){1,400})"' % _spelled("module"))
# As in keras.py, without the parts that models' own classes lie in: which class goes with a module is not known here.
_HELPERS = re.compile(r"keras\.(?:src\.)?(?:utils|saving|config|preprocessing|export|datasets)\b")
_ESCAPED = re.compile(rb"\\u00([0-9a-fA-F]{2})")
# A search for plain bytes is many times faster than one for patterns, and weights hold none of these.
_HINTS = (b"class_name", b"\\u00", b"module")


def is_hdf5(head: bytes) -> bool:
    """Whether content that begins with `head` is HDF5, with or without a user block before it."""
    return any(head.startswith(MAGIC, offset) for offset in OFFSETS)


def hdf5(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Search for layers and values of Keras that hold code, and for objects that are not Keras' own.

    Reports `keras-lambda`, `keras-unsafe-module` and `keras-custom-object` (warning).
    """
    findings = FindingCollector(context)
    kept = b""
    while part := content.read(BLOCK):
        block = kept + part
        if any(hint in block for hint in _HINTS):
            _search(block, content.offset - len(block), findings)
        kept = block[-OVERLAP:]


def _search(block: bytes, offset: int, findings: FindingCollector) -> None:
    for match in _CLASS.finditer(block):
        name = _plain(match[1])
        if name in CODE:
            reason = f"Holds Python code that would run when it is loaded: {name}, at byte {offset + match.start()}"
            findings.report("keras-lambda", reason)
        elif name in FOREIGN:
            reason = f"Holds a layer that runs code not described here: {name}, at byte {offset + match.start()}"
            findings.report("keras-unsafe-module", reason)
    for match in _MODULE.finditer(block):
        _check_module(_plain(match[1]), offset + match.start(), findings)


def _check_module(module: str, at: int, findings: FindingCollector) -> None:
    package = module.split(".")[0]
    if any(module == known or module.startswith(f"{known}.") for known in MODULES):
        if _HELPERS.match(module):
            findings.report("keras-unsafe-module", f"Uses something from the module {module!r}, at byte {at}")
    elif package in sys.stdlib_module_names:
        findings.report("keras-unsafe-module", f"Uses something from the module {shown(module)!r}, at byte {at}")
    else:
        reason = f"Needs something of the module {shown(module)!r}, which is not Keras' own, at byte {at}"
        findings.report("keras-custom-object", reason, "warning")


def _plain(text: bytes) -> str:
    plain = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)
    return plain.decode("utf-8", "backslashreplace")
