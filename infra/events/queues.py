"""Queues: one before each function that events reach, each with its dead letters."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.access.compliance import acknowledge

# A message that made its function fail this often is set aside for a person.
ATTEMPTS = 5


def _common(key: kms.IKey | None) -> dict[str, Any]:
    return {
        "encryption": sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        "encryption_master_key": key,
        "enforce_ssl": True,
    }


class DeadLetters(sqs.Queue):
    """Where what could not be delivered or handled waits, for as long as SQS keeps a message (14 days)."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id, **_common(key), retention_period=cdk.Duration.days(14))
        acknowledge(self, "AwsSolutions-SQS3", "It is a dead-letter queue: its alarm calls a person, not another queue")


class WorkQueue(sqs.Queue):
    """A function's inbox.

    Its dead letters hold both what the function gave up and what a rule could not deliver to it: both are whole
    EventBridge events, so one redrive takes either back to the queue.
    """

    dead_letters: DeadLetters

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_timeout: cdk.Duration,
        key: kms.IKey | None,
        hidden_for: int = 6,
    ) -> None:
        """Make the queue; a message that failed comes back after `hidden_for` times the function's timeout.

        Six times is what Lambda's documentation asks of a queue that feeds a function, for the sake of those that are
        throttled.
        """
        dead_letters = DeadLetters(scope, construct_id.replace("Queue", "DeadLetters"), key=key)
        super().__init__(
            scope,
            construct_id,
            **_common(key),
            visibility_timeout=cdk.Duration.seconds(hidden_for * int(function_timeout.to_seconds())),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=ATTEMPTS),
        )
        self.dead_letters = dead_letters
