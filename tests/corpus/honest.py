"""Archives as people make them, which must pass without an error."""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.corpus.cases import ArchiveCase, checked, file, gzip_with, header, long, pax, said, zipped
from tests.support.archives import FORMATS, WEIGHTS, link, member, tar
from tests.support.depth import deep

MODEL = file(b"model.joblib", WEIGHTS)
GNU = b"ustar  \0"
# https://www.gnu.org/software/tar/manual/html_section/Formats.html
GNU_TAR = {
    "v7": ["--format=v7"],
    "ustar": ["--format=ustar"],
    "GNU": ["--format=gnu"],
    "old GNU": ["--format=oldgnu"],
    "pax": ["--format=pax"],
    "GNU, sparse": ["--format=gnu", "--sparse"],
    "pax, sparse 0.0": ["--format=pax", "--sparse", "--sparse-version=0.0"],
    "pax, sparse 0.1": ["--format=pax", "--sparse", "--sparse-version=0.1"],
    "pax, sparse 1.0": ["--format=pax", "--sparse", "--sparse-version=1.0"],
    "pax, sorted and anonymous": ["--format=pax", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "--xattrs"],
    "pax, with a label": ["--format=pax", "--label=model"],
}


def honest() -> list[ArchiveCase]:
    """Return all of them; those of GNU tar only where there is one."""
    return [*_by_tarfile(), *_by_hand(), *_containers(), *_by_gnu_tar()]


def _by_tarfile() -> Iterator[ArchiveCase]:
    files = [
        member("model.joblib", pickle.dumps(b"weights" * 1000, protocol=4)),
        member("code/inference.py", b"def model_fn(): ..."),
        member("empty"),
    ]
    tree = [
        member("d", type=tarfile.DIRTYPE, mode=0o755),
        *files,
        link("latest", "model.joblib"),
        link("same", "model.joblib", "hard"),
    ]
    for name, form in FORMATS.items():
        yield ArchiveCase(f"tarfile, {name}", gzip.compress(tar(*tree, form=form)))
    for name in ("GNU", "pax"):
        form = FORMATS[name]
        nested = member("/".join(["directory"] * 200) + "/weights", b"x")
        yield ArchiveCase(f"tarfile, {name}, deep directories", gzip.compress(tar(nested, form=form)))
        far = (member("n" * 255 + "/" + "m" * 255, b"x"), link("l", "n" * 255 + "/" + "m" * 255))
        yield ArchiveCase(f"tarfile, {name}, long names and targets", gzip.compress(tar(*far, form=form)))
        unicode = ("größe.bin", "模型.onnx", "модель/вес", "e\u0301tude", "\U0001f600.txt", "नमस्ते", "\uff4dodel")
        yield ArchiveCase(
            f"tarfile, {name}, Unicode names", gzip.compress(tar(*(member(each) for each in unicode), form=form))
        )
    many = [member(f"shard/{number:05}.bin", b"x") for number in range(10_000 if deep() else 2_500)]
    yield ArchiveCase("thousands of members", gzip.compress(tar(*many), compresslevel=1))
    times = member("a", b"x", mtime=1700000000.123456, uname="größe", uid=3_000_000_000)
    yield ArchiveCase("pax, with fractions of seconds and large numbers", gzip.compress(tar(times)))
    near = [
        member(name, b"x") for name in ("a", "a-b/c", "a.b", "a b", "b/a", "b.a/a", "~", "...", "com", "console.log")
    ]
    yield ArchiveCase("names that only resemble one another", gzip.compress(tar(*near)))


def _by_hand() -> Iterator[ArchiveCase]:
    mac = {"LIBARCHIVE.creationtime": "1700000000.5", "mtime": "1700000000.25", "SCHILY.fflags": "nodump"}
    more = {"LIBARCHIVE.xattr.com.apple.provenance": "AQAA", "SCHILY.xattr.user.origin": "here", "SCHILY.dev": "1"}
    yield ArchiveCase("pax as bsdtar writes it", zipped(said(mac | more), file()))
    selinux = {"RHT.security.selinux": "x:y:z", "SCHILY.acl.access": "user::rw-"}
    yield ArchiveCase("pax with labels and lists of rights", zipped(said(selinux), file()))
    yield ArchiveCase("pax with a comment for all, as git writes it", zipped(said({"comment": "0" * 40}, b"g"), MODEL))
    yield ArchiveCase("pax that says the header's size again", zipped(said({"size": "1"}), file()))
    yield ArchiveCase(
        "v7, from before there was a format", zipped(file(magic=b""), header(b"d/", kind=b"\0", magic=b""))
    )
    yield ArchiveCase("ustar with a prefix", zipped(file(prefix=b"folder/" * 20)))
    yield ArchiveCase("a checksum as old tars add it", zipped(checked(header(b"caf\xc3\xa9"), signed=True)))
    yield ArchiveCase("a contiguous file", zipped(file(type=b"7")))
    yield ArchiveCase("sizes in blanks and digits", zipped(header(size=b"          0 ")))
    yield ArchiveCase(
        "a size in base 256", zipped(header(size=b"\x80" + (1).to_bytes(11, "big")), b"x".ljust(512, b"\0"))
    )
    far = b"a/" * 60 + b"x"
    linked = long(far, b"K") + long(b"n" * 120) + header(kind=b"2", magic=GNU)
    yield ArchiveCase("a long target and a long name", zipped(long(far), file(magic=GNU), linked))
    yield ArchiveCase("pax in Solaris's own type", zipped(pax((b"path", b"renamed"), kind=b"X"), file()))
    yield ArchiveCase(
        "a directory that is listed twice", zipped(header(b"d/", kind=b"5"), header(b"d/", kind=b"5"), MODEL)
    )
    old = b"".join(b"%011o\0%011o\0" % pair for pair in ((0, 512), (4096, 512), (9000, 0)))
    sparse = header(b"w", 1024, b"S", magic=GNU, sparse=old, real_size=b"%011o\0" % 9000)
    yield ArchiveCase("an old GNU sparse file", zipped(sparse, b"x" * 1024))


def _containers() -> Iterator[ArchiveCase]:
    plain = MODEL + bytes(10240 - len(MODEL))
    # RFC 1952: extra field 4, name 8, comment 16, header checksum 2.
    fields = b"\x04\x00AP\x00\x00" + b"model.tar\0" + b"a comment\0"
    yield ArchiveCase("gzip with extra field, name and comment", gzip_with(plain, flags=4 | 8 | 16, fields=fields))
    with_checksum = gzip_with(plain, flags=8, fields=b"model.tar\0", checked_header=True)
    yield ArchiveCase("gzip with a header checksum", with_checksum)
    pieces = [gzip.compress(plain[at : at + 100]) for at in range(0, len(plain), 100)]
    yield ArchiveCase("gzip members as pigz and bgzip write them", b"".join(pieces))
    yield ArchiveCase(
        "empty gzip members between others",
        gzip.compress(plain[:700]) + gzip.compress(b"") + gzip.compress(plain[700:]),
    )
    for level in (0, 1, 9):
        yield ArchiveCase(f"gzip of level {level}", gzip.compress(plain, compresslevel=level))
    yield ArchiveCase("an end marker of a megabyte", gzip.compress(MODEL + bytes(1 << 20)))
    yield ArchiveCase("two blocks of end marker", gzip.compress(MODEL + bytes(1024)))


def _by_gnu_tar() -> Iterator[ArchiveCase]:
    program = shutil.which("gtar") or shutil.which("tar")
    if not program or b"GNU tar" not in _output(program, "--version"):
        return
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder))
        for name, options in GNU_TAR.items():
            yield ArchiveCase(
                f"GNU tar, {name}", gzip.compress(_output(program, *options, "-C", folder, "-cf", "-", "."))
            )


def _output(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own arguments


def _fill(folder: Path) -> None:
    (folder / "code").mkdir(mode=0o755)
    (folder / "code" / "inference.py").write_text("def model_fn(model_dir): ...")
    (folder / "größe.txt").write_text("x")
    (folder / "empty").touch()
    (folder / "latest").symlink_to("code/inference.py")
    os.link(folder / "empty", folder / "again")
    with (folder / "sparse").open("wb") as sparse:
        sparse.write(b"x" * 4096)
        sparse.seek(1 << 20)
        sparse.write(b"y" * 4096)
        sparse.truncate(3 << 20)
