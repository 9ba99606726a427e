"""Requiring of an approval that the function which decides has kept every vote and decision in the vault."""

from __future__ import annotations

from collections.abc import Collection

from signoff.aws.vault import Vault
from signoff.errors import ApprovalUnwitnessed
from signoff.ledger.entries import Kind
from signoff.ledger.history import History
from signoff.ledger.witnessed import DECISIONS, KINDS, SINCE, unwitnessed


def require_kept_decisions(history: History, vault: Vault, known: Collection[str] = ()) -> None:
    """Raise `ApprovalUnwitnessed` when a vote or decision was not made by the function that decides.

    Only those on the newest evidence: no others count. `known` are the hashes of entries whose documents the caller has
    just written itself.
    """
    evidence = history.last(Kind.EVIDENCE_RECORDED)
    counting = history.entries[evidence.sequence :] if evidence else history.entries
    deciding = [entry for entry in counting if entry.kind in KINDS and entry.hash not in known]
    missing = [entry for entry in deciding if not vault.holds(DECISIONS, entry.hash)]
    if missing:
        since = (vault.read_named(SINCE) or {}).get("since")
        missing = unwitnessed(history.entries, since, lambda entry: entry not in missing)
    if missing:
        listed = ", ".join(f"{entry.sequence} ({entry.kind})" for entry in missing)
        raise ApprovalUnwitnessed(
            f"{history.package}: the vault has no document under {DECISIONS}/ of entries {listed}: "
            "whoever wrote them is not Signoff's ApplyDecision"
        )
