"""Answering what is sent over the bus: each event once, and refusals where their sender finds them."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import Any

from signoff import decisions
from signoff.decisions import Refused
from signoff.errors import UnknownPackage
from signoff.governance import Candidate, Governance
from signoff.ledger import Draft, History, Kind, unknown_key
from signoff.tables import LedgerTable

_SHOWN = 1000  # characters of what makes no sense that an entry repeats
_CROWD = 200  # refusals of nobody known that a ledger takes until something else happens


def candidate_of(governance: Governance, package: str) -> Candidate | Refused:
    """Return the governed package that an event names by its ARN, or why there is none to say anything of."""
    try:
        candidate = governance.candidate(package)
    except UnknownPackage as unknown:
        return Refused("UnknownPackage", str(unknown))
    if candidate is None:
        return Refused("UngovernedPackage", f"{package} belongs to a group that Signoff does not govern")
    return candidate


def seen(history: History, event: str | None, statement: str | None = None) -> bool:
    """Return whether the ledger answers already, even if it would answer otherwise now.

    The `event` (its id), or the `statement` (the id of what was signed), whatever event brings that.
    """
    answers = [entry.details for entry in history.entries]
    by_event = event is not None and any(details.get("event") == event for details in answers)
    return by_event or (statement is not None and any(details.get("id") == statement for details in answers))


def answering(event: str | None, draft: Draft) -> Draft:
    """Return `draft` as the answer to `event`."""
    return replace(draft, details={**draft.details, "event": event}) if event else draft


def refused_already(history: History, refusal: Draft) -> bool:
    """Return whether the newest entries, since anything else happened, refuse the very same."""
    for entry in reversed(history.entries):
        if entry.kind is not Kind.DECISION_REFUSED:
            return False
        if entry.actor == refusal.actor and entry.details.items() >= refusal.details.items():
            return True
    return False


def refusing(history: History, refusal: Draft, event: str | None = None) -> list[Draft]:
    """Return the entry about a refusal, unless the ledger says the very same already.

    Nor does it take any number of those whose sender nobody knows: whoever may put events on the bus could make every
    later look at the package slow. They are logged and counted all the same.
    """
    flooded = refusal.actor == decisions.UNKNOWN and _nobodys(history) >= _CROWD
    return [] if flooded or refused_already(history, refusal) else [answering(event, refusal)]


def _nobodys(history: History) -> int:
    """Return how many of the newest entries, since anything else happened, refuse what nobody has proven."""
    newest = takewhile(lambda entry: entry.kind is Kind.DECISION_REFUSED, reversed(history.entries))
    return sum(entry.actor == decisions.UNKNOWN for entry in newest)


def refuse_malformed(ledger: LedgerTable, detail: Any, because: str, *, by: str, name: str, decision: str = "") -> None:
    """Record that an event made no sense, in the ledger of the package that it names; `by` is its field of who sent it.

    It is nobody's, for nothing proves who sent it. `decision` is what it asked for where that is not in its field of
    that name.
    """
    said = detail if isinstance(detail, dict) else {}
    given = {field: decisions.storable(str(said.get(field, "")))[:_SHOWN] for field in ("package", by, "decision")}
    details = {
        "decision": decision or given["decision"],
        "refusal": name,
        "because": decisions.storable(because)[:_SHOWN],
    }
    claimed = {"claimed": given[by]} if given[by] else {}
    draft = Draft(Kind.DECISION_REFUSED, decisions.UNKNOWN, {**details, **claimed})
    ledger.update(unknown_key(given["package"]), lambda history: refusing(history, draft))
