"""A rule that forwards events to the bus of another account.

EventBridge keeps the event's `account`, which is the sender's and not the forwarder's. It does not forward events that
were forwarded already.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from aws_cdk import aws_events as events
from constructs import Construct

from infra.access.roles import Grant, make_role
from infra.events.queues import BusTarget, DeadLetterQueue


class ForwardingRule(Construct):
    """The rule, and the role under which EventBridge puts events on the bus `to` (an ARN) only."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        to: str,
        dead_letters: DeadLetterQueue,
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
        target = BusTarget(to, role.without_policy_updates(), dead_letters)
        events.Rule(self, "Rule", description=description, event_bus=bus, event_pattern=pattern, targets=[target])
