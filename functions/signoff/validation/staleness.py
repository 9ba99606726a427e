"""Whether a package is still as its evidence says, which may be decided on or deployed only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.vault import Vault
from signoff.ledger.state import State
from signoff.validation.evidence import outdated


def changed_since_evidence(state: State, described: Mapping[str, Any], vault: Vault) -> list[str]:
    """Return the parts of the subject that `described` shows otherwise than the newest evidence; none without any."""
    if state.evidence is None:
        return []
    return outdated(vault.read("evidence", state.evidence["sha256"]), described)
