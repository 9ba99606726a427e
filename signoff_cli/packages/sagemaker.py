"""What SageMaker itself says of a package and its model, beside what the ledger says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message
from signoff.documents import timestamps
from signoff.errors import UnknownPackage

_NOT_PERMITTED = {"AccessDenied", "AccessDeniedException"}


class SageMakerDescriptions(Protocol):
    """What is asked of SageMaker (`signoff.aws.sagemaker.Registry`)."""

    def describe(self, arn: str) -> dict[str, Any]: ...  # noqa: D102
    def describe_model(self, name: str) -> dict[str, Any] | None: ...  # noqa: D102


def with_sagemaker(document: Mapping[str, Any], registry: SageMakerDescriptions) -> tuple[dict[str, Any], list[str]]:
    """Return `document`, of `packages.document`, with SageMaker's own descriptions, and what could not be had and why.

    `registry` becomes DescribeModelPackage's whole answer, and `model.described` DescribeModel's; each is None where
    SageMaker has none, or does not permit this caller to read it.
    """
    notes: list[str] = []
    model = document["model"]
    described = _asked(lambda: registry.describe(document["package"]), notes)
    if model:
        model = {**model, "described": _asked(lambda: registry.describe_model(model["name"]), notes)}
    return {**document, "model": model, "registry": described}, notes


def _asked(ask: Callable[[], Any], notes: list[str]) -> Any:
    try:
        answer = ask()
    except UnknownPackage as unknown:
        notes.append(f"SageMaker has no such package any more: {unknown}")
    except ClientError as error:
        if error_code(error) not in _NOT_PERMITTED:
            raise
        notes.append(f"SageMaker's own description is left out: {error_message(error)}")
    else:
        return to_json_data(answer)
    return None


def to_json_data(value: Any) -> Any:
    """Return an answer of AWS as JSON-ready data: times as text, without what is about the HTTP response."""
    if isinstance(value, datetime):
        return timestamps.text(value)
    if isinstance(value, Mapping):
        return {name: to_json_data(item) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [to_json_data(item) for item in value]
    return value
