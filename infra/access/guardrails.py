"""Guardrail policies that keep the rest of the account from bypassing Signoff.

`python -m infra.access.guardrails scp` prints a service control policy for the accounts that Signoff runs in;
`python -m infra.access.guardrails boundary` a permissions boundary for people and jobs where there is no organization.

Both know Signoff's roles by their path, which they reserve, and its resources by the stack's name. Attach them after
the CDK is bootstrapped: from then on only the deployers can make or change a deployer.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra import names

# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
SCP_LIMIT = 5120
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (white space does not count)
BOUNDARY_LIMIT = 6144
# The role that CloudFormation takes on when the CDK deploys.
DEPLOYER = "cdk-*-cfn-exec-role-*"

CHANGING_ROLES = [
    "iam:CreateRole",
    "iam:UpdateRole",
    "iam:DeleteRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:*RolePermissionsBoundary",
]
CHANGING_PARTS = [
    "lambda:CreateFunction",
    "lambda:UpdateFunction*",
    "lambda:DeleteFunction*",
    "lambda:PutFunction*",
    "lambda:AddPermission",
    "codebuild:Update*",
    "states:UpdateStateMachine",
    "states:DeleteStateMachine",
    "events:PutRule",
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:PutPermission",
    "events:RemovePermission",
    "events:DeleteEventBus",
    "sqs:SetQueueAttributes",
    "sqs:AddPermission",
    "sqs:DeleteQueue",
]


class GuardrailTooLong(ValueError):
    """Raised when a policy exceeds AWS's size limit; the message says by how much."""


@dataclass(frozen=True)
class GuardrailScope:
    """The scope of the guardrails: where Signoff runs, and which roles besides its own may change it.

    account may be `*`; deployers and operators are role names or patterns: the first deploy the stack, the second may
    send to its queues and call its functions by hand (to redrive failures). baselines: whether the
    deployers' stacks may contain models too, recorded by RecordBaseline.
    """

    account: str = "*"
    partition: str = "aws"
    stack: str = "Signoff"
    vault: str = "signoff-vault*"
    deployers: tuple[str, ...] = (DEPLOYER,)
    operators: tuple[str, ...] = ()
    baselines: bool = False

    def arn(self, service: str, resource: str, region: str = "*") -> str:
        """An ARN pattern in the account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    def roles(self, *names: str) -> list[str]:
        """The ARN patterns of roles by name."""
        return [self.arn("iam", f"role/{name}", region="") for name in names]

    @property
    def own(self) -> list[str]:
        """Signoff's own roles."""
        return self.roles(f"{names.ROLES.strip('/')}/*")

    @property
    def makers(self) -> list[str]:
        """The roles that make models: Signoff's own, and the deployers' where there are baselines."""
        return [*self.own, *(self.roles(*self.deployers) if self.baselines else ())]


def statements(gate: GuardrailScope) -> list[dict[str, Any]]:
    """The deny statements, each for everyone except the roles that it names."""
    return [*_sagemaker(gate), *_records(gate), *_parameters(gate), *_machinery(gate)]


def _sagemaker(gate: GuardrailScope) -> list[dict[str, Any]]:
    return [
        # An inference component can name an image and an artifact itself, with no model.
        _deny(
            "Models",
            ["sagemaker:CreateModel", "sagemaker:CreateInferenceComponent", "sagemaker:UpdateInferenceComponent"],
            ["*"],
            gate.makers,
        ),
        _deny(
            "Approvals",
            ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
            ["*"],
            gate.own,
            {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
        ),
        _deny(
            "Tags",
            ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:CreateModelPackageGroup"],
            ["*"],
            # The stack makes the groups that other accounts may reach.
            [*gate.own, *gate.roles(*gate.deployers)],
            {"ForAnyValue:StringLike": {"aws:TagKeys": "signoff:*"}},
        ),
    ]


def _records(gate: GuardrailScope) -> list[dict[str, Any]]:
    vault = f"arn:{gate.partition}:s3:::{gate.vault}"
    ledger = gate.arn("dynamodb", f"table/{gate.stack}-*")
    deployers = gate.roles(*gate.deployers)
    return [
        _deny(
            "VaultObjects",
            ["s3:PutObject*", "s3:DeleteObject*", "s3:BypassGovernanceRetention", "s3:Replicate*"],
            [f"{vault}/*"],
            gate.own,
        ),
        _deny(
            "Vault", ["s3:PutBucket*", "s3:PutLifecycle*", "s3:PutReplication*", "s3:DeleteBucket*"], [vault], deployers
        ),
        _deny(
            "Records",
            [
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:PartiQL*",
            ],
            [ledger],
            gate.own,
        ),
        _deny(
            "Tables",
            [
                "dynamodb:DeleteTable",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:PutResourcePolicy",
                "dynamodb:DeleteResourcePolicy",
            ],
            [ledger],
            deployers,
        ),
    ]


def _parameters(gate: GuardrailScope) -> list[dict[str, Any]]:
    deployers = gate.roles(*gate.deployers)
    return [
        _deny(
            "Policies",
            ["ssm:PutParameter", "ssm:DeleteParameter*", "ssm:AddTagsToResource"],
            [gate.arn("ssm", f"parameter{path}/*") for path in (names.POLICIES, names.CONSTRUCTS)],
            [*deployers, *gate.roles(f"{names.PROJECT_ROLES.strip('/')}/*")],
        ),
        _deny(
            "Champions",
            ["ssm:PutParameter", "ssm:DeleteParameter*"],
            [gate.arn("ssm", f"parameter{names.CHAMPIONS}/*")],
            gate.own,
        ),
    ]


def _machinery(gate: GuardrailScope) -> list[dict[str, Any]]:
    named = f"{gate.stack}-*"
    function, queue = gate.arn("lambda", f"function:{named}"), gate.arn("sqs", named)
    # Starting a build allows choosing its commands, which run under the project's role.
    builds = gate.arn("codebuild", "project/*AtLength*")
    deployers = gate.roles(*gate.deployers)
    return [
        # The deployers' roles are protected too: otherwise creating a role of that name would make one a deployer.
        _deny(
            "Roles",
            CHANGING_ROLES,
            [*gate.own, *deployers],
            deployers,
        ),
        # A session's ARN shows no path: a role of this name would pass for a permission set's, whose session names are
        # believed. IAM Identity Center makes its own with a service-linked role, which no guardrail reaches.
        # https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
        _deny("Persons", ["iam:CreateRole"], gate.roles("*AWSReservedSSO_*"), []),
        _deny("Pass", ["iam:PassRole"], gate.own, [*deployers, *gate.own]),
        _deny(
            "Parts",
            CHANGING_PARTS,
            [
                function,
                queue,
                builds,
                gate.arn("states", "stateMachine:*Validation*"),
                gate.arn("events", f"rule/{named}"),
                gate.arn("events", f"rule/signoff/{named}"),
                gate.arn("events", "event-bus/signoff"),
            ],
            deployers,
        ),
        _deny(
            "Inputs",
            ["lambda:InvokeFunction", "sqs:SendMessage", "sqs:PurgeQueue", "codebuild:Start*"],
            [function, queue, builds],
            [*gate.makers, *gate.roles(*gate.operators)],
        ),
    ]


def _deny(
    sid: str,
    actions: list[str],
    resources: list[str],
    unless: list[str],
    conditions: dict[str, Any] | None = None,
) -> dict[str, Any]:
    exempt = {"ArnNotLike": {"aws:PrincipalArn": unless}} if unless else {}
    condition = {**exempt, **(conditions or {})}
    statement = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def service_control_policy(gate: GuardrailScope) -> str:
    """The SCP as JSON. Raises GuardrailTooLong when Organizations would not take it."""
    return _document(statements(gate), SCP_LIMIT)


def permissions_boundary(gate: GuardrailScope) -> str:
    """The boundary as JSON: everything but the denials. Raises GuardrailTooLong when IAM would not take it."""
    everything = {"Sid": "Else", "Effect": "Allow", "Action": "*", "Resource": "*"}
    return _document([everything, *statements(gate)], BOUNDARY_LIMIT)


def _document(policy: list[dict[str, Any]], limit: int) -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": policy}, separators=(",", ":"))
    if len(text) > limit:
        raise GuardrailTooLong(f"{len(text)} characters, and AWS takes {limit}: name fewer deployers and operators")
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the policy named on the command line; exits with 1 when it is too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("scp", "boundary"))
    parser.add_argument("--account", default=GuardrailScope.account, help="the account's number (any, unless given)")
    parser.add_argument("--partition", default=GuardrailScope.partition)
    parser.add_argument("--stack", default=GuardrailScope.stack, help="the stack's name")
    parser.add_argument("--vault", default=GuardrailScope.vault, help="the vault's name or a pattern for it")
    parser.add_argument("--deployer", action="append", metavar="ROLE", help=f"who deploys ({DEPLOYER})")
    parser.add_argument("--operator", action="append", metavar="ROLE", help="who redrives what failed (nobody)")
    parser.add_argument("--baselines", action="store_true", help="deployers' stacks make models too (no)")
    options = parser.parse_args(arguments)
    gate = GuardrailScope(
        account=options.account,
        partition=options.partition,
        stack=options.stack,
        vault=options.vault,
        deployers=tuple(options.deployer or GuardrailScope.deployers),
        operators=tuple(options.operator or ()),
        baselines=options.baselines,
    )
    try:
        text = service_control_policy(gate) if options.kind == "scp" else permissions_boundary(gate)
    except GuardrailTooLong as fault:
        sys.exit(f"signoff: {fault}")
    print(text)  # noqa: T201


if __name__ == "__main__":
    main()
