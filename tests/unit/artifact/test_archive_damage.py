from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zlib_ng import zlib_ng

from signoff.artifact.inspection import inspect
from signoff.artifact.remedies import REMEDIES
from signoff.artifact.report import MAX_FINDINGS, MAX_INVENTORY
from signoff.artifact.streams.gzip import AHEAD, INFLATE_OUT
from signoff.artifact.streams.limits import Limits
from tests.support.archives import archive_of, found, honest, inspected, link, member, rules, tar
from tests.support.depth import examples

if TYPE_CHECKING:
    from collections.abc import Iterator


# The container: gzip and tar.

NOT_GZIP = {
    "empty": b"",
    "a zip archive": b"PK\x03\x04rest",
    "a tar archive that is not compressed": honest(),
    "an HTML or XML page": b"\n <!doctype html><html></html>",
    "a JSON document": b'{"error": "no such key"}',
    "a pickle": b"\x80\x04N.",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "zeros": bytes(2000),
    "data of an unknown format": b"\x01\x02\x03",
}


@pytest.mark.parametrize(("kind", "data"), NOT_GZIP.items())
def test_what_is_not_gzip_is_refused_by_what_it_looks_like(kind: str, data: bytes) -> None:
    inspection = inspected(data, "model.joblib")
    assert rules(inspection) == ["not-gzip"]
    assert inspection.findings[0].reason.endswith(kind)
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_is_refused(kept: float) -> None:
    data = gzip.compress(honest())
    cut = data[: int(len(data) * kept)]
    inspection = inspected(cut, "model.joblib")
    assert rules(inspection) == ["truncated-gzip"]
    assert inspection.sha256 == hashlib.sha256(cut).hexdigest()


def test_a_gzip_whose_checksum_does_not_match_is_refused_though_its_tar_reads_well() -> None:
    weights = member("weights", hashlib.shake_256().digest(3_000_000))
    data = bytearray(gzip.compress(tar(member("model.joblib", b"x"), weights)))
    data[-8] ^= 1
    inspection = inspected(bytes(data))
    assert inspection.members == 2
    assert rules(inspection) == ["corrupt-gzip"]


def test_damage_in_the_gzip_is_named_beside_the_damage_it_does_to_the_tar() -> None:
    data = bytearray(gzip.compress(honest(), compresslevel=0))
    data[15 + 512 * 3 + 100] ^= 1
    assert rules(inspected(bytes(data))) == ["corrupt-tar", "corrupt-gzip"]


@pytest.mark.parametrize("garbage", [b"x", b"\x1f", b"\0" * 100, b"PK\x03\x04", b"x" * 100_000])
def test_garbage_after_the_gzip_stream_is_refused(garbage: bytes) -> None:
    data = gzip.compress(honest()) + garbage
    inspection = inspected(data)
    assert rules(inspection) == ["trailing-data"]
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("content", [b"", b"weights", b"\x80\x04N." * 1000, gzip.compress(honest())])
def test_gzip_of_something_else_than_a_tar_is_refused(content: bytes) -> None:
    assert rules(inspected(gzip.compress(content), "model.joblib")) == ["not-tar"]


@pytest.mark.parametrize("kept", [512 + 100, 512 * 3 - 20, 512 * 3, 512 * 3 + 100, 512 * 5])
def test_a_truncated_tar_is_refused_wherever_it_ends(kept: int) -> None:
    assert rules(inspected(gzip.compress(honest()[:kept]))) == ["truncated-tar"]


def test_a_damaged_header_in_the_middle_is_refused_and_not_taken_for_the_end() -> None:
    data = bytearray(honest())
    data[512 * 3] ^= 1
    inspection = inspected(gzip.compress(bytes(data)))
    assert rules(inspection) == ["corrupt-tar"]
    assert inspection.members == 1


@pytest.mark.parametrize(
    "headers",
    [{"GNU.sparse.map": "a,b"}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}],
    ids=str,
)
def test_pax_headers_that_make_no_sense_are_refused(headers: dict[str, str]) -> None:
    odd = member("a", b"x" * 600, pax_headers=headers)
    assert rules(inspected(gzip.compress(tar(odd, member("b", b"y"))))) == ["corrupt-tar"]


def test_implausibly_large_headers_are_refused_before_they_are_read() -> None:
    inspection = inspected(gzip.compress(tar(member("a", pax_headers={"comment": "x" * 10_000_000}))))
    assert rules(inspection) == ["header-too-large"]


def test_headers_without_end_are_refused() -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 4
    block = name.tobuf(tarfile.GNU_FORMAT) + b"abc".ljust(512, b"\0")
    assert rules(inspected(gzip.compress(block * 5000)))[0] in ("header-too-large", "corrupt-tar")


def test_an_archive_without_members_is_refused() -> None:
    assert rules(inspected(gzip.compress(tar()))) == ["empty-archive"]


def test_an_archive_hidden_behind_the_end_of_another_is_refused() -> None:
    assert rules(inspected(gzip.compress(honest() + honest()))) == ["data-after-end"]


# Bombs, and the bounds of a report.


def test_an_archive_that_expands_beyond_the_limit_is_not_read_further_but_hashed_to_its_end() -> None:
    data = gzip.compress(tar(member("zeros", bytes(50_000_000))))
    inspection = inspected(data, limits=Limits(expanded_size=5_000_000))
    assert rules(inspection) == ["expansion-limit"]
    assert inspection.expanded_size < 10_000_000
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()


def test_an_archive_that_expands_beyond_the_ratio_is_refused_once_it_is_large() -> None:
    data = gzip.compress(tar(member("zeros", bytes(20_000_000))))
    assert rules(inspected(data, chunk=4096, limits=Limits(ratio=100, ratio_from=1_000_000))) == ["expansion-ratio"]
    assert inspected(data, limits=Limits(ratio=100)).passed


def test_zeros_behind_the_end_of_the_tar_count_as_expansion_too() -> None:
    data = gzip.compress(honest() + bytes(20_000_000))
    assert rules(inspected(data, limits=Limits(expanded_size=5_000_000))) == ["expansion-limit"]


def test_an_archive_with_too_many_members_is_refused() -> None:
    data = gzip.compress(tar(*(member(str(number)) for number in range(20))))
    assert rules(inspected(data, limits=Limits(members=10))) == ["too-many-members"]
    assert inspected(data, limits=Limits(members=20)).passed


def test_every_finding_is_reported_up_to_a_number_and_the_rest_is_counted() -> None:
    names = [f"/{number}" for number in range(MAX_FINDINGS + 50)]
    inspection = inspected(gzip.compress(tar(*map(member, names))), "model.joblib")
    assert rules(inspection)[0] == "required-file-missing"
    assert rules(inspection).count("absolute-name") == MAX_FINDINGS
    assert found(inspection)[-1] == (None, "more-findings", "error")
    assert "50 more" in inspection.findings[-1].reason


def test_the_inventory_is_cut_and_says_so() -> None:
    data = gzip.compress(tar(*(member(str(number)) for number in range(MAX_INVENTORY + 5))))
    document = inspected(data).document()
    assert (document["members"], len(document["inventory"])) == (MAX_INVENTORY + 5, MAX_INVENTORY)
    assert document["inventory_omitted"] == 5


def test_the_document_is_plain_json() -> None:
    document = archive_of(member("../x", b"x")).document()
    assert json.loads(json.dumps(document)) == document
    assert document["verdict"] == "failed"
    assert document["findings"] == [
        {
            "member": "../x",
            "rule": "parent-directory",
            "severity": "error",
            "reason": "Has a name with `..`: it would climb out of the model's directory",
            "remedy": REMEDIES["parent-directory"],
        }
    ]


# Time, memory, and other people's errors.


def test_a_lost_connection_is_raised_and_never_taken_for_a_bad_archive() -> None:
    def chunks() -> Iterator[bytes]:
        yield gzip.compress(honest())[:200]
        raise ValueError("connection lost")

    with pytest.raises(ValueError, match="connection lost"):
        inspect(chunks())


@pytest.mark.parametrize(
    "records",
    ["1" * 60_000, "2 " * 30_000 + "=", "9 a=1\n", "0 a=1\n", "-6 a=1\n", "6 a=11", "x" * 600, "6  =\n"],
    ids=lambda records: records[:10],
)
def test_pax_records_made_to_keep_a_reader_busy_are_refused(records: str) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    body = records.encode().ljust(-(-len(records) // 512) * 512, b"\0")
    data = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + body + honest())
    assert rules(inspected(data)) == ["corrupt-tar"]


def test_a_long_name_is_never_taken_for_a_header_that_announces_pax_records() -> None:
    name = "a" * 100 + "/" + "a" * 55 + "x" + "b" * 100 + "ustar"
    assert inspected(gzip.compress(tar(member(name, b"x"), member("b", b"y"), form=tarfile.GNU_FORMAT))).passed


def test_links_that_cost_much_to_follow_are_given_up() -> None:
    steps = "/".join("abcdefghij" for _ in range(370))
    links = [link(f"l{number}", f"l{number + 1}/{steps}") for number in range(300)]
    inspection = archive_of(*links)
    assert "link-loop" in rules(inspection)


def test_memory_does_not_grow_with_the_archive() -> None:
    def peak(size: int) -> int:
        header = member("weights")[0]
        header.size = size
        deflater = zlib.compressobj(wbits=31)
        block = bytes(range(256)) * 4096

        def chunks() -> Iterator[bytes]:
            yield deflater.compress(header.tobuf())
            for _ in range(size // len(block)):
                yield deflater.compress(block)
            yield deflater.compress(bytes(10240)) + deflater.flush()

        tracemalloc.start()
        try:
            assert inspect(chunks()).passed
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(256 << 20) < (AHEAD + 4) * INFLATE_OUT  # what is inflated ahead of its use, and what is in use


HONEST = [
    gzip.compress(data, compresslevel=level, mtime=0)
    for level in (0, 6)
    for data in (
        honest(tarfile.USTAR_FORMAT),
        tar(member("a" * 200, b"x", pax_headers={"x": "y"}), link("l", "a" * 200)),
    )
]
edits = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=20)),
    max_size=4,
)


def mutated(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for change, place, content in changes:
        at = int(place * len(data))
        if change == "flip":
            data = (
                data[:at] + bytes(a ^ b for a, b in zip(data[at:], content, strict=False)) + data[at + len(content) :]
            )
        elif change == "cut":
            data = data[:at] + data[at + len(content) * 40 :]
        else:
            data = data[:at] + content + data[at:]
    return data


@given(st.sampled_from(HONEST), edits, st.integers(1, 5000))
@settings(max_examples=examples(300), deadline=2000)
def test_whatever_is_done_to_the_bytes_the_inspection_ends_with_their_digest(
    data: bytes, changes: list[tuple[str, float, bytes]], chunk: int
) -> None:
    damaged = mutated(data, changes)
    inspection = inspected(damaged, "a*", chunk=chunk)
    assert inspection.sha256 == hashlib.sha256(damaged).hexdigest()
    assert inspection.size == len(damaged)
    assert json.dumps(inspection.document())


@given(st.sampled_from([gzip.decompress(data) for data in HONEST]), edits)
@settings(max_examples=examples(300), deadline=2000)
def test_whatever_is_done_to_the_tar_inside_the_inspection_ends_with_a_verdict(
    data: bytes, changes: list[tuple[str, float, bytes]]
) -> None:
    damaged = gzip.compress(mutated(data, changes), mtime=0)
    document = inspected(damaged).document()
    assert (document["verdict"] == "failed") == any(finding["severity"] == "error" for finding in document["findings"])


FIELDS = {"name": 0, "size": 124, "type": 156, "link": 157, "magic": 257, "sparse map": 386, "sparse size": 482}
values = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([b"\xff" * 12, b"\x80" + bytes(10) + b"\x7f", *(bytes([kind]) for kind in b"01256xgXLKSVDM")]),
)


@given(st.sampled_from(HONEST), st.integers(0, 3), st.lists(st.tuples(st.sampled_from([*FIELDS]), values), min_size=1))
@settings(max_examples=examples(500), deadline=2000)
def test_whatever_a_header_claims_under_a_right_checksum_the_inspection_ends_with_a_verdict(
    honest_data: bytes, number: int, claims: list[tuple[str, bytes]]
) -> None:
    data, at = bytearray(gzip.decompress(honest_data)), 512 * number
    for field, value in claims:
        data[at + FIELDS[field] : at + FIELDS[field] + len(value)] = value
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    document = inspected(gzip.compress(bytes(data), mtime=0)).document()
    assert (document["verdict"] == "failed") == any(finding["severity"] == "error" for finding in document["findings"])


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
def test_a_negative_size_is_refused(kind: bytes) -> None:
    header = tarfile.TarInfo("negative")
    header.type, header.size = kind, -1024
    data = gzip.compress(honest()[:1536] + header.tobuf(tarfile.GNU_FORMAT) + honest())
    assert rules(inspected(data))[0] == "corrupt-tar"


# What zlib refuses must be refused: whoever unpacks the archive most likely has zlib.

STREAMS = [
    gzip.compress(content, level, mtime=0)
    for content in (b"", b"weights " * 400, bytes(range(256)) * 8, bytes(70_000))
    for level in (0, 1, 9)
]


def inflated_by(module: Any, data: bytes) -> tuple[bytes, bytes, str]:
    """What comes out, what is left over, and the error."""
    inflater, out = module.decompressobj(31), b""
    try:
        for at in range(0, len(data), 512):
            given = data[at : at + 512]
            while given and not inflater.eof:
                out += inflater.decompress(given, 4096)
                given = inflater.unconsumed_tail
    except module.error as error:
        return out, b"", str(error)
    return out, inflater.unused_data, ""


@given(st.sampled_from(STREAMS), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=3), st.floats(0, 1))
@settings(max_examples=examples(500))
def test_damaged_data_is_inflated_as_zlib_does(stream: bytes, flips: list[tuple[float, int]], end: float) -> None:
    damaged = bytearray(stream[: max(1, int(end * len(stream)))] if end < 0.5 else stream)
    for place, flip in flips:
        damaged[int(place * (len(damaged) - 1))] ^= flip
    assert inflated_by(zlib_ng, bytes(damaged)) == inflated_by(zlib, bytes(damaged))
