"""Detects the type of content, for inventories and policies: by its bytes, never by its name.

The first bytes decide, without reading further; for a zip archive, the names of its entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from signoff.artifact.absence import absence_in
from signoff.artifact.content_types import APPLE_DOUBLE, EMPTY, PYTHON, SCRIPT
from signoff.artifact.formats.compressed import UNREADABLE
from signoff.artifact.formats.hdf5 import is_hdf5
from signoff.artifact.formats.onnx import is_onnx
from signoff.artifact.formats.opaque import JAVA, R, is_torchscript_flatbuffer
from signoff.artifact.formats.safetensors import is_safetensors
from signoff.artifact.formats.saved_model import is_saved_model
from signoff.artifact.formats.sentencepiece import is_sentencepiece
from signoff.documents.patterns import compiled_on_use

_MAGICS: Sequence[tuple[bytes, str]] = (
    (b"\x93NUMPY", "npy"),
    (b"GGUF", "gguf"),
    (JAVA, "java object"),
    (b"CBM1", "catboost"),
    (b"tree\n", "lightgbm"),  # by this line LightGBM tells it, and passes over others that it does not know
    (b"tree\r", "lightgbm"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    *UNREADABLE,
    (b"\x7fELF", "ELF"),
    (b"\0asm", "wasm"),
    (b"%PDF-", "PDF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"PAR1", "parquet"),
    (b"\0\5\x16\7", APPLE_DOUBLE),  # RFC 1740, appendix A
    (b"\x12\1" + bytes(14), "mxnet"),  # kMXAPINDArrayListMagic and what is reserved (MXNet, src/ndarray/ndarray.cc)
    (b"\xba\x16\x4f\x2f", "fasttext"),  # FASTTEXT_FILEFORMAT_MAGIC_INT32 (fastText, src/fasttext.cc)
    (b"binf", "xgboost-binary"),
    (b"bs64", "xgboost-binary"),
    *((magic, "r-data") for magic in R),
    *(
        (magic, "Mach-O")
        for magic in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
    ),
)
_ANY_MAGIC = tuple(magic for magic, _ in _MAGICS)
_MODULE = rb"[A-Za-z_]\w*(?:\.\w+)*"
_END = rb"[ \t\r]*(?:$|[,;#])"
# Statements that do not occur in prose and tables by chance, and one that may.
_STATEMENT = compiled_on_use(
    rb"^(?:from \.*(?:%(module)s)? import [\w(*]|(?:async )?def \w+\(|import %(module)s as \w+%(end)s"
    rb"|class [A-Za-z_]\w*(?:\([^\n]*\))?:[ \t\r]*(?:#|$))" % {b"module": _MODULE, b"end": _END},
    re.MULTILINE,
)
_IMPORT = compiled_on_use(rb"^import %s%s" % (_MODULE, _END), re.MULTILINE)
_FENCE = compiled_on_use(rb"^```", re.MULTILINE)  # Markdown's, around code
_JSON = compiled_on_use(rb"\s*(?:\{\s*(?:[\"}]|$)|\[\s*(?:[\"{\[\]0-9-]|true|false|null|$))")
_XGBOOST = compiled_on_use(rb'\s*\{\s*"(?:learner"\s*:\s*\{|Config"\s*:\s*\{|version"\s*:\s*\[\s*\d+\s*,)')
# XGBoost's parameters in 136 bytes, then a counted name (`LearnerModelParamLegacy` in src/learner.cc up to version 2).
_XGBOOST_BINARY = compiled_on_use(rb".{136}[\3-\x30]\0{7}[a-z]+[a-z:_]{2,40}", re.DOTALL)
_PMML = compiled_on_use(rb"\s*+(?:<\?xml[^>]*+>)?\s*+(?:<!--[^>]*+>\s*+)*+<(?:\w++:)?PMML\b")
# XGBoost itself reads sizes of 64 bits only, and what it needs need not be the first.
_XGBOOST_UBJ = compiled_on_use(rb"\{(?:L\0{7}[\1-\x40]\w|(?:l\0{3}|i|U|I\0)[\x06\x07](?:learner|version|Config))")
_PYTHON_SCRIPT = compiled_on_use(rb"#![^\n]{0,200}python")
_TEXT = bytes({*range(0x20, 0x100), *b"\t\r\n\f\b\x1b"} - {0x7F})


def kind_of(head: bytes) -> str | None:
    """Return the type of content that begins with `head` (ideally 4096 bytes), or None when it is unknown."""
    if not head:
        return EMPTY
    if head.startswith(b"#!"):
        return PYTHON if _PYTHON_SCRIPT.match(head) else SCRIPT
    named = next(name for magic, name in _MAGICS if head.startswith(magic)) if head.startswith(_ANY_MAGIC) else None
    # Text first, the most frequent: content that passes one of the tests is never all text.
    return named or (_kind_of_text(head) if _is_text(head) else next((n for n, fits in _TESTS if fits(head)), None))


def is_xgboost_json(head: bytes) -> bool:
    """Whether content that begins with `head` is a model, or a configuration, in XGBoost's JSON."""
    return _XGBOOST.match(head) is not None


def is_xgboost_ubjson(head: bytes) -> bool:
    """Whether content that begins with `head` is a model in XGBoost's UBJSON."""
    return _XGBOOST_UBJ.match(head) is not None


def _is_pickle(head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _is_bytecode(head: bytes) -> bool:
    """Whether it is a .pyc: a magic number, then a code object where one of Python's versions puts it."""
    return head[2:4] == b"\r\n" and any(
        head[at : at + 1] in (b"c", b"\xe3") and b"\0" in head[at + 1 : at + 5] for at in (16, 12, 8)
    )


def _is_pe(head: bytes) -> bool:
    at = int.from_bytes(head[60:64], "little")
    return head.startswith(b"MZ") and at < 1 << 28 and (at > len(head) - 4 or head.startswith(b"PE\0\0", at))


_TESTS: Sequence[tuple[str, Callable[[bytes], bool]]] = (
    ("hdf5", is_hdf5),
    ("pickle", _is_pickle),
    ("zip", lambda head: head.startswith((b"PK\x03\x04", b"PK\x05\x06"))),
    ("class file", lambda head: head.startswith(b"\xca\xfe\xba\xbe") and head[6:8] >= b"\0\x2d"),
    ("Mach-O", lambda head: head.startswith((b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"))),
    ("tar", lambda head: head[257:262] == b"ustar"),
    ("PE", _is_pe),
    ("python bytecode", _is_bytecode),
    ("tflite", lambda head: head[4:8] == b"TFL3"),
    ("ort", lambda head: head[4:8] == b"ORTM"),
    ("torchscript-flatbuffer", is_torchscript_flatbuffer),
    ("safetensors", is_safetensors),
    ("xgboost-ubj", is_xgboost_ubjson),
    ("xgboost-json", is_xgboost_json),
    ("onnx", is_onnx),
    ("saved_model", is_saved_model),
    ("sentencepiece", is_sentencepiece),
    ("xgboost-binary", lambda head: _XGBOOST_BINARY.match(head) is not None),
)


def _kind_of_text(head: bytes) -> str:
    if absent := absence_in(head):
        return absent
    if _PMML.match(head):
        return "pmml"
    if _JSON.match(head):
        return "xgboost-json" if is_xgboost_json(head) else "json"
    return PYTHON if _is_python(head) else "text"


def _is_python(head: bytes) -> bool:
    # A search for plain bytes is many times faster than one for patterns.
    if not any(word in head for word in (b"import ", b"def ", b"class ")) or _FENCE.search(head):
        return False
    lone = (head[: match.start()].rpartition(b"\n")[0] for match in _IMPORT.finditer(head))
    return _STATEMENT.search(head) is not None or any(_precedes_code(before) for before in lone)


def _precedes_code(before: bytes) -> bool:
    """Whether the line before a statement is not prose: there is none, it is blank, or it is Python."""
    line = before.rpartition(b"\n")[2].strip()
    return not line or line.startswith((b"#", b"import ", b"from ")) or line.endswith((b'"""', b"'''"))


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 without control characters; the last character may be cut off."""
    if head.translate(None, _TEXT):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True
