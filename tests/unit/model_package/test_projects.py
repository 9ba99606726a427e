"""Packages of a project's group carry the project's id."""

import json
from typing import Any

import pytest

from signoff.model_package.projects import ID_TAG, NAME_TAG, faults, in_project
from tests.support.world import World

TAGS = {ID_TAG: "p-abc", NAME_TAG: "churn", "signoff:governed": "true"}


def test_a_manifest_gets_the_id_of_its_groups_project() -> None:
    assert in_project({"ModelPackageDescription": "d"}, TAGS) == {
        "ModelPackageDescription": "d",
        "MetadataProperties": {"ProjectId": "p-abc"},
    }


def test_what_else_the_manifest_says_of_its_origin_stays() -> None:
    given = {"MetadataProperties": {"CommitId": "8c1d", "Repository": "r"}}
    filled = in_project(given, TAGS)
    assert filled["MetadataProperties"] == {"CommitId": "8c1d", "Repository": "r", "ProjectId": "p-abc"}
    assert given == {"MetadataProperties": {"CommitId": "8c1d", "Repository": "r"}}


def test_a_manifest_may_name_its_project_itself() -> None:
    given = {"MetadataProperties": {"ProjectId": "p-abc"}}
    assert in_project(given, TAGS) == given
    assert faults(given, TAGS) == []


def test_a_manifest_that_names_another_project_is_told_which_one_its_group_belongs_to() -> None:
    given = {"MetadataProperties": {"ProjectId": "p-other"}}
    assert in_project(given, TAGS) == given
    (fault,) = faults(given, TAGS)
    assert fault.path == "MetadataProperties.ProjectId"
    assert fault.message == (
        "the group belongs to the project p-abc (churn); leave ProjectId out, or submit to a group of p-other"
    )


@pytest.mark.parametrize("given", [{}, {"MetadataProperties": {"ProjectId": "p-any"}}])
def test_a_group_without_a_project_asks_and_adds_nothing(given: dict[str, Any]) -> None:
    assert in_project(given, {"signoff:governed": "true"}) == given
    assert faults(given, {}) == []


@pytest.mark.parametrize("wrong", [None, "p-abc", ["ProjectId"], 7])
def test_a_manifest_of_the_wrong_shape_is_left_to_those_who_check_shapes(wrong: Any) -> None:
    given = {"MetadataProperties": wrong}
    assert in_project(given, TAGS) == given
    assert faults(given, TAGS) == []


def test_a_package_of_a_projects_group_carries_the_projects_id() -> None:
    world = World()
    world.registry.tags["churn"] = TAGS
    described = world.registry.describe(world.submit(MetadataProperties={"CommitId": "8c1d"}))
    assert described["MetadataProperties"] == {"CommitId": "8c1d", "ProjectId": "p-abc"}


def test_a_submission_that_names_another_project_is_refused_with_the_reason() -> None:
    world = World()
    world.registry.tags["churn"] = TAGS
    for key, data in world.files("churn/run-7", MetadataProperties={"ProjectId": "p-other"}).items():
        world.upload(key, data)
    report = json.loads(world.inbox.read(world.inbox.current("churn/run-7/registration-report.json")))
    (fault,) = report["faults"]
    assert (report["outcome"], fault["path"]) == ("refused", "MetadataProperties.ProjectId")
    assert world.registry.described == {}


def test_a_group_that_a_submission_makes_belongs_to_no_project() -> None:
    world = World()
    assert "MetadataProperties" not in world.registry.describe(world.submit())
