"""Many packages at once: the index of the ledger, joined with what SageMaker's batch call says of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from cli.describing import plain
from cli.reading import Head, Ledger, by_package, of_group, row
from signoff import moments
from signoff.clients import error_message
from signoff.ledger import Status

Row = dict[str, Any]
_REPLACED = {
    "ErrorCode": "PackageDeleted",
    "ErrorResponse": "the package was deleted with its group; the group was made anew and another has its ARN",
}


class Registry(Protocol):
    """What is asked of SageMaker (`signoff.registry.Registry`)."""

    def batch(self, arns: Iterable[str]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, str]]]: ...  # noqa: D102


def indexed(ledger: Ledger, group: str | None, status: Status | None, metadata: Sequence[str]) -> list[Row]:
    """Return one row for each package in the index, by group and version.

    Only those of `group` (in any case), `status`, and with all of `metadata`, each `KEY` or `KEY=VALUE`, where given.
    """
    heads = of_group(ledger, group) if group else _any(ledger, status)
    return sorted(_rows(heads, status, metadata), key=by_package)


def awaiting(ledger: Ledger, group: str | None, metadata: Sequence[str]) -> list[Row]:
    """Return one row for each package that awaits a decision, the longest waiting first."""
    heads = ledger.heads_by_status(Status.PENDING_APPROVAL)
    wanted = group.casefold() if group else None
    ours = (head for head in heads if wanted is None or str(head.get("group")).casefold() == wanted)
    return sorted(_rows(ours, Status.PENDING_APPROVAL, metadata), key=lambda each: str(each["since"]))


def with_sagemaker(rows: Sequence[Row], registry: Registry | None) -> tuple[list[Row], list[str]]:
    """Return `rows` with what BatchDescribeModelPackage says of each, and notes of what could not be had.

    `registry` of a row is SageMaker's summary of the package, and `error` what it says instead, for example of one
    that was deleted since. Both are None of one that the ledger knows to be deleted, and of all without a `registry`.
    """
    if registry is None:
        return [{**each, "registry": None, "error": None} for each in rows], []
    asked = [each["package"] for each in rows if each["status"] != Status.DELETED]
    try:
        found, errors = registry.batch(asked)
    except (ClientError, BotoCoreError) as error:
        why = error_message(error) if isinstance(error, ClientError) else str(error)
        unjoined, _ = with_sagemaker(rows, None)
        return unjoined, [f"SageMaker's own summaries are left out, this is the ledger's index alone: {why}"]
    return [{**each, **_joined(each, found, errors)} for each in rows], []


def _joined(each: Row, found: Mapping[str, Mapping[str, Any]], errors: Mapping[str, Mapping[str, str]]) -> Row:
    summary = found.get(each["package"])
    if each["status"] == Status.DELETED:
        return {"registry": None, "error": None}
    if summary is None:
        return {"registry": None, "error": dict(errors[each["package"]])}
    # The index names moments to the millisecond, and SageMaker's lists sometimes to the second.
    if moments.text(summary["CreationTime"])[:19] != str(each["created"])[:19]:
        return {"registry": None, "error": _REPLACED}
    return {"registry": plain(summary), "error": None}


def _any(ledger: Ledger, status: Status | None) -> Iterator[Head]:
    return ledger.heads_by_status(status) if status else ledger.heads()


def _rows(heads: Iterable[Head], status: Status | None, metadata: Sequence[str]) -> Iterator[Row]:
    for head in heads:
        listed = head.get("arn") and (status is None or head.get("status") == status)
        if listed and all(_says(head.get("metadata") or {}, wanted) for wanted in metadata):
            yield row(head)


def _says(metadata: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in metadata and (not equals or metadata[key] == value)
