"""Loaders of pickles, by whatever opens the files that they lie in."""

from __future__ import annotations

import bz2
import copyreg
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attack.loaders.registry import Loader, each_file

DEEPEST = 4  # containers in containers
MOST = 5  # pickles in a row


class _Asking(pickle.Unpickler):
    """Answers persistent ids as PyTorch does, with something."""

    def persistent_load(self, _identity: Any) -> Any:
        return bytearray(8)


class _PythonAsking(pickle._Unpickler):
    def persistent_load(self, _identity: Any) -> Any:
        return bytearray(8)


def load_pickles(file: Any, unpickler: Any = _Asking) -> None:
    """Load the pickles that follow each other in a file: the first must be one."""
    unpickler(file).load()
    for _ in range(MOST - 1):
        try:
            unpickler(file).load()
        except Exception:
            return


def _by_c(path: Path) -> None:
    with path.open("rb") as file:
        load_pickles(file)


def _by_python(path: Path) -> None:
    with path.open("rb") as file:
        load_pickles(file, _PythonAsking)


def _opened(path: Path) -> None:
    """Open whatever the standard library opens, and load what lies within."""
    loaded, failed = 0, Exception("nothing in it")
    for content in _contents(path.read_bytes(), DEEPEST):
        try:
            load_pickles(content)
            loaded += 1
        except Exception as error:
            failed = error
    if not loaded:
        raise failed


def _contents(data: bytes, deep: int) -> Iterator[Any]:
    """Yield files of the contents, and of what is found when they are opened."""
    yield io.BytesIO(data)
    if not deep:
        return
    for opened in _readers(data):
        yield opened()
        inner = _all(opened())
        if inner and inner != data:
            yield from _contents(inner, deep - 1)


def _all(file: Any) -> bytes:
    """What a file has before whatever breaks it: a pickle may be loaded from it up to there."""
    parts = []
    try:
        while part := file.read(1 << 12):
            parts.append(part)
    except Exception:
        return b"".join(parts)
    return b"".join(parts)


def _readers(data: bytes) -> Iterator[Callable[[], Any]]:
    """Yield what opens the data: a stream that broke is not read on."""
    for reader in (gzip.open, bz2.open, lzma.open):
        yield lambda reader=reader: reader(io.BytesIO(data))  # type: ignore[misc]
    for inner in (_inflated(data), *_zipped(data), *_tarred(data)):
        yield lambda inner=inner: io.BytesIO(inner)  # type: ignore[misc]


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return b""


def _zipped(data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                try:
                    yield _all(archive.open(entry))
                except Exception:
                    continue
    except Exception:
        return


def _tarred(data: bytes) -> Iterator[bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is not None:
                    yield file.read()
    except Exception:
        return


def _torch_zip(path: Path) -> None:
    """As `torch.load` without PyTorch: the pickle of a zip archive, by the directory's name for it."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
        if not names:
            raise KeyError("data.pkl")
        for name in names:
            load_pickles(io.BytesIO(_all(archive.open(name))))


def _extended() -> None:
    """Register the extension that `grammars.opcodes` asks for, as an application may."""
    copyreg.add_extension("os", "mkdir", 0x77)


def by_standard_library() -> dict[str, Loader]:
    """Return the loaders that need nothing installed."""
    _extended()
    return {
        "pickle": each_file(_by_c),
        "pickle-python": each_file(_by_python),
        "opened": each_file(_opened),
        "torch-zip": each_file(_torch_zip),
    }


def by_joblib() -> dict[str, Loader]:
    """Return joblib's."""
    import joblib

    return {"joblib": each_file(joblib.load)}


def by_numpy() -> dict[str, Loader]:
    """Return NumPy's, which also loads every array of an archive."""
    import numpy as np

    def load(path: Path) -> None:
        loaded = np.load(path, allow_pickle=True)
        if isinstance(loaded, np.lib.npyio.NpzFile):
            for name in loaded.files:
                loaded[name]

    return {"numpy": each_file(load)}


def by_pandas() -> dict[str, Loader]:
    """Return pandas', which opens what a file's name says."""
    import pandas as pd

    return {"pandas": each_file(pd.read_pickle)}


def by_torch() -> dict[str, Loader]:
    """Return PyTorch's, with everything that it can load."""
    import torch

    def load(path: Path) -> None:
        torch.load(path, weights_only=False, map_location="cpu")

    return {"torch": each_file(load), "torch-jit": each_file(lambda path: torch.jit.load(path, map_location="cpu"))}
