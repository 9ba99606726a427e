"""The role that deployed models run under when a policy names no other."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.roles import Grant, make_role

NAMESPACE = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def make_execution_role(scope: Construct, *, vault: s3.Bucket, key: kms.IKey | None) -> iam.Role:
    """A role for SageMaker that may read models in the vault, pull images and write its logs and metrics."""
    stack = cdk.Stack.of(scope)
    logs = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws/sagemaker/*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    images = stack.format_arn(service="ecr", account="*", resource="repository/*")
    grants = [
        Grant(("s3:GetObject",), (vault.arn_for_objects("models/*"),), "Every model in the vault may be deployed"),
        Grant(("s3:ListBucket",), (vault.bucket_arn,), conditions={"StringLike": {"s3:prefix": "models/*"}}),
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
    ]
    if key is not None:
        grants.append(Grant(("kms:Decrypt",), (key.key_arn,)))
    return make_role(
        scope,
        "ModelExecutionRole",
        service="sagemaker",
        description="What a deployed model may do unless its group's policy names another role",
        grants=grants,
    )
