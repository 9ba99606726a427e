"""The ledger: the append-only, hash-chained list of all that happened to a package.

Every entry's hash covers its content and the hash before it, so nobody changes or removes one unseen. Nothing else
keeps a package's state: the status is a fold over these entries, and SageMaker's approval status its projection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from signoff.documents import timestamps
from signoff.documents.canonical_json import digest
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Draft, Entry, Kind
from signoff.ledger.state import State, fold

GENESIS = "0" * 64
# Whoever can reach the bus names what they like; a partition key ends at 2,048 bytes, four to a character at most.
_UNKNOWN = 500


def package_key(arn: str, created: datetime) -> str:
    """Return a ledger's key: the ARN and the creation time, for a group made anew starts again at version 1."""
    return f"{arn}@{timestamps.text(created)}"


def submission_key(prefix: str) -> str:
    """Return the key of the ledger of a submission that has no package."""
    return f"submission:{prefix}"


def baseline_key(group: str) -> str:
    """Return the key of the ledger of the models that a group's stacks deployed with code review as their approval.

    It is in lower case: the group may not be there yet, and names that differ by case only are one group to SageMaker.
    """
    return f"baseline:{group.lower()}"


def unknown_key(arn: str) -> str:
    """Return the key of the ledger of what was said about a package that Signoff does not know."""
    return f"unknown:{arn[:_UNKNOWN]}"


@dataclass(frozen=True)
class History:
    """A ledger as it was read: its key and its entries in order."""

    package: str
    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> str:
        """The hash that the next entry must follow."""
        return self.entries[-1].hash if self.entries else GENESIS

    @property
    def state(self) -> State:
        """What the entries fold to."""
        return fold(self.entries)

    def last(self, kind: Kind) -> Entry | None:
        """Return the newest entry of that kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)

    def newest(self, kind: Kind) -> Iterator[Entry]:
        """Yield the entries of that kind since anything else happened, the newest first."""
        return takewhile(lambda entry: entry.kind is kind, reversed(self.entries))

    def extended(self, drafts: Sequence[Draft], now: datetime) -> History:
        """Return this history with `drafts` sealed behind its head, at the time `now`."""
        history = self
        for draft in drafts:
            history = replace(history, entries=(*history.entries, _sealed(history, draft, now)))
        return history

    @property
    def broken_at(self) -> int | None:
        """The position, counted from 1, of the first entry that does not follow from the one before; None if all do."""
        previous = GENESIS
        for position, entry in enumerate(self.entries, start=1):
            fits = entry.sequence == position and entry.previous == previous and entry.hash == digest(entry.content)
            if not fits or entry.package != self.package:
                return position
            previous = entry.hash
        return None

    def verified(self) -> History:
        """Return itself. Raises `LedgerBroken` naming the first entry that does not follow from the one before."""
        position = self.broken_at
        if position is not None:
            raise LedgerBroken(f"entry {position} of {self.package} does not follow from the one before it")
        return self


def _sealed(history: History, draft: Draft, now: datetime) -> Entry:
    state = history.state
    entry = Entry(
        package=history.package,
        sequence=len(history.entries) + 1,
        time=timestamps.text(now),
        kind=draft.kind,
        actor=draft.actor,
        group=draft.details.get("group", state.group),
        version=draft.details.get("version", state.version),
        details=draft.details,
        previous=history.head,
        hash="",
    )
    return replace(entry, hash=digest(entry.content))
