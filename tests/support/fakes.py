"""The other adapters in memory, each with the interface of the one it stands in for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from signoff.aws.ledger_items import entry_item, package_row, package_row_item, verbatim
from signoff.aws.ledger_table import LedgerTable, Witness, group_cursor
from signoff.documents.timestamps import Clock
from signoff.errors import LedgerConflict, ObjectMissing, ScanMissing
from signoff.ledger.entries import Draft, Kind, Status, Step
from signoff.ledger.history import History, baseline_key
from signoff.model_package.image_scans import Scan
from signoff.model_package.images import in_region
from tests.support.size_limits import refuse_large_item

Answer = TypeVar("Answer")


class FakeLedger(LedgerTable):
    """The ledger and the index of its heads. Two writers at once are a history that is no longer the newest."""

    def __init__(self, now: Clock, beside: FakeLedger | None = None, witness: Witness | None = None) -> None:
        """Make an empty ledger, or another function's access to the same, `beside` that one's."""
        self._now = now
        self._witness = witness
        self.pauses: list[float] = beside.pauses if beside else []
        self._pause = self.pauses.append
        self.histories: dict[str, History] = beside.histories if beside else {}
        self._rows_made: dict[str, tuple[History | None, dict[str, Any]]] = {}
        self._postponed: dict[str, tuple[str, str | None]] = beside._postponed if beside else {}

    def history(self, package: str) -> History:
        return self.histories.get(package, History(package))

    def verbatim(self, package: str) -> tuple[History, str | None]:
        entries, fault = verbatim([entry_item(entry) for entry in self.history(package).entries])
        return History(package, entries), fault

    def append(self, history: History, drafts: Sequence[Draft]) -> History:
        if not drafts:
            return history
        if self.history(history.package).head != history.head:
            raise LedgerConflict(f"another writer appended to {history.package} first")
        longer = history.extended(drafts, self._now())
        added = longer.entries[len(history.entries) :]
        if self._witness:
            self._witness(added)
        for item in (*map(entry_item, added), package_row_item(longer)):
            refuse_large_item(item)
        self.histories[history.package] = longer
        return longer

    def rows_due(self, status: Status, now: str, most: int) -> list[dict[str, Any]]:
        rows = [row for row in self.rows() if row.get("status") == status and row.get("due", "~") <= now]
        return sorted(rows, key=lambda row: row["due"])[:most]

    def postpone(self, row: Mapping[str, Any], due: str | None) -> None:
        self._postponed[row["package"]] = (row["hash"], due)

    def reindex(self, package: str) -> None:
        self._postponed.pop(package, None)

    def group_page(self, after: Mapping[str, Any] | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        found = [row for row in self.rows() if row.get("group") and row.get("version")]
        rows = sorted(found, key=lambda row: (row["group"], row["version"], row["package"]))
        if after:
            start = (after["group"], after["version"], after["package"])
            rows = [row for row in rows if (row["group"], row["version"], row["package"]) > start]
        return rows[:100], group_cursor(rows[99]) if len(rows) > 100 else None

    def baseline_page(self, after: Mapping[str, Any] | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        keys = [key for key in self.histories if key.startswith(baseline_key(""))]
        return [package_row(self.histories[key]) for key in keys], None

    def indexed_all(self, packages: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {key: dict(self._row(self.histories[key])) for key in packages if key in self.histories}

    def rows_by_step(self, step: Step) -> Iterator[dict[str, Any]]:
        yield from sorted((row for row in self.rows() if row.get("next") == step), key=lambda row: row["since"])

    def rows_by_status(
        self, status: Status, *, since: str | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]:
        rows = [row for row in self.rows() if row.get("status") == status and row["since"] >= (since or "")]
        yield from sorted(rows, key=lambda row: row["since"], reverse=newest_first)

    def rows_by_group(
        self, group: str, *, version: int | None = None, newest_first: bool = False, page: int | None = None
    ) -> Iterator[dict[str, Any]]:
        rows = [row for row in self.rows() if row.get("group") == group and version in (None, row["version"])]
        yield from sorted(rows, key=lambda row: row["version"], reverse=newest_first)

    def rows_deployed(self, group: str, *, page: int | None = None) -> Iterator[dict[str, Any]]:
        rows = [row for row in self.rows() if row.get("deployed") == group]
        yield from sorted(rows, key=lambda row: row["rank"], reverse=True)

    def rows_of_open_rollbacks(self) -> Iterator[dict[str, Any]]:
        yield from (row for row in self.rows() if row.get("rollback"))

    def keys_by_kind(self, kind: Kind, since: str = "0", until: str = "9999") -> Iterator[str]:
        entries = (entry for history in self.histories.values() for entry in history.entries if entry.kind is kind)
        timely = (entry for entry in entries if since <= entry.time < until)
        yield from (entry.package for entry in sorted(timely, key=lambda entry: entry.time))

    def rows_by_arn(self, arn: str) -> Iterator[dict[str, Any]]:
        yield from sorted((row for row in self.rows() if row["arn"] == arn), key=lambda row: row["created"])

    def chain_heads(self) -> Iterator[tuple[str, int, str]]:
        for key, history in self.histories.items():
            yield key, len(history.entries), history.head

    def indexed(self, package: str) -> dict[str, Any] | None:
        history = self.histories.get(package)
        return package_row(history) if history else None

    def rows(self) -> Iterator[dict[str, Any]]:
        yield from [dict(row) for row in map(self._row, self.histories.values()) if "arn" in row]

    def _row(self, history: History) -> dict[str, Any]:
        """Return a history's row, which is made once, as the table's is."""
        made_of, row = self._rows_made.get(history.package, (None, {}))
        if made_of is not history:
            row = package_row(history)
            self._rows_made[history.package] = (history, row)
        head, due = self._postponed.get(history.package, ("", None))
        if head != row["hash"]:
            return row
        return {**{name: value for name, value in row.items() if name != "due"}, **({"due": due} if due else {})}


class FakeSubmissions:
    """The submissions table, with the conditions under which it is written."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, Any] = {}  # of the sweep's round

    def get(self, prefix: str) -> dict[str, Any] | None:
        return dict(self.rows[prefix]) if prefix in self.rows else None

    def get_all(self, prefixes: Sequence[str]) -> dict[str, dict[str, Any]]:
        assert len(prefixes) <= 100
        return {prefix: dict(self.rows[prefix]) for prefix in prefixes if prefix in self.rows}

    def open(self, since: str, now: str, most: int) -> list[dict[str, Any]]:
        found = [row for row in self.rows.values() if "open" in row and since <= row["due"] <= now]
        return [dict(row) for row in sorted(found, key=lambda row: row["due"])[:most]]

    def round(self) -> dict[str, Any]:
        return dict(self.kept)

    def keep_round(self, state: Mapping[str, Any], seen: str | None) -> bool:
        if self.kept.get("token") != seen:
            return False
        self.kept = {**json.loads(json.dumps(state)), "token": str(int(seen or "0") + 1)}
        return True

    def announce(self, prefix: str, signature: str, since: str) -> bool:
        if prefix in self.rows:
            return False
        self._put(prefix, state="waiting", missing=[signature], since=since, announced=True, open="open", due=since)
        return True

    def wait(self, prefix: str, missing: Sequence[str], since: str, *, announced: bool = False) -> dict[str, Any]:
        before = self.rows.get(prefix, {})
        if self._state(prefix) not in (None, "waiting", "refused"):
            return {}
        more = {"announced": True} if announced else {}
        self._put(prefix, state="waiting", missing=list(missing), since=since, open="open", due=since, **more)
        return before

    def claim(self, prefix: str, attempt: str, now: str, until: str) -> bool:
        state = self._state(prefix)
        if state == "registered" or (state == "registering" and self.rows[prefix]["until"] >= now):
            return False
        self._put(prefix, state="registering", attempt=attempt, since=now, until=until, open="open", due=until)
        return True

    def release(self, prefix: str, attempt: str, now: str) -> None:
        if self._state(prefix) == "registering" and self.rows[prefix]["attempt"] == attempt:
            self._put(prefix, state="registering", attempt=attempt, since=now, until="", open="open", due=now)

    def refuse(self, prefix: str, attempt: str, since: str, *, claimed: bool = False) -> bool:
        own = claimed and self._state(prefix) == "registering" and self.rows[prefix]["attempt"] == attempt
        free = own or self._state(prefix) in (None, "waiting", "refused")
        if free:
            self._put(prefix, state="refused", attempt=attempt, since=since)
        return free

    def close(self, prefix: str, attempt: str, package: str, now: str) -> None:
        if self._state(prefix) != "registered":
            self._put(prefix, state="registered", attempt=attempt, package=package, since=now)

    def expire_claims(self) -> None:
        """Let the claims of dead functions run out, as time would."""
        for row in self.rows.values():
            if row["state"] == "registering":
                row["until"], row["due"] = "", row["since"]

    def _state(self, prefix: str) -> str | None:
        return self.rows[prefix]["state"] if prefix in self.rows else None

    def _put(self, prefix: str, **values: Any) -> None:
        self.rows[prefix] = {"submission": prefix, **values}


class FakeParameters:
    """The part of the SSM client that `Policies` and `Champions` call; `writes` are the names written, in order."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self.values: dict[str, str] = {}
        self.written: dict[str, datetime] = {}
        self.writes: list[str] = []
        self.writers: dict[str, str] = {}

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 -- SSM's own spelling
        if Name not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": Name}}, "GetParameter")
        written = self.written.get(Name, self._now())
        return {"Parameter": {"Name": Name, "Value": self.values[Name], "LastModifiedDate": written}}

    def get_parameters(self, Names: Sequence[str]) -> dict[str, Any]:  # noqa: N803 -- SSM's own spelling
        assert 0 < len(Names) <= 10
        found = [{"Name": name, "Value": self.values[name]} for name in Names if name in self.values]
        return {"Parameters": found, "InvalidParameters": [name for name in Names if name not in self.values]}

    def get_paginator(self, operation: str) -> Any:
        pages = {"get_parameters_by_path": self._by_path, "get_parameter_history": self._history}
        return SimpleNamespace(paginate=pages[operation])

    def _by_path(self, Path: str, Recursive: bool = False) -> Iterator[dict[str, Any]]:  # noqa: N803 -- SSM's own spelling
        for name in [name for name in self.values if name.startswith(f"{Path}/")]:
            if Recursive or "/" not in name.removeprefix(f"{Path}/"):
                yield {"Parameters": [{"Name": name, "Value": self.values[name]}]}

    def _history(self, Name: str) -> Iterator[dict[str, Any]]:  # noqa: N803 -- SSM's own spelling
        yield {"Parameters": [{"Version": 1, "LastModifiedUser": self.writers.get(Name, "somebody")}]}

    def put_parameter(self, Name: str, Value: str, **_: Any) -> None:  # noqa: N803 -- SSM's own spelling
        self.values[Name], self.written[Name] = Value, self._now()
        self.writes.append(Name)

    def delete_parameter(self, Name: str) -> None:  # noqa: N803 -- SSM's own spelling
        if Name not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": Name}}, "DeleteParameter")
        del self.values[Name]
        self.writes.append(Name)


class FakeStacks:
    """CloudFormation's stacks; `resources` are the physical ids by stack and logical id."""

    def __init__(self, resources: Mapping[tuple[str, str], str]) -> None:
        self.resources = resources

    def resource(self, stack: str, logical_id: str) -> str | None:
        return self.resources.get((stack, logical_id))


class FakeImageResolver:
    """Images by tag; what has a digest is pinned already."""

    region = "us-east-1"

    def __init__(self, digests: Mapping[str, str]) -> None:
        self.digests = dict(digests)
        self.nowhere_else = False  # whether no image has been replicated to any other region

    def pinned(self, image: str) -> str:
        if "@sha256:" in image:
            return image
        if image not in self.digests:
            raise ObjectMissing(f"{image} is not in its repository: push it, or correct the tag")
        return f"{image.rpartition(':')[0]}@{self.digests[image]}"

    def replica(self, pinned: str, region: str) -> str:
        there = in_region(pinned, region)
        if self.nowhere_else:
            raise ObjectMissing(f"{there} is not in its repository")
        return there


class FakeImageScans:
    """Scans and signatures of pinned images. `results` are answered one after the other, the last again and again."""

    def __init__(self) -> None:
        self.results: dict[str, list[Scan | Exception]] = {}
        self.signed: dict[str, dict[str, str] | Exception] = {}

    def scan(self, image: str) -> Scan:
        results = self.results.get(image, [ScanMissing(f"{image} has not been scanned")])
        return _answer(results.pop(0) if len(results) > 1 else results[0])

    def signatures(self, image: str) -> dict[str, str]:
        return _answer(self.signed.get(image, {}))


def _answer(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    return answer


class FakeExecutions:
    """Step Functions: executions that were started and wait to be run, and how those that ran ended."""

    def __init__(self) -> None:
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.statuses: dict[str, str] = {}

    def start(self, arn: str, revalidate: dict[str, str] | None = None) -> str:
        execution = f"arn:aws:states:us-east-1:123456789012:execution:validation:{len(self.statuses) + 1}"
        self.statuses[execution] = "RUNNING"
        extra = {"revalidate": revalidate} if revalidate else {}
        self.started.append((execution, {"detail": {"ModelPackageArn": arn}, **extra}))
        return execution

    def status(self, execution: str) -> str:
        return self.statuses.get(execution, "GONE")


class FakeQueue:
    """An SQS queue; `messages` are the events on it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        self.messages.append({"source": "signoff.sweep", "detail-type": detail_type, "detail": dict(detail)})
