"""Numbers as people are shown them: no digit that nobody gave, and none that the number's uncertainty does not bear."""

from __future__ import annotations

from decimal import Decimal
from math import floor, isfinite, log10

_SIGNIFICANT = 6  # digits of a number of which nothing is known
_OF_UNCERTAINTY = 2  # significant digits, as in JCGM 100:2008 (GUM), 7.2.6
_PLAIN = (-5, 15)  # powers of ten between which numbers are written without an exponent


def difference(one: float, other: float) -> float:
    """Return one number less another as their decimal digits have it: 0.965 less 0.97 is -0.005."""
    return float(Decimal(repr(one)) - Decimal(repr(other)))


def shown(value: float, uncertainty: float | None = None, digits: int | None = None) -> str:
    """Return a number, rounded to the second significant digit of its `uncertainty` if that is known.

    It has at most `digits` behind the point, and never more than the number itself. Without an uncertainty 6
    significant digits are shown, more only of what is whole.
    """
    if not isfinite(value) or not value:
        return f"{value:g}".replace("-0", "0")
    power = floor(log10(abs(value)))
    places = [_places(value), digits]
    places.append(_OF_UNCERTAINTY - 1 - floor(log10(uncertainty)) if uncertainty else _SIGNIFICANT - 1 - power)
    allowed = min(each for each in places if each is not None)
    if digits is None and not uncertainty and not _PLAIN[0] < power < _PLAIN[1]:
        return f"{value:.{max(0, allowed + power)}e}"
    rounded = round(value, allowed) if uncertainty or allowed >= 0 else value
    return f"{rounded + 0.0:.{max(0, allowed)}f}"


def signed(value: float, uncertainty: float | None = None, digits: int | None = None) -> str:
    """Return a difference as `shown` does, with its sign; one that is rounded to nothing is 0."""
    text = shown(value, uncertainty, digits)
    return text if value <= 0 or not text.strip("0.") else f"+{text}"


def apart(value: float, bound: float, uncertainty: float | None = None, digits: int | None = None) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see which is greater; `bound` is shown as it was given."""
    for known, places in ((uncertainty, digits), (None, None)):
        text, limit = shown(value, known, places), shown(bound)
        if (float(text) < float(limit), float(text) > float(limit)) == (value < bound, value > bound):
            return text, limit
    return repr(value), repr(bound)


def _places(value: float) -> int:
    """Return how many digits a number has behind the point; less than 0 for zeros before it."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
