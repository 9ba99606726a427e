"""What a function cannot handle is tried again, and in the end set aside for a person: nothing is dropped silently."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from uuid import uuid4

import pytest

from signoff.ledger.history import unknown_key
from signoff.runtime.clock import utc_now
from tests.support.groups import Group
from tests.support.pipeline import QUEUES, Pipeline
from tests.support.waiting import eventually


@pytest.fixture
def impatient(pipeline: Pipeline) -> Iterator[None]:
    """Queues that set a message aside when it has failed twice, and not after hours."""
    with ExitStack() as hurry:
        for name in QUEUES:
            hurry.enter_context(hurried(pipeline, name))
        yield


@contextmanager
def hurried(pipeline: Pipeline, name: str) -> Iterator[None]:
    pipeline.quiet()
    sqs, queue = pipeline.aws("sqs"), {"QueueUrl": pipeline.resource(f"{name}Queue")}
    before = sqs.get_queue_attributes(**queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    twice = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": "2"}
    sqs.set_queue_attributes(**queue, Attributes={"RedrivePolicy": json.dumps(twice)})
    yield
    sqs.set_queue_attributes(**queue, Attributes=before)
    sqs.purge_queue(QueueUrl=pipeline.resource(f"{name}DeadLetters"))


@pytest.mark.usefixtures("impatient")
def test_what_no_function_can_read_is_set_aside_whole(pipeline: Pipeline) -> None:
    sqs, body = pipeline.aws("sqs"), "{ no event of anybody's"
    others = [name for name in QUEUES if name != "Decision"]
    for name in others:
        sqs.send_message(QueueUrl=pipeline.resource(f"{name}Queue"), MessageBody=body)

    for name in others:
        eventually(partial(pipeline.waiting, name, "DeadLetters"), what=f"the dead letter of {name}")

    for name in others:
        letters = sqs.receive_message(QueueUrl=pipeline.resource(f"{name}DeadLetters"))["Messages"]
        assert ([letter["Body"] for letter in letters], pipeline.waiting(name)) == ([body], 0), name


def test_a_decision_that_nobody_can_read_is_refused_in_the_ledger(pipeline: Pipeline) -> None:
    body = f"{{ no event of anybody's {uuid4()}"
    pipeline.aws("sqs").send_message(QueueUrl=pipeline.resource("DecisionQueue"), MessageBody=body)

    def refused() -> bool:
        entries = pipeline.ledger.history(unknown_key(utc_now().date().isoformat())).entries
        return any(entry.details.get("refusal") == "MalformedDecision" for entry in entries)

    eventually(refused, what="the refusal of what is no decision")
    pipeline.quiet()
    assert (pipeline.waiting("Decision"), pipeline.waiting("Decision", "DeadLetters")) == (0, 0)


def test_a_decision_that_could_not_be_weighed_is_weighed_when_it_can_be(group: Group) -> None:
    package, ssm = group.pending(), group.pipeline.aws("ssm")
    name = f"{group.pipeline.outputs['PolicyPath']}/groups/{group.name}"
    ssm.put_parameter(Name=name, Value='{"approvals": {"needed": "two"}}', Type="String")
    package.say("approve")
    eventually(lambda: any("PolicyFault" in error for error in group.pipeline.errors()))
    meanwhile = package.status

    group.policy()
    package.until("Approved")

    assert meanwhile == "PendingApproval"
    assert package.model()["PrimaryContainer"]["ModelPackageName"] == package.arn
    assert json.dumps(package.kinds()).count("DecisionRecorded") == 1
