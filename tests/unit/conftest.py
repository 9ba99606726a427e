"""Unit tests reach neither the network nor an AWS account: no socket opens, and the machine's own settings are gone."""

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def no_account_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SIGNOFF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a maker of clients in an empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield lambda service: _conditional(boto3.client(service)) if service == "s3" else boto3.client(service)


def _conditional(s3: Any) -> Any:
    """Let `s3` refuse to copy over an object where IfNoneMatch forbids it, as S3 does and moto does not."""

    def refuse(params: Any, **_: Any) -> None:
        where = {"Bucket": params["Bucket"], "Prefix": params["Key"]}
        if params.get("IfNoneMatch") and s3.list_objects_v2(**where)["KeyCount"]:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "CopyObject")

    s3.meta.events.register("provide-client-params.s3.CopyObject", refuse)
    return s3
