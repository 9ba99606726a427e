"""`signoff doctor` finds what is broken in a deployed Signoff, and the commands that it prints mend it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from signoff.documents import timestamps
from signoff.runtime.clock import utc_now
from tests.support import commands
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.shell_commands import run_aws
from tests.support.waiting import eventually

# What other tests leave of packages may be stuck for good; what the stack consists of may not.
MACHINERY = {"missing_part", "disabled_rule", "stopped_reader", "sweep", "failed_deployment", "dead_letters"}
Findings = dict[tuple[str, str], dict[str, Any]]


@dataclass(frozen=True)
class Operator:
    """Somebody who has the stack's operator policy and nothing else, and whom a deployer helps."""

    pipeline: Pipeline
    keys: dict[str, str]

    def signoff(self, *arguments: str) -> Any:
        """Run the command."""
        settings = self.pipeline.stack.engine.environment("approver") | self.keys
        return commands.signoff(arguments, settings, self.pipeline.stack.request_faults)

    def doctor(self) -> Findings:
        """What `doctor` finds that does not mend itself, by kind and subject; it must have looked at everything."""
        said = self.signoff("doctor", "--json")
        document = json.loads(said.stdout)
        assert (document["not_looked_at"], said.returncode) == ([], int(document["to_do"] > 0)), said.stderr
        return {(each["kind"], each["subject"]): each for each in document["findings"] if not each["by_itself"]}

    def obey(self, finding: dict[str, Any]) -> None:
        """Run the commands of a finding: as the operator, or as a deployer what only those may, except deployments."""
        for command in finding["commands"]:
            program, *arguments = shlex.split(command)
            if program == "aws":
                run_aws(arguments, self.pipeline.aws)
            elif program == "signoff":
                ran = self.signoff(*arguments)
                assert ran.returncode == 0, (command, ran.stdout, ran.stderr)


@pytest.fixture
def operator(pipeline: Pipeline) -> Operator:
    iam, name = pipeline.aws("iam"), f"operator-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=pipeline.outputs["OperatorPolicyArn"])
    made = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    return Operator(pipeline, keys)


@pytest.fixture
def impatient(pipeline: Pipeline) -> Iterator[None]:
    """A queue of decisions that gives a message up after two attempts."""
    sqs, queue = pipeline.aws("sqs"), {"QueueUrl": pipeline.resource("DecisionQueue")}
    before = sqs.get_queue_attributes(**queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    twice = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": "2"}
    sqs.set_queue_attributes(**queue, Attributes={"RedrivePolicy": json.dumps(twice)})
    yield
    sqs.set_queue_attributes(**queue, Attributes=before)


def undecidable(group: Group) -> Package:
    """A package with a decision that could not be weighed, which is a dead letter beside one that nobody can read."""
    pipeline, package = group.pipeline, group.pending()
    name = f"{pipeline.outputs['PolicyPath']}/groups/{group.name}"
    pipeline.aws("ssm").put_parameter(Name=name, Value='{"approvals": {"needed": "two"}}', Type="String")
    package.say("approve")
    # The function refuses what it cannot read: only an older one, or a person, leaves that as a dead letter.
    pipeline.aws("sqs").send_message(QueueUrl=pipeline.resource("DecisionDeadLetters"), MessageBody="{ no event")
    eventually(lambda: pipeline.waiting("Decision", "DeadLetters") == 2, what="two dead letters")
    return package


def claimed_by_the_dead(group: Group) -> Package:
    """A package that has been claimed for hours by an execution that there is not."""
    pipeline, package = group.pipeline, group.submit().package()
    dead = pipeline.outputs["ValidationArn"].replace(":stateMachine:", ":execution:") + f":{uuid4()}"
    claimed = pipeline.invoke("OpenValidation", {"arn": package.arn, "execution": dead})
    assert claimed["outcome"] == "Claimed"
    pipeline.aws("dynamodb").update_item(
        TableName=pipeline.outputs["PackagesTable"],
        Key={"package": {"S": pipeline.history(package.arn).package}},
        UpdateExpression="SET #since = :since",
        ExpressionAttributeNames={"#since": "since"},
        ExpressionAttributeValues={":since": {"S": timestamps.text(utc_now() - timedelta(hours=3))}},
    )
    return package


@pytest.mark.usefixtures("impatient")
def test_what_is_broken_is_found_and_mended_by_the_commands_that_it_prints(operator: Operator, group: Group) -> None:
    pipeline = group.pipeline
    pipeline.sweep()
    before = operator.doctor().keys()
    assert not {kind for kind, _ in before} & MACHINERY

    decided = undecidable(group)
    pipeline.aws("events").disable_rule(Name=pipeline.resource("RulesPackageRegistered"))
    claimed = claimed_by_the_dead(Group(pipeline, f"{group.name}-too"))
    found = {key: each for key, each in operator.doctor().items() if key not in before}

    assert found.keys() == {
        ("dead_letters", "DecisionDeadLetters"),
        ("disabled_rule", "RulesPackageRegistered"),
        ("dead_claim", f"{group.name}-too/1"),
        ("invalid_policy", f"/signoff/policies/groups/{group.name}"),
    }
    why = found["dead_letters", "DecisionDeadLetters"]["why"]
    assert "Model Approval Decision of " + decided.arn in why
    assert "PolicyFault" in why
    assert "unreadable: no JSON object" in why

    group.policy()  # the text of a policy is the one thing that no command can know
    for finding in found.values():
        operator.obey(finding)

    decided.until("Approved")
    claimed.until("PendingApproval")
    assert operator.doctor().keys() <= before
