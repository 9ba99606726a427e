"""Results of scans of images."""

from __future__ import annotations

from collections import Counter

from signoff.model_package.image_scans import Finding, Scan


def scanned(*findings: Finding, completed: str = "2026-03-01T08:00:00.000Z") -> Scan:
    """Return the results of an enhanced scan that found these."""
    counts = dict(sorted(Counter(finding.severity for finding in findings).items()))
    return Scan("enhanced", "ACTIVE", completed, "2026-02-28T00:00:00.000Z", counts, findings)
