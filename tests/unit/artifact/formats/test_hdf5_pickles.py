"""Pickles in HDF5, as PyTables and pandas load them: each is judged, wherever a file of any version keeps it."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

from signoff.artifact.formats import hdf5_pickles
from tests.support.scans import faults

HOSTILE = b"cposix\nmkdir\n(Vmark\ntR."
RUNS = [("m", "unsafe-pickle")]
# What pandas.DataFrame.to_hdf writes by PyTables: lists, None, a class, and an array of objects.
HONEST = (
    b"(lp0\n(I0\nVindex\np1\ntp2\na.",
    b"N.",
    b"ccopy_reg\n_reconstructor\np0\n(cpandas.core.indexes.base\nIndex\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n.",
)
OBJECTS = pickle.dumps(np.array(["a", None, 1], object))


class Directory:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("mark",)


def file_with(write: Callable[[h5py.File], object], **how: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", **how) as opened:
        opened["weights"] = np.arange(1000)
        write(opened)
        opened["more"] = np.random.default_rng(0).normal(size=1000)
    return file.getvalue()


def attribute(value: bytes, name: str = "TITLE", count: int = 0) -> Callable[[h5py.File], object]:
    def write(opened: h5py.File) -> None:
        for number in range(count):
            opened.attrs[f"other{number}"] = number
        opened.attrs[name] = np.bytes_(value)

    return write


def of_committed_type(value: bytes) -> Callable[[h5py.File], object]:
    def write(opened: h5py.File) -> None:
        opened["type"] = np.dtype(f"S{len(value)}")
        opened.attrs.create("TITLE", np.bytes_(value), dtype=opened["type"])

    return write


def of_variable_size(value: bytes) -> Callable[[h5py.File], object]:
    return lambda opened: opened.attrs.create("TITLE", value.decode("latin-1"), dtype=h5py.string_dtype())


def objects(*values: bytes) -> Callable[[h5py.File], object]:
    def write(opened: h5py.File) -> None:
        rows = opened.create_dataset("objects", len(values), h5py.vlen_dtype(np.uint8))
        for at, value in enumerate(values):
            rows[at] = np.frombuffer(value, np.uint8)

    return write


LAYOUTS: dict[str, Callable[[bytes], bytes]] = {
    "as PyTables writes it": lambda value: file_with(attribute(value)),
    "with a long name": lambda value: file_with(attribute(value, "n" * 3000)),
    "with a short name": lambda value: file_with(attribute(value, "é")),
    "in new headers": lambda value: file_with(attribute(value), libver="latest"),
    "in ordered headers": lambda value: file_with(attribute(value), track_order=True),
    "among many": lambda value: file_with(attribute(value, count=100), libver="latest"),
    "of a committed type": lambda value: file_with(of_committed_type(value)),
    "of a committed type in new headers": lambda value: file_with(of_committed_type(value), libver="latest"),
    "of variable size": lambda value: file_with(of_variable_size(value)),
    "as an object": lambda value: file_with(objects(b"x", b"\n" * 100, value, b"y")),
    "behind a user block": lambda value: file_with(attribute(value), userblock_size=512),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_runs_code_is_refused_wherever_it_lies(layout: str) -> None:
    assert faults(LAYOUTS[layout](HOSTILE)) == RUNS
    assert faults(LAYOUTS[layout](HOSTILE), chunk=999) == RUNS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_pandas_writes_passes(layout: str) -> None:
    for value in HONEST:
        assert faults(LAYOUTS[layout](value)) == [], value


def test_what_fails_after_it_has_run_is_refused_and_what_runs_nothing_passes() -> None:
    broken = b"cposix\nmkdir\n(Vmark\ntRq"
    texts = b"see posix.\nIt is no pickle\nbut a text.", b"cposix\nmkdir\n(Vmark\nt", bytes(100)
    assert faults(file_with(attribute(broken))) == RUNS
    for text in texts:
        assert faults(file_with(attribute(text))) == []


def test_objects_of_any_size_are_read_to_their_end() -> None:
    size = 3 * 1024 * 1024
    assert faults(file_with(objects(OBJECTS, pickle.dumps([bytes(size), "word"])))) == []
    assert faults(file_with(objects(OBJECTS, pickle.dumps([bytes(size), Directory()])))) == RUNS
    assert faults(file_with(objects(*[OBJECTS] * 500, pickle.dumps(Directory())))) == RUNS


def test_attributes_outside_of_all_headers_are_refused_where_they_may_be() -> None:
    assert faults(file_with(attribute(b"x" * 100_000), libver="latest")) == [("m", "unreadable-pickle")]


def test_more_than_is_followed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_pickles, "MOST", 3)
    data = file_with(objects(OBJECTS))
    heap = b"GCOL\1\0\0\0" + (1 << 30).to_bytes(8, "little") + b"\1\0" + bytes(6) + (1 << 20).to_bytes(8, "little")
    assert faults(data + heap) == []
    assert faults(data + heap * 5) == [("m", "unreadable-pickle")]
