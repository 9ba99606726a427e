"""Real files of the formats, and small ones written by hand to be bad in one way each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signoff.artifact.context import Scan, ScanContext
from signoff.artifact.requirements import Trusted
from signoff.artifact.scan import KINDS
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import PEEK, PeekableReader, Reader
from tests.support.scans import BoundedChunks

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples"
Told = list[tuple[str, str]]
Scanner = Callable[[PeekableReader, ScanContext, Scan], None]


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def told(data: bytes | Reader, chunk: int = 1 << 20, into: list[str] | None = None) -> Told:
    """Return (rule, reason) of all that is found, and `nested` for what is looked into; rules also go `into` a list."""
    content = PeekableReader(BoundedChunks(data, chunk) if isinstance(data, bytes) else data)
    head = content.peek(PEEK)
    scanner = next((scanner for begins, scanner in KINDS if begins(head)), None)
    return _told_by(scanner, content, into) if scanner else [("unknown", "")]


def read_by(scanner: Scanner, data: bytes, *, trusted: Trusted | None = None, chunk: int = 1 << 20) -> Told:
    """Return (rule, reason) of all that a scanner finds in content, whatever that begins with."""
    return _told_by(scanner, PeekableReader(BoundedChunks(data, chunk)), trusted=trusted)


def _told_by(
    scanner: Scanner, content: PeekableReader, into: list[str] | None = None, trusted: Trusted | None = None
) -> Told:
    found: Told = []

    def report(_: str, rule: str, reason: str, severity: str) -> None:
        found.append((_marked(rule, severity), reason))
        if into is not None:
            into.append(rule)

    def scan(reader: Reader, where: ScanContext) -> None:
        inner = PeekableReader(reader)
        found.append(("nested", f"{where.member}: {inner.peek(PEEK)[:2]!r}"))
        inner.drain()

    scanner(content, ScanContext("m", report, Budget(), trusted=trusted or Trusted()), scan)
    return found


def _marked(rule: str, severity: str) -> str:
    return rule if severity == "error" else f"{rule} ({severity})"


def safetensors(tensors: Any, data: int, after: bytes = b"") -> bytes:
    header = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    return len(header).to_bytes(8, "little") + header + after + bytes(data)


def tensor(begin: int, end: int, shape: list[Any] | None = None, dtype: Any = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


def npy(header: str | bytes, data: bytes = b"", version: int = 1) -> bytes:
    text = header if isinstance(header, bytes) else header.encode("latin-1")
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + data


def array(descr: str, shape: str = "(3,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


def number(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def field(key: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return number(key << 3) + number(value)
    raw = value.encode() if isinstance(value, str) else value
    return number(key << 3 | 2) + number(len(raw)) + raw


def model(graph: bytes = b"", *more: bytes) -> bytes:
    return field(1, 8) + field(2, "by hand") + field(7, graph) + field(8, field(2, 18)) + b"".join(more)


def node(operator: str, domain: str = "", attribute: bytes = b"") -> bytes:
    return (
        field(1, "x")
        + field(2, "y")
        + field(4, operator)
        + field(7, domain)
        + (field(5, attribute) if attribute else b"")
    )


def external(location: str) -> bytes:
    return field(8, "w") + field(13, field(1, "location") + field(2, location)) + field(14, 1)
