"""A pickle's memo, reduced to values that may become part of a name; memory is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signoff.artifact.pickle.allow_list import PACKAGES, PARTS
from signoff.artifact.pickle.calls import ENCODINGS
from signoff.artifact.pickle.values import (
    ALIAS,
    FIXED_DTYPES,
    FLEXIBLE_DTYPE,
    WRAPPER_FIELDS,
    ArrayWrapper,
    Dtype,
    Global,
)

MOST_TEXTS = 100_000  # arbitrary texts kept; beyond that only possible parts of a name
MOST_REMEMBERED = 250_000
WORDS = PARTS.union(FIXED_DTYPES, ENCODINGS, WRAPPER_FIELDS, ("storage",))
BEGINNINGS = (*PACKAGES, "S", "U", "V")  # of names, and of NumPy's types with a length


def worth_remembering(texts: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Return those that can be part of an allowed name, or determine an array's length."""
    return {index: text for index, text in texts if text in WORDS or (text.startswith(BEGINNINGS) and _is_part(text))}


def _is_part(text: str) -> bool:
    return text.startswith(PACKAGES) or FLEXIBLE_DTYPE.fullmatch(text) is not None


class Memo:
    """Values by their numbers. `numbered`: the pickle gave some numbers explicitly."""

    def __init__(self) -> None:
        self.numbered = False
        self._values: dict[int, object] = {}
        self._next = 0
        self._texts = 0

    def copy(self) -> Memo:
        """Return one that remembers the same, and goes its own way."""
        other = Memo()
        other.numbered, other._values = self.numbered, dict(self._values)
        other._next, other._texts = self._next, self._texts
        return other

    def forget(self) -> None:
        """Forget everything, and that each text that is not known is none."""
        self._values.clear()
        self._texts, self.numbered = MOST_TEXTS + 1, False

    @property
    def untouched(self) -> bool:
        """Whether nothing has been given to it yet."""
        return not self.numbered and not self._next

    @property
    def has_all_texts(self) -> bool:
        """Whether every text that was given to it is remembered, so that what is not is none."""
        return self._texts <= MOST_TEXTS

    @property
    def full(self) -> bool:
        """Whether it holds more names than any legitimate pickle."""
        return len(self._values) > MOST_REMEMBERED

    def get(self, index: int) -> object:
        """Return what was remembered, or that something not known was."""
        return self._values.get(index, ALIAS)

    def put(self, index: int, value: object) -> None:
        """Remember a value by a number, and forget what had the number before."""
        if isinstance(value, str):
            self._texts += 1
            known = self.has_all_texts or bool(worth_remembering(((index, value),)))
        else:
            known = isinstance(value, Global | Dtype | ArrayWrapper)
        if known:
            self._values[index] = value
        else:
            self._values.pop(index, None)

    def add(self, value: object) -> None:
        """Remember a value by the next number."""
        self.put(self._next, value)
        self._next += 1

    def put_texts(self, indexes: Sequence[int], texts: Sequence[str]) -> None:
        """Remember texts by their numbers, as `put` does."""
        given = dict(zip(indexes, texts, strict=True))
        for index in self._values.keys() & given.keys():
            del self._values[index]
        self._texts += len(texts)
        self._values |= given if self.has_all_texts else worth_remembering(given.items())

    def add_texts(self, texts: Sequence[str]) -> None:
        """Remember texts by the next numbers."""
        self.put_texts(range(self._next, self._next + len(texts)), texts)
        self._next += len(texts)
