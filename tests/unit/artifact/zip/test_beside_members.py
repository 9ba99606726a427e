"""Zip archives in a tar archive: what lies in a member is judged there, and any other that is found is refused."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from signoff.artifact.zip import beside_members
from tests.support.archives import member, tar, zipped
from tests.support.scans import faults

HIDDEN = zipped(secret=b"hidden")
HONEST = zipped(**{"weights.txt": b"0.5 " * 500})
REFUSED = ("m", "zip-ambiguous")
END = 22  # bytes of the record that ends a zip archive


def in_global_pax_header() -> bytes:
    return with_record(tarfile.XGLTYPE, b"%d comment=" + HIDDEN + b"\n")


def in_own_pax_header() -> bytes:
    return with_record(tarfile.XHDTYPE, b"%d comment=" + HIDDEN + b"\n")


def behind_a_long_name() -> bytes:
    """Behind the zero that ends it, where no reader of tar archives looks."""
    return with_record(tarfile.GNUTYPE_LONGNAME, b"n" * 200 + b"\0" + HIDDEN)


def with_record(kind: bytes, record: bytes) -> bytes:
    record = record.replace(b"%d", b"%d" % (len(record) + 1)) if b"%d" in record else record
    block = member("record", record, type=kind)[0].tobuf(tarfile.USTAR_FORMAT)
    return block + record.ljust(-len(record) // 512 * -512, b"\0") + tar(member("a", b"x"))


def in_padding() -> bytes:
    archive = bytearray(tar(member("a", b"x")))
    archive[600 : 600 + len(HIDDEN)] = HIDDEN
    return bytes(archive)


def in_sparse_file() -> bytes:
    """Among what is stored of a file with holes."""
    archive = bytearray(tar(member("a", b"x" * 600 + HIDDEN, type=tarfile.GNUTYPE_SPARSE), form=tarfile.GNU_FORMAT))
    size = 600 + len(HIDDEN)
    archive[386:410] = b"%011o\0%011o\0" % (0, 700) + b""
    archive[410:434] = b"%011o\0%011o\0" % (800, size - 700)
    archive[483:495] = b"%011o\0" % (size + 100)
    archive[148:156] = b" " * 8
    archive[148:156] = b"%06o\0 " % sum(archive[:512])
    return bytes(archive)


def across_members() -> bytes:
    """Its end in another member than its directory: what lies between is the comment of its last entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("secret")
        entry.comment = b"#" * 513
        archive.writestr(entry, b"hidden")
    whole = buffer.getvalue()
    before = whole[: -END - 513]
    first = before.rjust(-len(before) // 512 * -512, b"x")
    return tar(member("a", first), member("b", b"x" + whole[-END:]), form=tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    "hidden",
    [in_global_pax_header, in_own_pax_header, behind_a_long_name, in_padding, in_sparse_file, across_members],
)
def test_what_zipfile_opens_beside_the_members_is_refused(hidden: Callable[[], bytes]) -> None:
    data = hidden()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("secret") == b"hidden"
    assert REFUSED in faults(data)
    inner = faults(tar(member("inner", data)))
    assert ("m > inner", "zip-ambiguous") in inner


def test_a_zip_archive_that_is_a_member_passes_wherever_it_lies() -> None:
    for members in (
        [member("a", b"x"), member("model.ckpt", HONEST)],
        [member("model.ckpt", HONEST), member("notes.txt", b"notes\n"), member("folder", type=tarfile.DIRTYPE)],
        [member("a", HIDDEN), member("b", HONEST)],
        [member("inner.tar", tar(member("model.ckpt", HONEST)))],
        [member("model.ckpt", zip64(HONEST))],
        [member(f"{number}.txt", b"") for number in range(200)],
        [member("model.ckpt", HONEST), *(member(f"{number}.txt", b"") for number in range(110))],
    ):
        assert faults(tar(*members)) == []


def zip64(archive: bytes) -> bytes:
    """The same archive with zip64 records, as PyTorch writes them always."""
    *_, count, size, offset, _ = struct.unpack("<4s4H2LH", archive[-END:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(archive) - END, 1)
    return archive[:-END] + record + locator + archive[-END:]


@pytest.mark.parametrize(("archive", "mark"), [(HONEST, b"PK\1\2"), (zip64(HONEST), b"PK\6\6")])
def test_a_record_where_the_last_member_says_counted_from_the_beginning_of_the_tar_archive_is_refused(
    archive: bytes, mark: bytes
) -> None:
    stated = archive.index(mark)
    fine, found = (b"x" * (stated - 512 + by) + mark + b"x" * 100 for by in (1, 0))
    assert faults(tar(member("a.txt", fine), member("b", archive))) == []
    assert faults(tar(member("a.txt", found), member("b", archive))) == [REFUSED]


def test_more_records_than_are_remembered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_members, "MOST_MARKS", 5)
    fine, many = (tar(member("a.txt", b"x" + b"PK\1\2" * count), member("b", HONEST)) for count in (4, 6))
    assert (faults(fine), faults(many)) == ([], [REFUSED])


def test_a_locator_without_its_record_before_it_is_refused() -> None:
    data = tar(member("a", b"x" + HIDDEN[:-END] + struct.pack("<4sLQL", b"PK\6\7", 0, 512, 1) + HIDDEN[-END:]))
    assert REFUSED in faults(data)
