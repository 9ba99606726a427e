"""The tables: the ledger, and two indexes that can be rebuilt from it and from the buckets."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import DeploymentSettings


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _number(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.NUMBER)


def _common(settings: DeploymentSettings, key: kms.IKey | None) -> dict[str, Any]:
    encryption = dynamodb.TableEncryption
    return {
        "billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST,
        "encryption": encryption.CUSTOMER_MANAGED if key else encryption.AWS_MANAGED,
        "encryption_key": key,
        "point_in_time_recovery_specification": dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        "deletion_protection": not settings.ephemeral,
        "removal_policy": cdk.RemovalPolicy.DESTROY if settings.ephemeral else cdk.RemovalPolicy.RETAIN,
    }


class LedgerEntryTable(dynamodb.Table):
    """The append-only ledger of each package, in order; its stream is announced as events."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: DeploymentSettings, key: kms.IKey | None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            **_common(settings, key),
            partition_key=_string("package"),
            sort_key=_number("sequence"),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            resource_policy=iam.PolicyDocument(statements=[_append_only()]),
        )
        # Of which ledgers something happened in a time, without reading the others. It holds keys only.
        self.add_global_secondary_index(
            index_name="by-kind",
            partition_key=_string("kind"),
            sort_key=_string("time"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _append_only() -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="EntriesAreNeverChanged",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=[
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            # It takes no condition, so it could replace an entry.
            "dynamodb:BatchWriteItem",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PartiQLDelete",
        ],
        # In the table's own policy this is the table: its ARN would make the resource depend on itself.
        resources=["*"],
    )


class PackageHeadTable(dynamodb.Table):
    """The head of each package's ledger, indexed by next step, status, group, ARN, deployed model and open rollback."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: DeploymentSettings, key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id, **_common(settings, key), partition_key=_string("package"))
        self.add_global_secondary_index(index_name="by-next", partition_key=_string("next"), sort_key=_string("since"))
        self.add_global_secondary_index(
            index_name="by-group", partition_key=_string("group"), sort_key=_number("version")
        )
        self.add_global_secondary_index(
            index_name="by-status", partition_key=_string("status"), sort_key=_string("since")
        )
        self.add_global_secondary_index(index_name="by-arn", partition_key=_string("arn"), sort_key=_string("created"))
        # Few packages have these attributes, and only those are in the indexes.
        self.add_global_secondary_index(
            index_name="by-deployed", partition_key=_string("deployed"), sort_key=_string("rank")
        )
        self.add_global_secondary_index(index_name="by-due", partition_key=_string("status"), sort_key=_string("due"))
        self.add_global_secondary_index(index_name="by-rollback", partition_key=_string("rollback"))


class SubmissionStateTable(dynamodb.Table):
    """The state of each submission, indexed by when an open one is to be looked at; and of the sweep's round."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: DeploymentSettings, key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id, **_common(settings, key), partition_key=_string("submission"))
        # Only open submissions have these attributes.
        self.add_global_secondary_index(index_name="by-open", partition_key=_string("open"), sort_key=_string("due"))
