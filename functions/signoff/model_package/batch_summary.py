"""What SageMaker's batch call shows of a subject: enough to see that most packages match their evidence.

BatchDescribeModelPackage carries a package's inference specification and nothing else of what is deployed:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BatchDescribeModelPackageSummary.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from signoff.documents.canonical_json import digest

_NOT_SHOWN = ("additional_inference_specifications", "source_algorithms", "source_uri")
_TURNS = 96  # of a quarter of an hour each: a day


def shown(subject: Mapping[str, Any]) -> str | None:
    """Return the digest by which a summary shows this subject, or None where a summary does not show all of it."""
    if any(subject.get(part) for part in _NOT_SHOWN):
        return None
    return digest(subject.get("inference_specification"))


def differs(summary: Mapping[str, Any], specification: str | None) -> bool:
    """Return whether a package must be described to compare it with its evidence, whose `shown` is given."""
    return specification is None or digest(summary.get("InferenceSpecification")) != specification


def its_turn(package: str, now: datetime) -> bool:
    """Return whether a package is due to be described regardless of its summary: once a day for each.

    A field that the summary does not show may have been added, and the event lost.
    """
    turn = int(hashlib.sha256(package.encode()).hexdigest()[:8], 16) % _TURNS
    return int(now.timestamp() // 900) % _TURNS == turn
