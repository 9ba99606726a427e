"""Where finds are kept: archives under `attack/seeds`, which the tests try."""

from __future__ import annotations

import re
from pathlib import Path

from attack.campaign import Find
from attack.judgement import packed

SEEDS = Path(__file__).parent / "seeds"
LARGEST = 64 * 1024  # bytes of an archive that is kept; a larger one is made again from its name


def keep(find: Find, folder: Path = SEEDS) -> Path | None:
    """Write a find's archive and return its path, or None when it is too large to be kept."""
    data = packed(find.files)
    if len(data) > LARGEST:
        return None
    dimension = next((each for each, _ in find.case.odd), "plain")
    path = folder / find.case.grammar.name / dimension / f"{slug(find.case.name)}.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def slug(name: str) -> str:
    """Return a case's name as that of a file."""
    return re.sub(r"[^\w.~-]+", "-", name.partition(": ")[2]).strip("-")[:100] or "plain"
