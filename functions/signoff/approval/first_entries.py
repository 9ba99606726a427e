"""The first entries of a package's ledger, whichever event comes first, and entries about changed enforcement."""

from __future__ import annotations

from signoff.aws.vault import Vault
from signoff.governance.candidates import Candidate
from signoff.governance.registrations import Registrations
from signoff.ledger.entries import Draft, Kind


def first_entries(candidate: Candidate, vault: Vault, registrations: Registrations) -> list[Draft]:
    """Return the first entries of a package's ledger: its registration, and whether its policy only reports."""
    first = registrations.opening_entry(candidate.described)
    return [first, *enforcement_changed(True, candidate, vault)]


def enforcement_changed(before: bool, candidate: Candidate, vault: Vault) -> list[Draft]:
    """Return the entry about a policy whose enforcement was switched on or off; none if it is as `before`.

    The policy is in the vault before any entry names it.
    """
    enforced = candidate.policy.enforced
    if enforced == before:
        return []
    policy = vault.write("policies", candidate.policy.document)
    return [Draft(Kind.ENFORCEMENT_CHANGED, "signoff", {"enforced": enforced, "policy": policy.sha256})]
