"""How certain a difference is, as it was computed where the predictions are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from signoff.metrics.statistics import Interval


@dataclass(frozen=True)
class Certainty:
    """How certain the difference of a metric is: its interval, by which method, and the p-value of a test if any."""

    name: str
    slice: str | None
    interval: Interval
    method: str
    p: float | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The certainty as JSON-ready data."""
        return {**asdict(self), "interval": list(self.interval)}


def certainty_of(document: Mapping[str, Any]) -> Certainty:
    """Return the certainty of a `Certainty.document`."""
    return Certainty(**{**document, "interval": Interval(*map(float, document["interval"]))})
