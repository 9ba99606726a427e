"""One method of reading an artifact, in its own process.

`python -m benchmarks.readers METHOD FILE [NUMBER EXPANDED_SIZE]`

With a number, the artifact is a `sharded.ShardedArtifact` of that file. Prints JSON: the seconds that reading took and
the process's peak memory in bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zlib_ng import zlib_ng

from benchmarks.own_memory import peak
from benchmarks.sharded import Shard, ShardedArtifact
from signoff.artifact.requirements import Requirements
from signoff.aws.range_reads import in_order
from signoff.validation.inspect_artifact import inspect_archive

OUT = 1024 * 1024


class BenchmarkFailed(Exception):
    """Raised when a method does not finish, so that its time is meaningless."""


def inspect(file: Path) -> None:
    """Inspect as InspectArtifact does."""
    _inspected(_chunks(file))


def inspect_sharded(file: Path, number: int, expanded_size: int) -> None:
    """The same for an artifact that is larger than its file."""
    artifact = ShardedArtifact(Shard(file, expanded_size), number)
    _inspected(in_order(artifact.fetch, artifact.size))


def _inspected(chunks: Iterator[bytes]) -> None:
    found = inspect_archive(chunks, Requirements())
    if not found.passed:
        raise BenchmarkFailed(f"The artifact was refused: {found.findings[0]}")


def inflate(module: Any, file: Path) -> None:
    """Inflate and nothing else."""
    inflater = module.decompressobj(31)
    for chunk in _chunks(file):
        given = chunk
        while given:
            inflater.decompress(given, OUT)
            given = inflater.unconsumed_tail
    if not inflater.eof:
        raise BenchmarkFailed(f"{file} does not end where its gzip stream does")


def sha256(file: Path) -> None:
    """Hash and nothing else."""
    digest = hashlib.sha256()
    for chunk in _chunks(file):
        digest.update(chunk)


def usual(file: Path) -> None:
    """Download to the disk, `sha256sum`, unpack with tarfile, and `picklescan` over what was unpacked."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        downloaded, unpacked = Path(folder) / "model.tar.gz", Path(folder) / "model"
        shutil.copyfile(file, downloaded)
        _run("sha256sum", str(downloaded))
        with tarfile.open(downloaded) as archive:
            archive.extractall(unpacked, filter="data")
        # Exit code 1 says that it found something: a name of scikit-learn's is "suspicious" to it.
        _run(sys.executable, "-m", "picklescan", "--path", str(unpacked), expected=(0, 1))


def _run(*command: str, expected: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode not in expected:
        raise BenchmarkFailed(f"{' '.join(command)} failed: {done.stderr.decode()}")


def _chunks(file: Path) -> Iterator[bytes]:
    """Read as InspectArtifact does, in parallel ranges, so that no method waits for bytes."""

    def fetch(first: int, last: int) -> bytes:
        with file.open("rb", buffering=0) as opened:
            opened.seek(first)
            return opened.read(last + 1 - first)

    return in_order(fetch, file.stat().st_size)


READERS: dict[str, Callable[[Path], None]] = {
    "inspect": inspect,
    "inflate": lambda file: inflate(zlib, file),
    "inflate, zlib-ng": lambda file: inflate(zlib_ng, file),
    "sha256": sha256,
    "usual": usual,
}


def main() -> None:
    """Run the method named on the command line and print its time and memory."""
    way, file, *sharded = sys.argv[1:]
    started = time.perf_counter()
    if sharded:
        inspect_sharded(Path(file), *map(int, sharded))
    else:
        READERS[way](Path(file))
    print(json.dumps({"seconds": time.perf_counter() - started, "memory": peak()}))


if __name__ == "__main__":
    main()
