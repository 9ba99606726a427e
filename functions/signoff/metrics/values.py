"""The metrics of one model on one data set: values, what they were measured on, and what was left out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, count
from typing import Any

from signoff.documents.text import beginning
from signoff.metrics.leaves import below

SLICES = "slices"  # the member of a document that holds one for each slice of the data
_SHOWN = 300  # characters of a path
# How often each class (outer key) was predicted as each (inner key).
Confusion = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class StoredFile:
    """A file by its URI and the SHA-256 of its bytes."""

    uri: str
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """The data set that a model was measured on, as far as is said: digest, URI, number of rows."""

    sha256: str | None = None
    uri: str | None = None
    rows: int | None = None


@dataclass(frozen=True)
class MetricValue:
    """A metric's value.

    `path` is the JMESPath expression that finds it in its document (in that of its `slice`, if it has one).
    `standard_deviation` is the spread that the document gives, which is no standard error; `best_constant` is what the
    best classifier reaches that always answers the same. `slice` names the part of the data, None for all of it.
    """

    name: str
    value: float
    path: str
    standard_deviation: float | None = None
    best_constant: float | None = None
    slice: str | None = None

    @property
    def written(self) -> str:
        """What the document itself calls the metric, whatever a policy calls it: the last name of its path."""
        return self.path.removesuffix(".value").rpartition(".")[2].strip('"')


@dataclass(frozen=True)
class Skipped:
    """What stands in a document and is no metric, and why it is none. An empty path is the document itself."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """All that was measured of a model. No two values have the same name and slice.

    `source` is the document that the values stand in, `predictions` the file that they were computed from; `parts` are
    the slices that the document has a part about, even if nothing in it is a metric.
    """

    format: str
    values: tuple[MetricValue, ...] = ()
    confusion: Confusion | None = None
    dataset: Dataset = Dataset()
    skipped: tuple[Skipped, ...] = ()
    source: StoredFile | None = None
    predictions: StoredFile | None = None
    parts: tuple[str, ...] = field(default=(), compare=False)

    @property
    def document(self) -> dict[str, Any]:
        """The measurements as JSON-ready data."""
        return {
            "format": self.format,
            "document": asdict(self.source) if self.source else None,
            "dataset": asdict(self.dataset),
            "values": [asdict(value) for value in self.values],
            "confusion": {actual: dict(row) for actual, row in self.confusion.items()} if self.confusion else None,
            "skipped": [asdict(skipped) for skipped in self.skipped],
            "predictions": asdict(self.predictions) if self.predictions else None,
        }

    def find(self, name: str, of_slice: str | None = None) -> MetricValue | None:
        """Return the value of that name and slice, or None."""
        return next((each for each in self.values if (each.name, each.slice) == (name, of_slice)), None)

    def why_not(self, path: str, of_slice: str | None = None) -> str | None:
        """Return why there is no metric at `path`, if something was found there or looked for."""
        return next((each.reason for each in self.skipped if each.path == path_in(path, of_slice)), None)

    @property
    def slices(self) -> tuple[str, ...]:
        """The names of the slices, in the order in which they come."""
        named = (each.slice for each in self.values if each.slice is not None)
        return tuple(dict.fromkeys([*self.parts, *named]))

    def of(self, source: StoredFile) -> Measurements:
        """Return the measurements, with the document that they stand in."""
        return replace(self, source=source)


def path_in(path: str, of_slice: str | None) -> str:
    """Return a path in a slice's document (None: in the whole one) as one in the whole document, cut to be shown."""
    around = below(SLICES, of_slice) if of_slice is not None else ""
    return beginning(".".join(filter(None, (around, path))), _SHOWN)


def measurements_of(document: Mapping[str, Any]) -> Measurements:
    """Return the measurements of a `Measurements.document`, which canonical JSON has no other numbers in."""
    return Measurements(
        format=document["format"],
        values=tuple(_value(each) for each in document["values"]),
        confusion=document["confusion"],
        dataset=Dataset(**document["dataset"]),
        skipped=tuple(Skipped(**each) for each in document["skipped"]),
        source=_file(document["document"]),
        predictions=_file(document["predictions"]),
    )


def _value(document: Mapping[str, Any]) -> MetricValue:
    numbers = {name: _float(document[name]) for name in ("value", "standard_deviation", "best_constant")}
    return MetricValue(**{**document, **numbers})


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)  # canonical JSON writes 1.0 as 1


def _file(document: Mapping[str, str] | None) -> StoredFile | None:
    return StoredFile(**document) if document else None


def distinct(
    named: Iterable[MetricValue], others: Iterable[MetricValue], reserved: Container[str]
) -> tuple[MetricValue, ...]:
    """Return the values, each with a name of its own in its slice: of `others`, the later become their paths.

    None of them takes a name that is `reserved` for what stands elsewhere, even if nothing stands there.
    """
    found = {(value.name, value.slice): value for value in named}
    for value in others:
        names = chain((value.name, value.path), (f"{value.path} ({n})" for n in count(2)))
        name = next(name for name in names if name not in reserved and (name, value.slice) not in found)
        found[name, value.slice] = replace(value, name=name)
    return tuple(found.values())
