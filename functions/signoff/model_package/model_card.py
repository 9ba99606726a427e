"""A package's model card: puts one evaluation of ours among what others wrote there, and leaves all of that alone.

The content of a card is JSON of at most 100,000 characters, of which `evaluation_details` is a list of evaluations.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackageModelCard.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.documents import strict_json
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import counted, cut, one_line

# Our evaluation is the one of this name.
NAME = "Signoff"
ARCHIVED = "Archived"  # a card of which SageMaker takes no more content
_SECTION = "evaluation_details"
_CONTENT = 100_000  # characters of a card's content
_OURS = 30_000  # those that our evaluation takes at most, so that there is room for what others write
_OBSERVATION, _DATASETS, _LONG, _SHORT, _METRIC, _MATRIX = 2096, 10, 1024, 63, 255, 20
_SPACE = compiled_on_use(r"[ \t\n\r]*")

Metric = dict[str, Any]
Evaluation = dict[str, Any]


class CardLeftAlone(ValueError):
    """Raised for a card that nothing can be put into; the message says why."""


@dataclass(frozen=True)
class MetricGroup:
    """Metrics under a heading, the most important first."""

    name: str
    metrics: Sequence[Metric]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What our evaluation says: a text, the data sets by URI or digest, facts by name, and metrics.

    The groups that come first are the most important: what there is no room for is left out from the end.
    """

    observation: str
    datasets: Sequence[str]
    metadata: dict[str, str]
    groups: Sequence[MetricGroup]

    def within(self, room: int) -> Evaluation | None:
        """Return the evaluation in at most `room` characters of JSON, or None if there is no room for its text."""
        every = [(group, metric) for group in self.groups for metric in group.metrics]
        evaluation = self._with(every)
        if _length(evaluation) <= room:
            return evaluation
        fitting = every[: _fitting(every, room - _length(self._with([], len(every))))]
        evaluation = self._with(fitting, len(every) - len(fitting))
        return evaluation if _length(evaluation) <= room else None

    def _with(self, metrics: Sequence[tuple[MetricGroup, Metric]], left_out: int = 0) -> Evaluation:
        more = f" {counted(left_out, 'value')} left out: there is no room for more here." if left_out else ""
        names = list(dict.fromkeys(group.name for group, _ in metrics))
        return {
            "name": NAME,
            "evaluation_observation": cut(self.observation, _OBSERVATION - len(more)) + more,
            "datasets": [one_line(each, _LONG) for each in self.datasets[:_DATASETS]],
            "metadata": {name: one_line(value, _LONG) for name, value in self.metadata.items()},
            "metric_groups": [
                {
                    "name": _named(name, _SHORT),
                    "metric_data": [metric for group, metric in metrics if group.name == name],
                }
                for name in names
            ],
        }


def number(name: str, value: float, notes: str = "") -> Metric:
    """Return a metric that is a number."""
    return _metric(name, "number", value, notes)


def text(name: str, value: str, notes: str = "") -> Metric:
    """Return a metric that is a word or two: what does not fit is cut."""
    return _metric(name, "string", one_line(value, _SHORT), notes)


def matrix(name: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]]) -> Metric | None:
    """Return a metric that is a matrix, or None for one that a card does not take: it has 20 rows and columns at most.

    The names of the rows are those of the x axis, as in the cards that SageMaker's SDK makes of Model Monitor's.
    """
    if not (0 < len(rows) <= _MATRIX and 0 < len(columns) <= _MATRIX):
        return None
    axes = {"x_axis_name": [one_line(each, _SHORT) for each in rows]}
    axes["y_axis_name"] = [one_line(each, _SHORT) for each in columns]
    return {"name": _named(name, _METRIC), "type": "matrix", "value": [list(row) for row in values], **axes}


def _metric(name: str, kind: str, value: Any, notes: str) -> Metric:
    said = {"notes": one_line(notes, _LONG)} if notes else {}
    return {"name": _named(name, _METRIC), "type": kind, "value": value, **said}


def _named(name: str, limit: int) -> str:
    return one_line(name, limit) or "unnamed"


def _fitting(metrics: Sequence[tuple[MetricGroup, Metric]], room: int) -> int:
    """Return how many of the metrics, from the first, fit into `room` characters with their groups."""
    seen: set[str] = set()
    for position, (group, metric) in enumerate(metrics):
        heading = 0 if group.name in seen else _length({"name": group.name, "metric_data": []}) + 1
        seen.add(group.name)
        room -= heading + _length(metric) + 1
        if room < 0:
            return position
    return len(metrics)


def with_evaluation(content: str, evaluation: Callable[[int], Evaluation | None]) -> str | None:
    """Return a card's content with our evaluation in the place of the one it had, or None if nothing has to change.

    `evaluation` returns ours for the characters that there is room for, or None if that is too little. Of everything
    else each character is kept. Raises `CardLeftAlone`.
    """
    card = _read(content)
    ours = evaluation(min(_OURS, _CONTENT - len(card.with_ours(""))))
    if ours is None:
        raise CardLeftAlone("there is no room left in it")
    return None if card.ours == [ours] else card.with_ours(_json(ours))


@dataclass(frozen=True)
class _Card:
    """A content in pieces: what stands before and behind the list of evaluations, its items as written, and ours."""

    before: str
    items: Sequence[str]
    behind: str
    ours: Sequence[Any]
    place: int

    def with_ours(self, evaluation: str) -> str:
        items = [*self.items[: self.place], evaluation, *self.items[self.place :]]
        return f"{self.before}[{','.join(items)}]{self.behind}"


def _read(content: str) -> _Card:
    content = content if content.strip() else "{}"
    _check(content)
    members = list(_values(content, _skipped(content, 0)))
    for start, end in ((start, end) for name, start, end in members if name == _SECTION):
        items = [(content[first:last], json.loads(content[first:last])) for _, first, last in _values(content, start)]
        mine = [isinstance(value, dict) and value.get("name") == NAME for _, value in items]
        return _Card(
            before=content[:start],
            items=[text for (text, _), own in zip(items, mine, strict=True) if not own],
            behind=content[end:],
            ours=[value for (_, value), own in zip(items, mine, strict=True) if own],
            place=mine.index(True) if any(mine) else len(items),
        )
    end = members[-1][2] if members else _skipped(content, 0) + 1
    return _Card(f'{content[:end]}{"," if members else ""}"{_SECTION}":', [], content[end:], [], 0)


def _check(content: str) -> None:
    try:
        found, faults = strict_json.parse(content.encode())
    except UnicodeEncodeError as error:
        raise CardLeftAlone("is no text: it has half a character") from error
    if faults:
        raise CardLeftAlone("; ".join(f"{fault.path or 'the content'} {fault.message}" for fault in faults[:3]))
    if not isinstance(found, dict):
        raise CardLeftAlone("the content is no JSON object")
    if not isinstance(found.get(_SECTION, []), list):
        raise CardLeftAlone(f"{_SECTION} is no list")


def _values(content: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield of each value of the object or list that begins at `start` its name (empty in lists), start and end.

    The content has been checked before.
    """
    decoder, named, at = json.JSONDecoder(), content[start] == "{", _skipped(content, start + 1)
    while content[at] not in "]}":
        name = ""
        if named:
            name, at = decoder.raw_decode(content, at)
            at = _skipped(content, _skipped(content, at) + 1)
        _, end = decoder.raw_decode(content, at)
        yield name, at, end
        at = _skipped(content, end)
        at = _skipped(content, at + 1) if content[at] == "," else at


def _skipped(content: str, at: int) -> int:
    found = _SPACE.match(content, at)
    return found.end() if found else at


def _json(value: Any) -> str:
    # ASCII, so that however characters are counted there are as many.
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _length(value: Any) -> int:
    return len(_json(value))
