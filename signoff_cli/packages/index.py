"""Many packages at once: the index of the ledger, joined with what SageMaker's batch call says of each.

What is read follows what is shown: of a long list its first rows, from an index that has them in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from heapq import merge
from itertools import islice
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.clients import error_message
from signoff.aws.parallel import in_parallel
from signoff.documents import timestamps
from signoff.governance.champions import ranked
from signoff.ledger.entries import Status
from signoff_cli.packages.lookup import Head, LedgerReader, newest_deployed, recent, row
from signoff_cli.packages.sagemaker import to_json_data

Row = dict[str, Any]
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

    `metadata` are `KEY` or `KEY=VALUE`, all of which are asked for. `submitter` is an ARN, a
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
            and all(_says(row["metadata"], wanted) for wanted in self.metadata)
        )

    @property
    def searches(self) -> bool:
        """Whether no index has just those that are asked for, so that others are read and left out."""
        beside = self.group is not None and (self.status or self.since)
        return bool(beside or self.champion or self.metadata or self.submitter or self.verdict)


@dataclass(frozen=True)
class Listing:
    """The first rows of a list, and whether there are more."""

    rows: Sequence[Row]
    more: bool


def first(rows: Iterable[Row], limit: int | None) -> Listing:
    """Return the first `limit` of `rows`, or all without one; no more than one further row is read."""
    found = list(rows if limit is None else islice(rows, limit + 1))
    return Listing(found[:limit], limit is not None and len(found) > limit)


def list_packages(ledger: LedgerReader, only: Filter, limit: int | None = None) -> Listing:
    """Return one row for each package in the index that `only` takes, up to `limit`.

    Those of a group come by version, those of all groups by since when they have had their status; the newest first.
    """
    page = None if limit is None or only.searches else limit + 1
    rows = _rows(_heads(ledger, only, page), only)
    if only.champion:
        champions = ListedChampions(ledger)
        rows = (each for each in rows if champions.include(each))
    return first(rows, limit)


def _heads(ledger: LedgerReader, only: Filter, page: int | None) -> Iterator[Head]:
    if only.group:
        if only.champion:
            return iter(newest_deployed(ledger, only.group))
        return ledger.rows_by_group(only.group, newest_first=True, page=page)
    status = only.status or (Status.APPROVED if only.champion else None)
    if status:
        return ledger.rows_by_status(status, since=only.since, newest_first=True, page=page)
    return recent(ledger, only.since, page)


def list_pending(ledger: LedgerReader, only: Filter, page: int | None = None) -> Iterator[Row]:
    """Yield one row for each package that is waiting for a decision, the longest waiting first.

    Also of those to which a rollback waits for votes. With `page`, so many are read at a time.
    """
    rollbacks = (head for head in ledger.rows_of_open_rollbacks() if head.get("status") != Status.PENDING_APPROVAL)
    waiting = ledger.rows_by_status(Status.PENDING_APPROVAL, page=page)
    heads = merge(sorted(rollbacks, key=_waiting_since), waiting, key=_waiting_since)
    return _rows(heads, only)


def _waiting_since(head: Head) -> str:
    return str(head.get("rollback") or head["since"])


class ListedChampions:
    """Which packages of a list are champions by the index, which may be behind; each group is looked up once."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger
        self._known: dict[str, str | None] = {}

    def include(self, row: Row) -> bool:
        """Return whether the package of a `row` is the champion of its group."""
        if row["status"] != Status.APPROVED or not row["model"]:
            return False
        group = str(row["group"])
        if group not in self._known:
            self._known[group] = self._find(group)
        return self._known[group] == f"{row['package']}@{row['created']}"

    def marked(self, rows: Sequence[Row]) -> list[Row]:
        """Return `rows`, each with whether it is the `champion`; several groups are looked up at once."""
        groups = {str(each["group"]) for each in rows if each["status"] == Status.APPROVED} - self._known.keys()
        self._known |= zip(groups, in_parallel(self._find, groups), strict=True)
        return [{**each, "champion": self.include(each)} for each in rows]

    def _find(self, group: str) -> str | None:
        best = ranked(newest_deployed(self._ledger, group))
        return best[0].package if best else None


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


def _rows(heads: Iterable[Head], only: Filter) -> Iterator[Row]:
    return filter(only.matches, (row(head) for head in heads if head.get("arn")))


def _is_by(submitter: str | None, wanted: str) -> bool:
    return submitter is not None and (fnmatchcase(submitter, wanted) or submitter.endswith(f":{wanted}"))


def _says(metadata: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in metadata and (not equals or metadata[key] == value)
