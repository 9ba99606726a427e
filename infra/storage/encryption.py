"""The optional customer-managed KMS key, for everything at rest."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra import names
from infra.access.accounts import OtherAccounts, roots
from infra.access.roles import Grant
from infra.settings import DeploymentSettings


def make_key(scope: Construct, settings: DeploymentSettings, others: OtherAccounts) -> kms.Key | None:
    """The key for buckets, tables, queues and logs, or None when AWS's own keys are used.

    Of `others`, those who submit may encrypt and decrypt with it by way of S3, those who deploy may decrypt.
    """
    if not settings.customer_managed_key:
        return None
    stack = cdk.Stack.of(scope)
    key = kms.Key(
        scope,
        "Key",
        description="Encrypts what Signoff keeps: artifacts, vault, ledger, queues and logs",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.DESTROY if settings.ephemeral else cdk.RemovalPolicy.RETAIN,
    )
    alias = key.add_alias(names.key_alias(settings.suffix))
    if not settings.ephemeral:
        # With the key: by its alias the guardrails know it.
        alias.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    key.add_to_resource_policy(_events(stack))
    key.add_to_resource_policy(_logs(stack))
    submitters = sorted({account for group in others.groups for account in group.submit})
    deployers = sorted({account for group in others.groups for account in group.deploy} | set(others.targeted))
    for sid, accounts, actions in (
        ("SubmittersByS3", submitters, ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("DeployersByS3", deployers, ["kms:Decrypt"]),
    ):
        if accounts:
            key.add_to_resource_policy(_by_s3(stack, sid, accounts, actions))
    return key


def regional_keys(stack: cdk.Stack, regions: Sequence[str], actions: tuple[str, ...], suffix: str) -> list[Grant]:
    """A role's grants on Signoff's keys in other regions, whose ids are only known there."""
    if not regions:
        return []
    keys = tuple(stack.format_arn(service="kms", region=region, resource="key/*") for region in regions)
    by_alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": names.key_alias(suffix)}}
    return [Grant(actions, keys, "A key is known by its alias, and no policy can name an alias as resource", by_alias)]


def _by_s3(stack: cdk.Stack, sid: str, accounts: list[str], actions: list[str]) -> iam.PolicyStatement:
    """Other accounts use the key only on objects that the buckets' policies let them reach."""
    return iam.PolicyStatement(
        sid=sid,
        principals=[iam.ArnPrincipal(root) for root in roots(stack.partition, accounts)],
        actions=actions,
        resources=["*"],
        conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
    )


def _events(stack: cdk.Stack) -> iam.PolicyStatement:
    """EventBridge encrypts what it sends to a queue."""
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("events.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
    )


def _logs(stack: cdk.Stack) -> iam.PolicyStatement:
    """CloudWatch Logs encrypts each log group of the account under the group's ARN as context."""
    arn = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    )
