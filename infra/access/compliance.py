"""Acknowledges cdk-nag's findings, each with its reason beside the construct."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def check(app: cdk.App) -> None:
    """Have synthesis fail when the app breaks a rule of cdk-nag's AwsSolutions pack."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, write_suppressions_to_cloud_formation=True))


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Excuse `construct` from `rule` (for instance "AwsSolutions-S1"), for `reason`."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcards(construct: IConstruct, resources: Sequence[str], reason: str) -> None:
    """Excuse those of `resources` (ARNs in a policy of `construct`) that hold a `*`, each as its own finding."""
    for resource in resources:
        name = _flat(cdk.Stack.of(construct).resolve(resource))
        if "*" in name:
            acknowledge(construct, f"AwsSolutions-IAM5[Resource::{name}]", reason)


def _flat(node: Any) -> str:
    """A CloudFormation value as cdk-nag writes it in a finding's name: `<Logical.Arn>/models/*`."""
    match node:
        case str():
            return node
        case {"Fn::Sub": str(text)}:
            return text
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_flat(part) for part in parts)
        case _:
            raise ValueError(f"No finding's name is known for {node!r}: add its form here")
