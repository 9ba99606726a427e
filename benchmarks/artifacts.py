"""The synthetic artifacts that inspections are measured on: `python -m benchmarks.artifacts SET FILE` writes one."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from benchmarks.sharded import LEVEL, Shard

MB = 1_000_000
ALL, SHARD = "all together", "shard"

Files = Iterator[tuple[str, bytes]]


def weights(size: int) -> bytes:
    """Return safetensors of about `size` bytes: normally distributed floats, which hardly compress."""
    tensor = (np.random.default_rng(0).standard_normal(size // 4, dtype=np.float32) * 0.02).tobytes()
    described = {"dtype": "F32", "shape": [len(tensor) // 4], "data_offsets": [0, len(tensor)]}
    header = json.dumps({"weight": described}).encode()
    return struct.pack("<Q", len(header)) + header + tensor


def text(size: int) -> bytes:
    """Return `size` bytes of lines of words with the frequencies of a language (Zipf's law)."""
    random = np.random.default_rng(1)
    words = [bytes(random.integers(97, 123, length, dtype=np.uint8)) for length in random.integers(2, 10, 5000)]
    ends = np.where(random.random(size // 4) < 0.1, b"\n", b" ")
    chosen = random.zipf(1.3, size // 4) % len(words)
    parts: list[bytes] = []
    length = 0
    for number, end in zip(chosen, ends, strict=True):
        parts += (words[number], end)
        length += len(words[number]) + 1
        if length >= size:
            break
    return b"".join(parts)[:size]


def forest(trees: int) -> bytes:
    """Return the pickle of a real forest of scikit-learn, fully grown on noise: about 3 MB to a tree."""
    random = np.random.default_rng(2)
    rows, labels = random.random((20_000, 20)), random.integers(0, 2, 20_000)
    return pickle.dumps(ExtraTreesClassifier(trees, random_state=0, n_jobs=-1).fit(rows, labels), 4)


def vocabulary(words: int) -> bytes:
    """Return the pickle of a vocabulary: only texts and numbers, the slowest case."""
    return pickle.dumps({f"word{number}": number for number in range(words)}, 4)


def small_files(number: int, size: int) -> Files:
    """Yield JSON files of `size` bytes each."""
    words = text(number * size)
    for index in range(number):
        content = words[index * size : (index + 1) * size - 20].replace(b"\n", b" ")
        yield f"files/{index:06}.json", b'{"words": "' + content + b'"}'


SETS: dict[str, Callable[[], Files]] = {
    "float weights": lambda: iter([("model.safetensors", weights(300 * MB))]),
    "text": lambda: ((f"corpus-{number}.txt", text(20 * MB)) for number in range(5)),
    "small files": lambda: small_files(5000, 4000),
    "large pickle": lambda: iter([("model.pkl", forest(40))]),
    "vocabulary": lambda: iter([("vocabulary.pkl", vocabulary(500_000))]),
}
TOGETHER = ("float weights", "text", "small files", "large pickle")


def all_together() -> Files:
    """Yield the files of one model with a mix of all sets but the vocabulary."""
    for name in TOGETHER:
        yield from SETS[name]()


def write_archive(path: Path, files: Files) -> int:
    """Write a model.tar.gz of the files and return the bytes that it expands to."""
    with gzip.open(path, "wb", LEVEL) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return archive.offset


def write(what: str, path: Path) -> int:
    """Write the archive of a set, of all together, or a shard; return the bytes that it, or its content, expands to."""
    if what == SHARD:
        return Shard.write(path, weights(100 * MB)).expanded_size
    return write_archive(path, all_together() if what == ALL else SETS[what]())


if __name__ == "__main__":
    print(write(sys.argv[1], Path(sys.argv[2])))
