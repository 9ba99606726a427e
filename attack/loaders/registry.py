"""What a loader is: a function that loads what it finds in a folder, as those would who use its library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

Loader = Callable[[Path], None]
"""Loads what lies in the folder; raises whatever its library raises."""


def each_file(load: Callable[[Path], object]) -> Loader:
    """Return a loader that tries every file of a folder, and raises the last error when none was loaded."""

    def loader(folder: Path) -> None:
        failed: Exception | None = None
        loaded = False
        for path in files_of(folder):
            try:
                load(path)
                loaded = True
            except Exception as error:
                failed = error
        if failed and not loaded:
            raise failed

    return loader


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and the folders in it."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
