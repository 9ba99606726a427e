"""The files of a local folder, under the names that they have as objects below a prefix."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# What operating systems leave behind in every folder that somebody has looked into.
_LEFT_BEHIND = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_APPLE_DOUBLE = "._"


@dataclass(frozen=True)
class Folder:
    """The `files` of a folder by their names relative to it; what is `left_out` of it and why; and what is wrong."""

    files: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Folder:
    """Return what the folder at `path` holds, at any depth.

    A symbolic link to a file within the folder counts as that file; other links are faults, as is all that is neither a
    file nor a folder. Raises OSError for what may not be read.
    """
    folder, root = Folder(), path.resolve()
    for name, entry in _entries(path, ""):
        fault = _fault(Path(entry.path), root)
        if fault:
            folder.faults[name] = fault
        elif entry.is_dir(follow_symlinks=False):
            folder.left_out[f"{name}/"] = "an empty folder, which S3 does not have"
        elif entry.name in _LEFT_BEHIND or entry.name.startswith(_APPLE_DOUBLE):
            folder.left_out[name] = "the operating system's own"
        else:
            folder.files[name] = Path(entry.path)
    return folder


def _entries(path: Path, above: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield name and entry of all that lies in the folder at `path`, and of its subfolders those that are empty."""
    with os.scandir(path) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{above}{entry.name}"
        below = list(_entries(Path(entry.path), f"{name}/")) if entry.is_dir(follow_symlinks=False) else []
        yield from below or [(name, entry)]


def _fault(path: Path, root: Path) -> str | None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link that leads nowhere"
    if not target.is_relative_to(root):
        return "is a symbolic link out of the folder; put the file itself there (`cp -rL` copies a folder so)"
    kind = target.stat().st_mode
    if stat.S_ISDIR(kind):
        return "is a symbolic link to a folder; put the folder itself there" if path.is_symlink() else None
    return None if stat.S_ISREG(kind) else "is neither a file nor a folder"
