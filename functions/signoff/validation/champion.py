"""The champion that a candidate is compared with: its group's deployed package at the time of the validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from signoff.aws.vault import Vault
from signoff.errors import DocumentMissing
from signoff.governance.champions import ChampionFinder
from signoff.ledger.entries import package_of
from signoff.ledger.history import History
from signoff.metrics.values import measurements_of
from signoff.model_package.artifacts import DOCUMENT, content
from signoff.model_package.differences import differences
from signoff.policy.metrics import Metric
from signoff.policy.policy import Policy
from signoff.validation.claims import Claims, read_claims, same_data
from signoff.validation.metric_gates import Measured, compared

Evidence = Mapping[str, Any]
_BECAUSE = {
    "same": None,
    "other": "the champion was measured on another data set",
    "unknown": "the data set is not named by both, by its SHA-256 (EvaluationData in the manifest)",
}


@dataclass(frozen=True)
class Champion:
    """A group's champion as evidence names it (`about`), and its own evidence, or `because` of what there is none."""

    about: dict[str, Any]
    evidence: Evidence | None
    because: str | None = None


@dataclass(frozen=True)
class Comparison:
    """A comparison as evidence has it (`document`), and what was `measured` of both, which the gates look at."""

    document: dict[str, Any]
    measured: Measured


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Compares a candidate with its group's champion."""

    finder: ChampionFinder
    vault: Vault

    def comparison(self, group: str, candidate: str, evidence: Evidence, claims: Claims, policy: Policy) -> Comparison:
        """Return the comparison of a `candidate` (the key of its ledger), of which `evidence` is known so far.

        `claims` are the candidate's.
        """
        rows = [row for row in self.finder.rows(group) if row["package"] != candidate]
        history = self.finder.ledger_of(group, rows)
        champion = self._champion(group, history) if history else None
        loaded = content(evidence["subject"]["artifacts"])
        theirs = self._claims(champion, policy.metrics)
        data = same_data(claims.measurements, theirs.measurements)
        metrics = compared(policy, claims.measurements, theirs.measurements, data)
        because = theirs.because or claims.because or _BECAUSE[data]
        document = {
            "champion": champion and champion.about,
            "same_bytes": [f"{group}/{row['version']}" for row in rows if loaded and row.get("content") == loaded],
            "data": data,
            "because": because,
            "basis": "claimed" if metrics else None,
            "metrics": [each.document for each in metrics],
            "changed": changed(champion.evidence, evidence, self.vault) if champion and champion.evidence else [],
        }
        measured = Measured(
            candidate=claims.measurements,
            champion=theirs.measurements,
            rows=metrics,
            data=data,
            missing=claims.because,
            because=because,
            first=champion is None,
        )
        return Comparison(document, measured)

    def _claims(self, champion: Champion | None, metrics: Sequence[Metric]) -> Claims:
        """Return what the champion claims under the present policy's names; its data set is what its evidence says."""
        if champion is None or champion.evidence is None:
            return Claims(None, champion.because if champion else "the group has no champion yet")
        recorded = (champion.evidence.get("metrics") or {}).get("claimed")
        data = measurements_of(recorded).dataset if recorded else None
        return read_claims(self.vault, champion.evidence["artifacts"], metrics, data)

    def _champion(self, group: str, history: History) -> Champion:
        state, arn = history.state, package_of(history.package)[0]
        recorded = state.evidence if arn else None
        about = {
            "name": f"{group}/{state.version}" if arn else f"{group}/baseline",
            "group": group,
            "version": state.version,
            "package": arn,
            "ledger": history.package,
            "evidence": {"uri": recorded["uri"], "sha256": recorded["sha256"]} if recorded else None,
            "baseline": arn is None,
        }
        if recorded is None:
            return Champion(about, None, "the champion is a baseline, of which there is no evidence")
        try:
            return Champion(about, self.vault.read("evidence", recorded["sha256"]))
        except DocumentMissing as missing:
            return Champion(about, None, f"the champion's evidence cannot be read: {missing}")


def changed(before: Evidence, after: Evidence, vault: Vault) -> list[dict[str, Any]]:
    """Return what changed from one package to another (`differences`), as far as the evidence of both tells."""
    known = {each["name"]: each["sha256"] for each in before["artifacts"]}
    other = {each["name"] for each in after["artifacts"] if known.get(each["name"]) not in {None, each["sha256"]}}
    return differences(before, after, (_files(before, other, vault), _files(after, other, vault)))


def _files(evidence: Evidence, names: set[str], vault: Vault) -> dict[str, list[Mapping[str, Any]]]:
    return {
        artifact["name"]: list(_inventory(artifact, vault))
        for artifact in evidence["artifacts"]
        if artifact["name"] in names and artifact["kind"] != DOCUMENT and artifact.get("findings")
    }


def _inventory(artifact: Mapping[str, Any], vault: Vault) -> Iterator[Mapping[str, Any]]:
    """Yield what an inspection listed, of which a comparison can do without: digests say that there is a change."""
    try:
        findings = vault.read("findings", PurePosixPath(artifact["findings"]).stem)
        yield from findings.get("inventory") or findings.get("objects") or ()
    except DocumentMissing:
        return
