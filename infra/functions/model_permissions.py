"""What making models, and publishing them as champions, takes: in the registry's account, and in workload accounts."""

import aws_cdk as cdk

from infra import names
from infra.access.roles import Grant

LIST_ONLY = "SageMaker's list calls name no resource"


def make_models(stack: cdk.Stack, region: str, reason: str) -> list[Grant]:
    """Making, finding and deleting models in a region of the stack's account, and finding what uses them."""

    def arn(resource: str) -> str:
        return stack.format_arn(service="sagemaker", region=region, resource=resource)

    model = ("CreateModel", "DescribeModel", "DeleteModel", "AddTags")
    in_use = "Any endpoint may use the model"
    return [
        Grant(tuple(f"sagemaker:{operation}" for operation in model), (arn("model/*"),), reason),
        Grant(("sagemaker:DescribeEndpoint",), (arn("endpoint/*"),), in_use),
        Grant(("sagemaker:DescribeEndpointConfig",), (arn("endpoint-config/*"),), in_use),
    ]


def publish_champions(stack: cdk.Stack, region: str) -> Grant:
    """Publishing the champions in a region of the stack's account, where their models are."""
    arn = stack.format_arn(service="ssm", region=region, resource=f"parameter{names.CHAMPIONS}/*")
    actions = ("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter")
    return Grant(actions, (arn,), "The path of the champions, one for each group")


def read_champions(stack: cdk.Stack) -> Grant:
    """Reading the champions of many groups with a call."""
    arn = stack.format_arn(service="ssm", resource=f"parameter{names.CHAMPIONS}/*")
    return Grant(("ssm:GetParameters",), (arn,), "The path of the champions, one for each group")


def show_approvals(stack: cdk.Stack) -> list[Grant]:
    """Showing approvals as actions of the lineage, named so that no other action is changed."""

    def arn(resource: str) -> str:
        return stack.format_arn(service="sagemaker", resource=resource)

    actions, artifacts = arn("action/signoff-*"), arn("artifact/*")
    named, anyones = "Each action is named after its package", "SageMaker chooses the names of artifacts"
    return [
        Grant(("sagemaker:CreateAction", "sagemaker:UpdateAction"), (actions,), named),
        Grant(("sagemaker:CreateArtifact",), (artifacts,), anyones),
        Grant(("sagemaker:AddAssociation",), (actions, artifacts), anyones),
        Grant(("sagemaker:ListArtifacts", "sagemaker:ListAssociations"), ("*",), LIST_ONLY),
    ]
