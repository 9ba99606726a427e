"""Clients for the engine in tests."""

from typing import Any

import boto3
from botocore.config import Config

from local.engine.process import Engine


def client(engine: Engine, service: str, user: str | None = None, *, strict: bool = True) -> Any:
    """A client of the engine as its administrator, or as one of its users.

    Like every client of a test run it sends nothing that AWS would not take, unless it is not to be strict.
    """
    settings = engine.environment(user)
    return boto3.client(
        service,
        endpoint_url=engine.url,
        region_name=engine.region,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=strict),
    )
