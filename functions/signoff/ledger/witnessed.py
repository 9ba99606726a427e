"""Which entries only the function that decides could have written.

Every function that appends to the ledger could append a decision. So the one that decides keeps each vote and decision
in the vault first, where no other function writes, under the hash by which the ledger chains it. An entry without that
document was made by somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.ledger.entries import Entry, Kind

DECISIONS = "decisions"
# Since when this version decides. Entries of before have no document.
SINCE = f"{DECISIONS}/since.json"
KINDS = frozenset({Kind.VOTED, Kind.DECISION_RECORDED})


def unwitnessed(entries: Sequence[Entry], since: str | None, kept: Callable[[Entry], bool]) -> list[Entry]:
    """Return the votes and decisions among `entries` that are not `kept`, though they are no older than `since`.

    Without `since` all of them should be. What follows an entry that is not older is not older either, whatever it
    says.
    """
    ages = [since is None or entry.time >= since for entry in entries]
    return [
        entry
        for position, entry in enumerate(entries)
        if entry.kind in KINDS and any(ages[: position + 1]) and not kept(entry)
    ]
