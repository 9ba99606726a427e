"""Signoff's least-privilege roles, all under one path that the guardrails use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import names
from infra.access.compliance import acknowledge_wildcards


@dataclass(frozen=True)
class Grant:
    """A role's permission: `actions` on `resources` (ARNs); `reason` is needed when an ARN contains a `*`."""

    actions: Sequence[str]
    resources: Sequence[str]
    reason: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def statement(self) -> iam.PolicyStatement:
        """The grant as a policy statement."""
        return iam.PolicyStatement(
            actions=list(self.actions), resources=list(self.resources), conditions=dict(self.conditions)
        )


TRACING = Grant(
    ("xray:PutTraceSegments", "xray:PutTelemetryRecords"), ("*",), "X-Ray has no resources to name for segments"
)


def make_role(
    scope: Construct,
    construct_id: str,
    *,
    service: str,
    description: str,
    grants: Sequence[Grant],
    role_name: str | None = None,
) -> iam.Role:
    """A role that `service` (for instance "lambda") may assume, in this account only, with `grants`.

    The permissions are inline, so they are created and deleted with the role.
    """
    stack = cdk.Stack.of(scope)
    principal = iam.ServicePrincipal(
        f"{service}.amazonaws.com",
        conditions={} if service == "lambda" else {"StringEquals": {"aws:SourceAccount": stack.account}},
    )
    role = iam.Role(
        scope,
        construct_id,
        path=names.ROLES,
        role_name=role_name,
        assumed_by=principal,
        description=description,
        inline_policies={"Allowed": document(grants)},
    )
    acknowledge_grants(role, grants)
    return role


def document(grants: Sequence[Grant]) -> iam.PolicyDocument:
    """The grants as a policy."""
    return iam.PolicyDocument(statements=[grant.statement() for grant in grants])


def acknowledge_grants(role: iam.Role, grants: Sequence[Grant]) -> None:
    """Excuse the wildcards of `grants` in the policy of `role`, each for its reason."""
    for grant in grants:
        acknowledge_wildcards(role, grant.resources, grant.reason)
