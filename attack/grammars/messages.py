"""Protobuf messages written by hand, in ways that every reader takes as the same (protobuf.dev, "Encoding")."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5
UNKNOWN = 9_999  # a field that no message has
LONG = 20_000  # bytes: more than anybody looks at before they read on

Field = tuple[int, "int | bytes | list[Field]"]
"""A field's number, and its value: a number, bytes, or a message's fields."""

Write = Callable[[Sequence[Field]], bytes]


def number(value: int, padding: int = 0) -> bytes:
    """Return a varint; `padding` bytes longer than it needs to be."""
    parts = []
    while value >> 7 or padding:
        padding -= not value >> 7
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _written(fields: Sequence[Field], padding: int = 0) -> bytes:
    return b"".join(_field(each, padding) for each in fields)


def _field(field: Field, padding: int = 0) -> bytes:
    key, value = field
    if isinstance(value, int):
        return number(key << 3 | VARINT, padding) + number(value & (1 << 64) - 1, padding)
    data = value if isinstance(value, bytes) else _written(value, padding)
    return number(key << 3 | BYTES, padding) + number(len(data), padding) + data


def _before(junk: bytes) -> Write:
    return lambda fields: junk + _written(fields)


def _sorted(backwards: bool) -> Write:
    return lambda fields: _written(sorted(fields, key=lambda field: field[0], reverse=backwards))


def _shuffled(fields: Sequence[Field]) -> bytes:
    order = [*fields]
    random.Random(1).shuffle(order)  # noqa: S311 - to be the same again
    return _written(order)


def _split(fields: Sequence[Field]) -> bytes:
    """Each message that is a field comes in two halves, which readers merge."""
    halves: list[Field] = []
    for key, value in fields:
        if isinstance(value, list) and len(value) > 1:
            halves += [(key, value[:1]), (key, value[1:])]
        else:
            halves.append((key, value))
    return _written(halves)


def _without(*keys: int) -> Write:
    return lambda fields: _written([field for field in fields if field[0] not in keys])


def _first(key: int, value: int) -> Write:
    return lambda fields: _written([(key, value), *(field for field in fields if field[0] != key)])


MESSAGES: Mapping[str, Write] = {
    "plain": _written,
    "backwards": _sorted(backwards=True),
    "shuffled": _shuffled,
    "no-version": _without(1),
    "version-0": _first(1, 0),
    "version-2": _first(1, 2),
    "version-large": _first(1, 1 << 40),
    "version-negative": _first(1, -1),
    "version-twice": lambda fields: _written([(1, 3), *fields]),
    "version-last": lambda fields: _written([*fields[1:], *fields[:1]]),
    "long-numbers": lambda fields: _written(fields, 3),
    "unknown-first": _before(_field((UNKNOWN, b"unknown"))),
    "unknown-number-first": _before(_field((UNKNOWN, 7))),
    "unknown-long-first": _before(_field((UNKNOWN, bytes(LONG)))),
    "unknown-many-first": _before(_field((UNKNOWN, 7)) * 5_000),
    "unknown-fixed-first": _before(
        number(UNKNOWN << 3 | FIXED64) + bytes(8) + number(UNKNOWN << 3 | FIXED32) + bytes(4)
    ),
    "unknown-group-first": _before(number(UNKNOWN << 3 | GROUP) + _field((1, 1)) + number(UNKNOWN << 3 | END_GROUP)),
    "unknown-last": lambda fields: _written([*fields, (UNKNOWN, bytes(100))]),
    "empty-first": lambda fields: _written(
        [*((key, b"") for key, value in fields if isinstance(value, list)), *fields]
    ),
    "split": _split,
    "pickle-first": _before(_field((UNKNOWN, b"N."))),
    "text-first": _before(_field((12, b"# A model\n" * 3_000))),
    "lzma-first": _before(_field((11, bytes(3) + b"\x10\1\1\1\1" + bytes(7) + b"\1"))),  # the header of zeros
    "largest-key": _before(number((1 << 29) - 1 << 3) + b"\1"),
}
"""How a message is written, by its name; those about a version are about field 1."""
