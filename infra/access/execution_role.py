"""The default execution role of deployed models."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.access.roles import Grant, make_role

NAMESPACE = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def make_execution_role(
    scope: Construct, *, vaults: Sequence[str], keys: Sequence[Grant], role_name: str | None = None
) -> iam.Role:
    """A role for SageMaker that may read models in the vaults, pull images and write its logs and metrics.

    vaults are the ARNs of the buckets, and keys what decrypting them takes.
    """
    stack = cdk.Stack.of(scope)
    logs = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws/sagemaker/*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    images = stack.format_arn(service="ecr", account="*", resource="repository/*")
    grants = [
        Grant(
            ("s3:GetObject",), tuple(f"{arn}/models/*" for arn in vaults), "Every model in the vault may be deployed"
        ),
        Grant(("s3:ListBucket",), tuple(vaults), conditions={"StringLike": {"s3:prefix": "models/*"}}),
        Grant(("ecr:GetAuthorizationToken",), ("*",), "ECR's token names no repository"),
        Grant(
            ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            (images,),
            "Images come from any repository, AWS's own deep learning images among them",
        ),
        Grant(
            ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            (logs,),
            "SageMaker names the log group after the endpoint",
        ),
        Grant(("cloudwatch:PutMetricData",), ("*",), "Metrics have no resource; the namespace is fixed", NAMESPACE),
        *keys,
    ]
    return make_role(
        scope,
        "ModelExecutionRole",
        service="sagemaker",
        description="What a deployed model may do unless its group's policy names another role",
        grants=grants,
        role_name=role_name,
    )
