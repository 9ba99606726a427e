"""Queues: one before each function that events reach, each with its dead letters."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.interfaces.aws_events import IRuleRef
from constructs import Construct

from infra.access.compliance import acknowledge

# Receives after which a message goes to the dead-letter queue. What fails comes back after seconds, then minutes: so
# many receives take two hours and more. An invocation that Lambda throttled counts as a receive too, and says nothing
# about the message: in a burst that may happen many times.
ATTEMPTS = 20
# How long a message stays hidden, in timeouts of its function, when that died or was throttled: one that fails says
# itself when its message comes back (`signoff.runtime.batches`). Lambda recommends six, so that it can try again while
# the function is throttled; but what then is not tried in time waits the longer, and a proof is good for 15 minutes.
# Less than one is refused: the function may still be at work.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
HIDDEN_FOR = 2


def _common(key: kms.IKey | None) -> dict[str, Any]:
    return {
        "encryption": sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        "encryption_master_key": key,
        "enforce_ssl": True,
    }


class RuleQueue(sqs.Queue):
    """A queue that takes messages of the rules it is told of, and of no others.

    All of them are in one statement: SQS takes 20 statements, and 8,192 bytes.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
    """

    _rules: list[str] | None = None

    def take_from(self, rule: str) -> None:
        """Take messages of the rule of that ARN."""
        if self._rules is None:
            rules: list[str] = []
            self._rules = rules
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[self.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": cdk.Lazy.any(_Listed(rules))}},
                )
            )
        self._rules.append(rule)


@jsii.implements(cdk.IStableAnyProducer)
class _Listed:
    """A list that is complete when the template is written."""

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def produce(self) -> list[str]:
        return self._values


class DeadLetterQueue(RuleQueue):
    """A dead-letter queue, which keeps messages as long as SQS allows (14 days)."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id, **_common(key), retention_period=cdk.Duration.days(14))
        acknowledge(self, "AwsSolutions-SQS3", "It is a dead-letter queue: its alarm calls a person, not another queue")


class WorkQueue(RuleQueue):
    """A function's inbox.

    Its dead-letter queue gets the messages that the function fails and those that a rule cannot deliver: both are whole
    EventBridge events, so one redrive returns either to the queue.
    """

    dead_letters: DeadLetterQueue

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_timeout: cdk.Duration,
        key: kms.IKey | None,
    ) -> None:
        """Make the queue; what is not handled comes back after `HIDDEN_FOR` times the function's timeout."""
        dead_letters = DeadLetterQueue(scope, construct_id.replace("Queue", "DeadLetters"), key=key)
        super().__init__(
            scope,
            construct_id,
            **_common(key),
            visibility_timeout=cdk.Duration.seconds(HIDDEN_FOR * int(function_timeout.to_seconds())),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=ATTEMPTS),
        )
        self.dead_letters = dead_letters


@jsii.implements(events.IRuleTarget)
class QueueTarget:
    """A rule's target: a queue, which takes messages of the rules it is a target of and of no others.

    The library's own target lets any rule of the account write to a queue that is encrypted with a customer's key, and
    any rule can carry any event that somebody makes up.
    """

    def __init__(self, queue: WorkQueue, message: Mapping[str, Any] | None = None) -> None:
        """Send what matches to `queue`, or a `message` in its place."""
        self._queue = queue
        self._message = events.RuleTargetInput.from_object(dict(message)) if message else None

    def bind(self, rule: IRuleRef, id: str | None = None) -> events.RuleTargetConfig:
        """Let `rule` send to the queue and, what it cannot deliver, to the queue's dead letters."""
        for queue in (self._queue, self._queue.dead_letters):
            queue.take_from(rule.rule_ref.rule_arn)
        dead_letters = events.CfnRule.DeadLetterConfigProperty(arn=self._queue.dead_letters.queue_arn)
        return events.RuleTargetConfig(arn=self._queue.queue_arn, input=self._message, dead_letter_config=dead_letters)


@jsii.implements(events.IRuleTarget)
class BusTarget:
    """A rule's target: the bus `bus` (an ARN) of another account, under `role`; the rest goes to `dead_letters`."""

    def __init__(self, bus: str, role: iam.IRole, dead_letters: DeadLetterQueue) -> None:
        self._bus, self._role, self._dead_letters = bus, role, dead_letters

    def bind(self, rule: IRuleRef, id: str | None = None) -> events.RuleTargetConfig:
        """Let `rule` leave in the dead letters what the bus does not take."""
        self._dead_letters.take_from(rule.rule_ref.rule_arn)
        dead_letters = events.CfnRule.DeadLetterConfigProperty(arn=self._dead_letters.queue_arn)
        return events.RuleTargetConfig(arn=self._bus, role=self._role, dead_letter_config=dead_letters)
