"""The name of a model package group, as SageMaker takes it."""

import aws_cdk as cdk

from signoff.model_package.groups import is_group_name


def parameter_of(path: str, group: str) -> str:
    """Return the parameter below `path` that is about `group`: Signoff names it in lower case."""
    return f"{path}/{group if cdk.Token.is_unresolved(group) else group.lower()}"


def group_name(group: str) -> str:
    """Return `group`. Raises ValueError when it cannot name a group; a name known only at deployment is accepted."""
    if not cdk.Token.is_unresolved(group) and not is_group_name(group):
        raise ValueError(f"{group!r} cannot be the name of a model package group: 1 to 63 letters, digits and hyphens")
    return group
