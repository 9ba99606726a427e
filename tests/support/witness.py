"""A queue beside Signoff's own that hears every event of the flow, on the account's bus and on Signoff's."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.support.deployed import Deployed
from tests.support.waiting import eventually

Event = dict[str, Any]
REGISTRY = "SageMaker Model Package State Change"


class Witness:
    """Remembers every S3 and registry event, and every event on Signoff's bus, since it was made."""

    def __init__(self, stack: Deployed) -> None:
        self._sqs, events = stack.client("sqs"), stack.client("events")
        name = f"witness-{uuid4().hex[:8]}"
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        heard = {"default": {"source": ["aws.s3", "aws.sagemaker"]}, stack.outputs["BusName"]: {"version": ["0"]}}
        for bus, pattern in heard.items():
            rule = f"{name}-{bus}"
            events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps(pattern))
            events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "witness", "Arn": arn}])
        self._heard: list[Event] = []

    def heard(self, detail_type: str, of: str, **fields: Any) -> list[Event]:
        """The events of that type so far whose detail has `fields` and mentions `of` (an ARN, a key)."""
        self._listen()

        def fits(event: Event) -> bool:
            detail = event["detail"]
            said = all(detail.get(name) == value for name, value in fields.items())
            return event["detail-type"] == detail_type and said and of in json.dumps(detail)

        return [event for event in self._heard if fits(event)]

    def hears(self, detail_type: str, of: str, where: Callable[[Any], bool] | None = None, **fields: Any) -> Event:
        """The first such event, which may still be on its way."""

        def look() -> list[Event]:
            return [event for event in self.heard(detail_type, of, **fields) if where is None or where(event["detail"])]

        return eventually(look, what=f"`{detail_type}` about {of} with {fields}")[0]

    def registration(self, arn: str) -> Event:
        """The registry's event about a package's registration, which names no updated fields."""
        return self.hears(REGISTRY, arn, lambda detail: "UpdatedModelPackageFields" not in detail)

    def change(self, arn: str, field: str, **fields: Any) -> Event:
        """The registry's event about the update of one of a package's fields."""
        return self.hears(REGISTRY, arn, lambda detail: field in detail.get("UpdatedModelPackageFields", ()), **fields)

    def _listen(self) -> None:
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return
            self._heard += [json.loads(message["Body"]) for message in messages]
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
