"""A policy's principals as `aws:PrincipalArn` patterns for resource policies; a session has its role's ARN.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

# IAM Identity Center makes its roles below this path, in some regions a level deeper, and reserves it.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_IDENTITY_CENTER = "role/aws-reserved/sso.amazonaws.com/"
_PERMISSION_SET = "AWSReservedSSO_"


def principal_arns(patterns: Iterable[str]) -> list[str]:
    """Return patterns of `aws:PrincipalArn`, sorted, that match all whom the `patterns` of a policy match.

    A policy names roles without their path, `aws:PrincipalArn` has it. A user of IAM Identity Center has no ARN of its
    own: all roles of Identity Center match.
    """
    return sorted({arn for pattern in patterns for arn in _arns(pattern)})


def without_covered(arns: Iterable[str]) -> list[str]:
    """Return the ARNs, sorted, without those that another one, a pattern with `*` or `?`, matches."""
    every = sorted(set(arns))
    return [arn for arn in every if not any(each != arn and _matches(arn, each) for each in every)]


def _matches(arn: str, pattern: str) -> bool:
    # IAM knows no brackets, which fnmatch would read as a set of characters; no ARN of a role has one.
    return "[" not in pattern and fnmatchcase(arn, pattern)


def _arns(pattern: str) -> Iterator[str]:
    start, _, resource = pattern.rpartition(":")
    kind, _, name = resource.partition("/")
    if ":identitycenter:" in pattern:
        yield f"arn:*:iam::*:{_IDENTITY_CENTER}*"
    elif kind == "assumed-role":
        yield from _roles(start.replace(":sts:", ":iam:", 1), name.partition("/")[0])
    elif kind == "role" and "/" not in name:
        yield from _roles(start, name)
    elif resource == "federated-user":  # all of an account's, for whom a policy has one name
        yield f"{pattern}/*"
    else:
        yield pattern


def _roles(start: str, name: str) -> Iterator[str]:
    # Only Identity Center creates roles below its path: a role of such a name elsewhere is not one of its.
    path = _IDENTITY_CENTER if name.startswith(_PERMISSION_SET) else "role/"
    yield f"{start}:{path}{name}"
    yield f"{start}:{path}*/{name}"
