"""What a package's ledger begins with, whichever event comes first, and that its policy began or ceased to hold."""

from __future__ import annotations

from signoff.aws.vault import Vault
from signoff.governance.candidates import Candidate
from signoff.governance.registrations import opening_entry
from signoff.ledger.entries import Draft, Kind


def first_entries(candidate: Candidate, vault: Vault) -> list[Draft]:
    """Return the entries that a package's ledger begins with: who submitted it, and whether its policy only reports."""
    first = opening_entry(candidate.described, vault)
    return [first, *enforcement_changed(True, candidate, vault)]


def enforcement_changed(before: bool, candidate: Candidate, vault: Vault) -> list[Draft]:
    """Return the entry about a policy that has begun, or ceased, to hold what it refuses; none if it is as `before`.

    The policy is in the vault before any entry names it.
    """
    enforced = candidate.policy.enforced
    if enforced == before:
        return []
    policy = vault.write("policies", candidate.policy.document)
    return [Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": enforced, "policy": policy.sha256})]
