"""Requiring of an approval that the function which decides has kept every vote and decision in the vault."""

from __future__ import annotations

from signoff.aws.vault import Vault
from signoff.errors import ApprovalUnwitnessed
from signoff.ledger.entries import Kind
from signoff.ledger.history import History
from signoff.ledger.witnessed import DECISIONS, SINCE, unwitnessed


def require_kept_decisions(history: History, vault: Vault) -> None:
    """Raise `ApprovalUnwitnessed` when a vote or decision was not made by the function that decides.

    Only those on the newest evidence: no others count.
    """
    evidence = history.last(Kind.EVIDENCE_RECORDED)
    since = (vault.read_named(SINCE) or {}).get("since")
    found = unwitnessed(history.entries, since, lambda entry: vault.holds(DECISIONS, entry.hash))
    found = [entry for entry in found if evidence is None or entry.sequence > evidence.sequence]
    if found:
        listed = ", ".join(f"{entry.sequence} ({entry.kind})" for entry in found)
        raise ApprovalUnwitnessed(
            f"{history.package}: the vault has no document under {DECISIONS}/ of entries {listed}: "
            "whoever wrote them is not Signoff's ApplyDecision"
        )
