"""A pickle's memo, reduced to values that may become part of a name; memory is bounded."""

from __future__ import annotations

from signoff.artifact.pickle.allow_list import may_be_asked_for
from signoff.artifact.pickle.calls import ENCODINGS
from signoff.artifact.pickle.values import ALIAS, DTYPE, WRAPPER_FIELDS, ArrayWrapper, Dtype, Global

MOST_TEXTS = 100_000  # arbitrary texts kept; beyond that only possible parts of a name
MOST_REMEMBERED = 250_000
LONGEST_DTYPE = 10  # characters: `V999999999`

WORDS = {*ENCODINGS, *WRAPPER_FIELDS, "storage"}


def worth_remembering(text: str) -> bool:
    """Whether a text can be part of an allowed name, or determines an array's length."""
    if may_be_asked_for(text) or text in WORDS:
        return True
    return len(text) <= LONGEST_DTYPE and bool(DTYPE.fullmatch(text))


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
            known = self._texts <= MOST_TEXTS or worth_remembering(value)
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
