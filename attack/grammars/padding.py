"""What stands in a pickle before what it calls, and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

LONG = 100_000  # bytes: more than anybody looks at before they read on
HUGE = 151_000_000  # bytes, of which the count's highest byte is 9

HEADERS: Mapping[str, bytes] = {
    "4": b"\x80\4",
    "none": b"",
    "0": b"\x80\0",
    "1": b"\x80\1",
    "2": b"\x80\2",
    "3": b"\x80\3",
    "5": b"\x80\5",
    "twice": b"\x80\2\x80\4",
    "late": b"N0\x80\4",
    "after-mark": b"(1\x80\4",
    "framed": b"\x80\4\x95\2\0\0\0\0\0\0\0N0",
    "short-frame": b"\x80\4\x95\1\0\0\0\0\0\0\0N0",
    "frame-of-nothing": b"\x80\4\x95" + bytes(8),
    "frame-first": b"\x95\2\0\0\0\0\0\0\0N0",
}


def _line(opcode: bytes, text: bytes) -> bytes:
    return opcode + text + b"\n0"


def _sized(opcode: bytes, count: int, size: int) -> bytes:
    return opcode + count.to_bytes(size, "little") + bytes(count) + b"0"


LEADS: Mapping[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "int": lambda: _line(b"I", b"1"),
    "int-long": lambda: _line(b"I", b"0" * 4_000 + b"1"),
    "int-blanks": lambda: _line(b"I", b" " * LONG + b"1"),
    "int-base": lambda: _line(b"I", b"0x10"),
    "int-nul": lambda: _line(b"I", b"1\0 apple"),
    "bool": lambda: _line(b"I", b"01"),
    "long": lambda: _line(b"L", b"1L"),
    "long-blanks": lambda: _line(b"L", b" " * LONG + b"1L"),
    "float": lambda: _line(b"F", b"1.5"),
    "float-long": lambda: _line(b"F", b"0" * LONG + b"1.5"),
    "float-blanks": lambda: _line(b"F", b" " * LONG + b"1"),
    "string": lambda: _line(b"S", b"'apple'"),
    "string-long": lambda: _line(b"S", b"'" + b"a" * LONG + b"'"),
    "text": lambda: _line(b"V", b"apple"),
    "text-long": lambda: _line(b"V", b"a" * LONG),
    "text-longer": lambda: _line(b"V", b"a" * 1_100_000),
    "text-raw": lambda: _line(b"V", b"\xe4\xf6"),
    "put-long": lambda: b"Np" + b"0" * LONG + b"7\n0",
    "put-huge": lambda: b"Np70000\n0",
    "binint": lambda: b"J\1\2\3\x040",
    "binint-1": lambda: b"K\x010",
    "binint-2": lambda: b"M\1\x020",
    "binfloat": lambda: b"G" + bytes(8) + b"0",
    "long-1": lambda: b"\x8a\2\1\x020",
    "long-4": lambda: b"\x8b\x04\0\0\0\1\2\3\x040",
    "long-4-long": lambda: _sized(b"\x8b", 3000, 4),
    "none": lambda: b"N0",
    "true": lambda: b"\x880",
    "mark": lambda: b"(1",
    "mark-popped": lambda: b"(0",
    "list": lambda: b"]0",
    "empty": lambda: b")0}0]0\x8f0",
    "binstring": lambda: _sized(b"T", 3000, 4),
    "binstring-0": lambda: _sized(b"T", 0, 4),
    "binunicode": lambda: _sized(b"X", LONG, 4),
    "binunicode-8": lambda: _sized(b"\x8d", LONG, 8),
    "binbytes": lambda: _sized(b"B", LONG, 4),
    "binbytes-8": lambda: _sized(b"\x8e", LONG, 8),
    "bytearray": lambda: _sized(b"\x96", LONG, 8),
    "short-bytes": lambda: _sized(b"C", 200, 1),
    "shorts": lambda: _sized(b"C", 200, 1) * 40,
    "numbers": lambda: b"(" + b"K\x01" * 50_000 + b"1",
    "numbers-few": lambda: b"(" + b"K\x01" * 300 + b"t0",
    "constants": lambda: b"(" + b"N" * 20_000 + b"1",
    "texts": lambda: b"(" + (b"\x8c\3abc\x94K\1") * 5_000 + b"1",
    "marks": lambda: b"(" * 9_000 + b"1" * 9_000,
    "nested": lambda: b"(" * 3_000 + b"N" + b"t" * 3_000 + b"0",
    "names": lambda: b"ccollections\nOrderedDict\n0" * 300,
    "calls": lambda: b"ccollections\nOrderedDict\n)R0" * 300,
    "modest": lambda: b"(lp0\nI1\naI2\na0",
    "pickle-first": lambda: b"N.",
    "pickles-first": lambda: b"K\1." * 3,
    "onnx": lambda: b"\x08\x08",
    "huge-unicode": lambda: _sized(b"X", HUGE, 4),
    "huge-bytes": lambda: _sized(b"B", HUGE, 4),
}
"""Values that are taken off the stack again, or something else that changes nothing."""

TAILS: Mapping[str, Callable[[], bytes]] = {
    "stop": lambda: b".",
    "nothing": lambda: b"",
    "junk": lambda: b".\xff\xfe" + bytes(range(256)),
    "broken": lambda: b"\xff\xff.",
    "empty-stack": lambda: b"0000.",
    "zeros": lambda: b"." + bytes(LONG),
    "text": lambda: b".\nThe end of the readme.\n",
    "pickle": lambda: b"." + b"\x80\4N.",
    "unknown-get": lambda: b"h\x77.",
    "no-module": lambda: b"ca b\nc d\n.",
    "long-announced": lambda: b"\x8e" + b"\xff" * 8,
    "negative": lambda: b"T\xff\xff\xff\xff.",
    "protocol-9": lambda: b"\x80\x09.",
    "open-mark": lambda: b"((((.",
}
"""What follows; a loader has called everything by then."""

COSTLY = ("huge-unicode", "huge-bytes")
"""Leads that take seconds, which the quick look leaves out."""
