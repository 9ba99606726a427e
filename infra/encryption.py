"""The optional customer-managed KMS key, for everything at rest."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings


def make_key(scope: Construct, settings: Settings) -> kms.Key | None:
    """The key that buckets, tables, queues and logs use, or None when AWS's own keys do."""
    if not settings.customer_managed_key:
        return None
    stack = cdk.Stack.of(scope)
    key = kms.Key(
        scope,
        "Key",
        alias="alias/signoff",
        description="Encrypts what Signoff keeps: artifacts, vault, ledger, queues and logs",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.DESTROY if settings.ephemeral else cdk.RemovalPolicy.RETAIN,
    )
    key.add_to_resource_policy(_events(stack))
    key.add_to_resource_policy(_logs(stack))
    return key


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
