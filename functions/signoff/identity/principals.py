"""The person behind an ARN: decisions and submissions are compared by person, not by session.

Session names are chosen by the caller, so all sessions of a role count as one person, and so do an account's federated
users. Exceptions are sessions of IAM Identity Center, which are named after the user in each account, and those of
roles that a policy trusts because an identity provider sets their session names.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from signoff.documents.patterns import compiled_on_use

_ASSUMED_ROLE = compiled_on_use(
    r"arn:(?P<partition>aws[\w-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<session>.+)"
)
_FEDERATED = compiled_on_use(r"(?P<all>arn:aws[\w-]*:sts::\d{12}:federated-user)/.+")
_USER = compiled_on_use(r"arn:aws[\w-]*:iam::\d{12}:user/.+")
_IDENTITY_CENTER = "AWSReservedSSO_"
UNKNOWN = "unknown"
"""In an ARN's place: of somebody whom nobody knows. It is the ARN of no person, known or not."""
UNKNOWN_OWNER = "unknown"
"""In an account's place: of a package whose creator is unknown, in a group that is open to several accounts."""


def person(arn: str, trusted: Sequence[str] = ()) -> str:
    """Return the person behind `arn`, as an ARN that is the same for each of that person's sessions.

    `trusted` are patterns of the ARNs of roles whose session names are not chosen by the caller.
    """
    federated = _FEDERATED.fullmatch(arn)
    if federated is not None:
        return federated["all"]
    session = _ASSUMED_ROLE.fullmatch(arn)
    if session is None:
        return arn
    if session["role"].startswith(_IDENTITY_CENTER):
        return f"arn:{session['partition']}:identitycenter:::user/{session['session']}"
    role = role_of(arn)
    return arn if any(matches(role, pattern) for pattern in trusted) else role


def role_of(arn: str) -> str:
    """Return the role of the session `arn`, without its path, which a session's ARN lacks; else `arn`."""
    session = _ASSUMED_ROLE.fullmatch(arn)
    if session is None:
        return arn
    return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"


def is_known(arn: str | None, trusted: Sequence[str] = ()) -> bool:
    """Return whether `arn` identifies a human being: an IAM user, or a session whose name can be trusted.

    A role, a federated user, an account's root user and a SageMaker user profile do not: they may be used by anyone.
    """
    if arn is None:
        return False
    who = person(arn, trusted)
    return _USER.fullmatch(who) is not None or ":identitycenter:" in who or (who == arn and ":assumed-role/" in who)


def is_users_id(user_id: str) -> bool:
    """Return whether it is the id of an IAM user, who keeps it when renamed; one made anew has another.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    return user_id.startswith("AIDA")


def account_of(arn: str) -> str:
    """Return the account (12 digits) of an ARN; empty for ARNs without an account, and for what is not an ARN."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def same_person(one: str | None, other: str | None, trusted: Sequence[str] = ()) -> bool:
    """Return whether both ARNs stand for one person; an unknown person equals nobody."""
    return one is not None and other is not None and person(one, trusted) == person(other, trusted)


def listed(arn: str, patterns: Iterable[str], trusted: Sequence[str] = ()) -> bool:
    """Return whether one of `patterns` means the person behind `arn`, or the role of its session.

    Whoever is no known person is meant only by a pattern that begins with what they are (`role/`, `federated-user`,
    `root` ...): `*` means every person, and nobody else.
    """
    names = {person(arn, trusted), role_of(arn)}
    known = is_known(arn, trusted)
    return any(
        matches(name, pattern) and (known or _kind(name) == _kind(pattern)) for pattern in patterns for name in names
    )


def _kind(arn: str) -> str:
    return arn.split(":", 5)[-1].partition("/")[0]


def matches(arn: str, pattern: str) -> bool:
    """Return whether `pattern` matches, part by part: no `*` matches a colon, except in the last part."""
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))
