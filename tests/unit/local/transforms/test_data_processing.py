"""What of each record a model gets, and what of record and answer is stored, as in SageMaker's guide."""

from typing import Any

import pytest

from local.transforms.data_processing import DataProcessing
from local.transforms.records import NotRecords

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"


def processing(kind: str = CSV, **given: str) -> DataProcessing:
    job: dict[str, Any] = {
        "TransformInput": {"ContentType": kind, "SplitType": "None" if kind == JSON else "Line"},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None", **given},
    }
    return DataProcessing(job)


@pytest.mark.parametrize("given", [{}, {"InputFilter": "$[1:]"}], ids=["by default", "if only the input is filtered"])
def test_an_answer_is_stored_as_it_is(given: dict[str, str]) -> None:
    job = processing(**given)

    assert job.joined([b"7,a", b"8,b"], b'no rows, and "no CSV') == b'no rows, and "no CSV'
    assert processing().filtered(b'"no CSV') == b'"no CSV'


def test_the_model_gets_what_the_input_filter_selects() -> None:
    assert processing(InputFilter="$[1:]").filtered(b'7,"a,b",c') == b'"a,b",c'
    assert processing(LINES, InputFilter="$.features").filtered(b'{"id": 7, "features": [1, 2]}') == b"[1, 2]"


def test_an_answer_follows_its_row() -> None:
    joined = processing(JoinSource="Input").joined([b"7,a", b"8,b"], b"0,0.1\n1,0.9\n")

    assert joined == b"7,a,0,0.1\n8,b,1,0.9"


def test_an_answer_is_a_field_of_its_record() -> None:
    job = processing(LINES, JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")

    assert job.joined([b'{"id": 7, "features": [1]}'], b'{"p": 1}') == b'{"id": 7, "SageMakerOutput": {"p": 1}}'


def test_a_record_that_is_no_object_stands_beside_its_answer() -> None:
    joined = processing(JSON, JoinSource="Input").joined([b"[1, 2]"], b"3\n")

    assert joined == b'{"SageMakerInput": [1, 2], "SageMakerOutput": 3}'


def test_what_is_stored_is_what_the_output_filter_selects() -> None:
    assert processing(JoinSource="Input", OutputFilter="$[0,-1]").joined([b"7,a"], b"0,0.1") == b"7,0.1"
    assert processing(OutputFilter="$[1]").joined([b"7,a"], b"0,0.1") == b"0.1"


@pytest.mark.parametrize(
    ("answer", "message"),
    [(b"1\n", "answered 2 records with 1"), (b"1\n2\n3", "answered 2 records with 3"), (b'"1\n2', "is not text/csv")],
)
def test_answers_that_do_not_match_the_records_are_refused(answer: bytes, message: str) -> None:
    with pytest.raises(NotRecords, match=message):
        processing(JoinSource="Input").joined([b"7,a", b"8,b"], answer)


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotRecords, match="finds nothing in the record"):
        processing(InputFilter="$[9]").filtered(b"1,2")
