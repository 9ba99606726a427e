"""Verifying a ledger against everything that a forger would have to change too: pure functions.

Everything is compared with everything: the chain with itself, with the heads that stand beside the package and in the
vault, with the index, with the evidence and the policies that it names, and with what SageMaker and the vault show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.errors import LedgerBroken
from signoff.ledger.state import State
from signoff_cli.audit import decisions, evidence, registry
from signoff_cli.audit.facts import AuditedLedger, Discrepancy, states

# When the sweep looks at a package next, which it keeps in the index and nowhere else.
_DUE = "due"
# What a fold of details that nobody wrote so, or a comparison with a document that is none, may come to.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, LedgerBroken)


def findings(audited: AuditedLedger) -> list[Discrepancy]:
    """Return all that does not fit, each with the first entry that does not.

    What a broken chain says proves nothing, so that only heads and index are compared with it.
    """
    found = [*_chain(audited), *_heads(audited)]
    if not any(each.name in {"ChainBroken", "LedgerMissing"} for each in found):
        found += _contents(audited)
    return found + list(_index(audited))


def _chain(audited: AuditedLedger) -> Iterator[Discrepancy]:
    position = audited.history.broken_at
    if position is not None:
        because = f"entry {position} does not follow from the one before it: it was changed, or one before was removed"
        yield audited.finding("ChainBroken", because, position)
    elif audited.fault:
        yield audited.finding("ChainBroken", audited.fault, len(audited.entries) + 1)


def _heads(audited: AuditedLedger) -> Iterator[Discrepancy]:
    """Yield the first head that the chain does not hold: nothing after it can fit either."""
    length = len(audited.entries)
    for named in sorted(audited.heads, key=lambda named: (named.head.sequence, named.where)):
        sequence = named.head.sequence
        if not audited.entries:
            because = f"{named.where} names its entry {sequence}, and there is no entry at all"
            yield audited.finding("LedgerMissing", because, 1)
            return
        if sequence > length:
            because = f"{named.where} names entry {sequence}, and the ledger ends with entry {length}"
            yield audited.finding("EntriesMissing", because, length + 1)
            return
        if audited.entries[sequence - 1].hash != named.head.hash:
            because = f"{named.where} names another entry {sequence}: this one, or one before it, was rewritten"
            yield audited.finding("ChainRewritten", because, sequence)
            return


def _index(audited: AuditedLedger) -> Iterator[Discrepancy]:
    if audited.row is not None and not audited.entries and not audited.heads:
        yield audited.finding("LedgerMissing", f"the index says that it has {audited.row.get('sequence')} entries", 1)
    if audited.described is not None and audited.row is None and not audited.entries and not audited.heads:
        yield audited.finding("LedgerMissing", "SageMaker has the package, and there is no entry at all", 1)
    if audited.expected is None:
        return
    if audited.row is None:
        yield audited.finding("IndexMissing", "the index has no row of this ledger")
        return
    row, expected = audited.row, audited.expected
    different = sorted(name for name in {*row, *expected} - {_DUE} if _written(row, name) != _written(expected, name))
    if different:
        yield audited.finding("IndexDiffers", f"the index says otherwise than the ledger: {', '.join(different)}")


def _written(row: Mapping[str, Any], name: str) -> str | None:
    """Return a value of the index as JSON, which tells 1 from true; None where there is none."""
    return json.dumps(row[name], sort_keys=True, default=repr) if name in row else None


def _contents(audited: AuditedLedger) -> list[Discrepancy]:
    """Return what does not fit of what the entries say, as far as they can be understood."""
    before: list[State] = []
    try:
        before.extend(states(audited.history))
    except _MALFORMED as error:
        position = max(len(before), 1)
        return [audited.finding("EntryMalformed", f"entry {position} says nothing that can be: {error!r}", position)]
    found: list[Discrepancy] = []
    for check in (evidence.findings, decisions.findings, registry.findings):
        try:
            found.extend(check(audited, before))
        except _MALFORMED as error:
            found.append(audited.finding("EntryMalformed", f"what it says could not be compared: {error!r}"))
    return found
