"""Statements signed by users of the engine: with their own keys, for the engine's STS."""

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from local.engine import users
from signoff.runtime.clock import utc_now
from signoff_cli.statements.signature import sign_statement


def signed_by(
    user: str, statement: Mapping[str, Any], audience: str, url: str, account: str = users.ACCOUNT
) -> dict[str, Any]:
    """Return `statement`, meant for the bus whose ARN is `audience`, signed by a user of an account of the engine.

    `url` is the engine's endpoint for the reader.
    """
    keys = ReadOnlyCredentials(*users.keys(user, account), None)
    return sign_statement({"audience": audience, **statement}, keys, url, audience.split(":")[3], utc_now())


def submission(prefix: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the statement that the submission `prefix` (`group/submission`) consists of `files`, by name.

    It asks for the group to be created if it does not exist.
    """
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    return {"statement": "submission", "submission": prefix, "create_group": True, "objects": digests}
