"""How long approved objects are kept, beyond the vault's short default retention; and that they never expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from signoff.approval.vault_reading import VaultReading
from signoff.aws.parallel import in_parallel
from signoff.aws.s3 import VersionRecord
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.timestamps import Clock
from signoff.ledger.state import State
from signoff.model_package.data_sources import is_prefix


class Retention:
    """Extends the Object Lock (`mode`) of approved artifacts, their evidence and policies to `days` from the decision.

    The time of the decision, and not the present, so that whoever tries again finds done what was done before.
    """

    def __init__(self, vault: Vault, now: Clock, days: int, mode: str) -> None:
        self._vault = vault
        self._now = now
        self._kept = timedelta(days=days)
        self._mode = mode

    def extend(self, state: State, reading: VaultReading) -> None:
        """Keep the artifacts, the evidence and the policies of an approved package; a longer retention stays.

        From then on the bucket's life cycle leaves them alone, and all else that was submitted with them.

        It may have been approved under another policy than it was validated under.
        """
        document = reading.evidence(state)
        if document is None or state.evidence is None or state.decision is None:
            return
        copies = [each for each in reading.copies(state) if not each.deletes]
        artifacts = [version for artifact in document["artifacts"] for version in _versions(artifact, copies)]
        again = state.decision["decision"] == "rollback"
        every = dict.fromkeys([*((each.key, each.version_id) for each in copies), *artifacts])
        in_parallel(lambda each: self._vault.keep_approved(*each, again=again), every)
        until = self._until(state.decision["time"])
        # S3 takes no date in the past.
        if until > self._now():
            documents = _documents(state.evidence["sha256"], document["policy"], state.decision.get("policy"))
            in_parallel(lambda each: self._vault.retain(*each, until, self._mode), [*artifacts, *documents])

    def keep(self, prefix: str, document: Any, decided: str) -> bool:
        """Write a document about a decision of that time, kept as long. Returns whether it was not there yet."""
        return self._vault.write_kept(prefix, document, self._mode, self._until(decided))

    def _until(self, decided: str) -> datetime:
        """Return the date, in whole seconds: S3 may keep no fractions, and then would never have the date."""
        return (timestamps.parse(decided) + self._kept + timedelta(seconds=1)).replace(microsecond=0)


def _versions(artifact: Mapping[str, Any], copies: Sequence[VersionRecord]) -> Iterator[tuple[str, str]]:
    """Yield the key and version of each object that an artifact, of the evidence, consists of."""
    if not is_prefix(artifact["key"]):
        yield artifact["key"], artifact["version_id"]
        return
    for each in copies:
        if each.latest and each.key.startswith(artifact["key"]):
            yield each.key, each.version_id


def _documents(evidence: str, *policies: str | None) -> Iterator[tuple[str, None]]:
    """Yield the key of each document that an approval is about, of which the current version counts."""
    yield f"evidence/{evidence}.json", None
    for policy in dict.fromkeys(policies):
        if policy:
            yield f"policies/{policy}.json", None
