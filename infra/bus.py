"""The bus on which decisions come in and Signoff's own events go out."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import names


class Bus(events.EventBus):
    """The event bus `signoff`."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, event_bus_name=names.BUS, description="Decisions in, events out")

    def protect(self, *, announcer: iam.IRole) -> None:
        """Refuse events from other accounts, and events in Signoff's own name from anyone but `announcer`."""
        account = cdk.Stack.of(self).account
        self._deny(
            "OnlyThisAccount",
            {"StringNotEquals": {"aws:PrincipalAccount": account}},
        )
        self._deny(
            "OnlyAnnounceSpeaksAsSignoff",
            {
                "ForAnyValue:StringEquals": {"events:source": names.SOURCE},
                "ArnNotEquals": {"aws:PrincipalArn": announcer.role_arn},
            },
        )

    def _deny(self, sid: str, conditions: dict[str, object]) -> None:
        statement = iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["events:PutEvents"],
            resources=[self.event_bus_arn],
            conditions=conditions,
        )
        events.CfnEventBusPolicy(
            self,
            sid,
            statement_id=sid,
            event_bus_name=self.event_bus_name,
            statement=statement.to_statement_json(),
        )
