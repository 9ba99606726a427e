"""What Signoff measures itself: a policy's `evaluation` and `smoke`, each a transform job of a temporary model.

Why, and what it costs: docs/decisions/0055-signoff-measures-what-is-claimed.md.
"""

from collections.abc import Hashable, Iterator
from typing import Annotated, Literal

import jmespath
from msgspec import Struct

from signoff.documents.faults import Fault, below, refuse
from signoff.metrics.rows import NAMES, label_key
from signoff.policy.values import (
    Column,
    InstanceType,
    JsonPath,
    Name,
    ObjectUri,
    Sha256,
    VersionId,
    meaning,
)

_CSV = "text/csv"
_OF_PROBABILITIES = ("auc", "log_loss", "brier", "ece")
_KINDS = {
    "binary": ("label", "probability", "probabilities"),
    "multiclass": ("label", "probabilities"),
    "regression": ("value",),
}


class Rows(Struct, frozen=True, forbid_unknown_fields=True):
    """An S3 object of rows, one to a line, that a model is asked about and of which the answers are known.

    Whoever submits models need not be able to read it. It is copied to the vault before it is used.
    """

    uri: Annotated[ObjectUri, meaning("The S3 URI of the object.", examples=["s3://held-out/churn/2026-11.csv"])]
    version: Annotated[VersionId, meaning("The version id of the object: its bucket is versioned.")]
    sha256: Annotated[Sha256, meaning("The SHA-256 of its bytes, 64 hexadecimal digits.")]
    label: Annotated[
        Column, meaning("Where the true answer stands: the position of a column, from 0, or a key.", examples=["0"])
    ]
    features: Annotated[
        JsonPath,
        meaning(
            "The part of each row that the model is asked about (a transform job's InputFilter), without the label.",
            examples=["$[2:]", "$.features"],
        ),
    ]
    content_type: Annotated[
        Literal["text/csv", "application/jsonlines"],
        meaning("How the rows are written, and the answers; CSV has no line of names."),
    ] = "text/csv"
    id: Annotated[
        Column | None, meaning("Where the row's id stands. With one, each answer has to be that of its row.")
    ] = None
    slices: Annotated[
        dict[str, Column],
        meaning(
            "Columns or keys, by a name for each: the metrics are also computed for the rows of each of their values, "
            "50 values at most.",
            examples=[{"region": "1"}],
        ),
    ] = {}

    def __post_init__(self) -> None:
        """Refuse what names no part of a row, and features that would show the model what it is asked."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        named = {"label": self.label, "id": self.id, **{below("slices", name): at for name, at in self.slices.items()}}
        for path, column in named.items():
            if column is not None and self.content_type == _CSV and not (column.isascii() and column.isdigit()):
                yield Fault(path, f"a column of CSV is its position, from 0; `{column}` is none")
        if self.features == "$":
            yield Fault("features", "`$` is the whole row, the true answer too: name the part without it")


class Predictions(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model answers to a row, in the format of the row: SageMaker filters and joins no other."""

    kind: Annotated[
        Literal["label", "probability", "probabilities", "value"],
        meaning(
            "`label`: the predicted label. `probability`: that of the positive label. `probabilities`: those of all "
            "labels, in their order. `value`: the number that a regression predicts."
        ),
    ]
    path: Annotated[
        Name | None,
        meaning(
            "A JMESPath expression that finds the answer in a line of CSV, as a list of texts, or of JSON.",
            examples=["[1]", "predictions[].score"],
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse an invalid path."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        try:
            jmespath.compile(self.path or "@")
        except jmespath.exceptions.JMESPathError as error:
            why = " ".join(str(error).split())
            yield Fault("path", f"`{self.path}` is not a valid JMESPath expression: {why}")


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """What a transform job runs on, and for how long. One instance: that, and its minutes, bound what it costs."""

    instance_type: Annotated[InstanceType, meaning("The instance type.", examples=["ml.m5.xlarge"])] = "ml.m5.large"
    minutes: Annotated[
        int,
        meaning("How many minutes it may take, 720 at most; then it is stopped, and the check fails.", ge=5, le=720),
    ] = 60


class Evaluation(Struct, frozen=True, forbid_unknown_fields=True):
    """Held-out data that Signoff has the model score, and what it computes of the answers."""

    data: Annotated[Rows, meaning("The held-out rows.")]
    task: Annotated[Literal["binary", "multiclass", "regression"], meaning("What the model predicts.")]
    predictions: Annotated[Predictions, meaning("What the model answers.")]
    labels: Annotated[
        tuple[Name, ...],
        meaning(
            "All labels, in the order of their probabilities, 100 at most. Of a binary task two, the positive last.",
            max_length=100,
        ),
    ] = ()
    threshold: Annotated[
        float, meaning("The probability of the positive label from which on it is predicted.", ge=0, le=1)
    ] = 0.5
    metrics: Annotated[
        tuple[Name, ...], meaning("The metrics that must have a value; without a list, whatever has one is recorded.")
    ] = ()
    tolerance: Annotated[
        float, meaning("How far a metric that the submitter claims may be from the one that was measured.", ge=0)
    ] = 0.01
    job: Annotated[Job, meaning("What the transform job runs on, and for how long.")] = Job()

    def __post_init__(self) -> None:
        """Refuse what does not fit the task."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from _label_faults(self.task, self.labels)
        if self.predictions.kind not in _KINDS[self.task]:
            allowed = " or ".join(f"`{kind}`" for kind in _KINDS[self.task])
            yield Fault("predictions.kind", f"of a {self.task} task is {allowed}")
        known = NAMES[self.task]
        for index, name in enumerate(self.metrics):
            if name not in known:
                yield Fault(f"metrics[{index}]", f"is none of those of a {self.task} task: {', '.join(known)}")
            elif name in _OF_PROBABILITIES and self.predictions.kind == "label":
                yield Fault(f"metrics[{index}]", f"`{name}` is computed of probabilities, and the model answers labels")


def _label_faults(task: str, labels: tuple[str, ...]) -> Iterator[Fault]:
    if task == "regression":
        if labels:
            yield Fault("labels", "a regression has none")
    elif len(labels) < 2 or (task == "binary" and len(labels) > 2):
        yield Fault("labels", f"a {task} task has {'two' if task == 'binary' else 'at least two'}")
    first: dict[Hashable, str] = {}
    for index, label in enumerate(labels):
        other = first.setdefault(label_key(label), label)
        if other != label:
            yield Fault(f"labels[{index}]", f"`{label}` and `{other}` are the same label, written as another number")


class Smoke(Struct, frozen=True, forbid_unknown_fields=True):
    """A few rows that the model has to answer as expected: does it start, and does it compute what it did before."""

    data: Annotated[Rows, meaning("The rows; `label` is the expected answer. A sample of a few is enough.")]
    predictions: Annotated[Predictions, meaning("What the model answers; not `probabilities`.")]
    tolerance: Annotated[float, meaning("How far a number may be from the expected one.", ge=0)] = 1e-6
    job: Annotated[Job, meaning("What the transform job runs on, and for how long.")] = Job()

    def __post_init__(self) -> None:
        """Refuse what a comparison of single answers does not know."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.predictions.kind == "probabilities":
            message = "`probabilities` are no single answer: choose one by a path, as `probability`"
            yield Fault("predictions.kind", message)
        if self.data.slices:
            yield Fault("data.slices", "are for metrics, of which a smoke test has none")
