"""The files of a local folder, under the names that they have as objects below a prefix."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from signoff_cli.submissions import unwanted


@dataclass(frozen=True)
class Folder:
    """The `files` of a folder by their names relative to it; what is `left_out` of it and why; and what is wrong."""

    files: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Folder:
    """Return what the folder at `path` holds, at any depth.

    What programs leave behind is left out; secrets, repositories and environments are faults.
    A symbolic link to a file within the folder counts as that file; other links are faults, as is all that is neither a
    file nor a folder. Raises OSError for what may not be read.
    """
    folder, root = Folder(), path.resolve()
    for name, entry in _entries(path, ""):
        left = unwanted.left_over(name)
        unwelcome = unwanted.refused(name)
        fault = None if left else _fault(Path(entry.path), root) or _key(entry)
        if unwelcome:
            folder.faults[unwelcome[0]] = unwelcome[1]
        elif fault:
            folder.faults[name] = fault
        elif entry.is_dir(follow_symlinks=False):
            folder.left_out[f"{name}/"] = "an empty folder, which S3 does not have"
        elif left:
            folder.left_out[name] = left
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


def _key(entry: os.DirEntry[str]) -> str | None:
    """Return why a file must not be submitted that holds a private key, or None."""
    if not entry.is_file() or entry.stat().st_size > unwanted.KEY_FILE:
        return None
    with Path(entry.path).open("rb") as file:
        return unwanted.private_key(file.read(unwanted.KEY_WITHIN))


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
