"""What a function cannot handle is tried again, and in the end set aside for a person: nothing is dropped silently."""

import json
from collections.abc import Iterator

import pytest

from tests.support.groups import Group
from tests.support.pipeline import Pipeline
from tests.support.waiting import eventually


@pytest.fixture(params=["Register", "Decision", "Deploy", "Sweep"])
def impatient(pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[str]:
    """A queue that offers a message again after a second, and not after six times its function's timeout."""
    yield from hurried(pipeline, request.param)


@pytest.fixture
def impatient_decisions(pipeline: Pipeline) -> Iterator[str]:
    """The queue of decisions, as impatient."""
    yield from hurried(pipeline, "Decision")


def hurried(pipeline: Pipeline, name: str) -> Iterator[str]:
    pipeline.quiet()
    sqs, queue = pipeline.aws("sqs"), {"QueueUrl": pipeline.resource(f"{name}Queue")}
    before = sqs.get_queue_attributes(**queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "1"})
    yield name
    sqs.set_queue_attributes(**queue, Attributes=before)
    sqs.purge_queue(QueueUrl=pipeline.resource(f"{name}DeadLetters"))


def test_what_no_function_can_read_is_set_aside_whole(pipeline: Pipeline, impatient: str) -> None:
    sqs, body = pipeline.aws("sqs"), "{ no event of anybody's"
    sqs.send_message(QueueUrl=pipeline.resource(f"{impatient}Queue"), MessageBody=body)

    eventually(lambda: pipeline.waiting(impatient, "DeadLetters"), what="the dead letter")

    letters = sqs.receive_message(QueueUrl=pipeline.resource(f"{impatient}DeadLetters"))["Messages"]
    assert [letter["Body"] for letter in letters] == [body]
    assert pipeline.waiting(impatient) == 0


def test_a_decision_that_could_not_be_weighed_is_weighed_when_it_can_be(group: Group, impatient_decisions: str) -> None:
    package, ssm = group.pending(), group.pipeline.aws("ssm")
    name = f"{group.pipeline.outputs['PolicyPath']}/groups/{group.name}"
    ssm.put_parameter(Name=name, Value='{"approvals": {"needed": "two"}}', Type="String")
    package.say("approve")
    eventually(lambda: any("PolicyFault" in error for error in group.pipeline.errors()))
    meanwhile = package.status

    group.policy()
    package.until("Approved")

    assert (impatient_decisions, meanwhile) == ("Decision", "PendingApproval")
    assert package.model()["PrimaryContainer"]["ModelPackageName"] == package.arn
    assert json.dumps(package.kinds()).count("DecisionRecorded") == 1
