"""Pickles written by hand, and what is found in one."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signoff.artifact.context import ScanContext
from signoff.artifact.pickle.scanner import pickle
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import PeekableReader
from signoff.artifact.streams.refusal import OtherFormat

Found = list[tuple[str, str]]
SIZE = Path("/proc/self/statm")  # in pages, the first number all that the process has
MORE = 1 << 30  # bytes


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let Python's own unpickler fail where it would take all memory: it makes room for every number up to a memo's."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if SIZE.exists():
        most = int(SIZE.read_text().split()[0]) * resource.getpagesize() + MORE
        resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


class TrickleReader:
    """Content that comes in pieces."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._file = io.BytesIO(data)
        self._piece = piece

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._piece))


def findings(data: bytes, piece: int = 1 << 20) -> Found:
    """Return the rule and reason of all that is found in a pickle."""
    found: Found = []
    where = ScanContext("model.pkl", lambda _member, rule, reason, _severity: found.append((rule, reason)), Budget())
    try:
        pickle(PeekableReader(TrickleReader(data, piece)), where, lambda *_: None)
    except OtherFormat as other:
        found.append((other.rule, str(other)))
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
