"""How long approved objects are kept, beyond the vault's short default retention."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.ledger.state import State
from signoff.model_package.data_sources import is_prefix


class Retention:
    """Extends the Object Lock of approved artifacts, their evidence and policies to `days` from now."""

    def __init__(self, vault: Vault, now: Clock, days: int) -> None:
        self._vault = vault
        self._now = now
        self._kept = timedelta(days=days)

    def extend(self, state: State) -> None:
        """Keep the artifacts, the evidence and the policies of an approved package; a longer retention stays.

        It may have been approved under another policy than it was validated under.
        """
        if state.evidence is None:
            return
        until = self._now() + self._kept
        sha256 = state.evidence["sha256"]
        document = self._vault.read("evidence", sha256)
        for artifact in document["artifacts"]:
            for key, version_id in self._versions(artifact):
                self._vault.retain(key, version_id, until)
        self._vault.retain(f"evidence/{sha256}.json", None, until)
        for policy in dict.fromkeys((document["policy"], (state.decision or {}).get("policy"))):
            if policy:
                self._vault.retain(f"policies/{policy}.json", None, until)

    def keep(self, key: str) -> None:
        """Keep the document at `key` as long; a longer retention stays."""
        self._vault.retain(key, None, self._now() + self._kept)

    def _versions(self, artifact: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the key and version of each object that an artifact, of the evidence, consists of."""
        if is_prefix(artifact["key"]):
            return [(each.key, each.version_id) for each in self._vault.under(artifact["key"])]
        return [(artifact["key"], artifact["version_id"])]
