"""Archives that must be refused, each for its own reason: containers, headers, names, links and bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator

from signoff.artifact.streams.limits import Limits
from tests.corpus.cases import ArchiveCase, checked, file, gzip_with, header, long, padded, pax, record, said, zipped
from tests.support.archives import WEIGHTS, honest, link, member, tar

MODEL = file(b"model.joblib", WEIGHTS)
GOOD = zipped(MODEL)
GNU = b"ustar  \0"
AMBIGUOUS = "ambiguous-header"


def hostile() -> list[ArchiveCase]:
    """Return all of them."""
    return [*_containers(), *_damaged(), *_headers(), *_sparse(), *_names(), *_members(), *_links(), *_bombs()]


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.joblib", b"weights")
    return buffer.getvalue()


def _containers() -> Iterator[ArchiveCase]:
    yield ArchiveCase("nothing at all", b"", "not-gzip")
    yield ArchiveCase("a tar that is not compressed", honest(), "not-gzip")
    yield ArchiveCase("a zip under the name of a tar.gz", _zip(), "not-gzip")
    yield ArchiveCase("an xz under the name of a tar.gz", lzma.compress(honest()), "not-gzip")
    yield ArchiveCase("a bzip2 under the name of a tar.gz", bz2.compress(honest()), "not-gzip")
    yield ArchiveCase(
        "a zlib stream without the gzip header", gzip_with(honest(), flags=0, fields=b"")[10:], "not-gzip"
    )
    yield ArchiveCase("a gzip of nothing", gzip.compress(b""), "not-tar")
    yield ArchiveCase("a gzip of a zip", gzip.compress(_zip()), "not-tar")
    yield ArchiveCase("a gzip of a tar.gz", gzip.compress(GOOD), "not-tar")
    yield ArchiveCase("a gzip of a pickle", gzip.compress(b"\x80\x04N." * 300), "not-tar")
    yield ArchiveCase("a tar without a member", zipped(), "empty-archive")
    yield ArchiveCase("zeros only, less than an end marker", gzip.compress(bytes(512)), "empty-archive")


def _damaged() -> Iterator[ArchiveCase]:
    wrong = bytearray(GOOD)
    wrong[-6] ^= 1
    yield ArchiveCase("a gzip whose checksum is wrong", bytes(wrong), "corrupt-gzip")
    wrong = bytearray(GOOD)
    wrong[-1] ^= 1
    yield ArchiveCase("a gzip whose length is wrong", bytes(wrong), "corrupt-gzip")
    yield ArchiveCase("a gzip header whose own checksum is wrong", _checked_header(right=False), "corrupt-gzip")
    yield ArchiveCase("a gzip header with reserved flags", GOOD[:3] + b"\xe0" + GOOD[4:], "corrupt-gzip")
    yield ArchiveCase("a gzip that ends early", GOOD[:-9], "truncated-gzip")
    yield ArchiveCase("a gzip without its trailer", GOOD[:-8], "truncated-gzip")
    yield ArchiveCase("a second gzip member that ends early", GOOD + GOOD[:-12], "truncated-gzip")
    yield ArchiveCase("a gzip with garbage after it", GOOD + b"garbage", "trailing-data")
    yield ArchiveCase("a gzip member after garbage", GOOD + b"\0" * 8 + GOOD, "trailing-data")
    yield ArchiveCase("a zip after the gzip", GOOD + _zip(), "trailing-data")
    yield ArchiveCase("a second archive in a second gzip member", GOOD + GOOD, "data-after-end")
    yield ArchiveCase("a second archive behind the end marker", zipped(MODEL, bytes(1024), file()), "data-after-end")
    yield ArchiveCase("a tar without its end marker", zipped(MODEL, end=b""), "truncated-tar")
    yield ArchiveCase("a tar that ends within a file", zipped(header(size=5000), end=b"x" * 600), "truncated-tar")
    yield ArchiveCase("a tar that ends within a header", zipped(MODEL, end=header()[:300]), "truncated-tar")
    yield ArchiveCase("a header whose checksum is wrong", zipped(MODEL, b"X" + header()[1:]), "corrupt-tar")
    yield ArchiveCase("a first header whose checksum is wrong", zipped(b"X" + header()[1:]), "not-tar")


def _checked_header(*, right: bool) -> bytes:
    return gzip_with(MODEL + bytes(1024), flags=0, fields=b"", checked_header=right)


def _headers() -> Iterator[ArchiveCase]:
    for size in ("-1", "NaN", "1e3", " 5", "+5", "1_0", "0x10", "", "9" * 30):
        yield ArchiveCase(f"a pax size of {size!r}", zipped(MODEL, said({"size": size}), file()), "ambiguous-header")
    yield ArchiveCase(
        "a pax size other than the header's", zipped(said({"size": "600"}), header(size=7), bytes(1024)), AMBIGUOUS
    )
    yield ArchiveCase("a pax size of a directory", zipped(said({"size": "512"}), header(b"d/", kind=b"5")), AMBIGUOUS)
    yield ArchiveCase("a pax size of a link", zipped(MODEL, said({"size": "512"}), _linking(b"2")), AMBIGUOUS)
    yield ArchiveCase("a keyword said twice", zipped(pax((b"path", b"a"), (b"path", b"b")), file()), AMBIGUOUS)
    yield ArchiveCase(
        "two pax headers for one member", zipped(said({"path": "a"}), said({"path": "b"}), file()), AMBIGUOUS
    )
    yield ArchiveCase("two long names for one member", zipped(long(b"a"), long(b"b"), file(magic=GNU)), AMBIGUOUS)
    yield ArchiveCase("a long name and a pax path", zipped(long(b"a"), said({"path": "b"}), file()), AMBIGUOUS)
    yield ArchiveCase(
        "a long target and a pax one", zipped(MODEL, long(b"a", b"K"), said({"linkpath": "b"}), _linking()), AMBIGUOUS
    )
    yield ArchiveCase("a link target of a file", zipped(said({"linkpath": "/etc/passwd"}), file()), AMBIGUOUS)
    yield ArchiveCase("a long name without a member", zipped(MODEL, long(b"a" * 200)), AMBIGUOUS)
    yield ArchiveCase("a pax header without a member", zipped(MODEL, said({"path": "a"})), AMBIGUOUS)
    yield ArchiveCase(
        "names in no known encoding", zipped(said({"hdrcharset": "BINARY", "path": "a"}), file()), AMBIGUOUS
    )
    inside = {"comment": "x\n20 hdrcharset=BINARY\n"}
    yield ArchiveCase("an encoding hidden in a comment", zipped(said(inside), file()), AMBIGUOUS)
    for key in ("path", "linkpath", "size", "GNU.sparse.name"):
        yield ArchiveCase(f"a global pax {key}", zipped(said({key: "1"}, b"g"), file()), AMBIGUOUS)
    yield ArchiveCase("a pax record behind the header's end", zipped(_behind(), file()), AMBIGUOUS)
    yield ArchiveCase("a prefix in a GNU header", zipped(file(magic=GNU, prefix=b"../..")), AMBIGUOUS)
    yield ArchiveCase("a prefix in a header of no format", zipped(file(magic=b"", prefix=b"folder")), AMBIGUOUS)
    yield ArchiveCase("a size with a sign", zipped(header(size=b"+0000000001\0"), padded(b"x")), AMBIGUOUS)
    yield ArchiveCase("a size as Python writes octals", zipped(header(size=b"0o1\0"), padded(b"x")), AMBIGUOUS)
    yield ArchiveCase("a size behind a NUL", zipped(header(size=b"\x000000001000")), AMBIGUOUS)
    yield ArchiveCase("a file with a slash at its end", zipped(file(b"folder/")), AMBIGUOUS)
    yield ArchiveCase(
        "a directory that pax makes a file", zipped(said({"path": "a"}), header(b"a/", kind=b"\0")), AMBIGUOUS
    )
    yield ArchiveCase("a negative size", zipped(MODEL, header(size=b"\xff" * 12)), "corrupt-tar")
    backwards = header(size=b"\xff" * 10 + b"\xfc\0")
    yield ArchiveCase("a size that leads backwards", zipped(MODEL, backwards), "corrupt-tar")
    yield ArchiveCase("a pax record without an end", zipped(_records(b"9 path=a"), file()), "corrupt-tar")
    yield ArchiveCase("a pax record longer than its header", zipped(_records(b"999 path=a\n"), file()), "corrupt-tar")
    yield ArchiveCase(
        "a pax header of megabytes", zipped(said({"comment": "x" * 2_000_000}), file()), "header-too-large"
    )
    yield ArchiveCase("long names without end", zipped(*[long(b"a" * 60_000)] * 40, file()), "header-too-large")
    many = [said({f"note{number}": "x"}, b"g") for number in range(150)]
    yield ArchiveCase("global attributes without end", zipped(*many, file()), "header-too-large")


def _records(body: bytes) -> bytes:
    return header(b"pax", len(body), b"x") + padded(body)


def _behind() -> bytes:
    """A pax header that says it is shorter than what stands in its block."""
    honest_part, hidden = record(b"comment", b"x"), record(b"path", b"../../escape")
    return header(b"pax", len(honest_part), b"x") + padded(honest_part + hidden)


def _linking(kind: bytes = b"2", name: bytes = b"l", target: bytes = b"model.joblib", size: int = 0) -> bytes:
    return header(name, size, kind, link=target)


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "w", "GNU.sparse.realsize": "9000"}


def _sparse() -> Iterator[ArchiveCase]:
    def sparse(pieces: str, **more: str) -> bytes:
        return said(SPARSE | more) + file(b"w", pieces.encode().ljust(512, b"\0") + b"x" * 512)

    yield ArchiveCase("sparse pieces that overlap", zipped(sparse("2\n0\n300\n200\n100\n")), "sparse-map")
    yield ArchiveCase("sparse pieces in no order", zipped(sparse("2\n600\n100\n0\n100\n")), "sparse-map")
    yield ArchiveCase("sparse pieces beyond the size", zipped(sparse("1\n8900\n200\n")), "sparse-map")
    yield ArchiveCase("more sparse pieces than are stored", zipped(sparse("1\n0\n5000\n")), "sparse-map")
    yield ArchiveCase("a negative sparse piece", zipped(sparse("1\n0\n-1\n")), "sparse-map")
    old = header(b"w", 512, b"S", magic=GNU, sparse=b"%011o\0%011o\0" % (9000, 512), real_size=b"%011o\0" % 1000)
    yield ArchiveCase("an old sparse file beyond its size", zipped(old, bytes(512)), "sparse-map")
    yield ArchiveCase(
        "a sparse file of an unknown version", zipped(said(SPARSE | {"GNU.sparse.major": "2"}), file()), AMBIGUOUS
    )
    other = header(b"w", 512, b"S", sparse=b"%011o\0%011o\0" % (0, 512), real_size=b"%011o\0" % 9000)
    yield ArchiveCase("an old sparse file in a header that is not GNU's", zipped(other, bytes(512)), AMBIGUOUS)
    older = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "5"}
    yield ArchiveCase("a sparse file of two versions", zipped(sparse("1\n0\n1\n", **older)), AMBIGUOUS)
    both = said({"GNU.sparse.map": "0,1", "GNU.sparse.size": "5"}) + header(b"d/", kind=b"5")
    yield ArchiveCase("a sparse directory", zipped(MODEL, both), AMBIGUOUS)
    yield ArchiveCase("a sparse file with a pax size", zipped(sparse("1\n0\n1\n", size="1024")), AMBIGUOUS)
    yield ArchiveCase("a negative sparse size", zipped(sparse("0\n", **{"GNU.sparse.realsize": "-1"})), AMBIGUOUS)
    yield ArchiveCase("a sparse map that is no number", zipped(sparse("many\n")), "corrupt-tar")


NAMES = {
    "/etc/passwd": "absolute-name",
    "//server/share": "absolute-name",
    "C:/windows/win.ini": "drive-letter",
    "../escape": "parent-directory",
    "a/b/../../../escape": "parent-directory",
    "%2e%2e%2fescape": "parent-directory",
    "\uff0e\uff0e/escape": "parent-directory",
    "a/.. /escape": "parent-directory",
    "..\\escape": "backslash",
    "folder\\file": "backslash",
    "line\nbreak": "control-character",
    "\x1b[2Jscreen": "control-character",
    "a\x9bm": "control-character",
    "model\u202egpj.exe": "invisible-character",
    "model\u200b.joblib": "invisible-character",
    "\ufeffmodel": "invisible-character",
    "mo\u00addel": "invisible-character",
    "tag\U000e0041": "invisible-character",
    "line\u2028break": "invisible-character",
    "blank\u3164": "invisible-character",
    "n" * 256: "name-too-long",
    "é" * 128: "name-too-long",
    "d/" * 2100 + "x": "name-too-long",
    ".": "empty-name",
}
COLLISIONS = {
    "case": ("Model.bin", "model.bin"),
    "the case of a folder": ("Code/a.py", "code/b.py"),
    "composed and decomposed": ("caf\u00e9", "cafe\u0301"),
    "a compatible character": ("\ufb01le", "file"),
    "a full-width letter": ("\uff4dodel", "model"),
    "sharp s": ("stra\u00dfe", "STRASSE"),
    "the Kelvin sign": ("\u212a", "k"),
    "a file and a folder": ("Data", "data/x"),
    "case further below": ("a/B/c/d", "a/b/c/e"),
}


def _names() -> Iterator[ArchiveCase]:
    for name, rule in NAMES.items():
        yield ArchiveCase(f"the name {name[:30]!r}", gzip.compress(tar(member(name, b"x"), member("y"))), rule)
    for what, (one, other) in COLLISIONS.items():
        members = (member(one, b"x"), member("between", b"x"), member(other, b"x"))
        yield ArchiveCase(f"names that are one but for {what}", gzip.compress(tar(*members)), "name-collision")
    yield ArchiveCase("a name in Latin-1", zipped(file(b"caf\xe9")), "not-utf-8")
    yield ArchiveCase("a name with an encoded surrogate", zipped(file(b"a\xed\xa0\x80")), "not-utf-8")
    yield ArchiveCase("a NUL in a pax name", zipped(said({"path": "model\0.joblib"}), file()), "control-character")
    yield ArchiveCase("an absolute name by pax only", zipped(said({"path": "/etc/passwd"}), file()), "absolute-name")
    yield ArchiveCase(
        "a name that climbs by a long name only", zipped(long(b"../escape"), file(magic=GNU)), "parent-directory"
    )
    yield ArchiveCase("a name that climbs by its prefix", zipped(file(prefix=b"../..")), "parent-directory")
    climbing = said(SPARSE | {"GNU.sparse.name": "../escape"}) + file(b"w", b"0\n".ljust(512, b"\0"))
    yield ArchiveCase("a name that climbs as a sparse file", zipped(climbing), "parent-directory")
    yield ArchiveCase("two files of one name", zipped(file(), file()), "duplicate-name")
    yield ArchiveCase("two files of one name, spelt otherwise", zipped(file(b"a/b"), file(b"./a//b")), "duplicate-name")
    yield ArchiveCase(
        "a file and a directory of one name", zipped(file(b"a"), header(b"a/", kind=b"5")), "duplicate-name"
    )
    yield ArchiveCase("a file below a file", zipped(file(b"a"), file(b"a/b")), "name-through-link")
    yield ArchiveCase("a file where a folder was meant before", zipped(file(b"a/b"), file(b"a")), "name-through-link")


def _members() -> Iterator[ArchiveCase]:
    kinds = {"character device": b"3", "block device": b"4", "FIFO": b"6", "volume label": b"V", "unknown type": b"~"}
    for what, kind in kinds.items():
        yield ArchiveCase(f"a {what}", zipped(MODEL, header(b"special", kind=kind)), "special-file")
    yield ArchiveCase(
        "a directory listing of a backup", zipped(MODEL, header(b"d", 4, b"D"), padded(b"Ya\0\0")), "special-file"
    )
    yield ArchiveCase(
        "the rest of a file from another volume", zipped(header(b"w", 1, b"M"), padded(b"x")), "multi-volume"
    )
    for mode in (b"0004755\0", b"0002755\0", b"0001777\0", b"0006755\0"):
        yield ArchiveCase(f"a file of mode {mode[1:-1].decode()}", zipped(file(mode=mode)), "set-uid")
    yield ArchiveCase("a directory with set-gid", zipped(MODEL, header(b"d/", kind=b"5", mode=b"0002755\0")), "set-uid")
    for keyword in ("SCHILY.xattr.security.capability", "LIBARCHIVE.xattr.security.capability"):
        yield ArchiveCase(f"a file with {keyword}", zipped(pax((keyword.encode(), b"\1\0\0\2")), file()), "capability")
    everywhere = pax((b"SCHILY.xattr.security.capability", b"\1\0\0\2"), kind=b"g")
    yield ArchiveCase("capabilities for all files", zipped(everywhere, file()), "capability")
    yield ArchiveCase("a link that claims contents", zipped(MODEL, _linking(size=512)), "ambiguous-size")
    yield ArchiveCase("a directory that claims contents", zipped(MODEL, header(b"d/", 512, b"5")), "ambiguous-size")
    signed = checked(header(b"caf\xc3\xa9", kind=b"3"), signed=True)
    yield ArchiveCase("a device under a checksum of old tars", zipped(MODEL, signed), "special-file")


def _links() -> Iterator[ArchiveCase]:
    for kind, what in ((b"2", "symbolic"), (b"1", "hard")):
        for target in ("/etc/passwd", "../outside", "a/../../outside", "C:\\x", "..\\x", "x\n", ".."):
            case = f"a {what} link to {target!r}"
            yield ArchiveCase(case, zipped(MODEL, _linking(kind, target=target.encode())), "link-leaves")
        by_pax = said({"linkpath": "../outside"}) + _linking(kind)
        yield ArchiveCase(f"a {what} link out by pax only", zipped(MODEL, by_pax), "link-leaves")
        by_record = long(b"../outside", b"K") + _linking(kind)
        yield ArchiveCase(f"a {what} link out by a long target only", zipped(MODEL, by_record), "link-leaves")
        through = (member("a/b/c"), link("deep/er/up", "../.."), link("l", "deep/er/up/../x"))
        yield ArchiveCase(f"a {what} link out through another", gzip.compress(tar(*through)), "link-leaves")
        yield ArchiveCase(
            f"a {what} link to itself",
            zipped(MODEL, _linking(b"2", b"s", b"s"), _linking(kind, b"l", b"s")),
            "link-loop",
        )
    yield ArchiveCase(
        "links in a circle", zipped(_linking(name=b"a", target=b"b"), _linking(name=b"b", target=b"a")), "link-loop"
    )
    yield ArchiveCase("a symbolic link to the model", zipped(MODEL, _linking(target=b"model.joblib")), "symbolic-link")
    yield ArchiveCase("a hard link to the model", zipped(MODEL, _linking(b"1", target=b"model.joblib")), "hard-link")
    yield ArchiveCase("a symbolic link to nothing", zipped(MODEL, _linking(target=b"nothing")), "dangling-link")
    yield ArchiveCase("a hard link to nothing", zipped(MODEL, _linking(b"1", target=b"nothing")), "hard-link-missing")
    yield ArchiveCase(
        "a hard link to a directory", zipped(header(b"d/", kind=b"5"), _linking(b"1", target=b"d")), "hard-link-missing"
    )
    below = (_linking(name=b"alias", target=b"real"), file(b"alias/x"))
    yield ArchiveCase("a file below a link", zipped(file(b"real/y"), *below), "name-through-link")


def _bombs() -> Iterator[ArchiveCase]:
    zeros = zipped(file(b"zeros", bytes(4_000_000)))
    small = Limits(expanded_size=1_000_000)
    yield ArchiveCase("a file that expands too far", zeros, "expansion-limit", small)
    yield ArchiveCase(
        "a file that expands too many times", zeros, "expansion-ratio", Limits(ratio=100, ratio_from=1_000_000)
    )
    yield ArchiveCase("zeros behind the end", zipped(MODEL, bytes(4_000_000)), "expansion-limit", small)
    yield ArchiveCase("zeros in a second gzip member", GOOD + gzip.compress(bytes(4_000_000)), "expansion-limit", small)
    members = [header(b"%d" % number) for number in range(60)]
    yield ArchiveCase("too many members", zipped(*members), "too-many-members", Limits(members=50))
    huge = said(SPARSE | {"GNU.sparse.realsize": str(1 << 50)}) + file(b"w", b"0\n".ljust(512, b"\0"))
    yield ArchiveCase("a sparse file of a petabyte of nothing", zipped(huge), "expansion-limit")
    old = header(b"w", 0, b"S", magic=GNU, real_size=b"\x80" + (1 << 50).to_bytes(11, "big"))
    yield ArchiveCase("an old sparse file of a petabyte", zipped(old), "expansion-limit")
    yield ArchiveCase(
        "a file of a petabyte that is not there",
        zipped(header(size=b"\x80" + (1 << 50).to_bytes(11, "big"))),
        "truncated-tar",
    )
