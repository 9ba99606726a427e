"""Verifying the daily documents of heads against each other, and reading what they name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from signoff.ledger import checkpoints
from signoff.ledger.checkpoints import Head
from signoff_cli.audit.facts import Discrepancy, RecordedHead, parsed


@dataclass(frozen=True)
class CheckpointDocument:
    """A day's document as the vault has it: the bytes of what was written first, and what is wrong with the rest.

    `versions` is how often it was written, `deleted` whether it was marked as deleted, `locked` whether the first is
    under Object Lock.
    """

    key: str
    data: bytes
    versions: int = 1
    deleted: bool = False
    locked: bool = True

    @property
    def date(self) -> str:
        """The day, as the key says it."""
        return checkpoints.date_of(self.key) or ""

    @cached_property
    def document(self) -> dict[str, Any]:
        """What it says; nothing where that is no object."""
        document = parsed(self.data)
        return document if isinstance(document, dict) else {}

    @cached_property
    def heads(self) -> dict[str, Head] | None:
        """The head of each ledger on that day, or None when it is no document of heads."""
        try:
            return checkpoints.of_document(self.document)
        except ValueError:
            return None


@dataclass(frozen=True)
class CheckpointHistory:
    """The verified daily checkpoints: discrepancies, the heads they record, how many, and the days that have none.

    `named` are the heads of each ledger by its key, each by the first document that names it. On `missing_days` there
    is no document, and the next names the one before: nothing was removed, the sweep did not run.
    """

    findings: Sequence[Discrepancy]
    named: dict[str, list[RecordedHead]]
    days: int
    heads: int
    missing_days: Sequence[str]


def verify_days(
    days: Iterable[CheckpointDocument],
    today: str,
    *,
    whole: bool = True,
    due: bool = False,
    wanted: Callable[[str], bool] = lambda _: True,
) -> CheckpointHistory:
    """Return what `days`, in order, contain, with no more than one of them in memory.

    `whole` says that there are no earlier days. `due` says that there is something to keep the heads of since
    yesterday at least: then a document of yesterday or today has to be there. Of the heads
    those of ledgers are kept that are `wanted`.
    """
    found: list[Discrepancy] = []
    missing_days: list[str] = []
    named: dict[str, dict[Head, str]] = {}
    previous: tuple[str, str, str] | None = None  # key, day and digest
    count = stated = 0
    for day in days:
        found += [Discrepancy(day.key, name, because) for name, because in _faults(day)]
        found += _link(day, previous, whole)
        if previous and day.document.get("previous") == previous[2]:
            missing_days += gap(previous[1], day.date)
        for package, head in ((key, each) for key, each in (day.heads or {}).items() if wanted(key)):
            named.setdefault(package, {}).setdefault(head, day.key)
        count, stated = count + 1, stated + len(day.heads or {})
        previous = day.key, day.date, hashlib.sha256(day.data).hexdigest()
    if due and (previous is None or previous[1] < checkpoints.day_before(today)):
        newest = f"the newest is {previous[0]}" if previous else "there is none"
        because = f"no heads were kept since: {newest}. The sweep writes them once a day"
        found.append(Discrepancy(checkpoints.daily_key(today), "HeadsMissing", because))
    by_ledger = {
        package: [RecordedHead(head, where) for head, where in each.items()] for package, each in named.items()
    }
    return CheckpointHistory(found, by_ledger, count, stated, missing_days)


def _faults(day: CheckpointDocument) -> Iterator[tuple[str, str]]:
    if day.heads is None or day.document.get("date") != day.date:
        yield "HeadsChanged", "it does not hold the heads of its day"
    if day.versions > 1:
        yield "HeadsChanged", f"it was written {day.versions} times: somebody has put another document there"
    if day.deleted:
        yield "HeadsChanged", "it was marked as deleted"
    if not day.locked:
        yield "HeadsUnlocked", "it is not under Object Lock"


def _link(day: CheckpointDocument, previous: tuple[str, str, str] | None, whole: bool) -> Iterator[Discrepancy]:
    named = day.document.get("previous")
    if previous is None:
        if named is not None and whole:
            because = f"it follows a document of the digest {named}, which is not in the vault"
            yield Discrepancy(day.key, "HeadsMissing", because)
        return
    key, date, sha256 = previous
    if named != sha256:
        between = gap(date, day.date)
        removed = f", or one between them was removed ({', '.join(between)})" if between else ""
        because = f"{day.key} follows a document of the digest {named}: {key} was changed{removed}"
        yield Discrepancy(key, "HeadsChanged", because)


def gap(earlier: str, later: str) -> list[str]:
    """Return the days between two."""
    found, date = [], checkpoints.day_before(later)
    while date > earlier:
        found.append(date)
        date = checkpoints.day_before(date)
    return sorted(found)
