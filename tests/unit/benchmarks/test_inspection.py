"""What inspections are measured on is what it says, and every way through it comes to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import artifacts
from benchmarks.inspection import compared
from benchmarks.readers import READERS, BenchmarkFailed
from benchmarks.sharded import Shard, ShardedArtifact
from signoff.artifact import scan
from signoff.artifact.inspection import inspect
from signoff.artifact.requirements import Requirements
from signoff.aws.range_reads import in_order
from tests.support.depth import examples

CONTENT = artifacts.weights(5000)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> ShardedArtifact:
    return ShardedArtifact(Shard.write(tmp_path_factory.mktemp("shard") / "shard.gz", CONTENT), 7)


def test_an_artifact_of_shards_holds_as_many_files_as_it_says(sharded: ShardedArtifact) -> None:
    found = inspect(in_order(sharded.fetch, sharded.size, 1000), Requirements(), scan.scan)
    assert (found.passed, found.members, found.size) == (True, 7, sharded.size)


@given(st.data())
@settings(max_examples=examples(100))
def test_any_range_of_it_is_a_part_of_the_whole(sharded: ShardedArtifact, data: st.DataObject) -> None:
    whole = sharded.fetch(0, sharded.size - 1)
    first = data.draw(st.integers(0, sharded.size - 1))
    last = data.draw(st.integers(first, sharded.size - 1))
    assert sharded.fetch(first, last) == whole[first : last + 1]


@pytest.mark.parametrize("way", READERS)
def test_every_way_comes_to_its_end(way: str, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    files = [("model.safetensors", CONTENT), ("words.txt", artifacts.text(3000)), *artifacts.small_files(3, 200)]
    expanded = artifacts.write_archive(archive, iter([*files, ("vocabulary.pkl", artifacts.vocabulary(100))]))
    assert expanded > len(CONTENT)
    READERS[way](archive)


def test_an_artifact_that_is_refused_is_no_measurement(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    artifacts.write_archive(archive, iter([("../escape", b"x")]))
    with pytest.raises(BenchmarkFailed, match="parent-directory"):
        READERS["inspect"](archive)


def test_ratios_say_how_many_times_as_fast_inspecting_is() -> None:
    seconds = {"inspect": [2.0, 1.0, 9.0], "inflate": [3.0], "inflate, zlib-ng": [1.5], "sha256": [1.8], "usual": [6.0]}
    figures = compared(seconds)
    assert (figures["limit"], figures["fast_limit"], figures["usual"]) == (1.5, 0.9, 3.0)
