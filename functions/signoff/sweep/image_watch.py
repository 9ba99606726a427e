"""Watches the images of champions: a scan after the approval may find what no scan found before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signoff.aws.image_scans import ImageScans
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.errors import ScanMissing, ScanPending
from signoff.governance.champions import ranked
from signoff.ledger.checkpoints import day
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.model_package.image_scans import Finding, Scan
from signoff.model_package.images import repository_of
from signoff.policy.images import Images
from signoff.policy.policy import Policy

_LISTED = 20  # findings that an entry describes
_TOLD = 100  # ids that an entry names; what is beyond that is told by the next one


@dataclass(frozen=True)
class _Look:
    """A look at a package's images: by image the scan and what is newly refused in it, and of which there is none."""

    found: dict[str, tuple[Scan, list[Finding]]] = field(default_factory=dict)
    missing: list[ScanMissing] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The ids of what is newly refused, the worst first."""
        findings = [each for _, new in self.found.values() for each in new]
        return list(dict.fromkeys(each.id for each in sorted(findings, key=lambda each: (-each.rank, each.id))))


@dataclass(frozen=True)
class ImageWatch:
    """Compares the scans of the images that a group's champions run in with what their evidence says."""

    ledger: LedgerTable
    vault: Vault
    scans: ImageScans
    now: Clock

    def look(self, group: str, policy: Policy) -> bool:
        """Record what scans newly find in the images of the group's champions, here and in each other place.

        Returns whether there was anything. Raises `ScanMissing` when an image has no scan any more.
        """
        looks = [self._watched(package, policy) for package in self._champions(group)]
        missing = [each for look in looks for each in look.missing]
        if missing:
            raise missing[0]
        return any(look.ids for look in looks)

    def _champions(self, group: str) -> list[str]:
        rows = list(self.ledger.rows_by_group(group))
        places = {None, *(place for row in rows for place in row.get("elsewhere") or ())}
        first = (next(iter(ranked(rows, place)), None) for place in places)
        return sorted({champion.package for champion in first if champion})

    def _watched(self, package: str, policy: Policy) -> _Look:
        state = self.ledger.history(package).verified().state
        if state.status is not Status.APPROVED or not state.evidence:
            return _Look()
        evidence = self.vault.read("evidence", state.evidence["sha256"])
        looked = self._looked(evidence, state, policy.images)
        if looked.ids:
            draft = self._draft(looked, state, policy)
            self.ledger.update(package, lambda history: _unless_moved_on(history, state, draft))
        return looked

    def _looked(self, evidence: Mapping[str, Any], state: State, rules: Images) -> _Look:
        looked = _Look()
        known = {*state.found, *_known(evidence, rules)}
        for image in sorted(set(evidence["subject"]["images"].values())):
            if rules.exempts(repository_of(image)):
                continue
            try:
                scan = self.scans.scan(image)
            except ScanPending:
                continue  # the next day
            except ScanMissing as missing:
                looked.missing.append(missing)
                continue
            new = [each for each in rules.refused(scan, day(self.now())) if each.id not in known]
            if new:
                looked.found[image] = (scan, new)
        return looked

    def _draft(self, looked: _Look, state: State, policy: Policy) -> Draft:
        images = [
            {"image": image, "scan": scan.document(0), "refused": len(new), "findings": _documents(new)}
            for image, (scan, new) in looked.found.items()
        ]
        details = {
            "images": images,
            "found": looked.ids[:_TOLD],
            "block_at": policy.images.block_at,
            "policy": policy.digest,
            "evidence": (state.evidence or {}).get("sha256"),
        }
        return Draft(Kind.IMAGE_FINDINGS_CHANGED, "signoff", details)


def _known(evidence: Mapping[str, Any], rules: Images) -> Iterator[str]:
    """Yield the ids of what the evidence names and the rules refused when it was recorded."""
    for image in evidence.get("images") or ():
        if image["scan"]:
            yield from (each.id for each in rules.refused(Scan.of(image["scan"]), evidence["started"][:10]))


def _documents(findings: Sequence[Finding]) -> list[dict[str, str | None]]:
    return [finding.document for finding in findings[:_LISTED]]


def _unless_moved_on(history: History, seen: State, draft: Draft) -> list[Draft]:
    state = history.verified().state
    return [draft] if (state.status, state.evidence, state.found) == (seen.status, seen.evidence, seen.found) else []
