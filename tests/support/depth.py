"""How deep the tests dig: a quick look in every run, and all that there is to try in `make test-deep`."""

from hypothesis import settings

QUICK, DEEP = "quick", "deep"
_SHARE = 8  # of what the deep look tries, the quick one tries one in so many
_FEWEST = 10  # examples, where there are as many


def register() -> None:
    """Make both profiles known, and the quick one that of a run for which none is chosen."""
    settings.register_profile(DEEP, max_examples=100)
    settings.register_profile(QUICK, max_examples=quick(100))
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
