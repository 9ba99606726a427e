"""The AWS clients, made when first asked for, each once in a function's life."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Short connects and standard retries: a Lambda that hangs in a dead connection costs more than one that tries again.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 5},
    user_agent_extra="signoff",
)


@cache
def client(service: str) -> Any:
    """Return the client of `service`, with region, credentials and endpoint from the environment as ever."""
    return boto3.client(service, config=_CONFIG)


def error_code(error: ClientError) -> str:
    """Return the code of what AWS answered, for example `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """Return AWS's own words about an error."""
    return str(error.response.get("Error", {}).get("Message", error))
