"""What Amazon ECR answers about a scan of an image for vulnerabilities: a basic one, or an enhanced one by Inspector.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from signoff.documents import timestamps
from signoff.documents.text import one_line
from signoff.errors import ScanMissing, ScanPending

# From mild to severe. ECR also writes UNDEFINED, and Inspector UNTRIAGED: nobody has said how severe those are.
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
Severity = Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]

_RUNNING = {"IN_PROGRESS", "PENDING"}
# COMPLETE comes with results of either kind, and may come before those of an enhanced scan; a scan that is repeated
# stays ACTIVE. Whether there are results yet is told by when they came.
_RESULTS = {"COMPLETE", "ACTIVE"}
_REMEDIES = {
    "FAILED": "scan it again (`aws ecr start-image-scan`)",
    "UNSUPPORTED_IMAGE": "base it on an operating system that ECR or Amazon Inspector can scan",
    "SCAN_ELIGIBILITY_EXPIRED": "push it again, or lengthen the time for which Amazon Inspector scans images",
    "FINDINGS_UNAVAILABLE": "turn scanning on again for its repository, and scan it again",
    "LIMIT_EXCEEDED": "raise the quota of scans, or scan it again later",
    "IMAGE_ARCHIVED": "restore it from ECR's archive",
}
_LONGEST = 200  # characters of an id, a package or a version
_NO_FIX = "NotAvailable"  # what Amazon Inspector writes for a version that there is not


@dataclass(frozen=True, slots=True)
class Finding:
    """A vulnerability: its id, how severe ECR says it is, the package that has it, and the version without it."""

    id: str
    severity: str
    package: str | None = None
    fixed_in: str | None = None

    @property
    def rank(self) -> int:
        """How severe it is; nothing is more severe than what nobody has judged."""
        return severity_rank(self.severity)

    @property
    def document(self) -> dict[str, str | None]:
        """The finding as JSON-ready data."""
        return {"id": self.id, "severity": self.severity, "package": self.package, "fixed_in": self.fixed_in}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Finding:
        """Return the finding of a `document`."""
        return cls(**{name: document[name] for name in ("id", "severity", "package", "fixed_in")})


@dataclass(frozen=True, slots=True)
class Scan:
    """The results of a scan, the worst finding first.

    `completed` is when it ended, `source_updated` when what is known of vulnerabilities was last updated (None where
    ECR does not say). `counts` are by severity, and of at least the findings that are listed.
    """

    kind: Literal["basic", "enhanced"]
    status: str
    completed: str
    source_updated: str | None
    counts: dict[str, int]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Scan:
        """Return the scan of a `document`, with the findings that are in it."""
        return cls(**{**document, "findings": tuple(Finding.of(each) for each in document["findings"])})

    def document(self, most: int) -> dict[str, Any]:
        """Return the scan as JSON-ready data, with its `most` worst findings."""
        return {
            "kind": self.kind,
            "status": self.status,
            "completed": self.completed,
            "source_updated": self.source_updated,
            "counts": self.counts,
            "findings": [finding.document for finding in self.findings[:most]],
        }


def in_words(finding: Mapping[str, Any]) -> str:
    """Return the document of a finding in words."""
    package = f" in {finding['package']}" if finding.get("package") else ""
    fixed = f" (fixed in {finding['fixed_in']})" if finding.get("fixed_in") else ""
    return f"{finding.get('id')} {finding.get('severity')}{package}{fixed}"


def severity_rank(severity: str) -> int:
    """Return a number that is higher the more severe a finding is, and highest for an unknown `severity`."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def read_scan(image: str, pages: Sequence[Mapping[str, Any]]) -> Scan:
    """Return the scan of `image` that `pages`, one at least, of DescribeImageScanFindings tell of.

    Raises `ScanPending` while there are no results yet, and `ScanMissing` where none are to be expected.
    """
    told = pages[0].get("imageScanStatus") or {}
    found = [page.get("imageScanFindings") or {} for page in pages]
    status, completed = str(told.get("status", "")), found[0].get("imageScanCompletedAt")
    if status in _RUNNING or (status in _RESULTS and completed is None):
        raise ScanPending(f"the scan of {image} is {status}, and has no results yet")
    if status not in _RESULTS:
        said = one_line(told.get("description") or "ECR does not say why", _LONGEST)
        remedy = _REMEDIES.get(status, "look at its scan in ECR")
        raise ScanMissing(f"the scan of {image} is {one_line(status, 40) or 'without status'} ({said}): {remedy}")
    basic = [_basic(each) for part in found for each in part.get("findings") or ()]
    enhanced = [each for part in found for each in part.get("enhancedFindings") or ()]
    listed = [*basic, *(_enhanced(each) for each in enhanced if each.get("status") != "CLOSED")]
    return Scan(
        kind="enhanced" if enhanced or ("enhancedFindings" in found[0] and not basic) else "basic",
        status=status,
        completed=_time(completed) or "",
        source_updated=_time(found[0].get("vulnerabilitySourceUpdatedAt")),
        counts=_counts(listed, found[0].get("findingSeverityCounts") or {}),
        findings=_worst_first(listed),
    )


def is_silent(pages: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether an answer of DescribeImageScanFindings has neither findings nor the end of a scan that is over.

    ECR answers so before the findings of an enhanced scan have come, and may answer so when there are none.
    """
    found = [page.get("imageScanFindings") or {} for page in pages]
    said = ("imageScanCompletedAt", "findings", "enhancedFindings", "findingSeverityCounts")
    over = (pages[0].get("imageScanStatus") or {}).get("status") in _RESULTS
    return over and not any(part.get(name) for part in found for name in said)


def clean_scan(answer: Mapping[str, Any], completed: datetime) -> Scan:
    """Return the enhanced scan without findings that an `answer` is silent of, and that Inspector says has ended."""
    return Scan("enhanced", answer["imageScanStatus"]["status"], timestamps.text(completed), None, {}, ())


def together(scans: Sequence[Scan]) -> Scan:
    """Return the scans of an image's platforms, one at least, as one: as old as the oldest of them."""
    updated = [scan.source_updated for scan in scans if scan.source_updated]
    counts: Counter[str] = Counter()
    for scan in scans:
        counts.update(scan.counts)
    return Scan(
        kind=scans[0].kind,
        status=scans[0].status,
        completed=min(scan.completed for scan in scans),
        source_updated=min(updated) if len(updated) == len(scans) else None,
        counts=dict(sorted(counts.items())),
        findings=_worst_first(each for scan in scans for each in scan.findings),
    )


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: (-each.rank, each.id, each.package or "", each.fixed_in or "")))


def _counts(listed: Iterable[Finding], said: Mapping[str, int]) -> dict[str, int]:
    """Return how many findings there are of each severity: those that are listed, or more where ECR counts more."""
    counted = Counter(finding.severity for finding in listed)
    said = {one_line(severity, 40): int(number) for severity, number in said.items()}
    return {each: max(counted[each], said.get(each, 0)) for each in sorted({*counted, *said})}


def _basic(finding: Mapping[str, Any]) -> Finding:
    attributes = {each["key"]: each.get("value") for each in finding.get("attributes") or ()}
    package = _shown([attributes.get("package_name"), attributes.get("package_version")], " ")
    return Finding(_id(finding.get("name")), _severity(finding), package)


def _enhanced(finding: Mapping[str, Any]) -> Finding:
    details = finding.get("packageVulnerabilityDetails") or {}
    packages = details.get("vulnerablePackages") or []
    names = [_shown([each.get("name"), each.get("version")], " ") for each in packages]
    fixed = [each.get("fixedInVersion") for each in packages]
    identifier = details.get("vulnerabilityId") or finding.get("title") or finding.get("findingArn")
    return Finding(_id(identifier), _severity(finding), _shown(names, ", "), _shown(fixed, ", "))


def _shown(parts: Iterable[str | None], between: str) -> str | None:
    """Return the different ones of `parts` that say anything, as one text."""
    known = dict.fromkeys(part for part in parts if part and part != _NO_FIX)
    return one_line(between.join(known), _LONGEST) or None


def _id(name: Any) -> str:
    return one_line(name or "unnamed", _LONGEST)


def _severity(finding: Mapping[str, Any]) -> str:
    """Return the severity in capitals. It is free text, and may be absent."""
    return one_line(str(finding.get("severity") or "UNDEFINED").upper(), 40)


def _time(moment: datetime | None) -> str | None:
    return timestamps.text(moment) if moment is not None else None
