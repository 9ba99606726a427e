"""What a model answered about held-out rows, read from a transform job's output and paired with what is true.

SageMaker sends the rows of a file line by line and writes the answers in the same order, one or several to a line:
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html. Where rows have an id, SageMaker joins each with
its answer, and the id of an answer must be that of the row it is paired with:
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import isfinite
from typing import Any, Literal, NoReturn

import jmespath

from signoff.metrics.rows import ROWS, BadAnswer, Row, Task, Unmeasurable, label_key

LINE = 1024 * 1024  # bytes
VALUES = 5_000_000  # numbers and labels that all answers consist of
_SHOWN = 100  # characters
_JOINED = "SageMakerOutput"
_NONE = object()  # where there are no more

ContentType = Literal["text/csv", "application/jsonlines"]
AnswerKind = Literal["label", "probability", "probabilities", "value"]
Column = int | str  # the position in a line of CSV, from 0, or a key of a line of JSON
Answer = str | float | tuple[float, ...]


@dataclass(frozen=True)
class RowForm:
    """How held-out rows are written, one to a line: where the `label` stands, the id, and what they are sliced by."""

    content_type: ContentType
    label: Column
    id: Column | None = None
    slices: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerForm:
    """How a model answers: what each answer is, and by `path`, a JMESPath expression, where in a line it stands."""

    content_type: ContentType
    kind: AnswerKind
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one row. `width` is its number of columns, where it has columns and no keys."""

    label: str
    id: str | None
    slices: tuple[str, ...]
    width: int


def truths(chunks: Iterable[bytes], form: RowForm) -> Iterator[Truth]:
    """Yield what is true of each held-out row. Raises `Unmeasurable` for a line that is none."""
    for number, line in enumerate(_lines(chunks, Unmeasurable), 1):
        if number > ROWS:
            raise Unmeasurable(f"there are more than {ROWS:,} rows")
        if not line:
            raise Unmeasurable(f"row {number} is blank")
        fields = _fields(line, form.content_type, Unmeasurable, number)
        yield Truth(
            label=_text(fields, form.label, number),
            id=None if form.id is None else _text(fields, form.id, number),
            slices=tuple(f"{name}={_text(fields, column, number)}" for name, column in form.slices.items()),
            width=len(fields) if form.content_type == "text/csv" else 0,
        )


def answers(
    chunks: Iterable[bytes], form: AnswerForm, rows: Iterable[Truth], ids: Column | None = None
) -> list[Answer]:
    """Return a model's answers, one for each of `rows`. Raises `BadAnswer` for what is none, and for any other number.

    With `ids`, the column of the rows' ids, the output is joined: each row stands before its answer.
    """
    said = _by_order(chunks, form, rows) if ids is None else _joined(chunks, form, rows, ids)
    found: list[Answer] = []
    values = 0
    for number, each in enumerate(said, 1):
        answer = _answer(each, form.kind, number)
        values += len(answer) if isinstance(answer, tuple) else 1
        if values > VALUES:
            raise BadAnswer(f"row {number}: the answers have more than {VALUES:,} values")
        found.append(answer)
    return found


def _by_order(chunks: Iterable[bytes], form: AnswerForm, rows: Iterable[Truth]) -> Iterator[Any]:
    read = ((number, _fields(line, form.content_type, BadAnswer, number)) for number, line in _written(chunks))
    said = (each for number, line in read for each in _each(line, form, number))
    for number, (answer, row) in enumerate(zip_longest(said, rows, fillvalue=_NONE)):
        if answer is _NONE or row is _NONE:
            _differ(number, fewer=answer is _NONE)
        yield answer


def paired(task: Task, threshold: float, rows: Iterable[Truth], found: Sequence[Answer]) -> Iterator[Row]:
    """Yield each held-out row with its answer. Raises `Unmeasurable` and `BadAnswer` for labels that the task lacks.

    A probability of the positive label of at least `threshold` predicts it; of several labels the most probable one is
    predicted, the first of equal ones.
    """
    known = {label_key(label): label for label in task.labels}
    for number, (row, answer) in enumerate(zip(rows, found, strict=True), 1):
        actual = _number(row.label, number, "true value", Unmeasurable) if task.kind == "regression" else row.label
        yield _row(task, threshold, known, known.get(label_key(actual), actual), answer, row.slices)


def _row(
    task: Task, threshold: float, known: Mapping[Any, str], actual: str | float, answer: Answer, slices: tuple[str, ...]
) -> Row:
    if task.kind == "regression":
        return Row(actual, answer if isinstance(answer, float) else _shown(answer), (), slices)
    if isinstance(answer, str):
        return Row(actual, known.get(label_key(answer), answer), (), slices)
    probabilities = answer if isinstance(answer, tuple) else (answer,)
    if task.kind == "binary":
        # Two probabilities are of both labels, in their order; more of them are refused with the row.
        *negative, positive = probabilities
        kept = (*negative[1:], positive)
        return Row(actual, task.labels[-1] if positive >= threshold else task.labels[0], kept, slices)
    most = max(range(len(probabilities)), key=probabilities.__getitem__)
    return Row(actual, task.labels[min(most, len(task.labels) - 1)], probabilities, slices)


def _lines(chunks: Iterable[bytes], fault: type[Unmeasurable]) -> Iterator[str]:
    """Yield the lines of UTF-8 text, without their ends. Raises a `fault` for what is none.

    What is between quotes does not hide the end of a line: SageMaker splits there too.
    """
    for number, line in enumerate(_pieces(chunks), 1):
        if len(line) > LINE:
            raise fault(f"line {number} is longer than {LINE:,} bytes")
        try:
            yield line.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            raise fault(f"line {number} is no UTF-8") from error


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > LINE:
            break  # the line is too long, whatever comes
    if rest:
        yield rest


def _fields(line: str, content_type: ContentType, fault: type[Unmeasurable], number: int) -> Any:
    """Return a line as its columns, or as the JSON value that it is."""
    try:
        if content_type == "text/csv":
            return next(csv.reader([line], strict=True), [])
        return json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, csv.Error, RecursionError) as error:
        raise fault(f"line {number} is not {content_type}: {error}"[:_SHOWN]) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _text(fields: Any, column: Column, number: int, fault: type[Unmeasurable] = Unmeasurable) -> str:
    """Return one field of a row as text."""
    known: Any = fields if isinstance(fields, list | dict) else {}
    try:
        value = known[column]
    except (LookupError, TypeError) as error:
        raise fault(f"row {number} has no {_named(column)}") from error
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise fault(f"row {number}: {_named(column)} is {_shown(value)}, neither text nor number")
    return str(value)


def _named(column: Column) -> str:
    return f"column {column}" if isinstance(column, int) else f"key `{column}`"


def _joined(chunks: Iterable[bytes], form: AnswerForm, rows: Iterable[Truth], column: Column) -> Iterator[Any]:
    """Yield the answer at the end of each line that begins with the row it is about."""
    written = (line for _, line in _written(chunks))
    for number, (line, row) in enumerate(zip_longest(written, rows), 1):
        if line is None or row is None:
            _differ(number - 1, fewer=line is None)
        fields = _fields(line, form.content_type, BadAnswer, number)
        found = _text(fields, column, number, BadAnswer)
        if found != row.id:
            raise BadAnswer(f"row {number} has the id {_shown(row.id)}, and its answer {_shown(found)}")
        said = fields[row.width :] if row.width else fields.get(_JOINED)
        alone = [*_each(said, form, number)]
        if len(alone) != 1:
            raise BadAnswer(f"row {number} has {len(alone)} answers")
        yield alone[0]


def _written(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield each line of output that is not blank, with its number."""
    return ((number, line) for number, line in enumerate(_lines(chunks, BadAnswer), 1) if line)


def _each(said: Any, form: AnswerForm, number: int) -> Iterator[Any]:
    """Yield the answers in one line or document: the servers of some frameworks answer several rows with one list."""
    if form.path is not None:
        try:
            said = jmespath.search(form.path, said)
        except jmespath.exceptions.JMESPathError as error:
            raise BadAnswer(f"line {number}: {error}"[:_SHOWN]) from error
    elif isinstance(said, list) and form.content_type == "text/csv" and form.kind != "probabilities" and len(said) > 1:
        raise BadAnswer(f"line {number} has {len(said)} columns: say by a path which is the answer")
    several = isinstance(said, list) and (form.kind != "probabilities" or (said and isinstance(said[0], list)))
    yield from said if several else (said,)


def _answer(said: Any, kind: AnswerKind, number: int) -> Answer:
    if kind == "label":
        if isinstance(said, bool):
            return str(said).lower()
        if isinstance(said, str | int | float):
            return str(said).strip()
        raise BadAnswer(f"row {number}: the answer is {_shown(said)}, no label")
    if kind == "probabilities":
        if not isinstance(said, list) or not said:
            raise BadAnswer(f"row {number}: the answer is {_shown(said)}, no list of probabilities")
        return tuple(_number(each, number, "answer", BadAnswer) for each in said)
    return _number(said, number, "answer", BadAnswer)


def _number(value: Any, number: int, what: str, fault: type[Unmeasurable]) -> float:
    try:
        found = float("nan") if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if not isfinite(found):
        raise fault(f"row {number}: the {what} is {_shown(value)}, no finite number")
    return found


def _differ(rows: int, *, fewer: bool) -> NoReturn:
    if fewer:
        raise BadAnswer(f"the model answered {rows:,} rows, and there are more")
    raise BadAnswer(f"the model answered more than the {rows:,} rows there are")


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN]
