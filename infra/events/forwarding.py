"""A rule that passes events on to the bus of another account.

EventBridge keeps the event's `account`: that of the sender, not of the one that passed it on. It passes on what was
sent, not what was passed on already.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.access.roles import Grant, make_role
from infra.events.queues import DeadLetters


class Forwarding(Construct):
    """The rule, and the role under which EventBridge puts events on the bus `to` (an ARN), and on no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        to: str,
        dead_letters: DeadLetters,
        pattern: events.EventPattern,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        role = make_role(
            self,
            "Role",
            service="events",
            description="May put events on the bus of one other account",
            grants=[Grant(("events:PutEvents",), (to,))],
        )
        target = targets.EventBus(
            events.EventBus.from_event_bus_arn(self, "Bus", to),
            role=role.without_policy_updates(),
            dead_letter_queue=dead_letters,
        )
        events.Rule(self, "Rule", description=description, event_bus=bus, event_pattern=pattern, targets=[target])
