"""The event rules. Between a rule and a function there is always a queue."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import names
from infra.access.accounts import OtherAccounts
from infra.access.roles import Grant, make_role
from infra.events.bus import SignoffBus
from infra.events.forwarding_rule import ForwardingRule
from infra.events.queues import DeadLetterQueue, QueueTarget, WorkQueue
from infra.functions.workflow import ValidationWorkflow

REGISTRY = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"]}
# Updated fields in SageMaker's events. Metadata, which Signoff writes itself, is not included and matches no rule.
SPECIFICATION = ["InferenceSpecification", "AdditionalInferenceSpecifications", "sourceUri"]
STATUS = ["ModelApprovalStatus"]
# A registration's event names no updated fields.
REGISTERED = {"UpdatedModelPackageFields": [{"exists": False}]}
EVERY = 15  # minutes
# A rule's pattern has 2,048 characters, of which a prefix takes 14 beside the name.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
PATTERN, FILTER = 1900, 15


class EventRules(Construct):
    """The rules on the default bus (S3, the registry, the clock) and on Signoff's own (decisions)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifacts: s3.Bucket,
        bus: SignoffBus,
        register: WorkQueue,
        signature: WorkQueue,
        decision: WorkQueue,
        deploy: WorkQueue,
        sweep: WorkQueue,
        workflow: ValidationWorkflow,
        workflow_dead_letters: DeadLetterQueue,
        others: OtherAccounts,
        others_dead_letters: DeadLetterQueue | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._own = [cdk.Stack.of(self).account]
        self._rule("ObjectCreated", "An upload may complete a submission", _uploads(artifacts), [QueueTarget(register)])
        self._rule(
            "SubmissionSigned",
            "Who signed a submission is confirmed while the proof is valid, whatever becomes of the registration",
            _uploads(artifacts, {"suffix": "/submission.json"}),
            [QueueTarget(signature)],
        )
        self._on_registry([self._start(workflow, workflow_dead_letters)], [QueueTarget(decision), QueueTarget(deploy)])
        self._rule(
            "DecisionMade",
            "A decision from any channel is weighed by the policy; an annotation takes the same path",
            {
                "account": [*self._own, *others.everyone],
                "source": events.Match.anything_but(names.SOURCE),
                "detail-type": [names.DECISION, names.ANNOTATION],
            },
            [QueueTarget(decision)],
            bus,
        )
        self._on_announcements(bus, decision, deploy)
        if others_dead_letters:
            self._forward_announcements(bus, others, others_dead_letters)
        events.Rule(
            self,
            "SweepDue",
            description="An event may never come: look for what lacks its next step",
            schedule=events.Schedule.rate(cdk.Duration.minutes(EVERY)),
            targets=[QueueTarget(sweep)],
        )
        events.Rule(
            self,
            "HeadsDue",
            description="The heads of all ledgers are kept once a day, apart from everything else",
            schedule=events.Schedule.rate(cdk.Duration.minutes(EVERY)),
            targets=[QueueTarget(sweep, {"task": "heads"})],
        )

    def _on_announcements(self, bus: SignoffBus, decision: WorkQueue, deploy: WorkQueue) -> None:
        """Rules on Signoff's own events, where the registry has no event."""
        self._rule(
            "RolledBack",
            "A version that is rolled back to may be approved in the registry still: its model is verified at once",
            {"source": [names.SOURCE], "detail-type": ["Decision Recorded"], "detail": {"decision": ["rollback"]}},
            [QueueTarget(deploy)],
            bus,
        )
        self._rule(
            "Superseded",
            "A policy may revoke what another champion has followed",
            {"source": [names.SOURCE], "detail-type": ["Model Superseded"]},
            [QueueTarget(decision)],
            bus,
        )

    def _forward_announcements(self, bus: SignoffBus, others: OtherAccounts, dead_letters: DeadLetterQueue) -> None:
        """Forward Signoff's events about a group to the bus of each account that the group is open to."""
        for account in others.everyone:
            for number, groups in enumerate(in_patterns(others.names_for(account)), start=1):
                ForwardingRule(
                    self,
                    f"Tell{account}" if number == 1 else f"Tell{account}No{number}",
                    bus=bus,
                    to=names.bus_arn(cdk.Stack.of(self), account=account),
                    dead_letters=dead_letters,
                    pattern=events.EventPattern(
                        account=self._own,
                        source=[names.SOURCE],
                        detail={"group": [_event_filter(one) for one in groups]},
                    ),
                    description=f"Account {account} hears what becomes of its groups",
                )

    def _on_registry(self, validate: Sequence[events.IRuleTarget], decide: Sequence[events.IRuleTarget]) -> None:
        self._rule(
            "PackageRegistered",
            "A registered package is validated, whoever registered it",
            {**REGISTRY, "detail": {**REGISTERED, "ModelPackageStatus": ["Completed"]}},
            validate,
        )
        self._rule(
            "SpecificationChanged",
            "A changed specification is validated anew",
            {**REGISTRY, "detail": {"UpdatedModelPackageFields": SPECIFICATION}},
            validate,
        )
        self._rule(
            "StatusOrSpecificationChanged",
            "A changed status is compared with the ledger, and the model with both",
            {**REGISTRY, "detail": {"UpdatedModelPackageFields": [*STATUS, *SPECIFICATION]}},
            decide,
        )
        self._rule(
            "RegisteredAsDecided",
            "A package registered with a status that nobody decided here is compared with the ledger",
            {
                **REGISTRY,
                "detail": {**REGISTERED, "ModelApprovalStatus": [{"anything-but": ["PendingManualApproval"]}]},
            },
            decide,
        )

    def _rule(
        self,
        construct_id: str,
        description: str,
        pattern: Mapping[str, Any],
        to: Sequence[events.IRuleTarget],
        bus: SignoffBus | None = None,
    ) -> None:
        events.Rule(
            self,
            construct_id,
            description=description,
            event_bus=bus,
            event_pattern=events.EventPattern(
                # Events of other accounts are not from this account's registry or buckets.
                account=pattern.get("account", self._own),
                source=pattern["source"],
                detail_type=pattern["detail-type"],
                detail=pattern.get("detail"),
            ),
            targets=list(to),
        )

    def _start(self, workflow: ValidationWorkflow, dead_letters: DeadLetterQueue) -> events.IRuleTarget:
        role = make_role(
            self,
            "StartValidationRole",
            service="events",
            description="What the registry's rules may do",
            grants=[Grant(("states:StartExecution",), (workflow.state_machine_arn,))],
        )
        return targets.SfnStateMachine(workflow, role=role.without_policy_updates(), dead_letter_queue=dead_letters)


# Whatever is uploaded, except for the report that Signoff writes beside a submission.
_UPLOADED = {"anything-but": {"suffix": "/registration-report.json"}}


def _uploads(artifacts: s3.Bucket, keys: Mapping[str, Any] = _UPLOADED) -> dict[str, Any]:
    """Objects in the artifacts bucket whose keys match `keys`."""
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [artifacts.bucket_name]}, "object": {"key": [keys]}},
    }


def in_patterns(groups: Sequence[str]) -> Iterator[list[str]]:
    """Yield the groups in parts, of which each fits into the pattern of one rule."""
    part: list[str] = []
    for group in groups:
        if sum(len(one) + FILTER for one in (*part, group)) > PATTERN:
            yield part
            part = []
        part.append(group)
    yield part


def _event_filter(group: str) -> str | dict[str, str]:
    return {"prefix": group.removesuffix("*")} if group.endswith("*") else group
