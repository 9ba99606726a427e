"""A card keeps all that others wrote, whatever we put beside it, and never grows beyond what SageMaker takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from local.sagemaker.card_rules import check_card
from signoff.model_package.model_card import (
    CardLeftAlone,
    MetricGroup,
    Said,
    matrix,
    number,
    text,
    with_evaluation,
)

LIMIT = 100_000
OTHERS = {"name": "Offline", "evaluation_observation": "good", "datasets": ["s3://b/k"], "metric_groups": []}


def says(observation: str = "All is well.", **more: Any) -> Said:
    given = {"datasets": ["s3://b/held-out.csv"], "metadata": {"verdict": "passed"}, "groups": GROUPS}
    return Said(observation=observation, **{**given, **more})


GROUPS = [MetricGroup("Checks", [text("metric:auc", "failed", "0.8 is less than 0.9")])]
GROUPS += [MetricGroup("Claimed", [number("auc", 0.8), number("f1", 0.7, "champion 0.6")])]


def put(content: str, said: Said | None = None) -> str:
    found = with_evaluation(content, (said or says()).within)
    assert found is not None
    return found


def evaluations(content: str) -> list[Any]:
    found: list[Any] = json.loads(content)["evaluation_details"]
    return found


@pytest.mark.parametrize("content", ["", "  ", "{}", " { } "])
def test_an_empty_card_gets_an_evaluation_that_the_schema_allows(content: str) -> None:
    found = put(content)

    check_card({"ModelCardContent": found})
    (ours,) = evaluations(found)
    assert ours["name"] == "Signoff"
    assert ours["evaluation_observation"] == "All is well."
    assert [group["name"] for group in ours["metric_groups"]] == ["Checks", "Claimed"]


NAMES = st.text(min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
WRITTEN = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only),
    st.dictionaries(NAMES.filter(lambda name: name != "evaluation_details"), VALUES, max_size=4),
    st.sampled_from([None, 2]),
    st.booleans(),
)
ITEMS = st.lists(VALUES.map(json.dumps).filter(lambda item: "Signoff" not in item), max_size=4)


@given(WRITTEN, ITEMS, st.integers(0, 4), st.booleans(), st.sampled_from(["", " ", "\n  "]))
def test_what_others_wrote_stays_character_for_character(
    written: str, items: list[str], place: int, ours: bool, space: str
) -> None:
    try:
        written.encode()
    except UnicodeEncodeError:
        assume(False)
    listed = [
        *items[:place],
        *(['{"name": "Signoff", "metadata": {"verdict": "failed"}}'] if ours else []),
        *items[place:],
    ]
    joined = f",{space}".join(listed)
    member = f'"evaluation_details":{space}[{space}{joined}{space}]'
    start = written[:-1].rstrip()
    content = f"{start}{',' if start != '{' else ''}{member}{space}}}"

    found = put(content)

    assert found.startswith(content[: content.index("[", len(start))])
    shown = json.loads(found)
    before = json.loads(content)
    kept = [each for each in shown["evaluation_details"] if each != evaluations(put("{}"))[0]]
    others = [
        each for each in before["evaluation_details"] if not (isinstance(each, dict) and each.get("name") == "Signoff")
    ]
    assert kept == others
    assert all(item in found for item in items)
    assert {**shown, "evaluation_details": None} == {**before, "evaluation_details": None}


@given(WRITTEN)
def test_a_card_without_evaluations_keeps_all_it_had(written: str) -> None:
    found = put(written)

    assert found.startswith(written.rstrip().removesuffix("}").rstrip())
    assert {name: value for name, value in json.loads(found).items() if name != "evaluation_details"} == json.loads(
        written
    )


def test_the_same_evaluation_again_changes_nothing() -> None:
    content = put(json.dumps({"evaluation_details": [OTHERS]}))

    assert with_evaluation(content, says().within) is None


def test_the_evaluation_that_was_there_is_replaced_in_its_place_and_only_once() -> None:
    before = json.dumps({"evaluation_details": [{"name": "Signoff"}, OTHERS, {"name": "Signoff", "metadata": {}}]})

    found = evaluations(put(before))

    assert [each["name"] for each in found] == ["Signoff", "Offline"]
    assert found[1] == OTHERS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("not json", "is not JSON"),
        ("[]", "is no JSON object"),
        ('{"evaluation_details": {}}', "evaluation_details is no list"),
        ('{"evaluation_details": [], "evaluation_details": []}', "evaluation_details"),
        ('{"a": NaN}', "a "),
        ('{"a": "\ud800"}', "half a character"),
        ("[" * 5000 + "]" * 5000, "nested deeper"),
        (json.dumps({"additional_information": {"custom_details": {"a": "x" * (LIMIT - 60)}}}), "no room"),
    ],
)
def test_a_card_that_nothing_can_be_put_into_is_left_alone_with_a_reason(content: str, why: str) -> None:
    with pytest.raises(CardLeftAlone, match=why):
        with_evaluation(content, says().within)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=400), st.lists(st.tuples(st.text(max_size=400), st.text(max_size=1500)), max_size=60)
        ),
        max_size=5,
    ),
    st.text(max_size=3000),
    st.integers(0, LIMIT),
)
def test_whatever_is_said_a_card_stays_within_its_limits(
    groups: list[tuple[str, list[tuple[str, str]]]], observation: str, filled: int
) -> None:
    said = says(
        observation,
        datasets=["x" * 2000] * 12,
        metadata={"long": "y" * 2000},
        groups=[MetricGroup(name, [text(*each, "z" * 2000) for each in metrics]) for name, metrics in groups],
    )
    content = json.dumps(
        {
            "model_overview": {"model_creator": "c" * min(filled, 1024)},
            "training_details": {"objective_function": "f" * filled},
        }
    )
    try:
        found = put(content, said)
    except CardLeftAlone:
        assert filled > LIMIT - 25_000
    else:
        assert len(found) <= LIMIT
        check_card({"ModelCardContent": found})


def test_what_matters_least_is_left_out_first_and_told() -> None:
    many = [number(f"metric {index}", index, "n" * 1000) for index in range(200)]
    said = says(groups=[MetricGroup("Checks", [text("metric:auc", "failed")]), MetricGroup("All", many)])

    (ours,) = evaluations(put("{}", said))

    checks, metrics = ours["metric_groups"]
    assert checks["metric_data"] == [{"name": "metric:auc", "type": "string", "value": "failed"}]
    shown = [each["name"] for each in metrics["metric_data"]]
    assert shown == [f"metric {index}" for index in range(len(shown))]
    assert 20 < len(shown) < 40
    assert ours["evaluation_observation"] == (
        f"All is well. {200 - len(shown)} values left out: there is no room for more here."
    )


@pytest.mark.parametrize("size", [1, 20])
def test_a_matrix_names_its_rows_and_columns(size: int) -> None:
    names = [str(index) for index in range(size)]

    found = matrix("confusion", names, names, [[1] * size] * size)

    assert found is not None
    assert (found["x_axis_name"], found["y_axis_name"], len(found["value"])) == (names, names, size)


@pytest.mark.parametrize("size", [0, 21])
def test_a_matrix_that_a_card_does_not_take_is_none(size: int) -> None:
    assert matrix("confusion", [""] * size, [""] * size, [[1] * size] * size) is None
