"""Zip and tar archives around a payload, as one reader or another takes them.

A zip's structure is PKWARE's APPNOTE.TXT 6.3.10; its layout that of `torch.save`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

Wrap = Callable[[bytes], bytes]

DATA = "archive/data.pkl"
HONEST = b"\x80\2}q\0."
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


@dataclass(frozen=True)
class Entry:
    """A zip's entry; `listed` is what the directory says its name is, None: the same, "": it is not listed."""

    name: str
    data: bytes
    method: int = STORED
    flags: int = 0
    listed: str | None = None
    checksum: int | None = None
    extra: bytes = b""

    @property
    def packed(self) -> bytes:
        """The data as it is stored."""
        if self.method == DEFLATED:
            deflater = zlib.compressobj(wbits=-15)
            return deflater.compress(self.data) + deflater.flush()
        if self.method == zipfile.ZIP_BZIP2:
            return bz2.compress(self.data)
        return self.data


def _facts(entry: Entry, *, local: bool) -> bytes:
    described = local and entry.flags & 8
    checksum = zlib.crc32(entry.data) if entry.checksum is None else entry.checksum
    numbers = (0, 0, 0) if described else (checksum, len(entry.packed), len(entry.data))
    return b"".join(
        [
            entry.flags.to_bytes(2, "little"),
            entry.method.to_bytes(2, "little"),
            b"\0\0\x21\0",
            *(each.to_bytes(4, "little") for each in numbers),
        ]
    )


def _local(entry: Entry) -> bytes:
    name = entry.name.encode()
    sizes = len(name).to_bytes(2, "little") + len(entry.extra).to_bytes(2, "little")
    body = b"PK\3\4\x14\0" + _facts(entry, local=True) + sizes + name + entry.extra + entry.packed
    if entry.flags & 8:
        body += b"PK\7\x08" + _facts(entry, local=False)[8:]
    return body


def zipped(
    entries: Sequence[Entry], *, before: bytes = b"", shift: int = 0, comment: bytes = b"", more: int = 0
) -> bytes:
    """Return an archive; offsets count from `shift` more than they are, and the end says `more` entries."""
    body, directory, count = b"", b"", 0
    for entry in entries:
        offset = len(before) + len(body) + shift
        body += _local(entry)
        name = (entry.name if entry.listed is None else entry.listed).encode()
        if name:
            count += 1
            facts = b"PK\1\2\x14\0\x14\0" + _facts(entry, local=False) + len(name).to_bytes(2, "little")
            directory += facts + bytes(12) + offset.to_bytes(4, "little") + name
    start = len(before) + len(body) + shift
    counts = (count + more).to_bytes(2, "little") * 2
    sizes = len(directory).to_bytes(4, "little") + start.to_bytes(4, "little") + len(comment).to_bytes(2, "little")
    return before + body + directory + b"PK\5\6\0\0\0\0" + counts + sizes + comment


def _torch(data: bytes, name: str = DATA) -> list[Entry]:
    folder = name.rpartition("/")[0] or "archive"
    return [Entry(name, data), Entry(f"{folder}/version", b"3\n"), Entry(f"{folder}/data/0", bytes(8))]


def _with(data: bytes, name: str = DATA, **fields: object) -> bytes:
    entries = _torch(data, name)
    return zipped([replace(entries[0], **fields), *entries[1:]])  # type: ignore[arg-type]


def _by_library(data: bytes, method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for entry in _torch(data):
            archive.writestr(entry.name, entry.data)
    return file.getvalue()


def _zip64(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for entry in _torch(data):
            with archive.open(entry.name, "w", force_zip64=True) as inside:
                inside.write(entry.data)
    return file.getvalue()


def _ends(data: bytes) -> bytes:
    """Two archives, one after the other: which counts is up to the reader."""
    honest, other = zipped(_torch(HONEST)), zipped(_torch(data))
    return honest + other


_ZIP: Mapping[str, Wrap] = {
    "zip": lambda data: zipped(_torch(data)),
    "zip-library": lambda data: _by_library(data, STORED),
    "zip-deflated": lambda data: _by_library(data, DEFLATED),
    "zip-bzip2": lambda data: _by_library(data, zipfile.ZIP_BZIP2),
    "zip-lzma": lambda data: _by_library(data, zipfile.ZIP_LZMA),
    "zip-64": _zip64,
    "zip-described": lambda data: _with(data, flags=8),
    "zip-described-deflated": lambda data: _with(data, flags=8, method=DEFLATED),
    "zip-comment": lambda data: zipped(_torch(data), comment=b"a comment"),
    "zip-in-comment": lambda data: zipped(_torch(HONEST), comment=zipped(_torch(data))),
    "zip-in-comment-shifted": lambda data: _shifted_comment(data),
    "zip-prefix": lambda data: b"#!/bin/sh\n" + zipped(_torch(data)),
    "zip-prefix-counted": lambda data: zipped(_torch(data), before=b"#!/bin/sh\n"),
    "zip-prefix-long": lambda data: bytes(100_000) + zipped(_torch(data)),
    "zip-prefix-pickle": lambda data: b"N0" + zipped(_torch(data)),
    "zip-prefix-npy": lambda data: npy_before() + zipped(_torch(data)),
    "zip-twice": _ends,
    "zip-twice-counted": lambda data: zipped(_torch(data), before=zipped(_torch(HONEST))),
    "zip-junk-after": lambda data: zipped(_torch(data)) + b"junk behind the end",
    "zip-zeros-after": lambda data: zipped(_torch(data)) + bytes(1_000),
    "zip-zeros-after-long": lambda data: zipped(_torch(data)) + bytes(70_000),
    "zip-count-wrong": lambda data: zipped(_torch(data), more=7),
    "zip-no-end": lambda data: zipped(_torch(data))[:-22],
    "zip-unlisted": lambda data: zipped([*_torch(HONEST), Entry("archive/other.pkl", data, listed="")]),
    "zip-listed-otherwise": lambda data: _with(data, name="archive/notes.txt", listed=DATA),
    "zip-duplicate": lambda data: zipped([*_torch(HONEST), Entry(DATA, data)]),
    "zip-duplicate-first": lambda data: zipped([*_torch(data), Entry(DATA, HONEST)]),
    "zip-case": lambda data: _with(data, name="archive/DATA.PKL"),
    "zip-no-folder": lambda data: _with(data, name="data.pkl"),
    "zip-folders": lambda data: _with(data, name="a/b/c/data.pkl"),
    "zip-folder-long": lambda data: _with(data, name=f"{'f' * 300}/data.pkl"),
    "zip-dot-folder": lambda data: _with(data, name="./data.pkl"),
    "zip-backslash": lambda data: _with(data, name="archive\\data.pkl"),
    "zip-nul-name": lambda data: _with(data, name="archive/data.pkl\0.txt"),
    "zip-utf8": lambda data: _with(data, flags=0x0800),
    "zip-encrypted-flag": lambda data: _with(data, flags=1),
    "zip-unused-flags": lambda data: _with(data, flags=0x0006),
    "zip-method-unknown": lambda data: _with(data, method=77),
    "zip-checksum-wrong": lambda data: _with(data, checksum=1),
    "zip-extra": lambda data: _with(data, extra=b"xx\4\0abcd"),
    "zip-extra-broken": lambda data: _with(data, extra=b"\1\0\xff\xff"),
    "zip-version-first": lambda data: zipped(_torch(data)[::-1]),
    "zip-plain-name": lambda data: zipped([Entry("model.pkl", data)]),
    "zip-text-name": lambda data: zipped([Entry("notes.txt", data)]),
    "zip-npy-name": lambda data: zipped([Entry("arr_0.npy", data)]),
    "zip-keras": lambda data: zipped([Entry("config.json", b"{}"), Entry("metadata.json", b"{}"), Entry(DATA, data)]),
    "zip-jar": lambda data: zipped([Entry("META-INF/MANIFEST.MF", b""), *_torch(data)]),
}


def npy_before() -> bytes:
    """Return an array's file, behind which another may begin."""
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }\n"
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + b"data"


def _shifted_comment(data: bytes) -> bytes:
    """An archive in a comment, whose offsets count from the outer one's beginning."""
    honest = zipped(_torch(HONEST), comment=b"")
    inner = zipped(_torch(data), shift=len(honest))
    return zipped(_torch(HONEST), comment=inner)


def _tar(data: bytes, form: int = tarfile.PAX_FORMAT, name: str = "model.pkl", **fields: object) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for field, value in fields.items():
            setattr(info, field, value)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _old(data: bytes) -> bytes:
    """A tar from before there was a magic number."""
    block = bytearray(_tar(data, tarfile.USTAR_FORMAT))
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


_TAR: Mapping[str, Wrap] = {
    "tar": _tar,
    "tar-ustar": lambda data: _tar(data, tarfile.USTAR_FORMAT),
    "tar-gnu": lambda data: _tar(data, tarfile.GNU_FORMAT),
    "tar-old": _old,
    "tar-long-name": lambda data: _tar(data, name="n" * 300 + "/model.pkl"),
    "tar-contiguous": lambda data: _tar(data, type=tarfile.CONTTYPE),
    "tar-unknown-type": lambda data: _tar(data, tarfile.USTAR_FORMAT, type=b"Z"),
    "tar-no-end": lambda data: _tar(data)[: 512 + -len(data) // 512 * -512],
    "tar-in-tar": lambda data: _tar(_tar(data), name="inner.tar"),
    "tar-gz-in-tar": lambda data: _tar(gzip.compress(_tar(data), mtime=0), name="inner.tar.gz"),
    "tar-xz": lambda data: lzma.compress(_tar(data)),
    "tar-pickle-name": lambda data: _tar(data, tarfile.USTAR_FORMAT, name="N.pkl"),
}

ARCHIVES: Mapping[str, Wrap] = {**_ZIP, **_TAR}
"""Each way of putting a payload into an archive, by its name."""
