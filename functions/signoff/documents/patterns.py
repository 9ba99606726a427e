"""Regular expressions that are compiled when they are first used.

A function starts with all its modules, and meets few of the formats that they know: compiling every pattern took half
of the time that importing the inspection takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from functools import cache
from typing import Any, AnyStr, cast


class _Uncompiled:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, found)  # from now on found without coming here
        return found


def compiled_on_use(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves like `re.compile(pattern, flags)`; an invalid pattern raises `re.error` when it is used."""
    return cast("re.Pattern[AnyStr]", _Uncompiled(pattern, flags))


def first_of(rows: Sequence[Sequence[str]]) -> Callable[[str], int | None]:
    """Return a function from a text to the number of the first row with a glob (`fnmatch`) that fits it, or None."""

    @cache
    def any_row() -> re.Pattern[str]:
        return re.compile("|".join(f"({'|'.join(map(translate, globs))})" for globs in rows))

    def find(text: str) -> int | None:
        found = any_row().match(text)
        return found.lastindex - 1 if found and found.lastindex else None

    return find
