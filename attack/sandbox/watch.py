"""Watches what the interpreter itself is asked to do: with the mark's name in it, somebody else decides what that is.

The events are those of Python's audit hooks (PEP 578): opening files, starting programs, compiling, loading libraries.
"""

from __future__ import annotations

import os
import sys

from attack.grammars.calls import MARK

NAMES = ("pickle.find_class", "import", "object.__getattr__", "object.__setattr__", "marshal.loads", "compile")
"""Events about names and texts, which say nothing of what is done with them: `numpy.matrix` parses a literal."""


class Watch:
    """Notices events with the mark's name in one of their arguments, while it looks."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        sys.addaudithook(self._notice)

    def _notice(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in NAMES and any(map(_names_mark, arguments)):
            self.seen.append(event)


def _names_mark(value: object) -> bool:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return MARK in value if isinstance(value, str) else isinstance(value, bytes) and MARK.encode() in value
