"""Dead letters: what each message is about, since when it waits, and the error as far as the message says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signoff.documents import timestamps


@dataclass(frozen=True)
class Letter:
    """A message of a dead-letter queue.

    `about` names the package, submission or range of the ledger's stream that it is about; `logged_as` is the id by
    which the function logged its failure, `error` what the service that set it aside says of it, if it says anything.
    """

    id: str
    receipt: str
    body: str
    since: str | None
    about: str
    logged_as: str
    error: str | None = None
    target: str | None = None


def letter_of(message: Mapping[str, Any]) -> Letter:
    """Return the letter that a message of ReceiveMessage is, whatever its body holds."""
    attributes = {name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()}
    document = _document(message["Body"])
    batch = document.get("DDBStreamBatchInfo") if document else None
    logged_as = batch.get("startSequenceNumber") if isinstance(batch, dict) else None
    return Letter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        since=_sent(message.get("Attributes", {})),
        about=about(document),
        logged_as=str(logged_as or message["MessageId"]),
        error=_rule_error(attributes) or _function_error(document),
        target=attributes.get("TARGET_ARN"),
    )


def about(document: Mapping[str, Any] | None) -> str:
    """Return what an event is about, in a few words."""
    if document is None:
        return "unreadable: no JSON object"
    batch = document.get("DDBStreamBatchInfo")
    if isinstance(batch, dict):
        first, last = (batch.get(f"approximateArrivalOf{which}Record", "?") for which in ("First", "Last"))
        return f"{batch.get('batchSize', '?')} ledger entries of {first} to {last}"
    detail = document.get("detail")
    if not isinstance(detail, dict):
        return str(document.get("detail-type") or "an event without detail")
    named = detail.get("ModelPackageArn") or detail.get("package") or _uploaded(detail)
    return f"{document.get('detail-type', 'an event')} of {named}" if named else str(document.get("detail-type"))


def _uploaded(detail: Mapping[str, Any]) -> str | None:
    found = detail.get("object")
    return str(found["key"]) if isinstance(found, dict) and found.get("key") else None


def _document(body: str) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _sent(attributes: Mapping[str, str]) -> str | None:
    try:
        return timestamps.text(datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC))
    except (KeyError, ValueError, OverflowError):
        return None


def _rule_error(attributes: Mapping[str, str | None]) -> str | None:
    """Return the error that EventBridge adds to what a rule could not deliver.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    code = attributes.get("ERROR_CODE")
    return f"{code}: {attributes.get('ERROR_MESSAGE') or 'no message'}" if code else None


def _function_error(document: Mapping[str, Any] | None) -> str | None:
    """Return why Lambda gave up a batch of a stream, as its record says.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    context = (document or {}).get("requestContext")
    if not isinstance(context, dict) or "condition" not in context:
        return None
    answered = (document or {}).get("responseContext")
    failed = answered.get("functionError") if isinstance(answered, dict) else None
    return f"{context['condition']}{f' ({failed})' if failed else ''}"
