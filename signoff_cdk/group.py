"""The name of a model package group, as SageMaker takes it."""

import re

import aws_cdk as cdk

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def parameter_of(path: str, group: str) -> str:
    """Return the parameter below `path` that is about `group`: Signoff names it in lower case."""
    return f"{path}/{group if cdk.Token.is_unresolved(group) else group.lower()}"


def group_name(group: str) -> str:
    """Return `group`. Raises ValueError when it cannot name a group; what is known only at deployment is let pass."""
    if not cdk.Token.is_unresolved(group) and not _NAME.fullmatch(group):
        raise ValueError(f"{group!r} cannot be the name of a model package group: 1 to 63 letters, digits and hyphens")
    return group
