"""What is wrong with a local archive by the names in it, before it is uploaded; the rest is for the inspection."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from signoff_cli.submissions import unwanted

SUFFIXES = (".tar.gz", ".tgz")
_LARGEST = 4 * 1024**3  # bytes; to list the names of a larger one takes minutes
_MOST = 100_000  # names
_SHOWN = 10
_REPACK = "tar -czf model.tar.gz -C {folder} ."


def problems(archive: Path, required: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return what an archive would be refused for or should not hold, and what is only odd about it.

    `required` are the globs of the policy's required files. What cannot be read is left to the inspection.
    """
    if archive.stat().st_size > _LARGEST:
        return [], [f"is larger than {_LARGEST // 1024**3} GiB and was not looked into; `signoff inspect` does"]
    files = dict(_files(archive))
    refused = [f"{what} {why}" for what, why in dict.fromkeys(filter(None, files.values()))]
    top = _top(files)
    if top is not None:
        refused += _in_folder(top, files, required)
    left = [f"{name}: {why}" for name in files if (why := unwanted.left_over(name))]
    odd = [f"holds {each}; leave it out with `COPYFILE_DISABLE=1 tar --exclude=...`" for each in _first(left)]
    if top == "model" and not refused:
        odd.append(
            f"has all its files in the folder model/; if that is not meant, use `{_REPACK.format(folder='model')}`"
        )
    return _first(refused), odd


def _files(archive: Path) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yield the name of each file in an archive, as it would be unpacked; what of it is not submitted, and why."""
    try:
        with tarfile.open(archive, "r|gz") as members:
            for _, member in zip(range(_MOST), members, strict=False):
                if member.isfile():
                    name = "/".join(part for part in member.name.split("/") if part not in {"", "."})
                    yield name, unwanted.refused(name) or _key(name, members.extractfile(member))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        return


def _key(name: str, content: IO[bytes] | None) -> tuple[str, str] | None:
    why = unwanted.private_key(content.read(unwanted.KEY_WITHIN)) if content else None
    return (name, why) if why else None


def _top(names: Iterable[str]) -> str | None:
    """Return the folder that all files are in, but for what programs left behind."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names if not unwanted.left_over(name)}
    return next(iter(tops)) or None if len(tops) == 1 else None


def _in_folder(top: str, names: Iterable[str], required: Sequence[str]) -> list[str]:
    """Return which required files are there, but in a folder that all was packed in."""
    within = [name.removeprefix(f"{top}/") for name in names]
    lost = [
        glob
        for glob in required
        if not any(fnmatchcase(name, glob) for name in names) and any(fnmatchcase(name, glob) for name in within)
    ]
    pack = _REPACK.format(folder=top)
    return [
        f"{glob}, which the policy requires, is in the folder {top}/: pack its content with `{pack}`" for glob in lost
    ]


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
