"""Another team's CDK app: what it deploys is the champion of the day, its own baseline until a package is approved."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.deploy import DeploymentError, Outputs, deploy, synthesise
from signoff.ledger.entries import Entry
from signoff.ledger.history import baseline_key
from tests.support.groups import Group
from tests.support.submissions import honest
from tests.support.waiting import eventually

# What the app is synthesised with, once: each test puts names of its own in their place.
TEAM, GROUP = "TeamOfATest0", "group-of-a-test-0"


class Team:
    """The app in examples/cdk, for a group of a test's own, deployed with the CDK's own command line."""

    def __init__(self, group: Group, synthesised: Path, directory: Path) -> None:
        self.group, self.name = group, f"Team{uuid4().hex[:8]}"
        self._pipeline, self._assembly = group.pipeline, directory / "assembly"
        shutil.copytree(synthesised, self._assembly)
        names = {TEAM: self.name, GROUP: group.name, **_template_ids(synthesised, self.name)}
        for file in self._assembly.glob("*.json"):
            text = file.read_text()
            for old, new in names.items():
                text = text.replace(old, new)
            file.rename(file.with_name(file.name.replace(TEAM, self.name))).write_text(text)

    def deploy(self, stack: str) -> Outputs:
        """Deploy `Models`, or `Serving` with what it needs; returns the stack's outputs."""
        engine = self._pipeline.stack.engine
        return deploy(engine, assembly=self._assembly, stack=f"{self.name}{stack}", bootstrap=False)

    def destroy(self) -> None:
        """Delete both stacks, that which serves first."""
        cloudformation = self._pipeline.aws("cloudformation")
        for stack in (f"{self.name}Serving", f"{self.name}Models"):
            cloudformation.delete_stack(StackName=stack)
            eventually(
                lambda stack=stack: self.status(stack) in {None, "DELETE_COMPLETE"}, what=f"{stack} to be deleted"
            )

    def status(self, stack: str) -> str | None:
        """How a stack stands, or None when there is none."""
        try:
            (found,) = self._pipeline.aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError:
            return None
        return str(found["StackStatus"])

    def published(self) -> str | None:
        """The champion of the group, as it is published."""
        ssm = self._pipeline.aws("ssm")
        try:
            found = ssm.get_parameter(Name=f"{self._pipeline.outputs['ChampionPath']}/{self.group.name}")
        except ssm.exceptions.ParameterNotFound:
            return None
        return str(found["Parameter"]["Value"])

    def served(self, outputs: Outputs) -> str:
        """The model that the endpoint configuration of a deployment runs."""
        described = self._pipeline.aws("sagemaker").describe_endpoint_config(EndpointConfigName=outputs["ConfigName"])
        (variant,) = described["ProductionVariants"]
        return str(variant["ModelName"])

    def baselines(self) -> list[Entry]:
        """What the ledger says of the group's baselines."""
        return list(self._pipeline.ledger.history(baseline_key(self.group.name)).verified().entries)

    def model(self, arn: str) -> dict[str, Any] | None:
        """A model of the team's as SageMaker describes it, or None when it is gone."""
        try:
            described: dict[str, Any] = self._pipeline.aws("sagemaker").describe_model(ModelName=arn.rpartition("/")[2])
        except ClientError:
            return None
        return described


def _template_ids(synthesised: Path, name: str) -> dict[str, str]:
    """New ids of the templates by their old ones: what was published under an id is not looked at again."""
    files = [json.loads(file.read_text())["files"] for file in synthesised.glob("*.assets.json")]
    ids = [id for each in files for id, file in each.items() if file["source"]["path"].endswith(".template.json")]
    return {id: hashlib.sha256(f"{id} {name}".encode()).hexdigest() for id in ids}


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("team")
    artifact = directory / "model.tar.gz"
    artifact.write_bytes(honest()["model.tar.gz"])
    choices = {"team": TEAM, "group": GROUP, "model": str(artifact)}
    synthesise(directory / "assembly", context=choices, app="python -m examples.cdk.app")
    return directory / "assembly"


@pytest.fixture
def team(group: Group, synthesised: Path, tmp_path: Path) -> Iterator[Team]:
    made = Team(group, synthesised, tmp_path)
    yield made
    made.destroy()


def listed(team: Team) -> None:
    """Let the group's policy take the baseline of the team's stack."""
    pattern = f"arn:aws:cloudformation:*:*:stack/{team.name}Models/*"
    team.group.policy(groups={"create": True, "baselines": [pattern]})


def test_each_deployment_serves_the_champion_of_its_day_and_the_baseline_when_there_is_none(team: Team) -> None:
    listed(team)

    first = team.deploy("Serving")
    baseline = first["ChampionArn"]
    assert team.published() == baseline
    assert team.served(first) == baseline.rpartition("/")[2]

    package = team.group.pending()
    approved = package.approve()
    assert team.published() == approved["ModelArn"]
    second = team.deploy("Serving")
    assert second["ChampionArn"] == approved["ModelArn"]
    assert team.served(second) == approved["ModelName"]

    package.decide("revoke", reason="Drifts on the new cohort")
    assert team.published() == baseline
    third = team.deploy("Serving")
    assert (third["ChampionArn"], team.served(third)) == (baseline, baseline.rpartition("/")[2])


def test_a_baseline_is_in_the_ledger_as_reviewed_code_of_its_stack_and_goes_with_it(team: Team) -> None:
    listed(team)

    arn = team.deploy("Models")["BaselineArn"]
    (deployed,) = team.baselines()
    model = team.model(arn)
    assert model is not None
    assert (deployed.kind, deployed.details["review"]) == ("BaselineDeployed", "pull request 1")
    assert deployed.actor.split("/")[1] == f"{team.name}Models"
    assert deployed.details["model"]["arn"] == arn
    assert deployed.details["PrimaryContainer"]["Image"] == model["PrimaryContainer"]["Image"]
    assert model["PrimaryContainer"]["Image"].endswith("/sklearn-inference:1.7")
    assert model["EnableNetworkIsolation"] is True
    assert team.group.pipeline.event("Baseline Deployed", team.group.name)["detail"]["model"]["arn"] == arn

    team.destroy()
    assert [entry.kind for entry in team.baselines()] == ["BaselineDeployed", "BaselineRetired"]
    assert (team.published(), team.model(arn)) == (None, None)


def test_a_stack_that_the_policy_does_not_list_is_refused_and_rolled_back_with_the_reason(team: Team) -> None:
    team.group.policy()

    with pytest.raises(DeploymentError, match=r"accepts no baseline|CREATE_FAILED"):
        team.deploy("Models")

    events = team.group.pipeline.aws("cloudformation").describe_stack_events(StackName=f"{team.name}Models")
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events["StackEvents"])
    assert f"the policy of group {team.group.name} accepts no baseline from" in reasons
    assert (team.published(), team.baselines()) == (None, [])


def test_an_app_is_not_deployed_while_its_group_has_no_champion(team: Team) -> None:
    listed(team)
    team.deploy("Models")
    parameter = f"{team.group.pipeline.outputs['ChampionPath']}/{team.group.name}"
    team.group.pipeline.aws("ssm").delete_parameter(Name=parameter)

    with pytest.raises(DeploymentError):
        team.deploy("Serving")

    assert team.status(f"{team.name}Serving") not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
