"""PyTorch's old format: five pickles, and behind them the storages' bytes and nothing else."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict

import pytest

from tests.support.pickled import calling
from tests.support.scans import faults
from tests.support.tensor_files import sample

FILES = ("state-dict.legacy.pth", "checkpoint.legacy.pth")
HOSTILE = calling("os", "system")


@pytest.mark.parametrize("name", FILES)
def test_the_storages_are_as_long_as_the_pickle_says(name: str) -> None:
    whole = sample(name)
    assert faults(whole) == []
    assert faults(whole[:-1]) == [("m", "unreadable-pickle")]
    assert faults(whole + b"x") == [("m", "data-after-pickle")]


@pytest.mark.parametrize("name", [*FILES, "module.legacy.pth"])
@pytest.mark.parametrize("second", [HOSTILE, sample("state-dict.legacy.pth")])
def test_what_a_second_reading_of_the_file_would_load_is_refused(name: str, second: bytes) -> None:
    assert ("m", "data-after-pickle") in faults(sample(name) + second)


def test_a_sixth_pickle_where_the_storages_are_is_refused() -> None:
    """Who reads with `pickle.load` until the end, as some converters do, would load it."""
    whole = sample("state-dict.legacy.pth")
    begin = after_five_pickles(whole)
    first = struct.unpack_from("<q", whole, begin)[0]
    assert 0 < first < 1000
    hidden = HOSTILE + whole[begin + len(HOSTILE) :]
    assert faults(whole[:begin] + hidden) == [("m", "ambiguous-content")]


def test_storages_of_which_the_pickle_does_not_say_the_sizes_are_refused() -> None:
    whole = sample("state-dict.legacy.pth")
    assert faults(whole.replace(b"FloatStorage", b"Float_torage"))[-1] == ("m", "unreadable-pickle")


def after_five_pickles(whole: bytes) -> int:
    file = io.BytesIO(whole)
    for _ in range(5):
        Named(file).load()
    return file.tell()


class Named(pickle.Unpickler):
    """Makes something else of everything that is named."""

    def find_class(self, _module: str, name: str) -> object:
        return OrderedDict if name == "OrderedDict" else lambda *_: None

    def persistent_load(self, _identity: object) -> None:
        return None
