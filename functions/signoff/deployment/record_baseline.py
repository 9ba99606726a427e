"""Recording baselines: models that other teams' stacks deploy, with code review as their approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.cloudformation import Stacks
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.deployment.champions import Champions
from signoff.errors import BaselineRefused
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, baseline_key
from signoff.runtime.custom_resource import CustomResourceRequest

_SHOWN = ("PrimaryContainer", "Containers", "InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig")
_FLAG = "EnableNetworkIsolation"
_PROPERTIES = ("Group", "ModelName", "ModelArn", "ModelLogicalId")


@dataclass(frozen=True, kw_only=True)
class BaselineRecorder:
    """Keeps the ledger of baselines, and publishes the champion of a group whose baseline has changed."""

    registry: Registry
    policies: Policies
    ledger: LedgerTable
    stacks: Stacks
    champions: Champions

    def handle(self, request: CustomResourceRequest) -> str:
        """Record what a stack did with its baseline and return the resource's id: `<group>@<model's ARN>`.

        A replacement is recorded first; CloudFormation then deletes the old one. Raises `BaselineRefused`.
        """
        if request.kind == "Delete":
            return self._retired(request)
        group, name, arn, logical_id = (str(request.properties.get(name) or "") for name in _PROPERTIES)
        if not (group and name and arn and logical_id):
            raise BaselineRefused(f"a baseline needs the properties {', '.join(_PROPERTIES)}; deploy a BaselineModel")
        group = self._governed(request.stack, group)
        if self.stacks.resource(request.stack, logical_id) not in {arn, name}:
            raise BaselineRefused(f"{logical_id} of stack {request.stack} is not the model {arn}")
        details = {"group": group, **self._described(name, arn), **_said(request)}
        self._append(group, Draft(Kind.BASELINE_DEPLOYED, request.stack, details))
        self.champions.publish(group)
        # In lower case: with another id for the same baseline, CloudFormation would delete the first.
        return f"{group.lower()}@{arn}"

    def _retired(self, request: CustomResourceRequest) -> str:
        identity = request.identity or ""
        group, _, arn = identity.partition("@")
        if not arn:
            return identity  # its creation failed, so nothing was recorded
        found = self.registry.group(group)
        group = found.name if found else group
        state = self.ledger.history(baseline_key(group)).verified().state
        # Nothing is recorded about an unknown baseline, or one that another stack has taken over.
        if state.baselines.get(arn) == request.stack:
            model = {"name": arn.rpartition("/")[2], "arn": arn}
            details = {"group": group, "model": model, "request": request.request_id}
            self._append(group, Draft(Kind.BASELINE_RETIRED, request.stack, details))
        self.champions.publish(group)
        return identity

    def _append(self, group: str, draft: Draft) -> None:
        def unless_recorded(history: History) -> list[Draft]:
            known = {entry.details["request"] for entry in history.verified().entries}
            return [] if draft.details["request"] in known else [draft]

        self.ledger.update(baseline_key(group), unless_recorded)

    def _governed(self, stack: str, group: str) -> str:
        """Return the group's name in SageMaker's spelling, if its policy accepts baselines from the stack."""
        found = self.registry.group(group)
        governing = self.policies.governing(found.name, found.tags) if found else self.policies.for_new_group(group)
        if governing is None:
            raise BaselineRefused(f"group {group} exists and Signoff does not govern it; give it a policy first")
        if not governing.policy.groups.takes_baseline(stack):
            raise BaselineRefused(f"the policy of group {group} accepts no baseline from {stack}: list it in `groups`")
        return found.name if found else group

    def _described(self, name: str, arn: str) -> dict[str, Any]:
        """Return the model as SageMaker describes it."""
        described = self.registry.describe_model(name)
        if described is None or described["ModelArn"] != arn:
            raise BaselineRefused(f"there is no model {arn}")
        shown = {field: described[field] for field in _SHOWN if described.get(field)}
        return {"model": {"name": name, "arn": arn}, **shown, _FLAG: bool(described.get(_FLAG))}


def _said(request: CustomResourceRequest) -> Mapping[str, str]:
    """Return the request's id, and the review of the stack's code if it is given."""
    review = request.properties.get("Review")
    return {"request": request.request_id, **({"review": str(review)} if review else {})}
