"""How fast an artifact is inspected, compared with the minimum work needed and with the usual way."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.readers import READERS
from benchmarks.sharded import Shard, ShardedArtifact

ROOT = Path(__file__).resolve().parent.parent
SETS = ("all together", "float weights", "text", "small files", "large pickle", "vocabulary")
MB = 1_000_000
GROWTH = (100 * MB, 400 * MB, 1000 * MB, 4000 * MB)  # compressed bytes
INTERPRETER = "from benchmarks.own_memory import peak; print(peak())"

Say = Callable[[str], None]
Row = dict[str, Any]


def measure(folder: Path, runs: int, say: Say) -> list[Row]:
    """Return each set's size, the median seconds of each method, and how the inspection compares."""
    return [_measured(name, folder / "model.tar.gz", runs, say) for name in SETS]


def _measured(name: str, path: Path, runs: int, say: Say) -> Row:
    say(f"inspection, {name}: writing it")
    expanded = int(_python("-m", "benchmarks.artifacts", name, str(path)))
    seconds: dict[str, list[float]] = {way: [] for way in READERS}
    for run in range(runs):
        for way in READERS:
            seconds[way].append(_taken(way, path)["seconds"])
        say(f"inspection, {name}: run {run + 1} of {runs}, {seconds['inspect'][-1]:.2f} s")
    return {"set": name, "size": path.stat().st_size, "expanded": expanded, **compared(seconds)}


def compared(seconds: dict[str, list[float]]) -> Row:
    """Return the median seconds of each way, and how many times as fast as each other one inspecting is.

    `limit` is the slower of inflating and hashing, by whichever of the two inflates faster in `fast_limit`.
    """
    median = {way: statistics.median(each) for way, each in seconds.items()}
    inspect, hashed = median["inspect"], median["sha256"]
    return {
        "seconds": median,
        "limit": max(median["inflate"], hashed) / inspect,
        "fast_limit": max(median["inflate, zlib-ng"], hashed) / inspect,
        "usual": median["usual"] / inspect,
    }


def growth(folder: Path, sizes: Iterable[int], say: Say) -> list[Row]:
    """Return the seconds and the memory (bytes above the bare interpreter's) of inspecting artifacts of those sizes."""
    path = folder / "shard.gz"
    shard = Shard(path, int(_python("-m", "benchmarks.artifacts", "shard", str(path))))
    own, rows = int(_python("-c", INTERPRETER)), []
    for size in sizes:
        number = max(1, round(size / path.stat().st_size))
        taken = _taken("inspect", path, str(number), str(shard.expanded_size))
        say(f"inspection of {size / MB:,.0f} MB: {taken['seconds']:.1f} s")
        above = taken["memory"] - own
        rows.append({"size": ShardedArtifact(shard, number).size, "seconds": taken["seconds"], "memory": above})
    return rows


def _taken(way: str, path: Path, *sharded: str) -> dict[str, float]:
    taken: dict[str, float] = json.loads(_python("-m", "benchmarks.readers", way, str(path), *sharded))
    return taken


def _python(*arguments: str) -> str:
    """Run Python in its own process, to measure its memory separately."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own
    return done.stdout
