"""The ledger's tables in DynamoDB: the entries, and the packages table that indexes them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, ignoring
from signoff.aws.dynamodb import from_item, to_item
from signoff.aws.ledger_items import entry_item, entry_of, package_row_item, verbatim
from signoff.documents.timestamps import Clock
from signoff.errors import LedgerBroken, LedgerConflict
from signoff.ledger.checkpoints import day
from signoff.ledger.entries import Draft, Entry, Kind, Status, Step
from signoff.ledger.history import History, baseline_key

_ATTEMPTS = 16
# The longest pause in seconds after the first attempt, doubled after each other, and its limit: 18 in all.
_PAUSE, _LONGEST_PAUSE = 0.05, 1.6
_PAGE = 100  # rows that the sweep looks at together: as many packages as SageMaker describes with one call
_CONFLICTS = {"ConditionalCheckFailed", "TransactionConflict"}
Witness = Callable[[Sequence[Entry]], None]
_PACKAGE = {"#package": "package"}


def _start(after: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"ExclusiveStartKey": to_item(after)} if after else {}


def group_cursor(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a row, by which `LedgerTable.group_page` goes on after it."""
    return {name: row[name] for name in ("package", "group", "version")}


def _is_conflict(error: ClientError) -> bool:
    """Return whether a transaction failed because of another writer."""
    if error_code(error) == "TransactionConflictException":
        return True
    reasons = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ())} - {"None"}
    return error_code(error) == "TransactionCanceledException" and (not reasons or bool(reasons & _CONFLICTS))


class LedgerTable:
    """The ledger, which is append-only, and the packages table, which is updated in the same transaction."""

    def __init__(
        self,
        dynamodb: Any,
        ledger: str,
        packages: str,
        now: Clock,
        pause: Callable[[float], None] = time.sleep,
        witness: Witness | None = None,
    ) -> None:
        """Take a boto3 client, the names of both tables, the clock, and the function that sleeps.

        `witness` sees entries before they are appended.
        """
        self._pause = pause
        self._witness = witness
        self._dynamodb = dynamodb
        self._ledger = ledger
        self._packages = packages
        self._now = now

    @property
    def today(self) -> str:
        """The present day in UTC, such as `2026-03-02`."""
        return day(self._now())

    def history(self, package: str) -> History:
        """Return all entries of `package` (a ledger's key), read consistently.

        Raises `LedgerBroken` when there is anything else among them.
        """
        entries: list[Entry] = []
        for item in self._items(package):
            try:
                entries.append(entry_of(item))
            except LedgerBroken as broken:
                raise LedgerBroken(f"item {len(entries) + 1} of {package} {broken}") from None
        return History(package, tuple(entries))

    def verbatim(self, package: str) -> tuple[History, str | None]:
        """Return the entries of `package` up to the first invalid one, and what is wrong with that, if there is one."""
        entries, fault = verbatim(self._items(package))
        return History(package, entries), fault

    def _items(self, package: str) -> Iterator[dict[str, Any]]:
        return self._paged(
            "query",
            TableName=self._ledger,
            KeyConditionExpression="package = :package",
            ExpressionAttributeValues=to_item({":package": package}),
            ConsistentRead=True,
        )

    def _paged(self, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
        for page in self._dynamodb.get_paginator(operation).paginate(**asked):
            yield from page["Items"]

    def append(self, history: History, drafts: Sequence[Draft]) -> History:
        """Append `drafts` to `history`, all or none, and return the longer history.

        Raises `LedgerConflict` when another writer appended first.
        """
        if not drafts:
            return history
        longer = history.extended(drafts, self._now())
        added = longer.entries[len(history.entries) :]
        if self._witness:
            self._witness(added)
        writes = [self._put_entry(entry) for entry in added]
        writes.append({"Put": {"TableName": self._packages, "Item": package_row_item(longer)}})
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not _is_conflict(error):
                raise
            raise LedgerConflict(f"another writer appended to {history.package} first") from error
        return longer

    def _put_entry(self, entry: Entry) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._ledger,
                "Item": entry_item(entry),
                "ConditionExpression": "attribute_not_exists(package)",
            }
        }

    def update(
        self, package: str, decide: Callable[[History], Sequence[Draft]], known: History | None = None
    ) -> History:
        """Append what `decide` returns for the history, calling it again on the newer history after a conflict.

        `known` is a history that the caller has just read or written: it is read again only after a conflict. Raises
        `LedgerConflict` when all attempts conflict.
        """
        for attempt in range(_ATTEMPTS - 1):
            history = known or self.history(package)
            try:
                drafts = decide(history)
                return self.append(history, drafts) if drafts else history
            except LedgerConflict:
                known = None
                # With jitter, concurrent writers do not collide again and again.
                # https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
                self._pause(random.uniform(0, min(_PAUSE * 2**attempt, _LONGEST_PAUSE)))  # noqa: S311 - nothing secret
        history = self.history(package)
        drafts = decide(history)
        return self.append(history, drafts) if drafts else history

    def rows_by_step(self, step: Step) -> Iterator[dict[str, Any]]:
        """Yield the rows of the packages that wait for `step`, the longest waiting first."""
        return self._rows("by-next", "next", str(step))

    def rows_by_status(
        self, status: Status, *, since: str | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of the packages with `status`, the oldest first; only those that have had it `since` or later.

        Here and below a request reads `page` rows, or as many as DynamoDB returns at once: for who needs the first few.
        """
        beyond = ("since", ">=", since) if since else None
        return self._rows("by-status", "status", str(status), beyond, newest_first, page)

    def rows_by_group(
        self, group: str, *, version: int | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of a group's packages by version, or of one `version`: a group made anew has it again."""
        beyond = ("version", "=", version) if version is not None else None
        return self._rows("by-group", "group", group, beyond, newest_first, page)

    def rows_deployed(self, group: str, *, page: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of a group's approved packages that have models, the one approved last first.

        Before all others come those that no champion has superseded: the champion, and who has become it just now.
        """
        return self._rows("by-deployed", "deployed", group, None, True, page)

    def rows_of_open_rollbacks(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the packages to which a rollback waits for votes, in no order."""
        return map(from_item, self._paged("scan", TableName=self._packages, IndexName="by-rollback"))

    def keys_by_kind(self, kind: Kind, since: str = "0", until: str = "9999") -> Iterator[str]:
        """Yield the key of the ledger of each entry of that `kind` by time, from `since` on and before `until`."""
        items = self._paged(
            "query",
            TableName=self._ledger,
            IndexName="by-kind",
            KeyConditionExpression="#kind = :kind AND #time BETWEEN :since AND :until",
            ExpressionAttributeNames={"#kind": "kind", "#time": "time"},
            ExpressionAttributeValues=to_item({":kind": str(kind), ":since": since, ":until": until}),
        )
        found = map(from_item, items)
        return (item["package"] for item in found if item["time"] < until)

    def rows_by_arn(self, arn: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of the packages that ever had this ARN, the oldest first."""
        return self._rows("by-arn", "arn", arn)

    def rows_due(self, status: Status, now: str, most: int) -> list[dict[str, Any]]:
        """Return the rows with `status` that are to be looked at by `now`, the first `most` of them by that time."""
        asked = {
            "TableName": self._packages,
            "IndexName": "by-due",
            "KeyConditionExpression": "#status = :status AND #due <= :now",
            "ExpressionAttributeNames": {"#status": "status", "#due": "due"},
            "ExpressionAttributeValues": to_item({":status": str(status), ":now": now}),
            "Limit": most,
        }
        return [from_item(item) for item in self._dynamodb.query(**asked)["Items"]]

    def postpone(self, row: Mapping[str, Any], due: str | None) -> None:
        """Note when a package is to be looked at next, None for when there is more in its ledger; nothing if there is.

        The index of deadlines is the sweep's own: the row is computed from the ledger but for this.
        """
        self._put_row(to_item({**row, "due": due}))

    def reindex(self, package: str) -> None:
        """Write the row of a ledger anew, as it is written with each entry: an older version wrote it otherwise."""
        self._put_row(package_row_item(self.history(package).verified()))

    def _put_row(self, item: Mapping[str, Any]) -> None:
        with ignoring({"ConditionalCheckFailedException"}):
            self._dynamodb.put_item(
                TableName=self._packages,
                Item=item,
                ConditionExpression="#hash = :hash",
                ExpressionAttributeNames={"#hash": "hash"},
                ExpressionAttributeValues={":hash": item["hash"]},
            )

    def group_page(self, after: Mapping[str, Any] | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Return up to 100 rows of packages, those of a group one after the other, and where the next page begins.

        It begins after the row that has the keys `after` (`group_cursor`), which need not exist any more.
        """
        return self._page(IndexName="by-group", Limit=_PAGE, **_start(after))

    def baseline_page(self, after: Mapping[str, Any] | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Return the rows of the ledgers of baselines in one page of the whole table, and where the next begins."""
        only = {"FilterExpression": "begins_with(#package, :baseline)", "ExpressionAttributeNames": _PACKAGE}
        return self._page(**only, ExpressionAttributeValues=to_item({":baseline": baseline_key("")}), **_start(after))

    def _page(self, **asked: Any) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        answer = self._dynamodb.scan(TableName=self._packages, **asked)
        following = answer.get("LastEvaluatedKey")
        return list(map(from_item, answer["Items"])), from_item(following) if following else None

    def indexed_all(self, packages: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of the ledgers `packages` (100 at most) by key; one that was not answered is left out."""
        if not packages:
            return {}
        keys = [to_item({"package": package}) for package in dict.fromkeys(packages)]
        answer = self._dynamodb.batch_get_item(RequestItems={self._packages: {"Keys": keys, "ConsistentRead": True}})
        return {row["package"]: row for row in map(from_item, answer["Responses"].get(self._packages, ()))}

    def chain_heads(self) -> Iterator[tuple[str, int, str]]:
        """Yield key, sequence and hash of every ledger's head, in no order."""
        items = self._paged(
            "scan",
            TableName=self._packages,
            ProjectionExpression="#package, #sequence, #hash",
            ExpressionAttributeNames={f"#{name}": name for name in ("package", "sequence", "hash")},
            ConsistentRead=True,
        )
        for item in map(from_item, items):
            yield item["package"], item["sequence"], item["hash"]

    def indexed(self, package: str) -> dict[str, Any] | None:
        """Return the row of the ledger `package`, read consistently, or None when there is none."""
        key = to_item({"package": package})
        answer = self._dynamodb.get_item(TableName=self._packages, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of all packages, in no order."""
        return (from_item(item) for item in self._paged("scan", TableName=self._packages) if "arn" in item)

    def _rows(
        self,
        index: str,
        key: str,
        value: str,
        beyond: tuple[str, str, Any] | None = None,
        newest_first: bool = False,
        page: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of an index by a `value` of its `key`, and by its sort key if it is to be `beyond` a bound."""
        name, comparison, bound = beyond or ("", "", None)
        items = self._paged(
            "query",
            TableName=self._packages,
            IndexName=index,
            KeyConditionExpression=f"#key = :key AND #sort {comparison} :bound" if beyond else "#key = :key",
            ExpressionAttributeNames={"#key": key, **({"#sort": name} if beyond else {})},
            ExpressionAttributeValues=to_item({":key": value, ":bound": bound}),
            ScanIndexForward=not newest_first,
            **({"PaginationConfig": {"PageSize": page}} if page else {}),
        )
        return map(from_item, items)
