"""How long approved objects are kept, beyond the vault's short default retention; and that they never expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from signoff.aws.parallel import in_parallel
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.timestamps import Clock
from signoff.governance.registrations import read_registration
from signoff.ledger.state import State
from signoff.model_package.data_sources import is_prefix


class Retention:
    """Extends the Object Lock of approved artifacts, their evidence and policies to `days` from the decision.

    The time of the decision, and not the present, so that whoever tries again finds done what was done before.
    """

    def __init__(self, vault: Vault, now: Clock, days: int) -> None:
        self._vault = vault
        self._now = now
        self._kept = timedelta(days=days)

    def extend(self, state: State) -> None:
        """Keep the artifacts, the evidence and the policies of an approved package; a longer retention stays.

        From then on the bucket's life cycle leaves them alone, and all else that was submitted with them.

        It may have been approved under another policy than it was validated under.
        """
        if state.evidence is None or state.decision is None:
            return
        document = self._vault.read("evidence", state.evidence["sha256"])
        artifacts = [version for artifact in document["artifacts"] for version in self._versions(artifact)]
        in_parallel(lambda each: self._vault.keep_approved(*each), [*self._submitted(state), *artifacts])
        until = self._until(state.decision["time"])
        # S3 takes no date in the past.
        if until > self._now():
            documents = _documents(state.evidence["sha256"], document["policy"], state.decision.get("policy"))
            in_parallel(lambda each: self._vault.retain(*each, until), [*artifacts, *documents])

    def keep(self, key: str, decided: str) -> None:
        """Keep the document at `key`, of a decision of that time, as long; a longer retention stays."""
        self._vault.retain(key, None, self._until(decided))

    def _until(self, decided: str) -> datetime:
        """Return the date, in whole seconds: S3 may keep no fractions, and then would never have the date."""
        return (timestamps.parse(decided) + self._kept + timedelta(seconds=1)).replace(microsecond=0)

    def _submitted(self, state: State) -> Iterator[tuple[str, str]]:
        """Yield the key and version of each copy in the vault that was made of a submission."""
        registration = read_registration(state.registration, self._vault) if state.registration else None
        for each in (registration or {"objects": ()})["objects"]:
            key = self._vault.key_of(each["vault"]["uri"])
            if key:
                yield key, each["vault"]["version_id"]

    def _versions(self, artifact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the key and version of each object that an artifact, of the evidence, consists of."""
        if not is_prefix(artifact["key"]):
            yield artifact["key"], artifact["version_id"]
            return
        for each in self._vault.under(artifact["key"]):
            yield each.key, each.version_id


def _documents(evidence: str, *policies: str | None) -> Iterator[tuple[str, None]]:
    """Yield the key of each document that an approval is about, of which the current version counts."""
    yield f"evidence/{evidence}.json", None
    for policy in dict.fromkeys(policies):
        if policy:
            yield f"policies/{policy}.json", None
