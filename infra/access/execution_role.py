"""The default execution role of deployed models."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.access.roles import Grant, make_role

# What SageMaker does under the role to put a model into a VPC. The documentation asks for `*`; policies name other VPCs
# without a deployment of this role.
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
_VPC = Grant(
    (
        *("ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission"),
        *("ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions"),
        *("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"),
    ),
    ("*",),
    "SageMaker makes the network interfaces of a model in a VPC under the model's role",
)
JOBS = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TransformJobs"}}
NAMESPACE = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def make_execution_role(
    scope: Construct,
    *,
    vaults: Sequence[str],
    keys: Sequence[Grant],
    regions: Sequence[str],
    vpc: bool,
    role_name: str | None = None,
) -> iam.Role:
    """A role for SageMaker that may read models in the vaults, pull images and write its logs and metrics.

    vaults are the ARNs of the buckets, keys what decrypting them takes, and regions those that models run in: images
    are pulled, and logs written, in the model's own. With vpc, the models may be put into a VPC.
    """
    grants = [
        Grant(
            ("s3:GetObject",), tuple(f"{arn}/models/*" for arn in vaults), "Every model in the vault may be deployed"
        ),
        Grant(("s3:ListBucket",), tuple(vaults), conditions={"StringLike": {"s3:prefix": "models/*"}}),
        *_images_and_logs(cdk.Stack.of(scope), regions),
        Grant(("cloudwatch:PutMetricData",), ("*",), "Metrics have no resource; the namespace is fixed", NAMESPACE),
        *([_VPC] if vpc else []),
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


def make_measuring_role(scope: Construct, *, vault: str, answers: str, keys: Sequence[Grant], region: str) -> iam.Role:
    """A role for SageMaker under which temporary models are asked about held-out rows, and nothing else runs.

    It may read models and rows in the vault (an ARN), write to the bucket of the `answers` (an ARN), pull images in
    the `region` and write logs. The models themselves have no network and see no credentials. keys are what the
    customer's own key takes.
    """
    grants = [
        Grant(("s3:GetObject",), (f"{vault}/models/*", f"{vault}/held-out/*"), "Every model in the vault is measured"),
        Grant(("s3:ListBucket",), (vault,), conditions={"StringLike": {"s3:prefix": ["models/*", "held-out/*"]}}),
        Grant(("s3:PutObject", "s3:AbortMultipartUpload"), (f"{answers}/*",), "Each job has a prefix of its own"),
        *_images_and_logs(cdk.Stack.of(scope), [region]),
        Grant(("cloudwatch:PutMetricData",), ("*",), "Metrics have no resource; the namespace is fixed", JOBS),
        *keys,
    ]
    return make_role(
        scope,
        "MeasuringRole",
        service="sagemaker",
        description="What the transform job of a temporary model may do",
        grants=grants,
    )


def _images_and_logs(stack: cdk.Stack, regions: Sequence[str]) -> list[Grant]:
    """What pulling images and writing logs in `regions` takes."""
    logs = tuple(
        stack.format_arn(
            service="logs",
            region=region,
            resource="log-group",
            resource_name="/aws/sagemaker/*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        for region in regions
    )
    images = tuple(
        stack.format_arn(service="ecr", region=region, account="*", resource="repository/*") for region in regions
    )
    return [
        Grant(("ecr:GetAuthorizationToken",), ("*",), "ECR's token names no repository"),
        Grant(
            ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            images,
            "Images come from any repository, AWS's own deep learning images among them",
        ),
        Grant(
            ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            logs,
            "SageMaker names the log group after the endpoint",
        ),
    ]
