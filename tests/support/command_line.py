"""The command over adapters of an account in memory."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from signoff.aws.clients import client
from signoff_cli import main

OUTPUTS = {
    "ArtifactsBucket": "artifacts",
    "VaultBucket": "vault",
    "LedgerTable": "ledger",
    "PackagesTable": "packages",
    "BusName": "signoff",
    "ChampionPath": "/signoff/champions",
    "PolicyPath": "/signoff/policies",
    "BusArn": "arn:aws:events:eu-west-1:123456789012:event-bus/signoff",
}
STACKS = {"Signoff": OUTPUTS, "Other": {"Something": "else"}}


class CloudFormation:
    """What CloudFormation answers to DescribeStacks; the account in memory has everything else."""

    def answer(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        name = params["body"]["StackName"]
        if name not in STACKS:
            error = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in STACKS[name].items()]
        return SimpleNamespace(status_code=200), {"Stacks": [{"Outputs": outputs}]}


def create_table(name: str, keys: Sequence[str], *indexes: Sequence[str]) -> None:
    numbers = {"sequence", "version"}
    attributes = {attribute for used in (keys, *indexes) for attribute in used}
    more: dict[str, Any] = {}
    if indexes:
        projection = {"ProjectionType": "ALL"}
        more["GlobalSecondaryIndexes"] = [
            {"IndexName": f"by-{used[0]}", "KeySchema": schema(used), "Projection": projection} for used in indexes
        ]
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=schema(keys),
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "N" if attribute in numbers else "S"}
            for attribute in sorted(attributes)
        ],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def schema(keys: Sequence[str]) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run(arguments)
    return int(ended.value.code or 0)


def failure(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> str:
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert "something unexpected" not in printed.err
    return printed.err
