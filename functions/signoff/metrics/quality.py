"""Reads a quality document: the metrics of a model, as SageMaker, MLflow or anybody's own script writes them.

These forms are known: the documents of SageMaker Model Monitor and of SageMaker's own examples
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html), MLflow's metrics (an object
of numbers, or a list of `key`, `value`, `timestamp` and `step`), and any other JSON, whose numbers are metrics named
after their path. A member `slices` at the top holds a document of the same form for each slice of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import isfinite
from typing import Any

import jmespath

from signoff.documents import strict_json
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import beginning
from signoff.metrics.leaves import MAX_DEPTH, Leaf, below, leaves
from signoff.metrics.values import (
    SLICES,
    Confusion,
    Dataset,
    Measurements,
    MetricValue,
    Skipped,
    distinct,
    path_in,
)

DOCUMENT_LIMIT = 16 * 1024 * 1024  # bytes of a document that is read as a whole
MAX_VALUES = 500
MAX_SLICES = 50
MAX_CLASSES = 100  # of a confusion matrix
_MAX_SKIPPED = 100
_MAX_LEAVES = 20_000  # of one document
_NAME = 200  # characters
_TOLD = 3  # faults that a reason gives
_REASON = 500  # characters; an expression's error quotes its input
UNEVALUATED = "cannot be evaluated"  # how the reason begins why an expression has no value
_MODEL_MONITOR = {
    "binary_classification_metrics": "model-monitor-binary",
    "multiclass_classification_metrics": "model-monitor-multiclass",
    "regression_metrics": "model-monitor-regression",
}
# Where an MLflow run has its metrics: https://mlflow.org/docs/latest/api_reference/rest-api.html#mlflowrun
_RUN = ("data", "metrics")
# What names no metric but where the metrics stand.
_AROUND = (*((section,) for section in _MODEL_MONITOR), _RUN, ("metrics",))
_BESIDE = {"version": "the version of the format", "dataset": "the data set, which is told as such"}
_BEST_CONSTANT = "_best_constant_classifier"
_SHA256 = compiled_on_use(r"^[0-9a-fA-F]{64}$")


class Unreadable(ValueError):
    """Raised when a document cannot be read; the message is a sentence about why."""


def read(data: bytes, named: Sequence[tuple[str, str]] = ()) -> Measurements:
    """Return what a quality document measures. Raises `Unreadable` for what is not JSON that means one thing only.

    `named` are the names that a policy gives, each with the JMESPath expression that finds its metric.
    """
    return measured(parsed(data), named)


def parsed(data: bytes) -> Any:
    """Return a quality document, parsed. Raises `Unreadable` for what is not JSON that means one thing only."""
    document, faults = strict_json.parse(data, DOCUMENT_LIMIT)
    if faults:
        told = "; ".join(f"{fault.path} {fault.message}".strip() for fault in faults[:_TOLD])
        raise Unreadable(f"the model quality document cannot be read: {told}"[:_REASON])
    return document


def measured(document: Any, named: Sequence[tuple[str, str]] = ()) -> Measurements:
    """Return what a parsed quality document measures: `read` without the reading.

    The metrics that are `named` come first, under these names; a metric that is not found is `skipped` at its path.
    """
    whole = _Part(None)
    whole.take({key: value for key, value in document.items() if key != SLICES} if _is_map(document) else document)
    whole.name(document, named)
    slices = [*_slices(document, named, whole)]
    parts = [whole, *slices]
    others = islice((value for part in parts for value in part.values), MAX_VALUES)
    return Measurements(
        format=_format(document),
        values=distinct((value for part in parts for value in part.named), others, {name for name, _ in named}),
        confusion=whole.confusion,
        dataset=_dataset(document),
        parts=tuple(part.slice for part in slices if part.slice is not None),
        skipped=_bounded(
            [each for part in parts for each in part.missed], [each for part in parts for each in part.skipped]
        ),
    )


def _is_map(document: Any) -> bool:
    return isinstance(document, Mapping)


def _slices(document: Any, named: Sequence[tuple[str, str]], whole: _Part) -> Iterator[_Part]:
    """Yield the parts of a document that are about a slice of the data each; what is none is told of the whole."""
    slices = document.get(SLICES) if _is_map(document) else None
    if slices is not None and not _is_map(slices):
        whole.skip(SLICES, "no object with a document for each slice")
        return
    for index, (name, content) in enumerate((slices or {}).items()):
        if index >= MAX_SLICES:
            whole.skip(SLICES, f"more than {MAX_SLICES} slices; the others are left out")
            return
        if not name or len(name) > _NAME:
            whole.skip(below(SLICES, name), f"the name of a slice has 1 to {_NAME} characters")
            continue
        part = _Part(name)
        part.take(content)
        part.name(content, named)
        yield part


@dataclass
class _Part:
    """The metrics of the whole data set, or of one slice of it."""

    slice: str | None
    values: list[MetricValue] = field(default_factory=list)
    named: list[MetricValue] = field(default_factory=list)
    missed: list[Skipped] = field(default_factory=list)  # by a policy
    skipped: list[Skipped] = field(default_factory=list)
    confusion: Confusion | None = None
    run: bool = False  # of MLflow, which has metrics in one place only

    def skip(self, path: str, reason: str) -> None:
        self.skipped.append(Skipped(path_in(path, self.slice), reason))

    def _miss(self, path: str, reason: str) -> None:
        self.missed.append(Skipped(path_in(path, self.slice), reason))

    def take(self, document: Any) -> None:
        """Take all metrics of a document."""
        self.run = _is_run(document)
        for index, leaf in enumerate(leaves(document)):
            if index >= _MAX_LEAVES or len(self.values) >= MAX_VALUES:
                self.skip("", f"more than {MAX_VALUES} numbers; the others are left out")
                break
            self._take(leaf)
        self.values = list(_with_best_constants(self.values))

    def _take(self, leaf: Leaf) -> None:
        name = _name(leaf.keys)
        if leaf.keys and leaf.keys[-1] == "confusion_matrix" and self.confusion is None:
            self.confusion = _confusion(leaf.value)
            if self.confusion is None:
                self.skip(leaf.path, f"no matrix of counts of at most {MAX_CLASSES} classes")
        elif self.run and leaf.keys[:2] != _RUN:
            self.skip(leaf.path, "told of the run, and no metric")
        elif why := _no_metric(leaf, name):
            self.skip(leaf.path, why)
        else:
            self.values.append(self._value(name, leaf.path, leaf.value, number(leaf.standard_deviation)))

    def _value(self, name: str, path: str, value: Any, deviation: float | None = None) -> MetricValue:
        return MetricValue(name, float(value) + 0.0, path, deviation, slice=self.slice)  # -0.0 is 0

    def name(self, document: Any, named: Sequence[tuple[str, str]]) -> None:
        """Give metrics the names of a policy."""
        for name, path in named:
            try:
                found = jmespath.search(path, document)
            except jmespath.exceptions.JMESPathError as error:
                self._miss(path, f"{UNEVALUATED}: {error}"[:_REASON])
                continue
            if number(found) is None:
                self._miss(path, "nothing" if found is None else f"{type(found).__name__} instead of a finite number")
                continue
            same = next((each for each in self.values if _leads_to(path, each, found)), None)
            known = replace(same, name=name, path=path) if same else self._value(name, path, found)
            self.values = [each for each in self.values if each is not same]
            self.named.append(known)


def _leads_to(path: str, value: MetricValue, found: float) -> bool:
    """Return whether a JMESPath expression, which has `found` a number, is another spelling of a value's own path."""
    if value.value != found:
        return False
    return bool(jmespath.compile(path).parsed == jmespath.compile(value.path).parsed)


def number(value: Any) -> float | None:
    """Return a finite number as a float, or None: a boolean is none, and an integer may be too large for one."""
    try:
        finite = not isinstance(value, bool) and isinstance(value, int | float) and isfinite(value)
    except OverflowError:
        return None
    return float(value) if finite else None


def _name(keys: Sequence[str]) -> str:
    around = next((each for each in _AROUND if tuple(keys[: len(each)]) == each and len(keys) > len(each)), ())
    return ".".join(keys[len(around) :])


def _no_metric(leaf: Leaf, name: str) -> str | None:
    """Return why a leaf is no metric, or None."""
    value = leaf.value
    if len(leaf.keys) == 1 and leaf.keys[0] in _BESIDE:
        return _BESIDE[leaf.keys[0]]
    if leaf.keys[:1] == ("dataset",):
        return _BESIDE["dataset"]
    if leaf.keys and leaf.keys[-1].endswith("_curve"):
        return "a curve, shown in the report"
    if number(value) is not None:
        return None if 0 < len(name) <= _NAME else f"a number whose name has not 1 to {_NAME} characters"
    return _kind(value, len(leaf.keys))


def _kind(value: Any, depth: int) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a text"
        case int() | float():
            return "no finite number"
        case dict() if value:
            return f"nested deeper than {MAX_DEPTH} levels" if depth >= MAX_DEPTH else "a matrix"
        case list() if value:
            return "a list, not a single number"
    return "empty"


def _with_best_constants(values: Sequence[MetricValue]) -> Iterator[MetricValue]:
    """Yield the values, each with that of the best constant classifier, which SageMaker lists beside it."""
    by_name = {value.name: value for value in values}
    for value in values:
        metric = value.name.removesuffix(_BEST_CONSTANT)
        if metric != value.name and metric in by_name:
            continue
        constant = by_name.get(f"{value.name}{_BEST_CONSTANT}")
        yield replace(value, best_constant=constant.value) if constant else value


def _confusion(value: Any) -> Confusion | None:
    """Return a confusion matrix: an object of objects, or a list of lists as scikit-learn makes it.

    Rows are actual classes, columns predicted ones, in both; the classes of lists are their positions.
    """
    if isinstance(value, list):
        value = {str(i): dict(enumerate(row)) if isinstance(row, list) else row for i, row in enumerate(value)}
    if not _is_map(value) or not value or len(value) > MAX_CLASSES:
        return None
    if not all(_is_map(row) and row and len(row) <= MAX_CLASSES for row in value.values()):
        return None
    counts = [count for row in value.values() for count in row.values()]
    if not all(_is_count(count) for count in counts):
        return None
    return {str(actual): {str(each): int(n) for each, n in row.items()} for actual, row in value.items()}


def _is_count(value: Any) -> bool:
    counted = number(value)
    return counted is not None and 0 <= counted <= 2**53 and counted.is_integer()


def _format(document: Any) -> str:
    if isinstance(document, list) or (_is_map(document) and isinstance(document.get("metrics"), list)):
        return "mlflow"
    if not _is_map(document):
        return "other"
    for section, name in _MODEL_MONITOR.items():
        if _is_map(document.get(section)):
            return name
    if _is_run(document):
        return "mlflow"
    plain = [value for key, value in document.items() if key not in {SLICES, *_BESIDE, "confusion_matrix"}]
    return "flat" if plain and not any(isinstance(value, dict | list) for value in plain) else "other"


def _is_run(document: Any) -> bool:
    """Return whether a document is an MLflow run: `info` and `data`, which has metrics, parameters and tags."""
    return _is_map(document) and _is_map(document.get("data")) and "metrics" in document["data"]


def _dataset(document: Any) -> Dataset:
    """Return the data set that a document names, of which SageMaker itself gives only `item_count`."""
    said = document.get("dataset") if _is_map(document) else None
    if not isinstance(said, Mapping):
        return Dataset()
    sha256, uri, rows = said.get("sha256"), said.get("uri"), said.get("item_count")
    return Dataset(
        sha256=sha256.lower() if isinstance(sha256, str) and _SHA256.match(sha256) else None,
        uri=beginning(uri, 1024) if isinstance(uri, str) and uri else None,
        rows=int(rows) if rows is not None and _is_count(rows) else None,
    )


def _bounded(missed: Sequence[Skipped], skipped: Sequence[Skipped]) -> tuple[Skipped, ...]:
    more = len(skipped) - _MAX_SKIPPED
    told = (Skipped("", f"and {more:,} more that are no metrics"),) if more > 0 else ()
    return (*missed, *skipped[:_MAX_SKIPPED], *told)
