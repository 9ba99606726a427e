"""Whose bytes a package may load: in Signoff's own buckets, only what lies in its own group's places.

Signoff reads with its own permissions, which reach what every group has there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from signoff.model_package.artifacts import BIAS, BIAS_BASELINES, QUALITY, QUALITY_BASELINE, artifacts_of
from signoff.policy.policy import Policy
from signoff.validation.checks import Check, failed


@dataclass(frozen=True)
class Sources:
    """Which of a package's artifacts may be read, by the names of Signoff's own buckets."""

    vault: str
    inbox: str

    def readable(self, described: Mapping[str, Any], policy: Policy) -> list[dict[str, str]]:
        """Return the artifacts of a described package without those that belong to other groups."""
        others = self._of_others(described, policy)
        return [artifact for artifact in _artifacts(described, policy) if artifact not in others]

    def checks(self, described: Mapping[str, Any], policy: Policy) -> Iterator[Check]:
        """Yield a failed check for each artifact that belongs to another group, and that was not read."""
        for artifact in self._of_others(described, policy):
            reason = (
                f"{artifact['url']} is not among what group {described['ModelPackageGroupName']} has in Signoff's "
                "buckets: submit it to the group, or list it in its policy's sources.model_data"
            )
            yield failed(f"source:{artifact['name']}", reason)

    def _of_others(self, described: Mapping[str, Any], policy: Policy) -> Sequence[dict[str, str]]:
        group, listed = str(described["ModelPackageGroupName"]), policy.sources.model_data
        return [
            artifact
            for artifact in _artifacts(described, policy)
            if not (self._is_own(artifact["url"], group) or _is_listed(artifact["url"], listed))
        ]

    def _is_own(self, url: str, group: str) -> bool:
        """Return whether an `s3://` URL may belong to a group; SageMaker ignores the case of a group's name."""
        bucket, _, key = url.partition("://")[2].partition("/")
        homes = {self.vault: f"models/{group}/", self.inbox: f"{group}/"}
        home = homes.get(bucket.lower())
        return home is None or key.lower().startswith(home.lower())


def _artifacts(described: Mapping[str, Any], policy: Policy) -> list[dict[str, str]]:
    """Return the artifacts of a package, with the documents of which its policy asks something."""
    drift = policy.comparison.drift
    bias = BIAS if policy.bias or drift else ()
    return artifacts_of(described, (QUALITY, *bias, *((QUALITY_BASELINE, *BIAS_BASELINES) if drift else ())))


def _is_listed(url: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(url, pattern) for pattern in patterns)
