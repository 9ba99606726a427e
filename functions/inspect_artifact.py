"""InspectArtifact: inspects one kept artifact of a claimed package as a stream, or hands it over to a build."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff.aws.clients import client
from signoff.aws.s3 import Bucket
from signoff.aws.vault import Vault
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.inspect_artifact import ArtifactInspector
from signoff.validation.long_tasks import INSPECTION, LongTasks
from signoff.validation.time_budget import TimeBudget


@dataclass(frozen=True)
class Settings:
    """The settings of this function."""

    vault_bucket: str


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `claim` and `kept`; return what was found, with a pointer to all findings in the vault.

    When there is no time for that, return `at_length`, the request for a build. When called with `at_length`, `build`
    (its id) and `claim` afterwards, return the result of the build.
    """
    about(event["claim"]["arn"])
    tasks = LongTasks(_vault(), INSPECTION)
    if "at_length" in event:
        return _logged(tasks.found(event["at_length"], event["build"]))
    budget = TimeBudget(lambda: context.get_remaining_time_in_millis() / 1000)
    return _logged(tasks.begin(ArtifactInspector(_vault(), budget).inspect, event["claim"], event["kept"]))


def _logged(found: dict[str, Any]) -> dict[str, Any]:
    logger().info("inspected", extra={name: found.get(name) for name in ("sha256", "refusal_count", "at_length")})
    return found


@cache
def _vault() -> Vault:
    return Vault(Bucket(client("s3"), from_environment(Settings).vault_bucket))
