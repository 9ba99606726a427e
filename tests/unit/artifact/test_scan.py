"""Content types detected by their bytes, and archives whose members are scanned while they are read."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import pickle
import random
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.inspection import inspect, inspect_file
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from signoff.artifact.streams.limits import Budget, Limits
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused
from tests.corpus.cases import header
from tests.support.archives import FORMATS, found, honest, link, member, rules, tar, zipped
from tests.support.depth import examples
from tests.support.scans import faults, scanned

LZ4 = b"\x04\x22\x4d\x18" + b"frame" * 10
BAD = "unscannable-compression"
NOISE = random.Random(9).randbytes(100_000)  # noqa: S311  # the same bytes each time
forms = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def looked_into(data: bytes, limits: Limits | None = None, chunk: int = 64 * 1024) -> Inspection:
    return inspect(
        (data[at : at + chunk] for at in range(0, len(data), chunk)), Requirements(limits=limits or Limits()), scan.scan
    )


def packed(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    return gzip.compress(tar(*members, form=form), mtime=0)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("id",)


# Pickles, wherever they lie.


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda data: data,
        gzip.compress,
        zlib.compress,
        bz2.compress,
        lzma.compress,
        lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
        lambda data: zipped(**{"archive/data.pkl": data}),
        lambda data: tar(member("model.txt", data)),
        lambda data: gzip.compress(zipped(a=tar(member("b", zlib.compress(data))))),
    ],
    ids=["bare", "gzip", "zlib", "bzip2", "xz", "lzma", "zip", "tar", "all at once"],
)
def test_a_pickle_that_would_run_code_is_found_whatever_it_lies_in(protocol: int, wrapped: Any) -> None:
    [(_, rule, reason)] = scanned(wrapped(pickle.dumps([Harmful()], protocol)))
    assert rule == "unsafe-pickle"
    assert "system" in reason
    harmless = wrapped(pickle.dumps({"weights": [0.5, 0.25]}, protocol))
    assert scanned(harmless) == []


@pytest.mark.parametrize("method", [0, ("gzip", 3), ("zlib", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)], ids=str)
def test_what_joblib_writes_is_checked_by_what_it_holds(method: Any) -> None:
    honest, harmful = io.BytesIO(), io.BytesIO()
    joblib.dump({"weights": np.arange(50_000.0)}, honest, compress=method)
    joblib.dump({"weights": np.arange(50_000.0), "more": Harmful()}, harmful, compress=method)
    assert scanned(honest.getvalue()) == []
    assert [rule for _, rule in faults(harmful.getvalue())] == ["unsafe-pickle"]


def test_java_s_objects_are_refused_wherever_they_lie() -> None:
    stream = b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap" + bytes(40)
    for data in (stream, gzip.compress(stream), zipped(model=stream)):
        assert [rule for _, rule in faults(data)] == ["java-object"]


def test_an_array_of_objects_in_an_archive_of_arrays_is_scanned() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, fine=np.arange(10.0), objects=np.array([Harmful()], dtype=object))
    assert ("m > objects.npy > objects", "unsafe-pickle") in faults(buffer.getvalue())


def test_what_is_a_tar_and_a_pickle_at_once_is_refused() -> None:
    data = bytearray(tar(member("\x80\x02N", b"x", uid=0), form=tarfile.GNU_FORMAT))
    data[:4] = b"\x80\x02N."
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 8 * 0x20 + sum(data[156:512]))
    assert ("m", "ambiguous-content") in faults(bytes(data))


@pytest.mark.parametrize("before", [pickle.dumps([1.0] * 9), b"\x93NUMPY", b"{}"], ids=["pickle", "npy", "JSON"])
def test_a_zip_archive_behind_another_format_is_refused(before: bytes) -> None:
    assert ("m", "zip-ambiguous") in faults(before + zipped(a=b"x"))


# A tar in a member.


@forms
def test_files_in_a_tar_in_a_member_are_scanned(form: int) -> None:
    inner = tar(member("fine", NOISE), member("deep/" * 30 + "bad", LZ4), member("also", b"x"), form=form)
    assert faults(inner) == [("m > " + "deep/" * 30 + "bad", BAD)]
    assert faults(bz2.compress(inner)) == [("m > bzip2 > " + "deep/" * 30 + "bad", BAD)]


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, BLOCK, BLOCK + 1])
def test_what_follows_a_file_of_any_size_is_found(size: int) -> None:
    inner = tar(member("first", b"x" * size), member("bad", LZ4))
    assert faults(inner, chunk=700) == [("m > bad", BAD)]
    assert found(looked_into(gzip.compress(inner))) == [("bad", BAD, "error")]


def test_names_that_leave_a_tar_in_a_member_are_refused() -> None:
    assert ("m > ../../x", "parent-directory") in faults(tar(member("../../x", b"x")))


@pytest.mark.parametrize("kept", [1000, 1536, 1700])
def test_a_tar_in_a_member_that_is_cut_short_is_refused(kept: int) -> None:
    assert faults(honest()[:kept]) == [("m", "truncated-tar")]


def test_a_tar_behind_the_end_of_a_tar_is_refused() -> None:
    assert faults(honest() + honest()) == [("m", "data-after-end")]


def test_files_of_a_tar_count_against_the_budget() -> None:
    with pytest.raises(Refused) as refusal:
        scanned(tar(*(member(str(number)) for number in range(20))), Budget(members=10))
    assert refusal.value.rule == "too-many-members"


def nested(*members: tuple[tarfile.TarInfo, bytes], times: int = 1) -> bytes:
    return tar(*(member(f"{number}.tar", tar(*members)) for number in range(times)))


def test_findings_in_a_tar_within_a_tar_are_reported_with_both_names() -> None:
    assert faults(nested(link("out", "../../etc"), member("a"), member("A"), member("run", mode=0o4755))) == [
        ("m > 0.tar > run", "set-uid"),
        ("m > 0.tar > out", "link-leaves"),
        ("m > 0.tar > a", "name-collision"),
    ]


def test_the_same_name_in_two_archives_is_no_duplicate() -> None:
    assert faults(nested(member("model.bin", NOISE), times=3)) == []


def test_all_names_on_all_levels_together_are_bounded() -> None:
    data = nested(member("n" * 200), times=20)
    assert faults(data, Budget(names=20 * 200 + 200)) == []
    with pytest.raises(Refused) as refusal:
        scanned(data, Budget(names=3000))
    assert refusal.value.rule == "too-many-members"


def test_the_links_on_all_levels_together_are_followed_only_so_far() -> None:
    data = nested(link("a", "d/d/d/d/d/d/d/d"), member("d/d/d/d/d/d/d/d", b"x"), times=20)
    assert {rule for _, rule in faults(data)} == {"symbolic-link"}
    assert "link-loop" in {rule for _, rule in faults(data, Budget(followed=1000))}


def test_a_sparse_file_in_a_tar_within_counts_as_large_as_it_will_be() -> None:
    old = b"".join(b"%011o\0%011o\0" % piece for piece in ((0, 512), (1 << 30, 0)))
    inner = header(b"w", 512, b"S", magic=b"ustar  \0", sparse=old, real_size=b"%011o\0" % (1 << 30)) + bytes(1536)
    with pytest.raises(Refused) as refusal:
        scanned(tar(member("in.tar", inner)), Budget(expanded=1 << 29))
    assert refusal.value.rule == "expansion-limit"


def test_a_connection_lost_in_a_tar_in_a_member_is_raised() -> None:
    class Lost:
        def __init__(self) -> None:
            self.data = honest()[:1024]

        def read(self, size: int) -> bytes:
            part, self.data = self.data[:size], self.data[size:]
            if not part:
                raise ValueError("connection lost")
            return part

    with pytest.raises(ValueError, match="connection lost"):
        scanned(Lost())


# What macOS packs beside a file.

APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(100)


@pytest.mark.parametrize("name", ["._model.joblib", "code/._inference.py", "._model.onnx", "._config.json"])
def test_what_macos_packs_beside_a_file_is_a_warning_and_nothing_else(name: str) -> None:
    assert found(looked_into(packed(member(name, APPLE_DOUBLE)))) == [(name, "left-over", "warning")]


@pytest.mark.parametrize("name", ["model.joblib", "_.joblib"])
def test_what_macos_packs_is_no_model_under_a_models_name(name: str) -> None:
    assert found(looked_into(packed(member(name, APPLE_DOUBLE)))) == [(name, "not-what-it-is-called", "error")]


def test_what_only_begins_as_what_macos_packs_is_what_its_name_claims() -> None:
    longest = APPLE_DOUBLE.ljust(scan.LARGEST_ATTRIBUTES, b"\1")
    for content, told in ((longest, []), (longest + b"\1", [("._model.joblib", "not-what-it-is-called", "error")])):
        looked = looked_into(packed(member("._model.joblib", content)))
        assert found(looked) == [("._model.joblib", "left-over", "warning"), *told]
    archive = member("._model.joblib", APPLE_DOUBLE + zipped(**{"data.pkl": b"x"}))
    assert ("._model.joblib", "zip-ambiguous", "error") in found(looked_into(packed(archive)))


# An archive whose members are looked into.


@forms
def test_a_valid_archive_passes_and_is_read_as_without_scanning(form: int) -> None:
    data = gzip.compress(honest(form))
    looked, passed_over = looked_into(data), inspect([data])
    assert [(each.name, each.size, each.type) for each in looked.inventory] == [
        (each.name, each.size, each.type) for each in passed_over.inventory
    ]
    assert (looked.sha256, looked.expanded_size, looked.findings) == (passed_over.sha256, passed_over.expanded_size, ())


def test_what_is_found_in_members_is_reported_with_their_names_and_all_are_scanned() -> None:
    data = packed(
        member("a.txt", LZ4),
        member("dir", type=tarfile.DIRTYPE),
        member("dir/b", gzip.compress(tar(member("c", zipped(d=LZ4))))),
        link("l", "a.txt"),
        member("e", zipped(fine=b"x")),
        member("f", LZ4),
    )
    assert found(looked_into(data)) == [
        ("a.txt", BAD, "error"),
        ("dir/b > gzip > c > d", BAD, "error"),
        ("f", BAD, "error"),
        ("l", "symbolic-link", "error"),
    ]
    assert [finding.rule for finding in inspect([data]).findings] == ["symbolic-link"]


def test_a_member_that_cannot_be_read_does_not_end_the_archive() -> None:
    data = packed(member("a", gzip.compress(NOISE)[:-20]), member("b", zipped(x=b"y")[:-5]), member("c", LZ4))
    assert found(looked_into(data)) == [
        ("a", "corrupt-compressed", "error"),
        ("b", "truncated-content", "error"),
        ("c", BAD, "error"),
    ]


def test_too_much_within_all_members_together_ends_the_archive() -> None:
    bomb = member("bomb", zlib.compress(bytes(3_000_000)))
    data = packed(bomb, member("bad", LZ4))
    assert rules(looked_into(data, Limits(expanded_size=2_000_000))) == ["expansion-limit"]
    assert looked_into(data).sha256 == hashlib.sha256(data).hexdigest()


def test_the_policy_says_how_deep_archives_may_lie_in_archives() -> None:
    data = packed(member("a", gzip.compress(bz2.compress(lzma.compress(b"weights")))))
    assert looked_into(data, Limits(nested=3)).findings == ()
    assert found(looked_into(data, Limits(nested=2))) == [("a > gzip > bzip2", "nested-too-deep", "error")]


def test_an_archive_cut_short_in_a_member_is_refused_once() -> None:
    data = gzip.compress(tar(member("a", zipped(x=NOISE)))[:20_000])
    assert rules(looked_into(data)) == ["truncated-tar"]
    assert rules(looked_into(packed(member("a", zipped(x=NOISE)))[:20_000])) == ["truncated-gzip"]


def test_a_sparse_file_is_scanned_as_it_will_be_unpacked() -> None:
    whole = zipped(a=b"", b=LZ4)
    data = b"".join(whole[at : at + 16] for at in range(0, len(whole), 16))
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "weights"}
    sparse["GNU.sparse.realsize"] = str(len(whole) + 1000)
    pieces = f"2\n0\n{50}\n{50}\n{len(whole) - 50}\n".encode().ljust(512, b"\0")
    archive = packed(member("GNUSparseFile.0/weights", pieces + data, pax_headers=sparse), member("bad", LZ4))
    assert found(looked_into(archive)) == [
        ("weights > b", BAD, "error"),
        ("weights", "zip-ambiguous", "error"),  # for the hole behind it
        ("bad", BAD, "error"),
    ]


def test_an_object_that_is_no_archive_is_hashed_and_scanned_in_one_pass() -> None:
    data = zipped(a=NOISE, b=LZ4)
    inspection = inspect_file(iter([data[:1000], data[1000:]]), "model.zip", scan.scan)
    assert (inspection.sha256, inspection.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert found(inspection) == [("model.zip > b", BAD, "error"), ("model.zip > a", "unknown-format", "warning")]
    assert inspect_file(iter([NOISE]), "weights", scan.scan).passed


def test_memory_does_not_grow_with_a_member() -> None:
    def peak(size: int) -> int:
        header = member("weights")[0]
        header.size = size
        deflater = zlib.compressobj(1, wbits=31)

        def chunks() -> Iterator[bytes]:
            yield deflater.compress(header.tobuf())
            for _ in range(size // len(NOISE)):
                yield deflater.compress(NOISE)
            yield deflater.compress(bytes(10240)) + deflater.flush()

        tracemalloc.start()
        try:
            assert inspect(chunks(), scan=scan.scan).passed
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(400 * len(NOISE)) < peak(40 * len(NOISE)) + (1 << 20)


NESTED = [
    tar(member("a", zipped(x=b"y" * 100)), member("b", gzip.compress(b"z" * 100)), form=tarfile.GNU_FORMAT),
    tar(member("a" * 150, honest()), member("c", lzma.compress(honest())), member("d", bz2.compress(b"d"))),
    zipped(a=honest(), b=zlib.compress(honest())),
]
edits = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=12)), max_size=5)


def edited(data: bytes, changes: list[tuple[float, bytes]]) -> bytes:
    for place, content in changes:
        at = int(place * len(data))
        data = data[:at] + content + data[at + len(content) :]
    return data


@given(st.sampled_from(NESTED), edits, st.sampled_from([1, 700, 1 << 20]))
@settings(max_examples=examples(300), deadline=5000)
def test_whatever_is_done_to_archives_in_archives_they_are_read_to_their_end(
    data: bytes, changes: Any, chunk: int
) -> None:
    assert all(who.startswith("m") and rule for who, rule in faults(edited(data, changes), chunk=chunk))


@given(st.sampled_from(NESTED[:2]), edits)
@settings(max_examples=examples(200), deadline=5000)
def test_whatever_is_done_to_an_archive_it_is_checked_and_hashed(data: bytes, changes: Any) -> None:
    packed_again = gzip.compress(edited(data, changes), mtime=0)
    inspection = looked_into(packed_again, chunk=1000)
    assert inspection.sha256 == hashlib.sha256(packed_again).hexdigest()


@given(
    st.binary(max_size=5000), st.sampled_from([b"", b"\x1f\x8b", b"PK\x03\x04", b"\x78\x9c", b"BZh91AY&SY", b"\x5d\0"])
)
@settings(max_examples=examples(300), deadline=2000)
def test_any_bytes_at_all_are_read_to_their_end(rest: bytes, beginning: bytes) -> None:
    assert all(member.startswith("m") for member, _ in faults(beginning + rest))
