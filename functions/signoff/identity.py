"""Who an ARN stands for: decisions and submissions are compared as persons, not as sessions.

Session names are chosen by the caller, so a role's sessions count as one, and an account's federated users do; except
those of IAM Identity Center, whose session names are the users' own, the same in each account.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re

_ASSUMED_ROLE = re.compile(
    r"arn:(?P<partition>aws[\w-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<session>.+)"
)
_FEDERATED = re.compile(r"(?P<all>arn:aws[\w-]*:sts::\d{12}:federated-user)/.+")
_IDENTITY_CENTER = "AWSReservedSSO_"


def person(arn: str) -> str:
    """Return the person behind `arn`, as an ARN that is the same for each of that person's sessions."""
    federated = _FEDERATED.fullmatch(arn)
    if federated is not None:
        return federated["all"]
    session = _ASSUMED_ROLE.fullmatch(arn)
    if session is None:
        return arn
    partition, account, role, name = session.group("partition", "account", "role", "session")
    if role.startswith(_IDENTITY_CENTER):
        return f"arn:{partition}:identitycenter:::user/{name}"
    return f"arn:{partition}:iam::{account}:role/{role}"


def account_of(arn: str) -> str:
    """Return the account (12 digits) that an ARN is of; empty for those of no account, and for what is no ARN."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def same_person(one: str | None, other: str | None) -> bool:
    """Return whether both ARNs stand for one person; an unknown person is nobody's other self."""
    return one is not None and other is not None and person(one) == person(other)
