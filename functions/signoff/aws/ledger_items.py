"""What the ledger's tables hold: the item of each entry, and the row that indexes a ledger, as pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from signoff.aws.dynamodb import from_item, to_item
from signoff.documents.canonical_json import canonical
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Entry, Kind, Status, package_of
from signoff.ledger.history import History
from signoff.ledger.state import State

_NO_PROGRESS = {
    *(Kind.DECISION_REFUSED, Kind.STATEMENT_REPEATED, Kind.ANNOTATED, Kind.VOTED),
    *(Kind.REMINDED, Kind.SUPERSEDED, Kind.REINSTATED, Kind.IMAGE_FINDINGS_CHANGED),
}
# Statuses that policies end, or remind of, when their time has come.
DATED = (Status.PENDING_APPROVAL, Status.APPROVED)
_UNSOUND = 100  # findings in a row, which only tells that something may be due


def entry_item(entry: Entry) -> dict[str, Any]:
    """Return the item of `entry`. Details are stored as the canonical JSON that was hashed."""
    return to_item({**entry.content, "details": canonical(entry.details).decode(), "hash": entry.hash})


def entry_of(item: Mapping[str, Any]) -> Entry:
    """Return the entry of an item written by `entry_item`. Raises `LedgerBroken` for whatever else is in the table."""
    try:
        values = {"group": None, "version": None, **from_item(item)}
        values["details"] = json.loads(values["details"])
        values["kind"] = Kind(values["kind"])
        entry = Entry(**values)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise LedgerBroken(f"is not an entry: {error!r}") from None
    if not _is_shaped(entry):
        raise LedgerBroken("is not an entry: a value in it has another type")
    return entry


def verbatim(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[Entry, ...], str | None]:
    """Return the entries in `items` up to the first invalid one, and what is wrong with that.

    An item has to be exactly what `entry_item` writes: anything else was written by others.
    """
    entries: list[Entry] = []
    for position, item in enumerate(items, start=1):
        try:
            entry = entry_of(item)
            same = entry_item(entry) == item
        except LedgerBroken as broken:
            return tuple(entries), f"item {position} {broken}"
        except (ValueError, RecursionError) as error:  # of what JSON does not have, and the ledger cannot
            return tuple(entries), f"item {position} is not an entry: {error!r}"
        if not same:
            return tuple(entries), f"item {position} is not written as Signoff writes entries"
        entries.append(entry)
    return tuple(entries), None


def _is_shaped(entry: Entry) -> bool:
    texts = (entry.package, entry.time, entry.actor, entry.previous, entry.hash, entry.group or "")
    numbers = (entry.sequence, entry.version or 0)
    right = all(type(each) is str for each in texts) and all(type(each) is int for each in numbers)
    return right and type(entry.details) is dict


def package_row_item(history: History) -> dict[str, Any]:
    """Return the item that indexes a ledger: its package's status, and since when."""
    state, last = history.state, history.entries[-1]
    arn, created = package_of(history.package)
    return to_item(
        {
            "package": history.package,
            "arn": arn,
            "created": created,
            "group": state.group,
            "deployed": state.group if _is_deployed(state) else None,
            "rank": _rank(state) if _is_deployed(state) else None,
            "version": state.version,
            "status": str(state.status) if state.status else None,
            "registered": state.registered,
            "submitter": state.submitter,
            "changed_by": list(state.changers) or None,
            "metadata": state.metadata or None,
            "verdict": state.evidence and state.evidence["verdict"],
            "specification": state.evidence and state.evidence.get("specification"),
            "content": state.evidence and state.evidence.get("content"),
            "registry_status": state.registry_status,
            "next": str(state.next_step) if state.next_step else None,
            "since": _since(history),
            "next_attempt": state.next_attempt,
            "due": _due(state, last),
            "asked": state.asked,
            "reminded": list(state.reminded) or None,
            "votes": list(state.votes) or None,
            "rollback": state.rollback,
            "enforced": None if state.enforced else False,
            "superseded_by": state.superseded_by,
            "superseded": state.superseded or None,
            "unsound": list(state.unsound[:_UNSOUND]) or None,
            "decided": state.decision["time"] if state.decision else None,
            "model": state.model["arn"] if state.model else None,
            "elsewhere": _target_models(state) or None,
            "sequence": last.sequence,
            "hash": last.hash,
        }
    )


def _is_deployed(state: State) -> bool:
    return state.status is Status.APPROVED and state.model is not None and state.decision is not None


def _rank(state: State) -> str:
    """Return what sorts a group's deployed packages: whether anybody superseded them, and when they were approved."""
    free, decided = int(not state.superseded), (state.decision or {})["time"]
    return f"{free} {decided} {state.version or 0:010}"


def _target_models(state: State) -> dict[str, str]:
    """Return the ARN of the model in each target that has one, by place."""
    return {place: target.model["arn"] for place, target in state.targets.items() if target.model}


def package_row(history: History) -> dict[str, Any]:
    """Return the plain values of the row for a ledger with entries."""
    return from_item(package_row_item(history))


def _since(history: History) -> str:
    """Return since when the package has its status: entries that change nothing must not delay its next step."""
    times = (entry.time for entry in reversed(history.entries) if entry.kind not in _NO_PROGRESS)
    return next(times, history.entries[-1].time)


def _due(state: State, last: Entry) -> str | None:
    """Return when the sweep is to look at a package: at its next attempt, or after each entry, for what policies say.

    What becomes due later is put there by `postpone`.
    """
    if state.status is Status.VALIDATION_ERRORED:
        return state.next_attempt
    return last.time if state.status in DATED else None
