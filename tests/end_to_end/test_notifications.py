"""What people are told: messages that reach whoever subscribed to a stage, and nobody else's words among them."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support.groups import Group
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest
from tests.support.waiting import eventually


class Inbox:
    """A queue that is subscribed to a stage's topic for one group only, as a team would."""

    def __init__(self, pipeline: Pipeline, stage: str, group: str) -> None:
        self._sqs, sns = pipeline.aws("sqs"), pipeline.aws("sns")
        topic = pipeline.outputs[f"{stage.title()}TopicArn"]
        self._url = self._sqs.create_queue(QueueName=f"inbox-{uuid4().hex[:8]}")["QueueUrl"]
        named = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = named["Attributes"]["QueueArn"]
        letting_in = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [letting_in]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self._subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps({"group": [group]})},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        self._sns, self._read = sns, list[dict[str, Any]]()

    def has(self, subject: str) -> dict[str, Any]:
        """The message of that subject, which may still be on its way."""
        return eventually(lambda: [each for each in self.all() if each["Subject"] == subject], what=f"`{subject}`")[0]

    def all(self) -> list[dict[str, Any]]:
        """Every message so far, as SNS delivers it."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._read.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self._read

    def close(self) -> None:
        """Hear no more."""
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)


@pytest.fixture
def inboxes(group: Group) -> Iterator[dict[str, Inbox]]:
    stages = ("registrations", "approvals", "decisions", "deployments")
    opened = {stage: Inbox(group.pipeline, stage, group.name) for stage in stages}
    yield opened
    for inbox in opened.values():
        inbox.close()


def test_people_are_told_of_each_step_of_a_package_that_is_approved(group: Group, inboxes: dict[str, Inbox]) -> None:
    group.policy(approvals={"unknown_submitter": "accept"})
    package = group.pending()
    model = package.approve()
    evidence = package.state.evidence or {}

    asked = inboxes["approvals"].has(f"Signoff: {group.name}/1 needs approval")
    decided = inboxes["decisions"].has(f"Signoff: {group.name}/1 is approved")
    made = inboxes["deployments"].has(f"Signoff: The model of {group.name}/1 was created")

    lines = asked["Message"].split("\n")
    assert f"Package: {package.arn}" in lines
    assert f"Evidence: {evidence['sha256']}" in lines
    assert f"Evidence at: {evidence['uri']}" in lines
    assert f'Approve it: signoff approve {group.name}/1 --reason "..."' in lines
    assert [line for line in lines if line.startswith("- ")]
    assert f"By: {group.pipeline.user('approver').rpartition(':')[2]}" in decided["Message"].split("\n")
    assert f"Model: {model['ModelName']}" in made["Message"].split("\n")
    assert inboxes["registrations"].all() == []


def test_people_are_told_of_a_submission_that_is_refused(group: Group, inboxes: dict[str, Inbox]) -> None:
    submission = group.submit(honest() | {"manifest.json": b"{"})

    told = inboxes["registrations"].has(f'Signoff: The submission "{submission.prefix}" was refused'[:99])

    assert f"Submission: {submission.prefix}" in told["Message"].split("\n")
    attributes = {name: value["Value"] for name, value in told["MessageAttributes"].items()}
    assert attributes == {"stage": "registrations", "kind": "RegistrationFailed", "group": group.name}


def test_nobody_but_the_announcer_speaks_to_people(group: Group, inboxes: dict[str, Inbox]) -> None:
    topic = group.pipeline.outputs["ApprovalsTopicArn"]

    with pytest.raises(ClientError, match="not authorized"):
        group.pipeline.aws("sns", "submitter").publish(TopicArn=topic, Subject="Signoff: approve this", Message="now")

    assert inboxes["approvals"].all() == []
