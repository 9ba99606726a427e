"""What a loader is: a function that loads what it finds in a folder, as those would who use its library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

Loader = Callable[[Path], None]
"""Loads what lies in the folder; raises whatever its library raises."""


def each_file(load: Callable[[Path], object]) -> Loader:
    """Return a loader that tries every file of a folder, and raises the last error when none was loaded."""
    return lambda folder: try_each(load, files_of(folder))


def try_each(load: Callable[[Path], object], paths: Iterable[Path]) -> None:
    """Try all of `paths`. Raises the last error when none was loaded."""
    failed: Exception | None = None
    loaded = False
    for path in paths:
        try:
            load(path)
            loaded = True
        except Exception as error:
            failed = error
    if failed and not loaded:
        raise failed


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and the folders in it."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
