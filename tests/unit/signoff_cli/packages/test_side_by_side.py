"""Two packages beside each other: metrics, what changed, verdict and policy."""

from __future__ import annotations

import re
from typing import Any

import pytest

from signoff_cli.errors import CommandFailed
from signoff_cli.output.side_by_side import lines
from signoff_cli.packages.side_by_side import Side, side, side_by_side
from tests.support import entries
from tests.support.compared import submitted
from tests.support.world import CHANGED, World

SHOWN = """\
          churn/1               churn/2
status    PendingApproval       PendingApproval
verdict   passed                passed
policy    default <12>  default <12>
evidence  <12>          <12>

Metrics, claimed on the same data
metric    churn/1  churn/2  difference
accuracy     0.95     0.97       +0.02
f1              -      0.8
auc           0.9        -

Changed from churn/1 to churn/2
ModelMetrics.ModelQuality.Statistics: size: 30 -> 29
ModelMetrics.ModelQuality.Statistics: sha256: <12>... -> <12>...
InferenceSpecification.SupportedContentTypes[0]: text/csv -> application/json
"""


def side_of(world: World, prefix: str, quality: Any, **changed: Any) -> Side:
    return side(world.history(submitted(world, prefix, quality, **changed)), world.vault)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sides(world: World) -> tuple[Side, Side]:
    one = side_of(world, "churn/1", {"accuracy": 0.95, "auc": 0.9})
    return one, side_of(world, "churn/2", {"accuracy": 0.97, "f1": 0.8}, InferenceSpecification=CHANGED)


def text(document: Any, width: int | None = None) -> str:
    found = "\n".join(lines(document, width)) + "\n"
    return re.sub(r"\b[0-9a-f]{12}\b", "<12>", re.sub(r"\b[0-9a-f]{64}\b", "<64>", found))


def test_metrics_stand_beside_each_other_with_what_only_one_has(world: World, sides: tuple[Side, Side]):
    found = side_by_side(*sides, world.vault)
    assert [(each["name"], each["values"]) for each in found["metrics"]] == [
        ("accuracy", [0.95, 0.97]),
        ("f1", [None, 0.8]),
        ("auc", [0.9, None]),
    ]
    assert found["metrics"][0]["difference"] == pytest.approx(0.02)
    assert (found["basis"], found["data"], found["because"]) == ("claimed", "same", None)
    assert [each["name"] for each in found["packages"]] == ["churn/1", "churn/2"]
    assert [each["verdict"] for each in found["packages"]] == ["passed", "passed"]
    assert {each["part"] for each in found["changed"]} >= {"InferenceSpecification.SupportedContentTypes[0]"}


def test_people_see_one_row_on_each_line(world: World, sides: tuple[Side, Side]):
    found = text(side_by_side(*sides, world.vault))
    assert found == SHOWN


def test_evidence_of_version_1_is_compared_by_its_quality_document(world: World, sides: tuple[Side, Side]):
    before = {part: value for part, value in sides[0].evidence.items() if part not in {"metrics", "comparison"}}
    found = side_by_side(Side(sides[0].history, before), sides[1], world.vault)
    assert found["metrics"][0]["values"] == [0.95, 0.97]
    assert found["data"] == "unknown"


def test_without_metrics_it_says_of_which_there_are_none(world: World, sides: tuple[Side, Side]):
    one = Side(sides[0].history, {**sides[0].evidence, "metrics": {"claimed": None, "measured": None}})
    found = side_by_side(one, sides[1], world.vault)
    assert (found["metrics"], found["because"]) == ([], "the evidence of churn/1 has no metrics")
    assert "No metrics can be compared: the evidence of churn/1 has no metrics.\n" in text(found)


def test_what_was_measured_of_both_comes_before_claims(world: World, sides: tuple[Side, Side]):
    measured = [
        Side(each.history, {**each.evidence, "metrics": {**each.evidence["metrics"], "measured": claimed}})
        for each in sides
        if (claimed := each.evidence["metrics"]["claimed"])
    ]
    assert side_by_side(measured[0], measured[1], world.vault)["basis"] == "measured"
    assert side_by_side(measured[0], sides[1], world.vault)["basis"] == "claimed"


def test_a_package_is_no_different_from_itself(world: World, sides: tuple[Side, Side]):
    found = side_by_side(sides[0], sides[0], world.vault)
    assert found["changed"] == []
    assert {each["difference"] for each in found["metrics"]} == {0}
    assert "Nothing changed that is known.\n" in text(found)


def test_a_package_without_evidence_has_nothing_to_compare(world: World):
    with pytest.raises(CommandFailed, match="Churn/3 has no evidence yet"):
        side(entries.history(*entries.PENDING[:2]), world.vault)


def test_names_of_metrics_command_no_terminal(world: World):
    hostile = side_of(world, "churn/1", {"a\u001b[2J\nb": 1})
    assert "\x1b" not in text(side_by_side(hostile, hostile, world.vault))
    assert "\nb" not in text(side_by_side(hostile, hostile, world.vault))
