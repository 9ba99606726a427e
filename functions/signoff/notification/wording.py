"""Texts about entries that notifications and the terminal share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The past participle of each decision.
DONE = {
    "approve": "approved",
    "reject": "rejected",
    "revoke": "revoked",
    "reopen": "re-opened",
    "rollback": "rolled back to",
}


def enforcement(details: Mapping[str, Any]) -> str:
    """Return the text about a policy whose enforcement changed."""
    return f"{'is enforced' if details.get('enforced') else 'only reports violations'} from now on"


def fault(found: Mapping[str, Any]) -> str:
    """Return the text of one fault of a refused submission."""
    return f"{found.get('path') or 'manifest'}: {found.get('message')}"
