"""KeepArtifact: copies one artifact of a claimed package to the vault and hashes it; it parses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from signoff.aws.clients import client
from signoff.aws.s3 import Bucket
from signoff.aws.vault import Vault
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.keep_artifact import ArtifactKeeper
from signoff.validation.long_tasks import KEEPING, LongTasks
from signoff.validation.time_budget import TimeBudget


@dataclass(frozen=True)
class Settings:
    """The settings of this function."""

    vault_bucket: str


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `claim` and `artifact`; return the artifact with what the vault holds of it: key, version, size, SHA-256.

    When there is no time for that, return `at_length`, the request for a build. When called with `at_length`, `build`
    (its id) and `claim` afterwards, return the result of the build.
    """
    about(event["claim"]["arn"])
    tasks = LongTasks(_vault(), KEEPING)
    if "at_length" in event:
        return _logged(tasks.found(event["at_length"], event["build"]))
    budget = TimeBudget(lambda: context.get_remaining_time_in_millis() / 1000)
    keeper = ArtifactKeeper(_vault(), partial(Bucket, client("s3")), budget)
    return _logged(tasks.begin(keeper.keep, event["claim"], event["artifact"]))


def _logged(kept: dict[str, Any]) -> dict[str, Any]:
    logger().info("kept", extra={name: kept.get(name) for name in ("url", "key", "sha256", "at_length")})
    return kept


@cache
def _vault() -> Vault:
    return Vault(Bucket(client("s3"), from_environment(Settings).vault_bucket))
