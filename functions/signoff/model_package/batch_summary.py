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
_FIELDS = ("AdditionalInferenceSpecifications", "SourceAlgorithmSpecification", "SourceUri")  # of the parts not shown
_TURNS = 96  # of a quarter of an hour each: a day


def shown(subject: Mapping[str, Any]) -> str | None:
    """Return the digest by which a summary shows this subject, or None where a summary does not show all of it."""
    if any(subject.get(part) for part in _NOT_SHOWN):
        return None
    return digest(subject.get("inference_specification"))


def differs(summary: Mapping[str, Any], specification: str | None) -> bool:
    """Return whether a package must be described to compare it with its evidence, whose `shown` is given."""
    return specification is None or digest(summary.get("InferenceSpecification")) != specification


def shows_a_difference(described: Mapping[str, Any], specification: str | None) -> bool:
    """Return whether a package must be compared with its evidence by all that a description shows of it."""
    return differs(described, specification) or any(described.get(field) for field in _FIELDS)


def its_turn(what: str, now: datetime, since: datetime | None = None) -> bool:
    """Return whether it is a thing's turn, which comes once a day, in the present quarter of an hour.

    With `since`, also whether it has been since the quarter of an hour after that one.
    """
    turn = int(hashlib.sha256(what.encode()).hexdigest()[:8], 16) % _TURNS
    last = int(now.timestamp() // 900)
    first = min(int(since.timestamp() // 900) + 1, last) if since else last
    return (last - turn) % _TURNS <= last - first
