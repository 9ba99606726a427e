"""The digests of the documents that ModelMetrics name (`ContentDigest`), put in where a manifest leaves them out.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricsSource.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

DIGEST = "ContentDigest"
_METRICS = "ModelMetrics"


def metrics_source(document: Any, part: str, report: str) -> Mapping[str, Any]:
    """Return what `document` names as a report of a part of ModelMetrics; empty if it names none."""
    for name in (_METRICS, part, report):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def metrics_sources(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield part, report and source of all that the ModelMetrics of a valid request name."""
    for part, reports in (document.get(_METRICS) or {}).items():
        yield from ((part, report, source) for report, source in reports.items())


def written(sha256: str) -> str:
    """Return a SHA-256 as ContentDigest has it."""
    return f"sha256:{sha256}"


def with_digests(request: Mapping[str, Any], sha256_of: Callable[[str], str | None]) -> dict[str, Any]:
    """Return `request` with the digest of each document that has none; `sha256_of` takes its location."""
    copy = deepcopy(dict(request))
    for _, _, source in metrics_sources(copy):
        sha256 = sha256_of(source["S3Uri"])
        if sha256 and DIGEST not in source:
            source[DIGEST] = written(sha256)
    return copy
