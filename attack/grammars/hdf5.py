"""HDF5 files that hold a text in their attribute `model_config`, written by h5py in one way or another."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from attack.grammar import ImpossibleDisguise

Attribute = Callable[[Any, bytes], None]
"""Writes the text into an open file."""

FILES: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "latest": {"libver": "latest"},
    "v108": {"libver": ("v108", "v108")},
    "user-block": {"userblock_size": 512},
    "user-block-long": {"userblock_size": 1 << 17},
    "user-block-text": {"userblock_size": 512},
    "user-block-text-long": {"userblock_size": 1 << 17},
    "paged": {"fs_strategy": "page", "libver": "latest"},
    "tracked": {"track_order": True},
}
"""How a file is opened, by its name."""


def _set(name: str, of: Callable[[bytes], Any]) -> Attribute:
    def write(file: Any, text: bytes) -> None:
        file.attrs[name] = of(text)

    return write


def _fixed(file: Any, text: bytes) -> None:
    import numpy as np

    file.attrs["model_config"] = np.bytes_(text)


def _ascii(file: Any, text: bytes) -> None:
    import h5py

    file.attrs.create("model_config", text.decode(), dtype=h5py.string_dtype("ascii"))


def _many_before(file: Any, text: bytes) -> None:
    for number in range(20):  # more than 8: they are stored another way
        file.attrs[f"attribute{number}"] = number
    file.attrs["model_config"] = text


def _groups_before(file: Any, text: bytes) -> None:
    for number in range(200):
        file.create_group(f"group{number}")
    file.attrs["model_config"] = text


def _data_before(file: Any, text: bytes) -> None:
    file.create_dataset("data", data=[0.0] * 200_000)
    file.attrs["model_config"] = text


ATTRIBUTES: Mapping[str, Attribute] = {
    "bytes": _set("model_config", bytes),
    "text": _set("model_config", lambda text: text.decode()),
    "fixed": _fixed,
    "ascii": _ascii,
    "after-many": _many_before,
    "after-groups": _groups_before,
    "after-data": _data_before,
}
"""How the text is stored, by its name."""


def hdf5(text: bytes, how: str, attribute: str) -> bytes:
    """Return a file that holds the text. Raises `ImpossibleDisguise` when HDF5 cannot store it so."""

    def write(file: Any) -> None:
        ATTRIBUTES[attribute](file, text)
        file.create_group("model_weights").attrs["layer_names"] = []

    return written(write, how)


def written(write: Callable[[Any], None], how: str) -> bytes:
    """Return a file with what `write` writes into it. Raises `ImpossibleDisguise` when HDF5 cannot store it so."""
    import h5py

    file = io.BytesIO()
    options = {"libver": FILES[how].get("libver", "earliest"), **FILES[how]}
    try:
        with h5py.File(file, "w", **options) as opened:
            opened.attrs["keras_version"] = "2.4.0"
            write(opened)
    except (ValueError, OSError, RuntimeError, UnicodeError) as error:
        raise ImpossibleDisguise(str(error)) from error
    block = FILES[how].get("userblock_size", 0) if "text" in how else 0
    return b"A user block. ".ljust(block, b"#")[:block] + file.getvalue()[block:]
