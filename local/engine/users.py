"""The engine's users: its administrator, and IAM users for the sides of an approval.

A user's keys follow from the user's name, so that a second process can speak to a running engine knowing
nothing but its port. They open nothing but an emulator that listens on loopback.
"""

import base64
import hashlib
from typing import NamedTuple

ACCOUNT = "123456789012"
REGION = "us-east-1"
USERS = ("submitter", "approver", "reviewer")
ADMINISTRATOR_SECRET = "test"  # noqa: S105 - what the emulator accepts from its administrator; it protects nothing


class AccessKeys(NamedTuple):
    """An access key id and its secret."""

    access_key_id: str
    secret_access_key: str


def keys(user: str | None = None, account: str = ACCOUNT) -> AccessKeys:
    """The keys of a user of the engine; None is the administrator, whose key id is the account's number."""
    if user is None:
        return AccessKeys(account, ADMINISTRATOR_SECRET)
    if user not in USERS:
        raise ValueError(f"The engine has no user {user!r}: choose one of {', '.join(USERS)}")
    digest = hashlib.sha256(f"{account}/{user}".encode()).digest()
    return AccessKeys("AKIA" + base64.b32encode(digest)[:16].decode(), digest.hex()[:40])


def environment(url: str, user: str | None = None, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
    """The AWS_* settings with which any AWS SDK, the AWS CLI, the CDK and `signoff` call the engine at `url`."""
    access_key_id, secret = keys(user, account)
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
