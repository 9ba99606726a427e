"""The right to audit: a read-only managed policy for running `signoff audit --verify`."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import names
from infra.access.compliance import acknowledge_wildcards
from infra.access.roles import Grant, document

ANY = "Packages, models and what is in the vault are named by those who register"


class AuditorPolicy(iam.ManagedPolicy):
    """`SignoffAuditor-<region>`: to be attached to the auditors' role. IAM names are global to all regions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vault: s3.Bucket,
        ledger: dynamodb.Table,
        packages: dynamodb.Table,
        keys: Sequence[Grant],
    ) -> None:
        stack = cdk.Stack.of(scope)
        grants = [*_reading(stack, vault, ledger, packages), *keys]
        super().__init__(
            scope,
            construct_id,
            managed_policy_name=f"SignoffAuditor-{stack.region}",
            description="Reads all that signoff audit --verify compares",
            document=document(grants),
        )
        for grant in grants:
            acknowledge_wildcards(self, grant.resources, grant.reason)


def _reading(stack: cdk.Stack, vault: s3.Bucket, ledger: dynamodb.Table, packages: dynamodb.Table) -> list[Grant]:
    models = tuple(stack.format_arn(service="sagemaker", resource=kind) for kind in ("model-package/*", "model/*"))
    group = stack.format_arn(service="sagemaker", resource="model-package-group/*")
    listed = (group, *models)
    # The stack, and those nested in it, which CloudFormation names after it.
    stacks = tuple(
        stack.format_arn(service="cloudformation", resource=f"stack/{stack.stack_name}{rest}")
        for rest in ("/*", "-*/*")
    )
    policies = tuple(
        stack.format_arn(service="ssm", resource=f"parameter{names.POLICIES}{below}") for below in ("", "/*")
    )
    return [
        Grant(
            ("cloudformation:DescribeStacks", "cloudformation:DescribeStackResource", "cloudformation:GetTemplate"),
            stacks,
            "A stack's ARN ends in an id that AWS makes up",
        ),
        Grant(("dynamodb:Query",), (ledger.table_arn, f"{ledger.table_arn}/index/by-kind")),
        Grant(("dynamodb:GetItem", "dynamodb:Scan"), (packages.table_arn,)),
        Grant(("dynamodb:Query", "dynamodb:Scan"), (f"{packages.table_arn}/index/*",), "All indexes of the one table"),
        Grant(("s3:ListBucket", "s3:ListBucketVersions"), (vault.bucket_arn,)),
        Grant(("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"), (vault.arn_for_objects("*"),), ANY),
        Grant(("sagemaker:DescribeModelPackage", "sagemaker:DescribeModel"), models, ANY),
        Grant(
            ("sagemaker:ListModelPackageGroups", "sagemaker:ListModels"),
            ("*",),
            "SageMaker's list calls name no resource",
        ),
        Grant(("sagemaker:DescribeModelPackageGroup",), (group,), ANY),
        Grant(("sagemaker:ListModelPackages", "sagemaker:ListTags"), listed, ANY),
        Grant(
            ("ssm:GetParametersByPath", "ssm:GetParameterHistory"), policies, "All that lies under the policies' path"
        ),
    ]
