"""The same protobuf message written otherwise: what every parser reads alike, and no writer writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import strategies as st

from tests.support.tensor_files import number

NOISE = st.sampled_from(
    [
        number(99 << 3 | 2) + number(3) + b"abc",  # fields that no schema has, of each wire type
        number(99 << 3) + b"\x80\x01",
        number(99 << 3 | 1) + bytes(8),
        number(99 << 3 | 5) + bytes(4),
        number(536_870_911 << 3 | 2) + number(0),
    ]
)


def mutant(message: bytes, messages: Mapping[str, Mapping[int, str]], kind: str, data: st.DataObject) -> bytes:
    """Return the fields of a message, and of the `messages` in it, in another order, with others between them."""
    fields = [
        written(
            key, mutant(value, messages, messages[kind][key], data) if key in messages.get(kind, {}) else value, data
        )
        for key, value in fields_of(message)
    ]
    fields += data.draw(st.lists(NOISE, max_size=2))
    return b"".join(data.draw(st.permutations(fields)))


def written(key: int, value: bytes | int, data: st.DataObject) -> bytes:
    """Return a field whose tag and length may have more bytes than they need."""
    if isinstance(value, int):
        return _long(key << 3, data) + _long(value, data)
    return _long(key << 3 | 2, data) + _long(len(value), data) + value


def fields_of(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field; only numbers and bytes."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        value, at = _number(message, at)
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            yield tag >> 3, value


def _number(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return value, at


def _long(value: int, data: st.DataObject) -> bytes:
    shortest = number(value)
    more = data.draw(st.integers(0, max(0, 4 - len(shortest))))
    if not more:
        return shortest
    return shortest[:-1] + bytes([shortest[-1] | 0x80]) + b"\x80" * (more - 1) + b"\0"
