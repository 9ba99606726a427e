"""Pickles that a library writes, and names of which a pickle is put together by hand."""

from __future__ import annotations

import io
import pickle

import joblib

from tests.support.pickled import named, text


def written(value: object, by: object) -> bytes:
    """Return a value pickled with a protocol, or by joblib."""
    if isinstance(by, int):
        return pickle.dumps(value, by)
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


WRAPPER = named("joblib.numpy_pickle", "NumpyArrayWrapper")
ORDERED_DICT = named("collections", "OrderedDict")
OS_SYSTEM = named("os", "system")


def stand_in(size: int, dtype: str = "u1", *, padded: bool = False) -> bytes:
    """Return opcodes that make what joblib writes in place of an array, whose bytes follow."""
    align = text("numpy_array_alignment_bytes") + b"K\x10" if padded else b""
    numbers = named("numpy", "dtype") + text(dtype) + b"\x89\x88\x87R"
    if dtype == "O8":  # as NumPy says that it holds objects
        numbers += b"(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
    fields = text("subclass") + named("numpy", "ndarray") + text("shape") + b"K" + bytes([size]) + b"\x85"
    fields += text("order") + text("C") + text("dtype") + numbers + text("allow_mmap") + b"\x89" + align
    return WRAPPER + b")\x81}(" + fields + b"ub"
