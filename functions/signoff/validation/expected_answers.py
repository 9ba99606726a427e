"""Whether a model answers a few rows as it is expected to."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from signoff.metrics.predictions import Answer, Truth
from signoff.metrics.rows import Unmeasurable, label_key
from signoff.validation.measurement import Outcome


def expected(rows: Sequence[Truth], found: Sequence[Answer], tolerance: float) -> tuple[Outcome, str]:
    """Return whether each answer is the expected one, and the first that is not.

    A label is the same label, a number within `tolerance`. Raises `Unmeasurable` for rows that expect no number of a
    model that answers numbers, and for no rows.
    """
    if not rows:
        raise Unmeasurable("there are no rows")
    pairs = zip(rows, found, strict=True)
    wrong = [
        f"row {number}: {_shown(answer)} instead of {row.label}"
        for number, (row, answer) in enumerate(pairs, 1)
        if not _same(row.label, answer, tolerance, number)
    ]
    if wrong:
        return "failed", f"{len(wrong)} of {len(rows):,} rows are answered otherwise than expected, {wrong[0]}"
    return "passed", f"all {len(rows):,} rows are answered as expected"


def _same(label: str, answer: Answer, tolerance: float, number: int) -> bool:
    if isinstance(answer, str):
        return label_key(label) == label_key(answer)
    try:
        expects = float(label)
    except ValueError:
        expects = float("nan")
    if not isfinite(expects) or isinstance(answer, tuple):
        raise Unmeasurable(f"row {number}: {label!r} is no number, and the model answers numbers")
    return abs(expects - answer) <= tolerance


def _shown(answer: Answer) -> str:
    return answer if isinstance(answer, str) else f"{answer}"
