"""Pickles written by hand, and what is found in one."""

from __future__ import annotations

import io

from signoff.scanning.contents import Budget, Peekable, Where
from signoff.scanning.pickles import pickle

Found = list[tuple[str, str]]


class Trickle:
    """Content that comes in pieces."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._file = io.BytesIO(data)
        self._piece = piece

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._piece))


def findings(data: bytes, piece: int = 1 << 20) -> Found:
    """Return the rule and reason of all that is found in a pickle."""
    found: Found = []
    where = Where("model.pkl", lambda _member, rule, reason, _severity: found.append((rule, reason)), Budget())
    pickle(Peekable(Trickle(data, piece)), where, lambda *_: None)
    return found


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(data)]) + data


def named(module: str, name: str) -> bytes:
    """Return opcodes of protocol 4 that load a name."""
    return text(module) + text(name) + b"\x93"


def calling(module: str, name: str, argument: str = "id") -> bytes:
    """Return a pickle that calls a function with a text when it is loaded."""
    return b"\x80\x04" + named(module, name) + text(argument) + b"\x85R."
