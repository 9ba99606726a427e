"""Compressed streams in a member: what they expand to is scanned, in a bounded part of memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import pickle
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.context import ScanContext
from signoff.artifact.formats import compressed
from signoff.artifact.scan import scan
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import BLOCK, PeekableReader
from signoff.artifact.streams.refusal import Refused
from tests.support.depth import examples
from tests.support.scans import BoundedChunks, faults, scanned

Compress = Callable[[bytes], bytes]


def legacy(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


FORMS: dict[str, Compress] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": legacy,
}
WITH_CHECKSUM = [name for name in FORMS if name != "lzma"]
LZ4 = b"\x04\x22\x4d\x18" + b"frame" * 10
CONTENTS = {
    "nothing": b"",
    "a little": b"weights",
    "text": b"0.25, 0.5, 0.75\n" * 50_000,
    "noise": hashlib.shake_256(b"noise").digest(700_000),
    "zeros": bytes(3_000_000),
}
forms = pytest.mark.parametrize("form", FORMS)


def expanded(data: bytes, name: str, chunk: int = 1 << 20) -> bytes:
    form = next(form for form in compressed.FORMS if form.name == name)
    reader = compressed.DecompressedReader(
        PeekableReader(BoundedChunks(data, chunk)), form, ScanContext("m", lambda *_: None)
    )
    parts = []
    while part := reader.read(BLOCK):
        assert len(part) <= BLOCK
        parts.append(part)
    return b"".join(parts)


@forms
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_a_stream_expands_to_what_was_compressed(form: str, content: bytes, chunk: int) -> None:
    data = FORMS[form](content)
    if chunk == 7:
        data, content = FORMS[form](content[:9000]), content[:9000]
    assert expanded(data, form, chunk) == content
    assert faults(data, chunk=chunk) == []


@forms
def test_streams_one_after_the_other_are_all_read(form: str) -> None:
    parts = [b"first" * 100, b"second" * 70_000, b"third"]
    assert expanded(b"".join(map(FORMS[form], parts)), form, 1000) == b"".join(parts)


@pytest.mark.parametrize("form", ["gzip", "xz", "bzip2"])
def test_zeros_after_a_stream_are_padding(form: str) -> None:
    compress = FORMS[form]
    assert expanded(compress(b"a" * 50) + bytes(10_000) + compress(b"b" * 50) + bytes(8), form) == b"a" * 50 + b"b" * 50


@forms
def test_something_in_a_compressed_stream_is_found_there(form: str) -> None:
    assert faults(FORMS[form](LZ4)) == [(f"m > {form}", "unscannable-compression")]
    assert faults(FORMS["gzip"](FORMS[form](LZ4))) == [(f"m > gzip > {form}", "unscannable-compression")]


@forms
def test_something_in_the_second_of_two_streams_is_read_with_the_first(form: str) -> None:
    assert faults(FORMS[form](LZ4[:5]) + FORMS[form](LZ4[5:])) == [(f"m > {form}", "unscannable-compression")]


@forms
def test_a_stream_cut_short_is_refused(form: str) -> None:
    data = FORMS[form](CONTENTS["noise"])
    assert faults(data[: len(data) // 2]) == [("m", "corrupt-compressed")]


@pytest.mark.parametrize("form", WITH_CHECKSUM)
def test_a_stream_whose_data_were_changed_is_refused(form: str) -> None:
    data = bytearray(FORMS[form](CONTENTS["noise"]))
    data[len(data) // 2] ^= 1
    assert faults(bytes(data)) == [("m", "corrupt-compressed")]


@forms
def test_something_else_after_a_stream_is_refused(form: str) -> None:
    assert faults(FORMS[form](b"weights" * 10) + b"garbage" * 4) == [("m", "trailing-data")]
    assert faults(FORMS[form](b"weights" * 10) + b"garbage" * 400_000) == [("m", "trailing-data")]


@pytest.mark.parametrize(("magic", "name"), compressed.UNREADABLE, ids=[name for _, name in compressed.UNREADABLE])
def test_what_cannot_be_read_is_refused_by_name(magic: bytes, name: str) -> None:
    [(member, rule, reason)] = scanned(magic + bytes(100))
    assert (member, rule) == ("m", "unscannable-compression")
    assert name in reason


@pytest.mark.parametrize("text", ["x^2 + y^2 = z^2", "x\u0001", "]", "BZh is what bzip2 begins with", "xxx", ""])
def test_what_only_begins_like_a_stream_is_none(text: str) -> None:
    assert faults(text.encode()) == []


def test_arrays_of_numbers_are_not_taken_for_streams() -> None:
    noise = random.Random(1)  # noqa: S311  # the same numbers each time
    for number in (0, 93, 0x78, 0x0178, 0x9C78, 0xDA78, 0x5D):
        for size in (2, 4, 8):
            rest = noise.randbytes(20_000)
            assert faults(number.to_bytes(size, "little") + rest) == []


@pytest.mark.parametrize("method", ["gzip", "zlib", "bz2", "xz", "lzma"])
def test_what_joblib_compresses_is_scanned(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    joblib.dump({"coefficients": np.arange(5000.0)}, buffer, compress=(method, 3))
    name = {"bz2": "bzip2"}.get(method, method)
    plain = expanded(buffer.getvalue(), name)
    assert plain.startswith(b"\x80")
    assert plain.endswith(b".")


def test_joblibs_old_format_is_what_a_joblib_file_may_be() -> None:
    plain = pickle.dumps({"weights": [0.5] * 100}, protocol=2)
    old = b"ZF" + hex(len(plain)).ljust(19).encode() + zlib.compress(plain)
    found: list[str] = []
    where = ScanContext("model.joblib", lambda _member, rule, *_: found.append(rule))
    scan(BoundedChunks(old), where)
    assert (found, where.summary.kind) == ([], "zlib")


@forms
def test_what_expands_beyond_the_budget_ends_everything(form: str) -> None:
    with pytest.raises(Refused) as refusal:
        scanned(FORMS[form](bytes(3_000_000)), Budget(expanded=2_000_000))
    assert refusal.value.rule == "expansion-limit"


def test_the_budget_is_one_for_all_levels() -> None:
    data = gzip.compress(gzip.compress(bytes(100_000), 0), 0)
    with pytest.raises(Refused):
        scanned(data, Budget(expanded=150_000))
    assert scanned(data, Budget(expanded=201_000)) == []


def test_a_stream_that_expands_out_of_all_proportion_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "RATIO_FROM", 1_000_000)
    assert faults(bz2.compress(bytes(50_000_000))) == [("m", "expansion-ratio")]


def test_streams_within_streams_beyond_the_depth_are_refused() -> None:
    data = b"weights"
    for _ in range(8):
        data = gzip.compress(data)
    assert faults(data) == [("m" + " > gzip" * 5, "nested-too-deep")]


@pytest.mark.parametrize("form", ["xz", "lzma"])
def test_a_dictionary_that_would_take_much_memory_is_refused(form: str) -> None:
    filters = [{"id": lzma.FILTER_LZMA2 if form == "xz" else lzma.FILTER_LZMA1, "dict_size": 128 << 20}]
    container = lzma.FORMAT_XZ if form == "xz" else lzma.FORMAT_ALONE
    data = lzma.compress(b"weights" * 1000, container, filters=filters)
    assert faults(data) == [("m", "unscannable-compression")]


def test_what_xz_writes_at_its_best_is_read() -> None:
    assert faults(lzma.compress(b"weights" * 1000, preset=9)) == []


def peak(data: bytes) -> int:
    tracemalloc.start()
    try:
        assert scanned(data) == []
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ["gzip", "zlib", "bzip2"])
def test_memory_does_not_grow_with_what_a_stream_expands_to(form: str) -> None:
    assert peak(FORMS[form](bytes(30_000_000))) < 4 << 20


def test_many_tiny_streams_are_read_in_little_time_and_memory() -> None:
    data = gzip.compress(b"x") * 20_000
    assert peak(data) < 4 << 20
    assert expanded(data, "gzip") == b"x" * 20_000


edits = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=12), st.booleans()), max_size=4)


def edited(data: bytes, changes: list[Any]) -> bytes:
    """Return `data` with some of its bytes replaced, and some of them removed."""
    for place, content, removes in changes:
        at = int(place * len(data))
        data = data[:at] + (b"" if removes else content) + data[at + len(content) :]
    return data


@given(st.sampled_from([*FORMS]), st.sampled_from([*CONTENTS]), edits, st.integers(1, 5000))
@settings(max_examples=examples(150), deadline=5000)
def test_whatever_is_done_to_a_stream_it_is_read_to_its_end(form: str, content: str, changes: Any, chunk: int) -> None:
    data = edited(FORMS[form](CONTENTS[content][:20_000]), changes)
    assert all(member.startswith("m") and rule for member, rule in faults(data, chunk=chunk))


@pytest.mark.parametrize(("size", "found"), [(64, []), (65, ["ambiguous-content"])])
def test_an_extra_field_of_gzip_holds_no_other_format(size: int, found: list[str]) -> None:
    plain = gzip.compress(b"weights", mtime=0)
    data = plain[:3] + b"\4" + plain[4:10] + size.to_bytes(2, "little") + bytes(size) + plain[10:]

    assert gzip.decompress(data) == b"weights"
    assert [rule for _, rule in faults(data)] == found
    assert [rule for _, rule in faults(plain + data)] == found
