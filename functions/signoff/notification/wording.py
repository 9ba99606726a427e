"""What notifications and the terminal say in the same words of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What was done by each decision, before the name of who did it.
DONE = {
    "approve": "approved",
    "reject": "rejected",
    "revoke": "revoked",
    "reopen": "re-opened",
    "rollback": "rolled back to",
}


def enforcement(details: Mapping[str, Any]) -> str:
    """Return what a policy does by the details of an entry about its enforcement."""
    return f"{'holds what it refuses' if details.get('enforced') else 'only reports what it would refuse'} from now on"


def fault(found: Mapping[str, Any]) -> str:
    """Return one of the faults for which a submission was refused, by the path in its manifest."""
    return f"{found.get('path') or 'manifest'}: {found.get('message')}"
