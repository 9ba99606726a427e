"""NumPy's .npy: a magic, a header that is a Python literal, then the array's elements, or a pickle of them.

The format is numpy.lib.format's ("Format Version 1.0" to "3.0"). A header is never evaluated, only read as a literal.
"""

from __future__ import annotations

import ast
from math import prod
from typing import TYPE_CHECKING, Any

from signoff.artifact.member_names import shown
from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAGIC = b"\x93NUMPY"
MAX_HEADER = 64 * 1024  # NumPy itself reads 10,000 bytes by default
MAX_NESTING = 32
MAX_DIMENSIONS = 64  # NumPy's own limit
MAX_DIMENSION = 2**63

OBJECTS = -1  # the size of a dtype that holds Python objects

_LENGTHS = {1: 2, 2: 4, 3: 4}  # bytes of the header's length, by format version
_STRING = compiled_on_use(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"")
# What is left of a literal without its strings: no operators, names, calls or comprehensions.
_LITERAL = compiled_on_use(r"(?:[\[\](){},:\s]|\b\d{1,20}L?\b|\bTrue\b|\bFalse\b|\bNone\b)*+")
_PYTHON_2_LONG = compiled_on_use(r"(?<=\d)L\b")
_SIMPLE = compiled_on_use(r"[<>|=]?(?:([biufcV?SaOU])(\d{0,10})|[mM]8(?:\[[\w/]{1,20}\])?|([?O]))")
_ITEM_BYTES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8, 12, 16), "c": (8, 16, 24, 32)}


def is_npy(head: bytes) -> bool:
    """Whether content that begins with `head` is an .npy file."""
    return head.startswith(MAGIC)


def npy(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
    """Check the header and that the elements fill the rest exactly; scan the pickle of an array of objects.

    Reports `npy-size` and `npy-objects`; raises `Refused` (`unreadable-npy`).
    """
    header = _literal(_header(content))
    size = _item_size(header["descr"])
    if size == OBJECTS:
        _objects(content, context, scan)
        return
    expected, data = size * prod(header["shape"]), content.drain()
    if expected != data:
        context.report("npy-size", f"Has {data} bytes of elements where its header describes {expected}")


def _objects(content: PeekableReader, context: ScanContext, scan: Scan) -> None:
    # NumPy writes protocol 2 and later only; what begins otherwise might not be taken for the pickle that it is.
    if content.peek(1) != b"\x80":
        context.report("npy-objects", f"Holds objects, but not a pickle as NumPy writes it, at byte {content.offset}")
    scan(content, context.inner("objects"))


def _header(content: PeekableReader) -> str:
    prefix = _whole(content, 8)
    version = prefix[6]
    if version not in _LENGTHS or prefix[7]:
        raise _unreadable(f"is of version {version}.{prefix[7]}; 1.0, 2.0 and 3.0 are known")
    length = int.from_bytes(_whole(content, _LENGTHS[version]), "little")
    if length > MAX_HEADER:
        raise _unreadable(f"has a header of {length} bytes; at most {MAX_HEADER} are read")
    try:
        return _whole(content, length).decode("utf-8" if version == 3 else "latin-1")
    except UnicodeDecodeError:
        raise _unreadable("has a header that is not UTF-8") from None


def _whole(content: PeekableReader, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := content.read(size - len(data))):
        data += more
    if len(data) < size:
        raise _unreadable(f"ends at byte {content.offset}, inside its header")
    return data


def _literal(text: str) -> dict[str, Any]:
    bare = _STRING.sub("", text)
    if not _LITERAL.fullmatch(bare) or _nesting(bare) > MAX_NESTING:
        raise _unreadable("has a header with more than a plain literal in it")
    try:
        header = ast.literal_eval(_without_longs(text).strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _unreadable("has a header that is not a Python literal") from None
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise _unreadable("has a header with other keys than descr, fortran_order and shape")
    if not _is_shape(header["shape"]) or not isinstance(header["fortran_order"], bool):
        raise _unreadable("has a header with an invalid shape or fortran_order")
    return header


def _without_longs(text: str) -> str:
    """Return a header that Python 2 wrote without the L after its numbers."""
    return text if "L" not in _STRING.sub("", text) else _PYTHON_2_LONG.sub("", text)


def _nesting(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "[({") - (character in "])}")
        deepest = max(deepest, depth)
    return deepest


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        return False
    return all(type(length) is int and 0 <= length < MAX_DIMENSION for length in shape)


def _item_size(descr: Any) -> int:
    """Return the bytes of one element of a dtype as `numpy.lib.format.dtype_to_descr` writes it, or `OBJECTS`."""
    if isinstance(descr, str):
        return _simple_size(descr)
    if isinstance(descr, tuple) and len(descr) == 2 and _is_shape(descr[1]):
        size = _item_size(descr[0])
        return OBJECTS if size == OBJECTS else size * prod(descr[1])
    if isinstance(descr, list):
        return _structure_size(descr)
    raise _unreadable(f"has an invalid dtype: {shown(repr(descr))}")


def _structure_size(fields: list[Any]) -> int:
    total = 0
    for entry in fields:
        if not isinstance(entry, tuple) or len(entry) not in (2, 3):
            raise _unreadable(f"has an invalid field in its dtype: {shown(repr(entry))}")
        size = _item_size(entry[1] if len(entry) == 2 else (entry[1], entry[2]))
        total = OBJECTS if OBJECTS in (size, total) else total + size
    return total


def _simple_size(descr: str) -> int:
    match = _SIMPLE.fullmatch(descr)
    if not match:
        raise _unreadable(f"has an unknown dtype: {shown(descr)}")
    kind, size = match[1] or match[3] or "M", int(match[2] or 0)
    if kind == "O":
        return OBJECTS
    if kind in "M?":
        return 8 if kind == "M" else 1
    if kind in _ITEM_BYTES and size not in _ITEM_BYTES[kind]:
        raise _unreadable(f"has an unknown dtype: {shown(descr)}")
    return size * 4 if kind == "U" else size


def _unreadable(reason: str) -> Refused:
    return Refused("unreadable-npy", f"Cannot be read as a NumPy array: it {reason}")
