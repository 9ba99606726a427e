"""Valid files of frameworks, damaged or altered: each is checked in bounded memory, and no inspection fails."""

from __future__ import annotations

import hashlib
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.formats.compressed import LZMA_MEMORY
from signoff.artifact.inspection import inspect
from signoff.artifact.report import Inspection
from signoff.artifact.requirements import Requirements
from signoff.artifact.streams.limits import Limits
from tests.corpus.framework_archives import torch_samples
from tests.corpus.framework_files import Files, by_name, files
from tests.corpus.model_archives import archive, zipped
from tests.corpus.model_archives import entries as entries_of
from tests.support.depth import examples

MOST_MEMORY = 16 * 1024 * 1024  # bytes above what there was before; most of them are the dictionary of an xz stream
DEMANDS = Requirements(limits=Limits(expanded_size=50_000_000))
# One of each kind of file, and of each way to compress it.
NAMES = """
    scikit-learn: k-means;scikit-learn: text: words;XGBoost: booster, JSON and UBJ;XGBoost: booster, pickle and joblib
    LightGBM: booster, text;LightGBM: booster, pickle and joblib;skops: pipeline;skops: values;skops: pipeline, deflated
    safetensors: one file;ONNX: pipeline;ONNX: weights beside the model;Keras: network, .keras;Keras: network, weights
    arrays: npz;arrays: npz, deflated;arrays: npy;arrays: sparse, csr;arrays: pandas, frame
"""
ZIPS = (b"PK\x03\x04", b"PK\x05\x06")


def models() -> list[str]:
    return [name.strip() for name in NAMES.replace("\n", ";").split(";") if name.strip()]


TORCH = torch_samples()
NAMED = [*models(), *TORCH]


def model(name: str) -> Files:
    return TORCH[name] if name in TORCH else files(name)


def judged(data: bytes, most_memory: int = MOST_MEMORY) -> Inspection:
    """Inspect an archive, and see that its verdict is that of its findings and its memory bounded."""
    tracemalloc.start()
    try:
        inspection = inspect([data], DEMANDS, scan.scan)
        assert tracemalloc.get_traced_memory()[1] < most_memory
    finally:
        tracemalloc.stop()
    document = inspection.document()
    failed = any(finding["severity"] == "error" for finding in document["findings"])
    assert (document["verdict"] == "failed") == failed
    assert inspection.sha256 == hashlib.sha256(data).hexdigest()
    assert all(finding.reason.isprintable() and finding.remedy for finding in inspection.findings)
    return inspection


def cut(data: bytes, place: float, _: bytes) -> bytes:
    return data[: int(place * len(data))]


def written_over(data: bytes, place: float, new: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + new + data[at + len(new) :]


def inserted(data: bytes, place: float, new: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + new + data[at:]


def without(data: bytes, place: float, new: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + data[at + len(new) * 7 :]


def repeated(data: bytes, place: float, new: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + data[at : at + 99] * (len(new) * 20) + data[at:]


def twice(data: bytes, _place: float, _new: bytes) -> bytes:
    return data + data


Change = Callable[[bytes, float, bytes], bytes]
Changes = list[tuple[Change, float, bytes]]
CHANGES: list[Change] = [cut, written_over, inserted, without, repeated, twice]
SPLICES = [
    b"cos\nsystem\n",
    b"\x8c\x02os\x8c\x06system\x93)R",
    b"\xff" * 8,
    b"\0" * 16,
    b"PK\x03\x04",
    b"(((((",
    b"\x80\x05",
]
edits = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.floats(0, 1), st.binary(min_size=1, max_size=12) | st.sampled_from(SPLICES)),
    min_size=1,
    max_size=3,
)


@given(st.sampled_from(NAMED), st.data(), edits)
@settings(max_examples=examples(250), deadline=None)
def test_whatever_is_done_to_a_file_it_is_checked_in_bounded_memory(
    name: str, data: st.DataObject, changes: list
) -> None:
    file, content = data.draw(st.sampled_from(sorted(model(name).items())))
    for change, place, new in changes:
        content = change(content, place, new)
    # What an .lzma file says of its dictionary has no checksum.
    more = LZMA_MEMORY if file.endswith((".xz", ".lzma")) else 0
    judged(archive({file: content}, neighbours=False), MOST_MEMORY + more)


@given(st.sampled_from(NAMED), st.data(), edits)
@settings(max_examples=examples(150), deadline=None)
def test_whatever_is_done_within_a_zip_it_is_checked_in_bounded_memory(
    name: str, data: st.DataObject, changes: list
) -> None:
    """The zip archive itself is written anew, so that its checksums and its directory are right."""
    zips = {file: content for file, content in model(name).items() if content.startswith(ZIPS)}
    if not zips:
        return
    file, content = next(iter(zips.items()))
    inside = entries_of(content)
    chosen = data.draw(st.sampled_from(sorted(inside)))
    for change, place, new in changes:
        inside[chosen] = change(inside[chosen], place, new)
    judged(archive({**model(name), file: zipped(inside, data.draw(st.sampled_from(METHODS)))}, neighbours=False))


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


@given(st.sampled_from(NAMED), st.sampled_from(NAMED), st.booleans())
@settings(max_examples=examples(60), deadline=None)
def test_valid_files_under_one_another_s_names_are_valid_or_not_what_they_are_called(
    first: str, second: str, neighbours: bool
) -> None:
    """A name claims what a file is: renaming files may only add that they are something else, and never takes away."""
    contents = list(model(second).values())
    exchanged = {name: contents[at % len(contents)] for at, name in enumerate(model(first))}
    found = judged(archive(exchanged, neighbours=neighbours)).findings
    assert {finding.rule for finding in found if finding.severity == "error"} <= {"not-what-it-is-called"}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_is_checked_the_same_whatever_pieces_it_comes_in(name: str) -> None:
    data = archive(model(name))
    whole = inspect([data], scan=scan.scan)
    pieces = inspect((data[at : at + 977] for at in range(0, len(data), 977)), scan=scan.scan)
    assert whole == pieces


def test_the_files_that_are_changed_are_of_every_framework() -> None:
    every = {name.split(":")[0] for name in by_name()}
    assert {name.split(":")[0] for name in models()} == every
