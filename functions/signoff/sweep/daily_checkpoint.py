"""The daily checkpoint: the heads of all ledgers in the vault, where writers of the table cannot change them."""

from __future__ import annotations

from datetime import timedelta

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.ledger.checkpoints import PREFIX, daily, daily_key, date_of, day


class DailyCheckpoint:
    """Writes the checkpoint of the day, locked in `mode` (`GOVERNANCE` or `COMPLIANCE`) for `days`."""

    def __init__(self, ledger: LedgerTable, vault: Vault, now: Clock, mode: str, days: int) -> None:
        self._ledger = ledger
        self._vault = vault
        self._now = now
        self._mode = mode
        self._kept = timedelta(days=days)

    def write_once(self) -> bool:
        """Write today's checkpoint, unless it exists. Returns whether it was written now.

        Of two concurrent writers the first wins: both have read valid heads.
        """
        now = self._now()
        key = daily_key(day(now))
        if self._vault.current(key) is not None:
            return False
        parts = daily(now, self._previous(day(now)), self._ledger.chain_heads())
        return self._vault.write_locked(key, parts, self._mode, now + self._kept)

    def _previous(self, today: str) -> str | None:
        """Return the SHA-256 of the newest checkpoint of an earlier day, if there is any."""
        earlier = [key for key in self._vault.keys(PREFIX) if (date_of(key) or today) < today]
        return self._vault.sha256_at(earlier[-1]) if earlier else None
