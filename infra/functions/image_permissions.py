"""What looking at container images takes."""

import aws_cdk as cdk

from infra.access.roles import Grant


def look_up_images(stack: cdk.Stack, *further_regions: str) -> Grant:
    """Finding out an image's digest, in the stack's region and in others."""
    arns = tuple(
        stack.format_arn(service="ecr", region=region, account="*", resource="repository/*")
        for region in (stack.region, *further_regions)
    )
    return Grant(("ecr:BatchGetImage",), arns, "Images come from any repository, AWS's deep learning images among them")


def read_image_scans(stack: cdk.Stack, *operations: str) -> list[Grant]:
    """What a policy asks of images, in the region that SageMaker pulls them in.

    ECR asks Inspector for the findings of an enhanced scan on the caller's behalf.
    """
    arns = (stack.format_arn(service="ecr", account="*", resource="repository/*"),)
    return [
        Grant(tuple(f"ecr:{name}" for name in operations), arns, "Images come from any repository"),
        Grant(("inspector2:ListFindings", "inspector2:ListCoverage"), ("*",), "Inspector's lists name no resource"),
    ]
