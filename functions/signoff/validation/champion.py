"""The champion that a candidate is compared with: its group's deployed package at the time of the validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        found = beside(policy, claims, champion, self.vault)
        document = {
            "champion": champion and champion.about,
            "same_bytes": [f"{group}/{row['version']}" for row in rows if loaded and row.get("content") == loaded],
            "data": found.data,
            "because": found.because,
            "basis": "claimed" if found.rows else None,
            "metrics": [each.document for each in found.rows],
            "changed": changed(champion.evidence, evidence, self.vault) if champion and champion.evidence else [],
        }
        return Comparison(document, found)

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
        return named_champion(about, self.vault)


def named_champion(about: dict[str, Any], vault: Vault) -> Champion:
    """Return the champion that evidence names, with its own evidence."""
    if about["evidence"] is None:
        return Champion(about, None, "the champion is a baseline, of which there is no evidence")
    try:
        return Champion(about, vault.read("evidence", about["evidence"]["sha256"]))
    except DocumentMissing as missing:
        return Champion(about, None, f"the champion's evidence cannot be read: {missing}")


def beside(policy: Policy, claims: Claims, champion: Champion | None, vault: Vault) -> Measured:
    """Return a candidate's `claims` beside those of the champion, if there is one, under the names of a `policy`."""
    theirs = Claims(None, "the group has no champion yet")
    if champion is not None:
        theirs = (
            recorded_claims(champion.evidence, policy, vault) if champion.evidence else Claims(None, champion.because)
        )
    data = same_data(claims.measurements, theirs.measurements)
    return Measured(
        candidate=claims.measurements,
        champion=theirs.measurements,
        rows=compared(policy, claims.measurements, theirs.measurements, data),
        data=data,
        missing=claims.because,
        because=theirs.because or claims.because or _BECAUSE[data],
        first=champion is None,
    )


def recorded_claims(evidence: Evidence, policy: Policy, vault: Vault) -> Claims:
    """Return what a package claims of which there is evidence, under the names of a `policy`.

    Its data set is what its evidence says.
    """
    recorded = (evidence.get("metrics") or {}).get("claimed")
    data = measurements_of(recorded).dataset if recorded else None
    return read_claims(vault, evidence["artifacts"], policy.metrics, data)


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
