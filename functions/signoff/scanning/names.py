"""What content is, in words, for an inventory: told by its first bytes, without reading further."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from signoff.scanning.hdf5 import is_hdf5
from signoff.scanning.onnx import is_onnx
from signoff.scanning.safetensors import is_safetensors

_MAGICS: Sequence[tuple[bytes, str]] = (
    (b"\x93NUMPY", "npy"),
    (b"GGUF", "gguf"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x7fELF", "ELF"),
    (b"\0asm", "wasm"),
    (b"%PDF-", "PDF"),
    (b"PAR1", "Parquet"),
    *(
        (magic, "Mach-O")
        for magic in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
    ),
)
_PYTHON = re.compile(
    rb"^(?:import [\w.]+(?: as \w+)?[ \t\r]*(?:$|[,;#])|from [\w.]+ import |(?:async )?def \w+\(|class \w+[(:])",
    re.MULTILINE,
)
_FENCE = re.compile(rb"^```", re.MULTILINE)  # Markdown's, around code
_XGBOOST = re.compile(rb'\s*\{\s*"(?:learner|version|Config)"\s*:')
_XGBOOST_UBJ = re.compile(rb"\{(?:L\0{7}|l\0{3}|i|U|I\0)[\x06\x07](?:learner|version|Config)")
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n\f\b\x1b"


def kind_of(head: bytes) -> str | None:
    """Return the kind of content that begins with `head` (best 4096 bytes), or None when it is of none known here."""
    if not head:
        return "empty"
    named = next((name for magic, name in _MAGICS if head.startswith(magic)), None)
    return named or next((name for name, fits in _TESTS if fits(head)), None)


def _is_pickle(head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _is_jar(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04") and head[30:].startswith(b"META-INF/")


def _is_torchscript(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04") and re.match(rb"[^/]{1,200}/(?:constants\.pkl|code/)", head[30:]) is not None


def _is_pe(head: bytes) -> bool:
    at = int.from_bytes(head[60:64], "little")
    return head.startswith(b"MZ") and (at > len(head) - 4 or head.startswith(b"PE\0\0", at))


def _is_saved_model(head: bytes) -> bool:
    """SavedModel's message: schema version 1, then a graph with its meta information."""
    return head.startswith(b"\x08\x01\x12") and not is_onnx(head)


def _is_script(head: bytes) -> bool:
    return head.startswith(b"#!") and re.match(rb"#![^\n]{0,200}python", head) is None


def _is_python(head: bytes) -> bool:
    if not _is_text(head) or _FENCE.search(head):
        return False
    return head.startswith(b"#!") or _PYTHON.search(head) is not None


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 without control characters; the last character may be cut off."""
    try:
        text = head[:-3].decode("utf-8") + head[-3:].decode("utf-8", "ignore")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 6:
            return False
        text = head[: error.start].decode("utf-8")
    return not text.encode("ascii", "ignore").translate(None, _TEXT)


_TESTS: Sequence[tuple[str, Callable[[bytes], bool]]] = (
    ("hdf5", is_hdf5),
    ("pickle", _is_pickle),
    ("jar", _is_jar),
    ("torchscript", _is_torchscript),
    ("zip", lambda head: head.startswith((b"PK\x03\x04", b"PK\x05\x06"))),
    ("class file", lambda head: head.startswith(b"\xca\xfe\xba\xbe") and head[6:8] >= b"\0\x2d"),
    ("Mach-O", lambda head: head.startswith((b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"))),
    ("tar", lambda head: head[257:262] == b"ustar"),
    ("PE", _is_pe),
    ("tflite", lambda head: head[4:8] == b"TFL3"),
    ("safetensors", is_safetensors),
    ("xgboost-json", lambda head: _XGBOOST.match(head) is not None),
    ("xgboost-ubj", lambda head: _XGBOOST_UBJ.match(head) is not None),
    ("lightgbm", lambda head: re.match(rb"tree\r?\nversion=v\d", head) is not None),
    ("onnx", is_onnx),
    ("saved_model", _is_saved_model),
    ("shell script", _is_script),
    ("python source", _is_python),
    ("json", lambda head: _is_text(head) and head.lstrip()[:1] in (b"{", b"[")),
    ("text", _is_text),
)
