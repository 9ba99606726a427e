"""A registry shared with other accounts: its policy, its stacks' templates, and what resource policies allow."""

from typing import Any

from tests.support.iam import allowed, listed
from tests.support.template import ACCOUNT, REGION, SynthesizedTemplate

SUBMITS, DEPLOYS, STRANGER = "222222222222", "333333333333", "999999999999"
HERE, THERE = REGION, "eu-west-1"
MODELS = {account: f"arn:aws:iam::{account}:role/signoff/SignoffModels" for account in (SUBMITS, DEPLOYS)}
GROUP = {
    "accounts": {"submit": [SUBMITS], "deploy": [DEPLOYS]},
    "deployment": {
        "targets": [
            {"account": SUBMITS, "region": HERE, "execution_role": MODELS[SUBMITS]},
            {"account": DEPLOYS, "region": THERE, "execution_role": MODELS[DEPLOYS]},
            {"region": THERE, "execution_role": f"arn:aws:iam::{ACCOUNT}:role/models"},
        ]
    },
}
SOURCE_KEY = f"arn:aws:kms:{REGION}:{SUBMITS}:key/1b2c3d4e"
CENTRAL = {
    "central": ACCOUNT,
    "centralRegion": HERE,
    "centralArtifactsBucket": "signoff-artifacts",
    "centralVaultBucket": "signoff-vault",
}
REGIONAL = f"signoff-vault-{ACCOUNT}-{THERE}"


def person(account: str) -> str:
    return f"arn:aws:iam::{account}:user/somebody"


def by(account: str, **context: Any) -> dict[str, Any]:
    """The context of a request by somebody of an account."""
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    principal = {"aws:PrincipalArn": person(account), "aws:PrincipalAccount": account}
    return {**principal, "aws:SecureTransport": "true", **keys}


def open_to(policy: dict[str, Any], account: str, action: str, resource: str, **context: Any) -> bool:
    """Whether a resource policy allows another account what it needs there beside its own policies."""
    named = [statement for statement in policy["Statement"] if _names(statement, account)]
    return allowed({"Statement": named}, action, resource, by(account, **context))


def _names(statement: dict[str, Any], account: str) -> bool:
    principal = statement["Principal"]
    everyone = principal in ("*", {"AWS": "*"})
    return everyone or f"arn:aws:iam::{account}:root" in listed(principal.get("AWS", []))


def group_policy(template: SynthesizedTemplate) -> dict[str, Any]:
    (group,) = template.of_type("AWS::SageMaker::ModelPackageGroup").values()
    policy: dict[str, Any] = group["ModelPackageGroupPolicy"]
    return policy


def bucket_policy(template: SynthesizedTemplate, bucket: str) -> dict[str, Any]:
    policy: dict[str, Any] = template.one("AWS::S3::BucketPolicy", f"{bucket}/Policy")["PolicyDocument"]
    return policy


def grants_of(template: SynthesizedTemplate, role: str) -> dict[str, Any]:
    (policy,) = template.one("AWS::IAM::Role", role)["Policies"]
    document: dict[str, Any] = policy["PolicyDocument"]
    return document


def bus_policy(template: SynthesizedTemplate) -> dict[str, Any]:
    (bus,) = template.of_type("AWS::Events::EventBus").values()
    policy: dict[str, Any] = bus["Policy"]
    return policy
