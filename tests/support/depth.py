"""How deep the tests dig: a quick look in every run, and all that there is to try in `make test-deep`."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
QUICK, DEEP = "quick", "deep"
_SHARE = 8  # of what the deep look tries, the quick one tries one in so many
_FEWEST = 10  # examples, where there are as many
_EVERY = 3  # of a long row of cases, the quick look takes one in so many
_DEADLINE = timedelta(seconds=5)  # for one example, on a machine that has other things to do too


def register() -> None:
    """Make both profiles known, and the quick one that of a run for which none is chosen.

    The quick look tries the same each time, so that a change fails by what it changed; what nobody has thought of, the
    deep one is to find.
    """
    settings.register_profile(DEEP, max_examples=100, deadline=_DEADLINE)
    settings.register_profile(QUICK, max_examples=quick(100), deadline=_DEADLINE, derandomize=True)
    settings.load_profile(QUICK)


def deep() -> bool:
    """Whether this run was told to try all that there is: `pytest --hypothesis-profile=deep`."""
    return settings.get_current_profile_name().startswith(DEEP)


def quick(number: int) -> int:
    """How many of so many examples the quick look tries."""
    return max(number // _SHARE, min(number, _FEWEST))


def examples(number: int) -> int:
    """How many examples this run tries where the deep look tries `number`."""
    return number if deep() else quick(number)


def some(row: Iterable[T], first: int = 0, every: int = _EVERY) -> list[T]:
    """All cases of a long row, or in the quick look the `first`, every third (or `every`) after it, and the last."""
    cases = list(row)
    return cases if deep() else [*cases[first:-1:every], *cases[-1:]]


def few(row: Iterable[T], first: int = 0) -> list[T]:
    """All cases of a row of which each takes long, such as the calls before which a function dies, or one in eight."""
    return some(row, first, _SHARE)
