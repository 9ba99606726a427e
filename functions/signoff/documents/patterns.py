"""Regular expressions that are compiled when they are first used.

A function starts with all its modules, and meets few of the formats that they know: compiling every pattern took half
of the time that importing the inspection takes.
"""

from __future__ import annotations

import re
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
