"""HDF5 that keeps data in other files is refused, however that is written; numbers that look like it are not."""

from __future__ import annotations

import io
from itertools import product

import h5py
import numpy as np
import pytest

from attack.grammars.hdf5 import FILES, written
from attack.grammars.hdf5_references import WAYS
from signoff.artifact.formats import hdf5_references
from tests.support.scans import faults, scanned

RULE = "hdf5-external-data"
SHORT = [name for name in FILES if "long" not in name]  # long user blocks are refused anyway
WRITTEN = [(way, file) for way, file in product(WAYS, SHORT) if file != "v108" or "virtual" not in way]  # it knows none
MESSAGE = b"\x07\x28\0\0" + b"\1\0\0\0" + b"\1\0\1\0" + (0x400).to_bytes(8, "little")
HEAP = b"HEAP\0\0\0\0"


def rules(data: bytes, chunk: int = 1 << 20) -> list[str]:
    return [rule for _, rule in faults(data, chunk=chunk)]


@pytest.mark.parametrize(("way", "file"), WRITTEN)
def test_data_in_other_files_is_refused(way: str, file: str) -> None:
    data = written(WAYS[way], file)

    assert rules(data) == [RULE]
    assert rules(data, chunk=999) == [RULE]


@pytest.mark.parametrize(("file", "path"), [(b"o\x1f.h5", b"/w"), (b"o.h5", b"/\x1f"), (b"\xff", b"\x01")])
def test_a_link_is_refused_whatever_its_file_and_its_object_are_called(file: bytes, path: bytes) -> None:
    data = io.BytesIO()
    with h5py.File(data, "w") as opened:
        opened.id.links.create_external(b"w", file, path)

    assert rules(data.getvalue()) == [RULE]


def test_a_link_to_no_object_is_refused_for_its_file_is_opened() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened["w"] = h5py.ExternalLink("other.h5", "/")
    written = b"\x0c\0\0other.h5\0/\0"
    assert written in file.getvalue()

    assert rules(file.getvalue().replace(written, b"\x0b\0\0other.h5\0\0\0")) == [RULE]


def numbers(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened["weights"] = values
        opened["here"] = h5py.SoftLink("/weights")
        opened.attrs["words"] = ["a", "b"]
    return file.getvalue()


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=200_000).astype("f4"),
        np.random.default_rng(0).integers(0, 10, 2_000_000, dtype="u1"),
        np.where(np.random.default_rng(0).random(400_000) < 0.3, 100_000, 7).astype("i4"),
        np.frombuffer(MESSAGE * 1000, "u1"),
    ],
    ids=["floats", "small numbers", "few numbers", "what reads as a message"],
)
def test_numbers_pass(values: np.ndarray) -> None:
    assert rules(numbers(values)) == []


def test_a_message_is_found_where_another_seems_to_begin_before_its_end() -> None:
    head = numbers(np.zeros(1))[:96].ljust(0x400, b"\0")

    assert rules(head + HEAP + b"\x07" * 5 + MESSAGE + bytes(16)) == [RULE]


def test_more_heaps_than_are_remembered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_references, "MOST_HEAPS", 100)

    assert rules(numbers(np.frombuffer(HEAP * 200, "u1"))) == [RULE]


def test_other_sizes_of_addresses_are_refused() -> None:
    data = bytearray(numbers(np.zeros(1)))
    data[13] = 4

    ((_, rule, reason),) = scanned(bytes(data))
    assert rule == RULE
    assert "8 bytes" in reason
