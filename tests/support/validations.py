"""Validations step by step, and what they come to."""

from typing import Any

from signoff.validation.open_validation import ValidationRequest
from tests.support.world import World


def claimed(world: World, arn: str, execution: str = "x1", **revalidate: str) -> dict[str, Any]:
    return world.opener.open(ValidationRequest(arn, execution, revalidate or None))


def evidence(world: World, arn: str) -> dict[str, Any]:
    return world.vault.read("evidence", world.state(arn).evidence["sha256"])


def checks(world: World, arn: str) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["reason"]) for check in evidence(world, arn)["checks"]}


def submitted(world: World, **files: Any) -> str:
    """Submit with some objects replaced and return the ARN; nothing is delivered yet."""
    for key, data in {**world.files("churn/run-7"), **{f"churn/run-7/{k}": v for k, v in files.items()}}.items():
        world.upload(key, data)
    return str(world.submissions.get("churn/run-7")["package"])
