"""The ledger: the append-only, hash-chained list of all that happened to a package.

Every entry's hash covers its content and the hash before it, so changed or removed entries are detected. Nothing else
holds a package's state: the status is a fold over these entries, and SageMaker's approval status its projection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import takewhile

from signoff.documents import timestamps
from signoff.documents.canonical_json import digest
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Draft, Entry, Kind
from signoff.ledger.state import State, fold

GENESIS = "0" * 64
NAMED = 500  # characters of the name of a package that nobody knows, which entries keep


def package_key(arn: str, created: datetime) -> str:
    """Return a ledger's key: the ARN and the creation time, as a group that is created again restarts at version 1."""
    return f"{arn}@{timestamps.text(created)}"


def submission_key(prefix: str) -> str:
    """Return the key of the ledger of a submission that has no package."""
    return f"submission:{prefix}"


def baseline_key(group: str) -> str:
    """Return the key of the ledger of the models that a group's stacks deployed with code review as their approval.

    It is in lower case: the group may not exist yet, and SageMaker ignores the case of names.
    """
    return f"baseline:{group.lower()}"


def unknown_key(day: str) -> str:
    """Return the key of the ledger of statements about packages that Signoff does not know, on a day (`2026-03-02`).

    It is one for all of them: whoever may send events can invent any number of packages.
    """
    return f"unknown:{day}"


@dataclass(frozen=True)
class History:
    """A ledger's key and entries, in order."""

    package: str
    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> str:
        """The hash that the next entry must follow."""
        return self.entries[-1].hash if self.entries else GENESIS

    @cached_property
    def state(self) -> State:
        """The state that results from the entries. Raises `LedgerBroken` when one lacks what its kind says."""
        try:
            return fold(self.entries)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LedgerBroken(f"an entry of {self.package} is not what its kind says: {error!r}") from error

    def last(self, kind: Kind) -> Entry | None:
        """Return the newest entry of that kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)

    def newest(self, kind: Kind) -> Iterator[Entry]:
        """Yield the newest entries as long as they are of that kind, the newest first."""
        return takewhile(lambda entry: entry.kind is kind, reversed(self.entries))

    def extended(self, drafts: Sequence[Draft], now: datetime) -> History:
        """Return this history with `drafts` appended, at the time `now`."""
        entries, state, folded = list(self.entries), State(), 0
        for draft in drafts:
            state, folded = fold(entries[folded:], state), len(entries)
            entries.append(_sealed(self.package, entries, state, draft, now))
        return History(self.package, tuple(entries))

    @property
    def broken_at(self) -> int | None:
        """The position, counted from 1, of the first entry that does not follow from the one before; None if all do."""
        previous = GENESIS
        for position, entry in enumerate(self.entries, start=1):
            fits = entry.sequence == position and entry.previous == previous and entry.hash == _hash(entry)
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


def intact(entry: Entry) -> Entry:
    """Return an entry whose hash is that of what it says. Raises `LedgerBroken` for any other."""
    if entry.hash != _hash(entry):
        raise LedgerBroken(f"entry {entry.sequence} of {entry.package} has the hash of another")
    return entry


def _hash(entry: Entry) -> str | None:
    """Return the hash that an entry should have; None where somebody wrote what JSON does not have."""
    try:
        return digest(entry.content)
    except (ValueError, RecursionError):
        return None


def _sealed(package: str, before: Sequence[Entry], state: State, draft: Draft, now: datetime) -> Entry:
    """Return the entry of a draft that follows the entries `before` it, whose `state` that is."""
    entry = Entry(
        package=package,
        sequence=len(before) + 1,
        time=timestamps.text(now),
        kind=draft.kind,
        actor=draft.actor,
        group=draft.details.get("group", state.group),
        version=draft.details.get("version", state.version),
        details=draft.details,
        previous=before[-1].hash if before else GENESIS,
        hash="",
    )
    return replace(entry, hash=digest(entry.content))
