"""What a package claims of its quality: the metrics of the model quality document that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signoff.aws.vault import Vault
from signoff.metrics import quality
from signoff.metrics.values import Dataset, Measurements, StoredFile
from signoff.model_package.artifacts import QUALITY
from signoff.policy.metrics import Metric

_NONE = "the package names no model quality document (ModelMetrics.ModelQuality.Statistics.S3Uri)"
_WHAT = {QUALITY: "the model quality document"}


@dataclass(frozen=True)
class Claims:
    """What is claimed, or `because` of what nothing is known of it."""

    measurements: Measurements | None
    because: str | None = None

    @property
    def document(self) -> dict[str, Any] | None:
        """The measurements as JSON-ready data."""
        return self.measurements.document if self.measurements else None


def read_claims(
    vault: Vault,
    artifacts: Sequence[Mapping[str, Any]],
    metrics: Sequence[Metric],
    data: Dataset | None = None,
) -> Claims:
    """Return what the model quality document among a package's `artifacts`, as evidence lists them, claims.

    The `metrics` of a policy have the policy's names. `data` is the data set as it is known otherwise than from the
    document, which then does not count.
    """
    listed = next((artifact for artifact in artifacts if artifact["name"] == QUALITY), None)
    if listed is None:
        return Claims(None, _NONE)
    try:
        found = quality.read(kept_bytes(vault, listed), [(metric.name, metric.path) for metric in metrics])
    except quality.Unreadable as error:
        return Claims(None, str(error))
    found = found.of(StoredFile(listed["url"], listed["sha256"]))
    return Claims(replace(found, dataset=replace(data, rows=found.dataset.rows)) if data else found)


def kept_bytes(vault: Vault, listed: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document of a package, as evidence lists it. Raises `Unreadable` for other bytes."""
    what = _WHAT.get(listed["name"], listed["name"])
    if "version_id" not in listed:
        raise quality.Unreadable(f"{what} is a prefix, and no document")
    if listed["size"] > quality.DOCUMENT_LIMIT:
        raise quality.Unreadable(f"{what} is too large (more than 16 MiB)")
    content = vault.bytes_of(listed["key"], listed["version_id"])
    if hashlib.sha256(content).hexdigest() != listed["sha256"]:
        raise quality.Unreadable(f"{what} in the vault is not the one that was kept; revalidate the package")
    return content


def named_data(registration: Mapping[str, Any] | None) -> Dataset | None:
    """Return the data set that a package's manifest names (EvaluationData), or None."""
    named = (registration or {}).get("evaluation_data")
    return Dataset(sha256=named["Sha256"], uri=named.get("Uri")) if named else None


def same_data(one: Measurements | None, other: Measurements | None) -> str:
    """Return whether both were measured on the `same` data set or on an `other`; `unknown` unless both name it."""
    digests = {each.dataset.sha256 if each else None for each in (one, other)}
    if None in digests:
        return "unknown"
    return "same" if len(digests) == 1 else "other"
