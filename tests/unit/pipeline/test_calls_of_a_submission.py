"""What a submission costs, from its first upload to PendingApproval: so many calls to AWS, and so many for each object.

docs/calls.md says what each of them is for.
"""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.calls import ASKED, SUBMISSION, Calls, calls_of_a_submission, calls_of_objects, of
from tests.support.repository import ROOT

MOST = 58  # for an archive, a quality document and a manifest, signed
FOR_EACH_OBJECT = 6  # asked about, looked up, copied and tagged; read by who keeps it and by who inspects it
PAGE = ROOT / "docs/calls.md"
BEGIN, END = "<!-- The calls of a submission. -->\n", "<!-- The end of the calls of a submission. -->\n"


@cache
def small() -> Calls:
    return calls_of_a_submission()


@cache
def under_a_prefix(objects: int) -> Calls:
    return calls_of_objects(objects)


def rows() -> Iterator[tuple[str, str, int, int]]:
    """What the page says: the function, the call, how often, and how often again for each further object."""
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    for line in table.splitlines()[2:]:
        function, call, times, each, _ = (cell.strip() for cell in line.strip("|").split("|"))
        yield function, call.strip("`"), int(times), int(each or 0)


def test_a_small_submission_costs_no_more_calls_than_the_page_says():
    assert of(SUBMISSION, small()) <= MOST


def test_each_further_object_costs_the_same_few_calls_and_nothing_grows_faster():
    one, few, many = (of(SUBMISSION, under_a_prefix(objects)) for objects in (1, 5, 20))
    assert few - one == 4 * FOR_EACH_OBJECT
    assert many - one == 19 * FOR_EACH_OBJECT


def test_objects_that_are_to_be_signed_are_not_looked_at_before_their_signature():
    calls = under_a_prefix(20)
    assert calls["RegisterModel", "ssm:GetParameters"] == 1
    assert calls["RegisterModel", "sagemaker:DescribeModelPackageGroup"] == 1
    assert calls["RegisterModel", ASKED] == 1


@pytest.mark.parametrize("function", SUBMISSION)
def test_the_page_says_of_each_function_what_it_calls_and_how_often(function: str):
    said = {call: times for by, call, times, _ in rows() if by == function}
    assert said == {call: times for (by, call), times in small().items() if by == function}


def test_the_page_says_what_each_further_object_costs():
    one, many = under_a_prefix(1), under_a_prefix(20)
    grown = {call: (many[call] - one[call]) / 19 for call in many if many[call] != one[call]}
    assert {(function, call): each for function, call, _, each in rows() if each} == grown


def test_the_page_adds_up():
    text = PAGE.read_text()
    assert f"{MOST} calls" in text
    assert sum(times for *_, times, _ in rows()) == of(SUBMISSION, small())
