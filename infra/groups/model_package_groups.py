"""Model package groups that are shared with other accounts, with their resource policies.

A group policy never grants UpdateModelPackage: whoever may update a package may set its status, which is to approve.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-version.html (from a different account)
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra import names
from infra.access.accounts import OtherAccounts, SharedGroup, roots

STATUS = "sagemaker:ModelApprovalStatus"
LOOK_AT = ("sagemaker:DescribeModelPackage", "sagemaker:BatchDescribeModelPackage", "sagemaker:ListModelPackages")


def make_groups(scope: Construct, others: OtherAccounts) -> None:
    """A governed model package group for each that is open to other accounts; it outlives the stack."""
    groups = Construct(scope, "Groups")
    for group in others.groups:
        if not group.accounts:
            continue
        made = sagemaker.CfnModelPackageGroup(
            groups,
            group.slug,
            model_package_group_name=group.name,
            model_package_group_description="Governed by Signoff and open to other accounts, as its policy says",
            model_package_group_policy=_policy(cdk.Stack.of(scope), group).to_json(),
            tags=[cdk.CfnTag(key=key, value=value) for key, value in names.GROUP_TAGS.items()],
        )
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)


def _policy(stack: cdk.Stack, group: SharedGroup) -> iam.PolicyDocument:
    packages = stack.format_arn(service="sagemaker", resource="model-package", resource_name=f"{group.slug}/*")
    itself = stack.format_arn(service="sagemaker", resource="model-package-group", resource_name=group.slug)
    statements = [
        _allow(stack, "Find", group.accounts, ["sagemaker:DescribeModelPackageGroup"], [itself]),
        _allow(stack, "LookAt", group.accounts, list(LOOK_AT), [packages, itself]),
    ]
    if group.submit:
        register = _allow(stack, "Register", group.submit, ["sagemaker:CreateModelPackage"], [packages, itself])
        # Nobody registers what is approved already; a status that is left out is PendingManualApproval.
        register.add_condition("StringEqualsIfExists", {STATUS: "PendingManualApproval"})
        statements.append(register)
    if group.deploy:
        statements.append(_allow(stack, "Deploy", group.deploy, ["sagemaker:CreateModel"], [packages]))
    return iam.PolicyDocument(statements=statements, minimize=False)


def _allow(
    stack: cdk.Stack, sid: str, accounts: list[str] | tuple[str, ...], actions: list[str], resources: list[str]
) -> iam.PolicyStatement:
    principals = [iam.ArnPrincipal(root) for root in roots(stack.partition, accounts)]
    return iam.PolicyStatement(sid=sid, principals=list(principals), actions=actions, resources=resources)
