"""What a name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from signoff.documents.text import joined

_COMPARED = 100  # characters


def closest(name: str, names: Iterable[str], count: int = 1) -> list[str]:
    """Return up to `count` of `names` that `name` was probably meant to be, the likeliest first."""
    by_lower = {known.lower(): known for known in names}
    return [by_lower[lower] for lower in difflib.get_close_matches(name.lower()[:_COMPARED], by_lower, count)]


def question(near: Sequence[str]) -> str:
    """Return the question whether one of the names `near` was meant, to stand at the end of a message; maybe none."""
    return f"; did you mean {joined(near, 'or')}?" if near else ""
