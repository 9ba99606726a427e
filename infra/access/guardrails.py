"""Guardrail policies that keep the rest of the account from bypassing Signoff.

`python -m infra.access.guardrails scp-gate` and `scp-deployment` print two service control policies for the accounts
that Signoff runs in: what only Signoff does, and what only those do who deploy it. `boundary` prints both as one
permissions boundary, for people and jobs where there is no organization.

Both know Signoff's roles by their path, which they reserve, and its resources by the stack's name. Attach them after
the CDK is bootstrapped: from then on only the deployers can make, change or pass on a deployer. What is forbidden to
everyone except the same roles is one statement, because AWS limits a policy's size.
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
# The roles of the CDK's bootstrap: the one that starts a deployment, those that publish what is deployed, and the one
# that CloudFormation takes on. Whoever has one of the first has the last.
DEPLOYER = "cdk-*-role-*"
NOT_CLOSED = (
    "signoff: whoever the deployers' roles trust may still become a deployer, and the CDK's trust the whole account: "
    "name the roles that may (--pipeline)"
)
READING_STACKS = ["cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*", "cloudformation:Detect*"]
CHANGING_ROLES = [f"iam:{verb}*" for verb in ("Create", "Update", "Delete", "Put", "Attach", "Detach")]
CHANGING_PARTS = [
    *(f"lambda:{verb}*" for verb in ("Create", "Update", "Delete", "Put", "Add", "Remove", "Publish")),
    *(f"codebuild:{verb}*" for verb in ("Create", "Update", "Delete")),
    *("states:Update*", "states:Delete*"),
    # Not `Put*`, which is PutEvents too: decisions.
    *("events:PutRule", "events:PutTargets", "events:PutPermission", "events:Remove*"),
    *("events:Delete*", "events:Disable*", "events:Update*"),
    # Not `Delete*`, which is DeleteMessage too.
    *("sqs:Set*", "sqs:AddPermission", "sqs:DeleteQueue"),
    *("sns:Set*", "sns:AddPermission", "sns:Delete*"),
    *(f"cloudwatch:{verb}Alarm*" for verb in ("Delete", "Disable")),
    *("cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"),
]


class GuardrailTooLong(ValueError):
    """Raised when a policy exceeds AWS's size limit; the message says by how much."""


@dataclass(frozen=True)
class GuardrailScope:
    """The scope of the guardrails: where Signoff runs, and which roles besides its own may change it.

    account may be `*`; deployers, operators and pipelines are role names or patterns: the first deploy the stack, the
    second may send to its queues, call its functions and start its workflow by hand (to redrive failures), the third
    may take on a deployer's role; without any, whoever the deployers trust may. vault and artifacts are the buckets'
    names or patterns. baselines: whether the deployers' stacks may contain models too, recorded by RecordBaseline.
    """

    account: str = "*"
    partition: str = "aws"
    stack: str = "Signoff"
    vault: str = "signoff-vault*"
    artifacts: str = "signoff-artifacts*"
    deployers: tuple[str, ...] = (DEPLOYER,)
    operators: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    baselines: bool = False

    def arn(self, service: str, resource: str, region: str = "*") -> str:
        """An ARN pattern in the account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    def roles(self, *names: str) -> list[str]:
        """The ARN patterns of roles by name."""
        return [self.arn("iam", f"role/{name}", region="") for name in names]

    def bucket(self, name: str) -> str:
        """The ARN pattern of a bucket, or of its objects."""
        return f"arn:{self.partition}:s3:::{name}"

    @property
    def own(self) -> list[str]:
        """Signoff's own roles."""
        return self.roles(f"{names.ROLES.strip('/')}/*")

    @property
    def deploying(self) -> list[str]:
        """The deployers' roles."""
        return self.roles(*self.deployers)

    @property
    def makers(self) -> list[str]:
        """The roles that make models: Signoff's own, and the deployers' where there are baselines."""
        return [*self.own, *(self.deploying if self.baselines else ())]


def gate_statements(gate: GuardrailScope) -> list[dict[str, Any]]:
    """What only Signoff does, and its operators: deny statements, each for everyone except the roles that it names."""
    return [*_sagemaker(gate), *_records(gate), *_inputs(gate), *_persons(gate)]


def deployment_statements(gate: GuardrailScope) -> list[dict[str, Any]]:
    """What only those do who deploy Signoff: deny statements, each for everyone except the roles that it names."""
    return [*_parts(gate), *_code(gate), *_policies(gate), *_deployers(gate)]


_MAKING = ("CreateModel", "CreateInferenceComponent", "UpdateInferenceComponent", "UpdateModelPackage")


def _sagemaker(gate: GuardrailScope) -> list[dict[str, Any]]:
    return [
        # An inference component can name an image and an artifact itself, with no model. Whoever may update a package
        # can rewrite what waits for approval: everyone else has `signoff annotate`.
        _deny(
            "Models",
            [f"sagemaker:{action}" for action in _MAKING],
            ["*"],
            gate.makers,
        ),
        _deny(
            "Approvals",
            ["sagemaker:CreateModelPackage"],
            ["*"],
            gate.own,
            {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
        ),
        _deny(
            "Tags",
            ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:CreateModelPackageGroup"],
            ["*"],
            # The stack makes the groups that other accounts may reach.
            [*gate.own, *gate.deploying],
            {"ForAnyValue:StringLike": {"aws:TagKeys": "signoff:*"}},
        ),
    ]


def _records(gate: GuardrailScope) -> list[dict[str, Any]]:
    """The vault's objects, the ledgers and the champions, and the builds that write to the vault."""
    objects = ["s3:PutObject*", "s3:DeleteObject*", "s3:BypassGovernanceRetention", "s3:Replicate*"]
    items = [*(f"dynamodb:{verb}Item" for verb in ("Put", "Update", "Delete", "BatchWrite")), "dynamodb:PartiQL*"]
    # Starting a build allows choosing its commands and its image, which run under the project's role. No operator needs
    # to: the workflow starts them.
    builds = ["codebuild:St*", "codebuild:Retry*"]
    champions = gate.arn("ssm", f"parameter{names.CHAMPIONS}/*")
    return [
        _deny(
            "Records",
            [*objects, *items, "ssm:PutParameter", "ssm:DeleteParameter*", *builds],
            [gate.bucket(f"{gate.vault}/*"), _tables(gate), champions, _builds(gate)],
            gate.own,
        )
    ]


def _parts(gate: GuardrailScope) -> list[dict[str, Any]]:
    """The stack and its parts, and the roles: the deployers' too, which would make a deployer of whoever has them."""
    named = f"{gate.stack}-*"
    parts = [
        *(_functions(gate), _builds(gate), gate.arn("sqs", named), gate.arn("sns", named)),
        *(gate.arn("states", "stateMachine:*Validation*"), gate.arn("cloudwatch", f"alarm:{named}")),
        # On the bus nobody else has rules: they would see decisions with their proofs.
        *(gate.arn("events", name) for name in (f"rule/{named}", "rule/signoff/*", "event-bus/signoff")),
        *(_tables(gate), gate.bucket(gate.vault), gate.bucket(gate.artifacts)),
    ]
    tables = ["dynamodb:UpdateT*", "dynamodb:UpdateC*", "dynamodb:DeleteT*", "dynamodb:DeleteResourcePolicy"]
    buckets = ["s3:PutBucket*", "s3:Put*Configuration", "s3:DeleteBucket*"]
    return [
        _deny(
            "Parts",
            [*CHANGING_ROLES, *CHANGING_PARTS, *tables, "dynamodb:PutResourcePolicy", *buckets],
            [*gate.own, *gate.deploying, *parts],
            gate.deploying,
        ),
        _deny(
            "Keys",
            ["kms:PutKeyPolicy", "kms:Schedule*", "kms:Disable*", "kms:*Alias"],
            ["*"],
            gate.deploying,
            {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/signoff*"}},
        ),
        # Get is left: it ends in no `e`.
        _deny(
            "Mappings",
            ["lambda:*eEventSourceMapping"],
            ["*"],
            gate.deploying,
            {"ArnLike": {"lambda:FunctionArn": _functions(gate)}},
        ),
    ]


def _code(gate: GuardrailScope) -> list[dict[str, Any]]:
    return [
        # A stack's role is used by whoever may update the stack, even without being allowed to pass the role.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
        _all_but(
            READING_STACKS, _deny("Stack", [], [gate.arn("cloudformation", f"stack/{gate.stack}*/*")], gate.deploying)
        ),
        # What is deployed next lies there, and what a build runs.
        _deny("Code", ["s3:PutObject*", "s3:DeleteObject*"], [gate.bucket("cdk-*-assets-*/*")], gate.deploying),
    ]


def _policies(gate: GuardrailScope) -> list[dict[str, Any]]:
    return [
        _deny(
            "Policies",
            ["ssm:PutParameter", "ssm:DeleteParameter*", "ssm:AddTagsToResource"],
            [gate.arn("ssm", f"parameter{path}/*") for path in (names.POLICIES, names.CONSTRUCTS)],
            [*gate.deploying, *gate.roles(f"{names.PROJECT_ROLES.strip('/')}/*")],
        ),
    ]


def _deployers(gate: GuardrailScope) -> list[dict[str, Any]]:
    """Who has a role that Signoff runs under, or that deploys it."""
    passing = _deny("Pass", ["iam:PassRole"], [*gate.own, *gate.deploying], [*gate.own, *gate.deploying])
    if not gate.pipelines:
        return [passing]
    return [passing, _deny("Assume", ["sts:AssumeRole"], gate.deploying, gate.roles(*gate.pipelines))]


def _inputs(gate: GuardrailScope) -> list[dict[str, Any]]:
    executions = ["states:St*", "states:Redrive*", "states:SendTask*"]
    return [
        _deny(
            "Inputs",
            ["lambda:Invoke*", "sqs:*Message*", "sqs:PurgeQueue", *executions],
            [
                *(_functions(gate), gate.arn("sqs", f"{gate.stack}-*")),
                *(gate.arn("states", f"{kind}:*Validation*") for kind in ("stateMachine", "execution")),
            ],
            [*gate.makers, *gate.roles(*gate.operators)],
        ),
    ]


def _persons(gate: GuardrailScope) -> list[dict[str, Any]]:
    # A session's ARN shows no path: a role of this name would pass for a permission set's, whose session names are
    # believed. IAM Identity Center makes its own with a service-linked role, which no guardrail reaches.
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
    return [_deny("Persons", ["iam:CreateRole"], gate.roles("*AWSReservedSSO_*"), [])]


def _functions(gate: GuardrailScope) -> str:
    return gate.arn("lambda", f"function:{gate.stack}-*")


def _builds(gate: GuardrailScope) -> str:
    return gate.arn("codebuild", "project/*AtLength*")


def _tables(gate: GuardrailScope) -> str:
    return gate.arn("dynamodb", f"table/{gate.stack}-*")


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


def _all_but(actions: list[str], denial: dict[str, Any]) -> dict[str, Any]:
    """The denial for all actions except these."""
    return {**{field: value for field, value in denial.items() if field != "Action"}, "NotAction": actions}


def policy(kind: str, gate: GuardrailScope) -> str:
    """The policy of that kind (one of KINDS) as JSON. Raises GuardrailTooLong when AWS would not take it."""
    limit, contents = KINDS[kind]
    text = json.dumps({"Version": "2012-10-17", "Statement": contents(gate)}, separators=(",", ":"))
    if len(text) > limit:
        raise GuardrailTooLong(f"{len(text)} characters, and AWS takes {limit}: name fewer deployers and operators")
    return text


def _boundary(gate: GuardrailScope) -> list[dict[str, Any]]:
    """Everything is allowed but what both service control policies deny."""
    everything = {"Sid": "Else", "Effect": "Allow", "Action": "*", "Resource": "*"}
    return [everything, *gate_statements(gate), *deployment_statements(gate)]


KINDS = {
    "scp-gate": (SCP_LIMIT, gate_statements),
    "scp-deployment": (SCP_LIMIT, deployment_statements),
    "boundary": (BOUNDARY_LIMIT, _boundary),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the policy named on the command line; exits with 1 when it is too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--account", default=GuardrailScope.account, help="the account's number (any, unless given)")
    parser.add_argument("--partition", default=GuardrailScope.partition)
    parser.add_argument("--stack", default=GuardrailScope.stack, help="the stack's name")
    parser.add_argument("--vault", default=GuardrailScope.vault, help="the vault's name or a pattern for it")
    parser.add_argument("--artifacts", default=GuardrailScope.artifacts, help="the same for the artifacts' bucket")
    parser.add_argument("--deployer", action="append", metavar="ROLE", help=f"who deploys ({DEPLOYER})")
    parser.add_argument("--operator", action="append", metavar="ROLE", help="who redrives what failed (nobody)")
    parser.add_argument(
        "--pipeline", action="append", metavar="ROLE", help="who may assume a deployer's role (whoever it trusts)"
    )
    parser.add_argument("--baselines", action="store_true", help="deployers' stacks make models too (no)")
    options = parser.parse_args(arguments)
    gate = GuardrailScope(
        account=options.account,
        partition=options.partition,
        stack=options.stack,
        vault=options.vault,
        artifacts=options.artifacts,
        deployers=tuple(options.deployer or GuardrailScope.deployers),
        operators=tuple(options.operator or ()),
        pipelines=tuple(options.pipeline or ()),
        baselines=options.baselines,
    )
    try:
        text = policy(options.kind, gate)
    except GuardrailTooLong as fault:
        sys.exit(f"signoff: {fault}")
    if options.kind != "scp-gate" and not gate.pipelines:
        print(NOT_CLOSED, file=sys.stderr)  # noqa: T201
    print(text)  # noqa: T201


if __name__ == "__main__":
    main()
