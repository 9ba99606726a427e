"""Pickles that a library writes, and names of which a pickle is put together by hand."""

from __future__ import annotations

import io
import pickle

import joblib

from tests.support.pickled import named


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
