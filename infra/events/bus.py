"""The event bus for incoming decisions and Signoff's own events, and who may put events on it.

Its policy is one document on the bus itself. EventBridge adds single statements (`AWS::Events::EventBusPolicy`) by
reading the policy and writing it back: of several that CloudFormation adds at once, some are lost without an error.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html (Policy)
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import names
from infra.access.accounts import roots
from infra.access.principals import principal_arns

SPEAKS_AS_SIGNOFF = {"ForAnyValue:StringEquals": {"events:source": names.SOURCE}}


class SignoffBus(events.EventBus):
    """The event bus `signoff`."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, event_bus_name=names.BUS, description="Decisions in, events out")
        self._policy = iam.PolicyDocument(minimize=False)
        resource = self.node.default_child
        if isinstance(resource, events.CfnEventBus):
            resource.policy = self._policy

    def protect(self, *, announcer: iam.IRole, others: Sequence[str]) -> None:
        """Refuse events of accounts that are not among `others`, and Signoff's own from anyone but `announcer`.

        `others` may send decisions and annotations, and nothing else.
        """
        self._only_accounts(others)
        if others:
            decisions = {"StringEquals": {"events:detail-type": [names.DECISION, names.ANNOTATION]}}
            self._statement("AllowDecisionsOfOthers", iam.Effect.ALLOW, self._roots(others), decisions)
        elsewhere = {"ArnNotEquals": {"aws:PrincipalArn": announcer.role_arn}}
        self._deny("DenySpeakingAsSignoff", {**SPEAKS_AS_SIGNOFF, **elsewhere})

    def reserve(self, publishers: Mapping[str, Sequence[str]]) -> None:
        """Refuse events from each source of `publishers` to everyone but its principals (patterns of their ARNs)."""
        by_principals: dict[tuple[str, ...], list[str]] = {}
        for source, principals in sorted(publishers.items()):
            by_principals.setdefault(tuple(principal_arns(principals)), []).append(source)
        for arns, sources in by_principals.items():
            # Derived from the sources' names, so that another source does not change it.
            sid = f"DenySpeakingAs{sha256(' '.join(sources).encode()).hexdigest()[:12]}"
            as_source = {"ForAnyValue:StringEquals": {"events:source": sources}}
            self._deny(sid, {**as_source, "ArnNotLike": {"aws:PrincipalArn": list(arns)}})

    def listen_to(self, central: str) -> None:
        """Accept only Signoff's events, and only from the account `central`."""
        self._only_accounts([central])
        as_signoff = {"StringEquals": {"events:source": names.SOURCE}}
        self._statement("AllowSignoffOfCentral", iam.Effect.ALLOW, self._roots([central]), as_signoff)
        elsewhere = {"StringNotEquals": {"aws:PrincipalAccount": central}}
        self._deny("DenySpeakingAsSignoff", {**SPEAKS_AS_SIGNOFF, **elsewhere})

    def _only_accounts(self, others: Sequence[str]) -> None:
        known = [cdk.Stack.of(self).account, *others]
        self._deny("DenyOtherAccounts", {"StringNotEquals": {"aws:PrincipalAccount": known if others else known[0]}})

    def _roots(self, accounts: Sequence[str]) -> list[iam.IPrincipal]:
        return [iam.ArnPrincipal(root) for root in roots(cdk.Stack.of(self).partition, accounts)]

    def _deny(self, sid: str, conditions: Mapping[str, Any]) -> None:
        self._statement(sid, iam.Effect.DENY, [iam.AnyPrincipal()], conditions)

    def _statement(
        self, sid: str, effect: iam.Effect, principals: Sequence[iam.IPrincipal], conditions: Mapping[str, Any]
    ) -> None:
        """Add a statement.

        No id is one that an `AWS::Events::EventBusPolicy` of an earlier version had: CloudFormation deletes those
        resources after it has updated the bus, and with them the statement of that id.
        """
        self._policy.add_statements(
            iam.PolicyStatement(
                sid=sid,
                effect=effect,
                principals=list(principals),
                actions=["events:PutEvents"],
                resources=[names.bus_arn(cdk.Stack.of(self))],
                conditions=dict(conditions),
            )
        )
