"""Numbers that are an .lzma stream of zeros too: what loaders find behind the zeros is refused, and numbers are not."""

from __future__ import annotations

import array
import io
import lzma
import zipfile

import pytest

from signoff.artifact.formats import hidden_lzma
from signoff.artifact.formats.hdf5 import MAGIC
from tests.support.scans import faults

ZEROS = bytes(4096)


def unusual(data: bytes) -> bytes:
    """An .lzma stream of properties that joblib does not know one by."""
    return lzma.compress(data, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "lc": 4}])


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("data.pkl", b"N.")
    return file.getvalue()


HIDDEN = {
    "a zip archive": unusual(ZEROS + archive()),
    "a zip archive far behind": unusual(bytes(9_000_000) + archive()),
    "HDF5": unusual(ZEROS + MAGIC + bytes(100)),
    "a zip archive in a second stream": unusual(ZEROS) + unusual(archive()),
    "a zip archive in xz behind an empty stream": unusual(ZEROS) + unusual(b"") + lzma.compress(archive()),
    "a zip archive before something else": unusual(ZEROS + archive()) + b"junk",
}


def opened(data: bytes) -> bytes:
    return lzma.open(io.BytesIO(data)).read()


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN)
def test_what_readers_find_behind_zeros_is_refused(data: bytes) -> None:
    assert zipfile.is_zipfile(io.BytesIO(opened(data))) or opened(data).find(MAGIC) == len(ZEROS)
    assert [rule for _, rule in faults(data)] == ["ambiguous-content"]


@pytest.mark.parametrize(
    "data",
    [
        unusual(ZEROS),
        unusual(ZEROS) + bytes(900_000),
        unusual(ZEROS)[:-3],
        array.array("I", [1, 0x01000000, 1, 0]).tobytes() + ZEROS,
        array.array("d", [0.0, 0.0, 1.5]).tobytes() * 1000,
        array.array("q", range(10_000)).tobytes(),
    ],
    ids=["zeros", "zeros behind it", "cut off", "few numbers", "floats", "integers"],
)
def test_numbers_pass(data: bytes) -> None:
    assert faults(data) == []


def test_streams_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_lzma, "MOST_STREAMS", 20)

    assert [rule for _, rule in faults(unusual(ZEROS) + bytes(9_000))] == ["ambiguous-content"]


def test_more_memory_than_there_is_is_refused() -> None:
    first = unusual(ZEROS)
    second = lzma.compress(archive(), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 128 << 20}])

    assert [rule for _, rule in faults(first + second)] == ["ambiguous-content"]
