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
from signoff.metrics.comparison import Compared
from signoff.metrics.values import measurements_of
from signoff.model_package.artifacts import DOCUMENT, content
from signoff.model_package.differences import differences
from signoff.policy.policy import Policy
from signoff.validation.checks import Check
from signoff.validation.claims import Claims, read_claims, same_data
from signoff.validation.measurement import Measurement
from signoff.validation.metric_gates import Measured, compared, metric_checks

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
    """A comparison as evidence has it (`document`), and what the gates look at.

    That is what is `claimed` of both and, where Signoff has measured the candidate itself, what it has found.
    """

    document: dict[str, Any]
    claimed: Measured
    by_signoff: Measured | None = None

    def metric_checks(self, policy: Policy) -> Iterator[Check]:
        """Yield a check of each thing that a policy asks of a metric."""
        return metric_checks(policy, self.claimed, self.by_signoff)


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Compares a candidate with its group's champion."""

    finder: ChampionFinder
    vault: Vault

    def comparison(
        self,
        group: str,
        candidate: str,
        evidence: Evidence,
        claims: Claims,
        measurement: Measurement,
        policy: Policy,
    ) -> Comparison:
        """Return the comparison of a `candidate` (the key of its ledger), of which `evidence` is known so far.

        `claims` are the candidate's; the `measurement` is of both, and what was measured counts before them.
        """
        rows, history = self.finder.beside(group, candidate)
        champion = self._champion(group, history) if history else None
        loaded = content(evidence["subject"]["artifacts"])
        claimed = beside(policy, claims, champion, self.vault)
        by_signoff = measured_beside(policy, measurement, champion)
        found = by_signoff or claimed
        compared_rows = _rows(claimed, by_signoff)
        document = {
            "champion": champion and champion.about,
            "same_bytes": [f"{group}/{row['version']}" for row in rows if loaded and row.get("content") == loaded],
            "data": found.data,
            "because": found.because,
            "basis": ("measured" if by_signoff else "claimed") if found.rows else None,
            "metrics": [each.document for each in compared_rows],
            "changed": changed(champion.evidence, evidence, self.vault) if champion and champion.evidence else [],
        }
        return Comparison(document, claimed, by_signoff)

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


def measured_beside(policy: Policy, measurement: Measurement, champion: Champion | None) -> Measured | None:
    """Return what was measured of a candidate beside the same of the champion, or None if nothing was measured.

    The measurement names whom it measured as champion, for there may be another one by now.
    """
    if measurement.candidate is None:
        return None
    subject = ((champion.evidence if champion else None) or {}).get("subject", {}).get("sha256")
    theirs = measurement.champion if subject and subject == measurement.champion_subject else None
    because = "the group has no champion yet" if champion is None else "the champion was not measured on these rows"
    return Measured(
        candidate=measurement.candidate,
        champion=theirs,
        rows=compared(policy, measurement.candidate, theirs, "same", measurement.paired),
        data="same" if theirs else "unknown",
        because=None if theirs else because,
        first=champion is None,
    )


def _rows(claimed: Measured, by_signoff: Measured | None) -> list[Compared]:
    """Return what was compared: of a metric that was measured nothing of what is claimed."""
    if by_signoff is None or by_signoff.candidate is None:
        return [*claimed.rows]
    names = {value.name for value in by_signoff.candidate.values}
    return [*by_signoff.rows, *(row for row in claimed.rows if row.name not in names)]


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
