"""The policies in force beside those that the stack deployed: what somebody wrote past the deployment is found."""

from typing import Any

import pytest

from signoff_cli.audit.deployed_policies import deployed_texts
from signoff_cli.errors import CommandFailed
from tests.support.auditing import policy_auditor, policy_template
from tests.support.world import World

PATH = "/signoff/policies"
OUTPUTS = {"ProjectLaunchRoleArn": "arn:aws:iam::123456789012:role/signoff/projects/Signoff-LaunchRole-1A"}
PROJECT = "arn:aws:sts::123456789012:assumed-role/Signoff-LaunchRole-1A/servicecatalog"
ROLE_ARN = {"Fn::GetAtt": ["Role", "Arn"]}


@pytest.fixture
def world() -> World:
    world = World()
    world.set_policy("groups/churn")
    return world


def found(world: World) -> dict[str, str]:
    findings = policy_auditor(world, OUTPUTS).findings()
    return {finding.about.removeprefix(f"{PATH}/"): finding.name for finding in findings}


def test_what_was_deployed_and_not_changed_fits(world: World):
    assert set(world.deployed_policies) == {"default", "groups/churn"}
    assert found(world) == {}


def test_a_policy_in_force_that_says_otherwise_is_found_for_each_of_them(world: World):
    for name in world.deployed_policies:
        world.parameters.values[f"{PATH}/{name}"] += " "
    assert found(world) == dict.fromkeys(world.deployed_policies, "PolicyDiffers")


def test_a_policy_that_is_gone_is_found(world: World):
    del world.parameters.values[f"{PATH}/default"]
    assert found(world) == {"default": "PolicyDiffers"}


@pytest.mark.parametrize("name", ["groups/fraud", "projects/loose", "groups/Churn", "elsewhere"])
@pytest.mark.parametrize(
    "writer",
    [
        "arn:aws:iam::123456789012:user/eve",
        "arn:aws:sts::123456789012:assumed-role/Eve/Signoff-LaunchRole-1A",
        PROJECT.replace("-1A/", "-1Ab/"),
        PROJECT.replace("123456789012", "210987654321"),
    ],
)
def test_a_policy_that_nobody_deployed_is_found_whatever_its_name(world: World, name: str, writer: str):
    world.parameters.values[f"{PATH}/{name}"] = "{}"
    world.parameters.writers[f"{PATH}/{name}"] = writer
    assert found(world) == {name: "PolicyNotDeployed"}


def test_a_projects_own_policy_is_one_that_the_role_wrote_which_makes_projects(world: World):
    for name in ("groups/team", "projects/team"):
        world.parameters.values[f"{PATH}/{name}"] = "{}"
        world.parameters.writers[f"{PATH}/{name}"] = PROJECT
    assert found(world) == {"projects/team": "PolicyNotDeployed"}


def test_without_projects_no_project_has_written_anything(world: World):
    world.parameters.values[f"{PATH}/groups/team"] = "{}"
    world.parameters.writers[f"{PATH}/groups/team"] = PROJECT
    assert [each.name for each in policy_auditor(world, {}).findings()] == ["PolicyNotDeployed"]


def test_what_is_in_force_after_a_moment_is_no_finding(world: World):
    world.parameters.values[f"{PATH}/default"] = "{}"

    def arrive() -> None:
        world.parameters.values[f"{PATH}/default"] = world.deployed_policies["default"]

    assert policy_auditor(world, pause=arrive).findings() == []


def test_what_the_template_refers_to_is_known_by_the_stacks_outputs():
    template = policy_template({"default": {"Fn::Join": ["", ['{"role":"', ROLE_ARN, '"}']]}, "groups/a": ROLE_ARN})
    template["Outputs"] = {"ModelRole": {"Value": ROLE_ARN}}
    texts = {f"{PATH}/default": '{"role":"arn"}', f"{PATH}/groups/a": "arn"}
    assert deployed_texts(template, {"ModelRole": "arn"}, PATH) == texts
    assert deployed_texts(template, {}, PATH) == dict.fromkeys(texts)


def test_what_the_template_does_not_tell_does_not_pass(world: World):
    world.deployed_policies["default"] = {"Fn::Join": ["", ["{", {"Fn::GetAtt": ["Unknown", "Arn"]}]]}  # type: ignore[assignment]
    assert found(world) == {"default": "PolicyDiffers"}


@pytest.mark.parametrize("template", ["Resources: {}", {}, {"Resources": {}}, policy_template({}), None])
def test_a_template_without_policies_is_no_success(template: Any):
    with pytest.raises(CommandFailed, match="contains no policies"):
        deployed_texts(template, {}, PATH)
