"""Keeping in the vault what was decided: the answer of STS, and what came of it, where only ApplyDecision writes."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.approval.retention import Retention
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.timestamps import Clock
from signoff.ledger.entries import Entry
from signoff.ledger.witnessed import DECISIONS, KINDS, SINCE


class DecisionWitness:
    """Keeps votes and decisions before the ledger does; the rule for its readers is `signoff.ledger.witnessed`.

    `kept` are the hashes of the entries whose documents it wrote last, which nobody needs to read again.
    """

    def __init__(self, vault: Vault, retention: Retention, now: Clock) -> None:
        self._vault = vault
        self._retention = retention
        self._now = now
        self._begun = False
        self.kept: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Record that from now on decisions are kept, unless that is recorded already."""
        if not self._begun:
            self._vault.write_first(SINCE, {"since": timestamps.text(self._now())})
            self._begun = True

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep the votes and decisions among `entries`, which are about to be appended, as long as approved objects."""
        deciding = [entry for entry in entries if entry.kind in KINDS]
        self.kept = frozenset(
            entry.hash for entry in deciding if self._retention.keep(DECISIONS, entry.content, entry.time)
        )
