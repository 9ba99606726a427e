"""Every archive of the corpus is classified correctly: no hostile one passes, no valid one is refused."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.inspection import inspect
from signoff.artifact.member_names import normalised
from signoff.artifact.requirements import CodeLocations, Requirements
from signoff.artifact.streams.limits import Limits
from signoff.artifact.tar.nested import is_tar
from tests.corpus.cases import BLOCK, ArchiveCase, checked
from tests.corpus.honest import honest
from tests.corpus.hostile import hostile
from tests.support.archives import inspected, member, tar
from tests.support.depth import examples, some

HOSTILE, HONEST = hostile(), honest()
LINKS = {"symbolic-link", "hard-link", "dangling-link"}  # which only SageMaker does not extract
MOST_MEMORY = 16 * 1024 * 1024  # bytes above what there was before; the names of up to 10,000 members are remembered


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_archive_is_refused_by_its_rule(case: ArchiveCase) -> None:
    inspection = inspected(case.data, limits=case.limits)
    assert not inspection.passed
    assert case.rule in {finding.rule for finding in inspection.findings if finding.severity == "error"}
    assert inspection.sha256 == hashlib.sha256(case.data).hexdigest()


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_refusal_says_why_in_a_sentence_and_what_to_do(case: ArchiveCase) -> None:
    for finding in inspected(case.data, limits=case.limits).findings:
        assert finding.reason[0].isupper()
        assert finding.reason.isprintable()
        assert finding.remedy.endswith(".")


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.name)
def test_a_valid_archive_passes_but_for_its_links(case: ArchiveCase) -> None:
    inspection = inspected(case.data)
    links = {normalised(entry.name) for entry in inspection.inventory if entry.type.endswith("link")}
    assert {finding.member for finding in inspection.findings} == links
    assert {finding.rule for finding in inspection.findings} <= LINKS
    assert inspection.members > 0
    assert inspection.sha256 == hashlib.sha256(case.data).hexdigest()


def judged(data: bytes, limits: Limits | None) -> set[tuple[str, str]]:
    """Return rule and severity of all that is found in an archive, and in what lies within it."""
    # Code may lie anywhere here: that of an archive within lies where that archive does.
    requirements = Requirements(code=CodeLocations(python=("*",)), limits=limits or Limits())
    inspection = inspect([data], requirements, scan.scan)
    return {(finding.rule, finding.severity) for finding in inspection.findings if finding.rule not in LINKS}


def within(case: ArchiveCase) -> bytes | None:
    """The tar of a case, if it is one; what is wrong with the gzip around it is another thing."""
    try:
        data = gzip.decompress(case.data)
    except (OSError, EOFError, zlib.error):
        return None
    about_gzip = case.rule in {"corrupt-gzip", "trailing-data"}
    return data if is_tar(data) and not about_gzip else None


TARS = [(case, data) for case in (*HOSTILE, *HONEST) if (data := within(case))]


@pytest.mark.parametrize(("case", "data"), some(TARS), ids=[case.name for case, _ in some(TARS)])
def test_a_tar_within_an_archive_is_checked_like_the_archive_itself(case: ArchiveCase, data: bytes) -> None:
    alone = judged(case.data, case.limits)
    assert judged(gzip.compress(tar(member("data.tar", data))), case.limits) == alone
    if case.rule != "expansion-ratio":  # which is the artifact's own, and gzip hardly compresses what it has compressed
        assert judged(gzip.compress(tar(member("data.tgz", gzip.compress(data)))), case.limits) == alone


def test_most_of_the_corpus_is_tried_within_an_archive_too() -> None:
    assert len(TARS) > 140


def test_the_corpus_is_large_and_names_each_case_once() -> None:
    names = [case.name for case in (*HOSTILE, *HONEST)]
    assert len(set(names)) == len(names)
    assert (len(HOSTILE) >= 150, len(HONEST) >= 40) == (True, True)


# Honest archives, changed.

SMALL = [gzip.decompress(case.data) for case in HONEST if len(case.data) < 20_000]
changes = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=24)), min_size=1, max_size=4)


def changed(data: bytes, edits: list[tuple[float, bytes]], *, headers_right: bool) -> bytes:
    """Write over some of a tar; with `headers_right`, whatever block is hit gets the checksum that a header has."""
    blocks = bytearray(data)
    for place, content in edits:
        at = int(place * max(len(data.rstrip(b"\0")), 1))
        blocks[at : at + len(content)] = content
        start = at - at % BLOCK
        if headers_right and len(blocks) >= start + BLOCK:
            blocks[start : start + BLOCK] = checked(blocks[start : start + BLOCK])
    return bytes(blocks)


def memory_of(data: bytes) -> int:
    tracemalloc.start()
    try:
        document = inspected(data, limits=Limits(expanded_size=50_000_000)).document()
        failed = any(finding["severity"] == "error" for finding in document["findings"])
        assert (document["verdict"] == "failed") == failed
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(st.sampled_from(SMALL), changes, st.booleans())
@settings(max_examples=examples(400), deadline=4000)
def test_whatever_is_written_over_a_valid_archive_it_is_checked_in_bounded_memory(
    data: bytes, edits: list[tuple[float, bytes]], headers_right: bool
) -> None:
    assert memory_of(gzip.compress(changed(data, edits, headers_right=headers_right), mtime=0)) < MOST_MEMORY


@given(st.sampled_from(SMALL), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=examples(200), deadline=4000)
def test_a_valid_archive_without_some_of_its_blocks_is_checked_in_bounded_memory(
    data: bytes, place: float, share: float
) -> None:
    start = int(place * len(data)) // BLOCK * BLOCK
    rest = data[:start] + data[start + int(share * len(data)) // BLOCK * BLOCK :]
    assert memory_of(gzip.compress(rest, mtime=0)) < MOST_MEMORY


@pytest.mark.parametrize("case", some([*HOSTILE, *HONEST]), ids=lambda case: case.name)
def test_no_archive_takes_more_memory_than_its_names_do(case: ArchiveCase) -> None:
    assert memory_of(case.data) < MOST_MEMORY
