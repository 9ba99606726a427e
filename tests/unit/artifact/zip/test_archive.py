"""Zip archives in a member: every entry is scanned, and no reader sees something else than was scanned."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.refusal import Refused
from tests.support.depth import examples
from tests.support.scans import faults, scanned

LZ4 = b"\x04\x22\x4d\x18" + b"frame" * 10
NOISE = random.Random(7).randbytes(300_000)  # noqa: S311  # the same bytes each time
FILES = {"archive/data.raw": b"weights" * 40, "archive/data/0": NOISE, "empty": b"", "archive/version": b"3\n"}


class UnseekableFile(io.RawIOBase):
    """A file that cannot seek: what is written to it in a zip is described after its data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
        archive.comment = comment
    return buffer.getvalue()


def zipped_forward(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, zip64: bool = False) -> bytes:
    file = UnseekableFile()
    with zipfile.ZipFile(file, "w", method) as archive:  # type: ignore[arg-type]
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=zip64) as entry:
                entry.write(content)
    return file.data


def as_pytorch_writes(files: dict[str, bytes]) -> bytes:
    """Return a zip as PyTorch's writer makes it: stored, sizes behind the data, aligned, with a zip64 end."""
    data, directory = b"", b""
    for name, content in files.items():
        offset, checksum, size = len(data), zlib.crc32(content), len(content)
        padding = b"FB" + struct.pack("<H", 28) + b"Z" * 28
        data += struct.pack("<4s5H3L2H", b"PK\x03\x04", 0, 0x0808, 0, 0, 0, 0, 0, 0, len(name), len(padding))
        data += name.encode() + padding + content + struct.pack("<4s3L", b"PK\x07\x08", checksum, size, size)
        central = ("<4s6H3L5H2L", b"PK\x01\x02", 0, 0, 0x0808, 0, 0, 0, checksum, size, size, len(name), 0, 0, 0, 0, 0)
        directory += struct.pack(*central, offset) + name.encode()
    count, size, start = len(files), len(directory), len(data)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 0x31E, 45, 0, 0, count, count, size, start)
    end += struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    return data + directory + end + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, start, 0)


Write = Callable[[dict[str, bytes]], bytes]
WRITERS: dict[str, Write] = {
    "stored": zipped,
    "deflated": lambda files: zipped(files, zipfile.ZIP_DEFLATED),
    "with a comment": lambda files: zipped(files, comment=b"c" * 65_535),
    "described after the data": zipped_forward,
    "described after the data in 64 bits": lambda files: zipped_forward(files, zip64=True),
    "PyTorch": as_pytorch_writes,
}
writers = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
ZIP = zipped(FILES)


@writers
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_a_valid_archive_passes(write: Write, chunk: int) -> None:
    files = FILES if chunk > 7 else {name: content[:5000] for name, content in FILES.items()}
    assert scanned(write(files), chunk=chunk) == []


@writers
def test_what_lies_in_an_entry_is_found_there(write: Write) -> None:
    data = write({"fine": b"x" * 5000, "archive/data.raw": LZ4, "also": gzip.compress(LZ4)})
    assert faults(data) == [
        ("m > archive/data.raw", "unscannable-compression"),
        ("m > also > gzip", "unscannable-compression"),
    ]


@writers
def test_an_archive_in_an_archive_is_scanned(write: Write) -> None:
    inner = write({"fine": b"x", "bad": LZ4})
    outer = zipped({"a": inner, "b": b"y"}, zipfile.ZIP_DEFLATED)
    assert faults(outer) == [("m > a > bad", "unscannable-compression")]
    assert faults(write({"a": zipped({"bad": LZ4})})) == [("m > a > bad", "unscannable-compression")]


def test_what_numpy_writes_passes() -> None:
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, weights=np.arange(100_000.0), bias=np.zeros(3))
        assert scanned(buffer.getvalue()) == []


def test_an_empty_archive_passes() -> None:
    assert scanned(zipped({})) == []


def test_data_that_look_like_their_own_end_are_read_to_their_end() -> None:
    marks = b"PK\x07\x08" * 2000 + struct.pack("<4s3L", b"PK\x07\x08", 0, 0, 0) + b"PK\x07"
    assert scanned(as_pytorch_writes({"a": marks, "b": b"x" + marks})) == []


# Names.


@pytest.mark.parametrize(
    ("name", "rule"), [("../x", "parent-directory"), ("/etc/x", "absolute-name"), ("c:x", "drive-letter")]
)
def test_names_that_leave_the_archive_are_refused(name: str, rule: str) -> None:
    assert faults(zipped({name: b"x"})) == [(f"m > {name}", rule)]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_ambiguous() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"x")
        archive.writestr("a", b"y")
    assert faults(buffer.getvalue()) == [("m", "zip-ambiguous")]


# What cannot be looked into.


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_are_not_read_are_refused_by_entry(method: int) -> None:
    assert faults(zipped({"a": b"x" * 100, "b": b"y" * 100}, method)) == [
        ("m > a", "unscannable-compression"),
        ("m > b", "unscannable-compression"),
    ]


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(ZIP)
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert faults(bytes(data)) == [("m > archive/data.raw", "unscannable-compression")]


def test_an_entry_whose_end_cannot_be_determined_is_refused() -> None:
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 8, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    assert faults(header + b"x" * 9000) == [("m", "unscannable-zip")]


# What other readers would see otherwise.


def replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def central(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


@pytest.mark.parametrize(
    ("field", "new"),
    [(10, b"\x08"), (16, b"\0\0\0\0"), (20, b"\x01"), (24, b"\x01"), (42, b"\x01"), (46, b"A")],
    ids=["method", "checksum", "compressed size", "size", "offset", "name"],
)
def test_a_directory_that_disagrees_with_an_entry_is_ambiguous(field: int, new: bytes) -> None:
    data = replaced(ZIP, central(ZIP) + field, new)
    assert set(faults(data)) == {("m", "zip-ambiguous")}


def test_an_entry_that_the_directory_does_not_name_is_ambiguous() -> None:
    one, two = zipped({"a": b"x"}), zipped({"a": b"x", "b": b"y"})
    at = central(two)
    end = replaced(one[-22:], 16, struct.pack("<L", at))
    assert faults(two[:at] + one[central(one) : -22] + end) == [("m", "zip-ambiguous")]


def test_a_directory_that_names_what_no_entry_is_is_ambiguous() -> None:
    listed = ZIP[central(ZIP) : -22]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 8, 8, 2 * len(listed), central(ZIP), 0)
    assert faults(ZIP[:-22] + listed + end) == [("m", "zip-ambiguous")] * 4


def test_data_between_two_entries_are_ambiguous() -> None:
    second = ZIP.index(b"PK\x03\x04", 4)
    assert faults(ZIP[:second] + LZ4 + ZIP[second:]) == [("m", "zip-ambiguous")]


def test_data_behind_a_deflated_entry_are_ambiguous() -> None:
    data = zipped({"a": b"x" * 100}, zipfile.ZIP_DEFLATED)
    size = struct.unpack_from("<L", data, 18)[0]
    data = replaced(data, 18, struct.pack("<L", size + len(LZ4)))
    at = 31 + size
    assert faults(data[:at] + LZ4 + data[at:]) == [("m", "zip-ambiguous")]


@pytest.mark.parametrize(("at", "new"), [(-14, b"\x09\0\x09\0"), (-12, b"\x09"), (-10, b"\x01"), (-6, b"\x01")])
def test_an_end_that_points_elsewhere_is_ambiguous(at: int, new: bytes) -> None:
    assert faults(replaced(ZIP, len(ZIP) + at, new)) == [("m", "zip-ambiguous")]


@pytest.mark.parametrize("rest", [b"x", b"x" * 70_000, ZIP])
def test_data_after_the_end_are_ambiguous(rest: bytes) -> None:
    assert ("m", "zip-ambiguous") in faults(ZIP + rest)


@pytest.mark.parametrize("before", [b"#!/bin/sh\n", b"x", bytes(200_000), b"PK"])
@pytest.mark.parametrize("comment", [b"", b"c" * 65_535])
@pytest.mark.parametrize("chunk", [100, 1 << 20])
def test_an_archive_behind_something_else_is_ambiguous(before: bytes, comment: bytes, chunk: int) -> None:
    assert faults(before + zipped(FILES, comment=comment), chunk=chunk) == [("m", "zip-ambiguous")]


def test_an_archive_is_found_behind_something_else_as_far_from_the_end_as_zipfile_looks() -> None:
    data = b"x" + zipped(FILES, comment=b"c" * 65_535) + b"x"
    assert zipfile.is_zipfile(io.BytesIO(data)) or sys.version_info >= (3, 13)  # newer ones look a byte less far
    assert faults(data) == [("m", "zip-ambiguous")]


def test_an_archive_is_found_behind_something_else_whatever_number_of_entries_its_end_says() -> None:
    data = b"x" + replaced(ZIP, len(ZIP) - 14, bytes(4))
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == len(FILES)
    assert faults(data) == [("m", "zip-ambiguous")]


def test_an_archive_is_found_behind_something_else_when_what_follows_its_end_looks_like_one() -> None:
    data = b"x" + zipped(FILES, comment=b"PK\x05\x06")
    assert ("m", "zip-ambiguous") in faults(data)


@pytest.mark.parametrize("mark", [b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"])
def test_another_end_in_the_comment_is_ambiguous(mark: bytes) -> None:
    assert faults(zipped(FILES, comment=b"c" + mark + bytes(100))) == [("m", "zip-ambiguous")]


def test_a_whole_archive_in_the_comment_of_another_is_ambiguous() -> None:
    other = zipped({"archive/data.pkl": b"other"})
    data = zipped(FILES, comment=other)
    assert set(faults(data)) == {("m", "zip-ambiguous")}


def with_comments(comment: bytes, extra: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("a")
        entry.comment, entry.extra = comment, extra
        archive.writestr(entry, b"x")
    return buffer.getvalue()


def test_a_locator_where_readers_look_for_it_in_an_entrys_comment_is_ambiguous() -> None:
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    assert faults(with_comments(b"about this" + locator)) == [("m", "zip-ambiguous")]
    assert faults(with_comments(b"about this")) == []


def unicode_path(name: str) -> bytes:
    content = b"\x01" + zlib.crc32(b"a").to_bytes(4, "little") + name.encode()
    return struct.pack("<2H", 0x7075, len(content)) + content


def test_another_name_in_an_extra_field_is_ambiguous() -> None:
    assert ("m", "zip-ambiguous") in faults(with_comments(b"", unicode_path("data.pkl")))
    assert faults(with_comments(b"", unicode_path("a"))) == []


def test_another_name_in_the_extra_field_of_the_directory_alone_is_ambiguous() -> None:
    fine, field = with_comments(b""), unicode_path("data.pkl")
    at = central(fine)
    entry = replaced(fine[at:-22], 30, len(field).to_bytes(2, "little")) + field
    end = replaced(fine[-22:], 12, struct.pack("<L", len(entry)))
    assert faults(fine[:at] + entry + end) == [("m", "zip-ambiguous")]


def test_data_in_a_folder_are_ambiguous() -> None:
    attributes = central(ZIP) + 38
    assert faults(replaced(ZIP, attributes, b"\x10")) == [("m", "zip-ambiguous")]
    assert faults(zipped({"a/": b"data"})) == [("m", "zip-ambiguous")]
    assert faults(zipped({"a/": b"", "a/b": b"data"})) == []


def test_a_program_is_told_by_names_in_any_case() -> None:
    files = {"a/DATA.PKL": b"x", "a/Constants.pkl": b"y"}
    assert ("m > a/Constants.pkl", "torchscript-code") in faults(zipped(files))


def test_the_signature_of_an_end_alone_is_no_archive() -> None:
    for following in (0, 17, 18, 30):
        assert faults(NOISE + b"PK\x05\x06" + bytes(following)) == []
    assert faults(NOISE + b"PK\x05\x06" + NOISE[:5000]) == []


def test_an_archive_in_a_stream_that_only_stores_is_none_behind_something_else() -> None:
    assert faults(gzip.compress(zipped({"a": b"x" * 100}), 0)) == []


def test_a_damaged_entry_is_refused() -> None:
    data = bytearray(zipped({"a": b"abc" * 5000}))
    data[5000] ^= 1
    assert faults(bytes(data)) == [("m", "corrupt-zip")]
    damaged = bytearray(zipped({"a": NOISE}, zipfile.ZIP_DEFLATED))
    damaged[60:70] = b"\xff" * 10
    assert faults(bytes(damaged))[0][0] == "m"
    assert faults(bytes(damaged))[0][1] in ("corrupt-zip", "zip-ambiguous")


@writers
@pytest.mark.parametrize("kept", [0.01, 0.5, 0.999])
def test_an_archive_cut_short_is_refused(write: Write, kept: float) -> None:
    data = write(FILES)
    [(member, rule)] = faults(data[: int(len(data) * kept)])
    assert member == "m"
    assert rule in ("truncated-content", "unscannable-zip", "zip-ambiguous", "corrupt-zip")


# Bombs.


def test_entries_count_against_the_budget_of_all_archives_together() -> None:
    inner = zipped(dict.fromkeys("abcdef", b"x"))
    with pytest.raises(Refused) as refusal:
        scanned(zipped({"one": inner, "two": inner}), Budget(members=10))
    assert refusal.value.rule == "too-many-members"


def test_what_entries_expand_to_counts_against_the_budget() -> None:
    data = zipped({"a": bytes(600_000), "b": bytes(600_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(Refused) as refusal:
        scanned(data, Budget(expanded=1_000_000))
    assert refusal.value.rule == "expansion-limit"


def test_archives_nested_too_deep_are_refused_and_the_rest_is_read() -> None:
    data = LZ4
    for _ in range(7):
        data = zipped({"a": data})
    outer = zipped({"deep": data, "bad": LZ4})
    assert faults(outer) == [("m > deep > a > a > a > a", "nested-too-deep"), ("m > bad", "unscannable-compression")]


HONEST = [write({**FILES, "archive/data/0": NOISE[:3000]}) for write in WRITERS.values()]
HONEST.append(bz2.compress(HONEST[0]))
edits = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=12)),
    min_size=1,
    max_size=4,
)


@given(st.sampled_from(HONEST), edits, st.sampled_from([1, 100, 1 << 20]))
@settings(max_examples=examples(300), deadline=5000)
def test_whatever_is_done_to_an_archive_it_is_read_to_its_end(honest: bytes, changes: Any, chunk: int) -> None:
    data = honest
    for change, place, content in changes:
        at = int(place * len(data))
        kept = at if change == "insert" else at + len(content)
        data = data[:at] + (b"" if change == "remove" else content) + data[kept:]
    assert all(member.startswith("m") and rule for member, rule in faults(data, chunk=chunk))


@given(st.sampled_from(range(len(WRITERS))), edits)
@settings(max_examples=examples(300), deadline=5000)
def test_what_passes_is_read_the_same_by_zipfile(writer: int, changes: Any) -> None:
    data = HONEST[writer]
    for _, place, content in changes:
        at = int(place * len(data))
        data = data[:at] + content + data[at + len(content) :]
    if scanned(data):
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError):
        return  # read by nobody
    with archive, suppress(NotImplementedError):  # of a version that is not read
        assert len(archive.infolist()) == len(FILES)
        assert archive.testzip() is None
