"""Reads a bias report: `analysis.json` as SageMaker Clarify writes it, and the constraints of a bias monitor, alike.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.documents import strict_json
from signoff.documents.text import beginning
from signoff.metrics.quality import DOCUMENT_LIMIT, Unreadable, number

MAX_VALUES = 500
_SECTIONS = ("pre_training_bias_metrics", "post_training_bias_metrics")
_SHOWN, _ERROR = 200, 500  # characters of a name, and of an error
_TOLD = 3  # faults that a reason gives


@dataclass(frozen=True)
class BiasValue:
    """A bias metric of one group of a facet, or the `error` for which it has no value."""

    facet: str
    group: str
    metric: str
    value: float | None
    error: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The value as JSON-ready data, as evidence has it."""
        about = {"facet": self.facet, "value": self.group, "metric": self.metric}
        return {**about, "value_found": self.value, "error": self.error}

    @property
    def label(self) -> str:
        """The metric's name for checks: `gender:DPL [female]`."""
        return f"{self.facet}:{self.metric} [{self.group}]"

    @property
    def distance(self) -> float | None:
        """How far the value is from that of groups that fare alike: 1 of a ratio (disparate impact), else 0."""
        fair = 1.0 if self.metric == "DI" else 0.0
        return None if self.value is None else abs(self.value - fair)


def read(data: bytes, what: str = "the bias report") -> list[BiasValue]:
    """Return the metrics of a bias report, before and after training.

    Raises `Unreadable`, which says `what` cannot be read: also one without any metric, and one with more than 500.
    """
    document, faults = strict_json.parse(data, DOCUMENT_LIMIT)
    if faults:
        told = "; ".join(f"{fault.path} {fault.message}".strip() for fault in faults[:_TOLD])
        raise Unreadable(f"{what} cannot be read: {beginning(told, 400)}")
    found = list(dict.fromkeys(_values(document)))
    if not found:
        raise Unreadable(f"{what} cannot be read: it has no bias metrics ({' or '.join(_SECTIONS)})")
    if len(found) > MAX_VALUES:
        raise Unreadable(f"{what} cannot be read: it has more than {MAX_VALUES} metrics")
    return found


def _values(document: Any) -> Iterator[BiasValue]:
    for section in _SECTIONS:
        for facet, groups in _members(_of(_of(document, section), "facets")):
            for group in groups if isinstance(groups, list) else ():
                for metric in _items(_of(group, "metrics")):
                    yield _value(facet, group.get("value_or_threshold"), metric)


def _value(facet: str, group: Any, metric: Mapping[str, Any]) -> BiasValue:
    value = number(metric.get("value"))
    error = metric.get("error")
    why = str(error) if error else "has no value" if metric.get("value") is None else "its value is no finite number"
    return BiasValue(
        facet=beginning(facet, _SHOWN),
        group=beginning("" if group is None else str(group), _SHOWN),
        metric=beginning(str(metric.get("name")), _SHOWN),
        value=value,
        error=None if value is not None else beginning(why, _ERROR),
    )


def _of(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, Mapping) else None


def _members(document: Any) -> Sequence[tuple[str, Any]]:
    return list(document.items()) if isinstance(document, Mapping) else []


def _items(document: Any) -> Sequence[Mapping[str, Any]]:
    return [each for each in document if isinstance(each, Mapping)] if isinstance(document, list) else []
