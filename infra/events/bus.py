"""The event bus for incoming decisions and Signoff's own events, and who may put events on it."""

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

    def protect(self, *, announcer: iam.IRole, others: Sequence[str]) -> None:
        """Refuse events of accounts that are not among `others`, and Signoff's own from anyone but `announcer`.

        `others` may send decisions and annotations, and nothing else.
        """
        self._only_accounts(others)
        if others:
            decisions = {"StringEquals": {"events:detail-type": [names.DECISION, names.ANNOTATION]}}
            self._statement("OthersSendDecisions", iam.Effect.ALLOW, self._roots(others), decisions)
        self._deny(
            "OnlyAnnounceSpeaksAsSignoff",
            {**SPEAKS_AS_SIGNOFF, "ArnNotEquals": {"aws:PrincipalArn": announcer.role_arn}},
        )

    def reserve(self, publishers: Mapping[str, Sequence[str]]) -> None:
        """Refuse events from each source of `publishers` to everyone but its principals (patterns of their ARNs)."""
        for source, principals in sorted(publishers.items()):
            # Derived from the source's name, so that another source does not change it.
            sid = f"OnlyPublishersOf{sha256(source.encode()).hexdigest()[:12]}"
            as_source = {"ForAnyValue:StringEquals": {"events:source": source}}
            elsewhere = {"ArnNotLike": {"aws:PrincipalArn": principal_arns(principals)}}
            self._deny(sid, {**as_source, **elsewhere})

    def listen_to(self, central: str) -> None:
        """Accept only Signoff's events, and only from the account `central`."""
        self._only_accounts([central])
        as_signoff = {"StringEquals": {"events:source": names.SOURCE}}
        self._statement("CentralAnnounces", iam.Effect.ALLOW, self._roots([central]), as_signoff)
        elsewhere = {"StringNotEquals": {"aws:PrincipalAccount": central}}
        self._deny("OnlyCentralSpeaksAsSignoff", {**SPEAKS_AS_SIGNOFF, **elsewhere})

    def _only_accounts(self, others: Sequence[str]) -> None:
        known = [cdk.Stack.of(self).account, *others]
        sid = "OnlyKnownAccounts" if others else "OnlyThisAccount"
        self._deny(sid, {"StringNotEquals": {"aws:PrincipalAccount": known if others else known[0]}})

    def _roots(self, accounts: Sequence[str]) -> list[iam.IPrincipal]:
        return [iam.ArnPrincipal(root) for root in roots(cdk.Stack.of(self).partition, accounts)]

    def _deny(self, sid: str, conditions: Mapping[str, Any]) -> None:
        self._statement(sid, iam.Effect.DENY, [iam.AnyPrincipal()], conditions)

    def _statement(
        self, sid: str, effect: iam.Effect, principals: Sequence[iam.IPrincipal], conditions: Mapping[str, Any]
    ) -> None:
        statement = iam.PolicyStatement(
            sid=sid,
            effect=effect,
            principals=list(principals),
            actions=["events:PutEvents"],
            resources=[self.event_bus_arn],
            conditions=dict(conditions),
        )
        events.CfnEventBusPolicy(
            self,
            sid,
            statement_id=sid,
            event_bus_name=self.event_bus_name,
            statement=statement.to_statement_json(),
        )
