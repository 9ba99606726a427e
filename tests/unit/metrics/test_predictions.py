"""A model's answers are read from the output of a transform job and paired with the rows they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.metrics import predictions
from signoff.metrics.predictions import Answer, AnswerForm, RowForm, Truth, answers, paired, truths
from signoff.metrics.rows import BadAnswer, Row, Task, Unmeasurable

CSV = RowForm("text/csv", label=0)
BINARY = Task("binary", ("0", "1"))
COLOURS = Task("multiclass", ("blue", "green", "red"))


def rows(text: str, form: RowForm = CSV) -> list[Truth]:
    return list(truths([text.encode()], form))


def said(text: str, form: AnswerForm, count: int = 2) -> list[Answer]:
    return answers([text.encode()], form, rows("1\n" * count))


def pairs(task: Task, text: str, found: list[Answer], threshold: float = 0.5) -> list[Row]:
    return list(paired(task, threshold, rows(text), found))


@pytest.mark.parametrize(
    ("form", "output"),
    [
        (AnswerForm("text/csv", "probability"), "0.25\n0.75\n"),
        (AnswerForm("text/csv", "probability"), "0.25\r\n\r\n0.75"),
        (AnswerForm("text/csv", "probability", "[1]"), "0,0.25\n1,0.75\n"),
        (AnswerForm("application/jsonlines", "probability"), "0.25\n0.75\n"),
        (AnswerForm("application/jsonlines", "probability", "score"), '{"score": 0.25}\n{"score": 0.75}\n'),
        (
            AnswerForm("application/jsonlines", "probability", "predictions[].score"),
            '{"predictions": [{"score": 0.25}, {"score": 0.75}]}',
        ),
    ],
    ids=str,
)
def test_answers_are_read_however_they_are_written(form: AnswerForm, output: str) -> None:
    assert said(output, form) == [0.25, 0.75]


@pytest.mark.parametrize(
    ("form", "output"),
    [
        (AnswerForm("text/csv", "probabilities"), "0.2,0.3,0.5\n0.1,0.1,0.8\n"),
        (AnswerForm("application/jsonlines", "probabilities"), "[0.2, 0.3, 0.5]\n[0.1, 0.1, 0.8]"),
    ],
    ids=str,
)
def test_so_are_the_probabilities_of_all_labels(form: AnswerForm, output: str) -> None:
    assert said(output, form) == [(0.2, 0.3, 0.5), (0.1, 0.1, 0.8)]


def test_labels_are_read_as_text_whatever_they_are_written_as() -> None:
    assert said('"red"\n1\n1.0\ntrue', AnswerForm("application/jsonlines", "label"), 4) == ["red", "1", "1.0", "true"]


@pytest.mark.parametrize(
    ("form", "output", "reason"),
    [
        (AnswerForm("text/csv", "probability"), "0.5\n", "the model answered 1 rows, and there are more"),
        (AnswerForm("text/csv", "probability"), "", "the model answered 0 rows, and there are more"),
        (AnswerForm("text/csv", "probability"), "0.5\n0.5\n0.5\n", "the model answered more than the 2 rows there are"),
        (AnswerForm("text/csv", "probability"), "0.5\nnan\n", "row 2: the answer is 'nan', no finite number"),
        (AnswerForm("text/csv", "probability"), "0.5\nhigh\n", "row 2: the answer is 'high', no finite number"),
        (
            AnswerForm("text/csv", "probability"),
            "0.5\n1,0.5\n",
            "line 2 has 2 columns: say by a path which is the answer",
        ),
        (AnswerForm("text/csv", "probability"), '0.5\n"0.5\n', "line 2 is not text/csv: unexpected end of data"),
        (
            AnswerForm("application/jsonlines", "probability"),
            "0.5\nnull",
            "row 2: the answer is None, no finite number",
        ),
        (
            AnswerForm("application/jsonlines", "probability"),
            "0.5\ntrue",
            "row 2: the answer is True, no finite number",
        ),
        (
            AnswerForm("application/jsonlines", "probability"),
            "0.5\nNaN",
            "line 2 is not application/jsonlines: NaN is no number in JSON",
        ),
        (
            AnswerForm("application/jsonlines", "probability"),
            "0.5\n1e999",
            "row 2: the answer is inf, no finite number",
        ),
        (
            AnswerForm("application/jsonlines", "probability", "score"),
            "0.5\n0.5",
            "row 1: the answer is None, no finite number",
        ),
        (AnswerForm("application/jsonlines", "label"), '{"a": 1}\n1', "row 1: the answer is {'a': 1}, no label"),
        (
            AnswerForm("application/jsonlines", "probabilities"),
            "[]\n[1]",
            "row 1: the answer is [], no list of probabilities",
        ),
        (
            AnswerForm("application/jsonlines", "probability", "max(@)"),
            '{"a": 1}',
            "line 1: In function max(), invalid type for value: {'a': 1}, expected one of: ['array-number', 'arra",
        ),
    ],
    ids=str,
)
def test_what_is_no_answer_or_one_too_few_or_too_many_is_refused_by_name(
    form: AnswerForm, output: str, reason: str
) -> None:
    with pytest.raises(BadAnswer) as refused:
        said(output, form)
    assert str(refused.value) == reason


def test_text_that_is_none_and_lines_and_outputs_that_are_too_large_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(predictions, "LINE", 4)
    monkeypatch.setattr(predictions, "VALUES", 1)
    for output, kind, reason in [
        (b"\xff\n", "text/csv", "line 1 is no UTF-8"),
        (b"0.12345\n", "text/csv", "line 1 is longer than 4 bytes"),
        (b"0.1\n0.2\n", "text/csv", "row 2: the answers have more than 1 values"),
    ]:
        with pytest.raises(BadAnswer, match=reason.replace("(", r"\(")):
            answers(_endless(output), AnswerForm(kind, "probability"), rows("1\n1\n"))  # type: ignore[arg-type]


def _endless(first: bytes) -> Iterator[bytes]:
    """Chunks of which no more is read than is needed: the next one fails the test."""
    yield first


def test_where_a_line_is_cut_into_chunks_changes_nothing() -> None:
    text = b'{"y": "1", "region": "EU"}\r\n{"y": 0, "region": "US"}\n'
    form = RowForm("application/jsonlines", "y", slices={"region": "region"})

    @given(st.integers(0, len(text)), st.integers(0, len(text)))
    def cut(one: int, other: int) -> None:
        first, last = sorted((one, other))
        assert list(truths([text[:first], text[first:last], text[last:]], form)) == whole

    whole = list(truths([text], form))
    assert [(each.label, each.slices) for each in whole] == [("1", ("region=EU",)), ("0", ("region=US",))]
    cut()


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        (CSV, "1\n\n1\n", "row 2 is blank"),
        (RowForm("text/csv", 3), "1,2\n", "row 1 has no column 3"),
        (RowForm("application/jsonlines", "y"), '{"x": 1}', "row 1 has no key `y`"),
        (RowForm("application/jsonlines", "y"), '"y"', "row 1 has no key `y`"),
        (RowForm("application/jsonlines", "y"), '{"y": null}', "row 1: key `y` is None, neither text nor number"),
        (CSV, '1\n"1\n', "line 2 is not text/csv: unexpected end of data"),
    ],
    ids=str,
)
def test_a_line_that_is_no_row_is_refused_and_is_not_the_models_fault(form: RowForm, text: str, reason: str) -> None:
    with pytest.raises(Unmeasurable) as refused:
        rows(text, form)
    assert (str(refused.value), type(refused.value)) == (reason, Unmeasurable)


def test_more_rows_than_are_measured_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "ROWS", 1)
    with pytest.raises(Unmeasurable, match="more than 1 rows"):
        rows("1\n1\n")


def test_a_probability_of_the_threshold_predicts_the_positive_label() -> None:
    found = pairs(BINARY, "1\n0\n1\n", [0.6, 0.59, (0.3, 0.7)], threshold=0.6)

    assert found == [Row("1", "1", (0.6,)), Row("0", "0", (0.59,)), Row("1", "1", (0.7,))]


def test_the_most_probable_label_is_predicted_and_of_equal_ones_the_first() -> None:
    found = pairs(COLOURS, "red\nblue\n", [(0.1, 0.1, 0.8), (0.2, 0.4, 0.4)])

    assert [each.predicted for each in found] == ["red", "green"]


def test_labels_that_are_numbers_are_the_same_however_they_are_written() -> None:
    assert pairs(BINARY, "1.0\n0\n", ["1", "0.0"]) == [Row("1", "1"), Row("0", "0")]
    assert pairs(BINARY, "yes\n", ["maybe"]) == [Row("yes", "maybe")]  # refused when they are scored


def test_a_regression_pairs_numbers() -> None:
    assert pairs(Task("regression"), "1.5\n-2\n", [1.0, 2.0]) == [Row(1.5, 1.0), Row(-2.0, 2.0)]
    with pytest.raises(Unmeasurable, match="row 1: the true value is 'x', no finite number"):
        pairs(Task("regression"), "x\n", [1.0])


JOINED = [
    (RowForm("text/csv", 1, id=0), "7,1,2.5\n8,0,3.5\n", "7,1,2.5,0.9\n8,0,3.5,0.1\n"),
    (
        RowForm("application/jsonlines", "y", id="id"),
        '{"id": 7, "y": 1}\n{"id": 8, "y": 0}\n',
        '{"id": 7, "y": 1, "SageMakerOutput": 0.9}\n{"id": 8, "y": 0, "SageMakerOutput": 0.1}\n',
    ),
]


@pytest.mark.parametrize(("form", "text", "output"), JOINED, ids=["CSV", "JSON lines"])
def test_a_joined_answer_is_that_of_the_row_with_its_id(form: RowForm, text: str, output: str) -> None:
    answer = AnswerForm(form.content_type, "probability")

    def read(written: str) -> list[Answer]:
        return answers([written.encode()], answer, rows(text, form), form.id)

    assert read(output) == [0.9, 0.1]
    first, second = output.splitlines(keepends=True)
    with pytest.raises(BadAnswer, match="row 1 has the id '7', and its answer '8'"):
        read(second + first)
    with pytest.raises(BadAnswer, match="answered 1 rows, and there are more"):
        read(first)
    with pytest.raises(BadAnswer, match="more than the 2 rows"):
        read(output + first)


def test_a_joined_line_has_one_answer() -> None:
    form, answer = RowForm("application/jsonlines", "y", id="y"), AnswerForm("application/jsonlines", "probability")
    for output, reason in [
        ('{"y": 1, "SageMakerOutput": [0.1, 0.2]}', "row 1 has 2 answers"),
        ('{"y": 1}', "row 1: the answer is None, no finite number"),
        ("[1]", "row 1 has no key `y`"),
    ]:
        with pytest.raises(BadAnswer, match=reason):
            answers([output.encode()], answer, rows('{"y": 1}', form), "y")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_what_json_and_csv_write_is_read_again(values: list[float]) -> None:
    written: Iterable[tuple[AnswerForm, str]] = [
        (AnswerForm("text/csv", "value"), "\n".join(map(repr, values))),
        (AnswerForm("application/jsonlines", "value"), "\n".join(map(json.dumps, values))),
    ]
    for form, output in written:
        assert said(output, form, len(values)) == values
