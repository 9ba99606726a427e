"""Reads the facts of a report: a package's evidence, its champion's, and those of earlier versions of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.parallel import in_parallel
from signoff.aws.vault import Vault
from signoff.errors import SignoffError
from signoff.ledger.history import History
from signoff.metrics import quality
from signoff.metrics.curves import Curve, curves_of
from signoff.model_package.artifacts import QUALITY
from signoff.policy.policy import Policy
from signoff.report import findings
from signoff.report.document import document as document_of
from signoff.report.facts import Document, ReportFacts, Version
from signoff.report.standing import evaluate
from signoff.validation.claims import kept_bytes

_VERSIONS = 20  # earlier ones, whose metrics are drawn


@dataclass(frozen=True)
class ReportReader:
    """Reads what reports say, from the ledger and the vault."""

    ledger: LedgerTable
    vault: Vault

    def facts(self, history: History, policy: Policy | None) -> ReportFacts:
        """Return the facts of a package, of whose verified ledger and whose group's policy (None: unreadable) they are.

        What cannot be read is left out, with a note.
        """
        notes = [] if policy else ["the policy of its group cannot be read: who may approve it is not known"]
        document = document_of(history)
        evidence = self._evidence(history, notes)
        found, unfound = findings.of_evidence(evidence, self.vault)
        champion = ((evidence or {}).get("comparison") or {}).get("champion") or {}
        beside = self._document((champion.get("evidence") or {}).get("sha256"), notes)
        return ReportFacts(
            history=history,
            document={**document, **evaluate(policy, document), "findings": found},
            evidence=evidence,
            champion_evidence=beside,
            curves=self._curves(evidence, notes),
            champion_curves=self._curves(beside, notes),
            versions=self._versions(history, champion.get("name")),
            notes=[*notes, *unfound],
        )

    def _evidence(self, history: History, notes: list[str]) -> Document | None:
        recorded = history.state.evidence
        return self._document(recorded["sha256"], notes) if recorded else None

    def _document(self, sha256: str | None, notes: list[str]) -> Document | None:
        if sha256 is None:
            return None
        try:
            found: Document = self.vault.read("evidence", sha256)
        except SignoffError as missing:
            notes.append(str(missing))
            return None
        return found

    def _curves(self, evidence: Document | None, notes: list[str]) -> Sequence[Curve]:
        """Return the curves of the quality document that a package's submitter brought."""
        listed = next((each for each in (evidence or {}).get("artifacts") or () if each["name"] == QUALITY), None)
        if listed is None:
            return ()
        try:
            return curves_of(quality.parsed(kept_bytes(self.vault, listed)))
        except (quality.Unreadable, SignoffError) as error:
            notes.append(f"the curves are left out: {error}")
            return ()

    def _versions(self, history: History, champion: str | None) -> list[Version]:
        """Return the versions of the group before this one that have evidence, oldest first, the last `_VERSIONS`."""
        own = history.state.version
        if own is None or history.state.group is None:
            return []
        rows = self.ledger.rows_by_group(history.state.group, newest_first=True, page=2 * _VERSIONS)
        earlier = (row for row in rows if row.get("verdict") and row["version"] < own)
        found = in_parallel(self._version, [*islice(earlier, _VERSIONS)][::-1])
        return [Version(name, evidence, name == champion) for name, evidence in found if evidence]

    def _version(self, row: Mapping[str, Any]) -> tuple[str, Document | None]:
        name = f"{row['group']}/{row['version']}"
        try:
            return name, self._evidence(self.ledger.history(row["package"]).verified(), [])
        except SignoffError:
            return name, None  # what is broken there is that version's own finding
