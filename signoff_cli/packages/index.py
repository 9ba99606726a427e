"""Many packages at once: the index of the ledger, joined with what SageMaker's batch call says of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.clients import error_message
from signoff.documents import timestamps
from signoff.governance.champions import ranked
from signoff.ledger.entries import Status
from signoff_cli.packages.lookup import Head, LedgerReader, heads_of_group, row, sort_key
from signoff_cli.packages.sagemaker import to_json_data

Row = dict[str, Any]
_WAITING = (Status.PENDING_APPROVAL, Status.APPROVED, Status.REVOKED)
_REPLACED = {
    "ErrorCode": "PackageDeleted",
    "ErrorResponse": "the package was deleted with its group; the group was created again, and another has its ARN",
}


class PackageSummaries(Protocol):
    """What is asked of SageMaker (`signoff.aws.sagemaker.Registry`)."""

    def batch(self, arns: Iterable[str]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, str]]]: ...  # noqa: D102


@dataclass(frozen=True)
class Filter:
    """Which packages a list is to hold; what is None or empty lets all through.

    `group` is in any case, `metadata` are `KEY` or `KEY=VALUE`, all of which are asked for. `submitter` is an ARN, a
    pattern of ARNs, or the end of one (`user/ann`); `since` is when they came to stand where they do, or later.
    """

    group: str | None = None
    status: Status | None = None
    metadata: Sequence[str] = ()
    submitter: str | None = None
    verdict: str | None = None
    since: str | None = None
    champion: bool = False

    def matches(self, row: Row) -> bool:
        """Return whether a row is one of those."""
        return (
            (self.status is None or row["status"] == self.status)
            and (self.group is None or str(row["group"]).casefold() == self.group.casefold())
            and (self.verdict is None or row["verdict"] == self.verdict)
            and (self.since is None or str(row["since"]) >= self.since)
            and (self.submitter is None or _is_by(row["submitter"], self.submitter))
            and (row["champion"] or not self.champion)
            and all(_says(row["metadata"], wanted) for wanted in self.metadata)
        )


def list_packages(ledger: LedgerReader, only: Filter) -> list[Row]:
    """Return one row for each package in the index that `only` takes, by group and version."""
    heads = heads_of_group(ledger, only.group) if only.group else _any(ledger, only.status)
    return sorted(_rows(heads, only), key=sort_key)


def list_pending(ledger: LedgerReader, only: Filter) -> list[Row]:
    """Return one row for each package that is waiting for a decision, the longest waiting first.

    Also of those to which a rollback waits for votes.
    """
    heads = chain.from_iterable(map(ledger.rows_by_status, _WAITING))
    waiting = (each for each in _rows(heads, only) if each["status"] == Status.PENDING_APPROVAL or each["rollback"])
    return sorted(waiting, key=lambda each: str(each["rollback"] or each["asked"] or each["since"]))


def with_sagemaker(rows: Sequence[Row], registry: PackageSummaries | None) -> tuple[list[Row], list[str]]:
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
        return unjoined, [f"SageMaker's own summaries are left out, only the ledger's index is shown: {why}"]
    return [{**each, **_joined(each, found, errors)} for each in rows], []


def _joined(each: Row, found: Mapping[str, Mapping[str, Any]], errors: Mapping[str, Mapping[str, str]]) -> Row:
    summary = found.get(each["package"])
    if each["status"] == Status.DELETED:
        return {"registry": None, "error": None}
    if summary is None:
        return {"registry": None, "error": dict(errors[each["package"]])}
    # The index has times to the millisecond, and SageMaker's lists sometimes to the second.
    if timestamps.text(summary["CreationTime"])[:19] != str(each["created"])[:19]:
        return {"registry": None, "error": _REPLACED}
    return {"registry": to_json_data(summary), "error": None}


def _any(ledger: LedgerReader, status: Status | None) -> Iterator[Head]:
    return ledger.rows_by_status(status) if status else ledger.rows()


def _rows(heads: Iterable[Head], only: Filter) -> Iterator[Row]:
    known = [head for head in heads if head.get("arn")]
    best = _champions(known)
    rows = ({**row(head), "champion": head["package"] in best} for head in known)
    return filter(only.matches, rows)


def _champions(heads: Sequence[Head]) -> set[str]:
    """Return the keys of the packages that are champions of their groups, by the index, which may be behind."""
    groups: dict[str, list[Head]] = {}
    for head in heads:
        groups.setdefault(str(head.get("group")), []).append(head)
    return {first.package for each in groups.values() for first in ranked(each)[:1]}


def _is_by(submitter: str | None, wanted: str) -> bool:
    return submitter is not None and (fnmatchcase(submitter, wanted) or submitter.endswith(f":{wanted}"))


def _says(metadata: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in metadata and (not equals or metadata[key] == value)
