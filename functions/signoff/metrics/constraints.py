"""Reads the constraints of a model quality monitor: thresholds beyond which SageMaker Model Monitor tells of drift.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-baseline.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.documents import strict_json
from signoff.metrics.leaves import below
from signoff.metrics.quality import DOCUMENT_LIMIT, Unreadable, number

_CONSTRAINTS, _METRICS = "_constraints", "_metrics"
_LESS, _GREATER = "LessThanThreshold", "GreaterThanThreshold"
MAX_CONSTRAINTS = 100


@dataclass(frozen=True)
class Constraint:
    """A metric's threshold; it is drift to be below it (`floor`) or above it. `path` finds the metric's value."""

    metric: str
    path: str
    threshold: float
    floor: bool

    def drifted(self, value: float) -> bool:
        """Return whether a value is beyond the threshold."""
        return value < self.threshold if self.floor else value > self.threshold


def read(data: bytes) -> list[Constraint]:
    """Return all constraints of a document. Raises `Unreadable` if there are none, or any of another form."""
    document, faults = strict_json.parse(data, DOCUMENT_LIMIT)
    if faults:
        raise Unreadable(f"the constraints cannot be read: {faults[0].path} {faults[0].message}"[:500])
    found = list(_constraints(document))
    if not 0 < len(found) <= MAX_CONSTRAINTS:
        raise Unreadable(f"the constraints cannot be read: they are {len(found)}, not 1 to {MAX_CONSTRAINTS}")
    return found


def _constraints(document: Any) -> Iterator[Constraint]:
    for section, content in document.items() if isinstance(document, Mapping) else ():
        if section.endswith(_CONSTRAINTS) and isinstance(content, Mapping):
            for metric, said in content.items():
                yield _constraint(section.removesuffix(_CONSTRAINTS) + _METRICS, metric, said)


def _constraint(section: str, metric: str, said: Any) -> Constraint:
    threshold = number(said.get("threshold")) if isinstance(said, Mapping) else None
    operator = said.get("comparison_operator") if isinstance(said, Mapping) else None
    if threshold is None or operator not in {_LESS, _GREATER}:
        raise Unreadable(
            f"the constraints cannot be read: that of `{metric[:100]}` has no threshold, or no comparison_operator "
            f"{_LESS} or {_GREATER}"
        )
    return Constraint(metric, below(below(below("", section), metric), "value"), threshold, floor=operator == _LESS)
