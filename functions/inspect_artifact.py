"""InspectArtifact: inspects one artifact of a claimed package as a stream, or hands it over to a build."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from signoff.aws.clients import client
from signoff.aws.s3 import Bucket
from signoff.aws.vault import Vault
from signoff.errors import TakesTooLong
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.inspect_artifact import ArtifactInspector
from signoff.validation.long_inspection import LongInspections
from signoff.validation.time_budget import TimeBudget


@dataclass(frozen=True)
class Settings:
    """The settings of this function."""

    vault_bucket: str


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `claim` and `artifact`; return the result, with a pointer to all findings in the vault.

    When there is no time for that, return `at_length`, the request for a build. When called with `at_length` and
    `claim` afterwards, return the result of the build.
    """
    about(event["claim"]["arn"])
    long_inspections = LongInspections(_vault())
    if "at_length" in event:
        return _logged(long_inspections.found(event["at_length"]))
    budget = TimeBudget(lambda: context.get_remaining_time_in_millis() / 1000)
    try:
        return _logged(_inspector(budget).inspect(event["claim"], event["artifact"]))
    except TakesTooLong as reason:
        logger().info("takes too long", extra={"artifact": event["artifact"]["url"], "reason": str(reason)})
        request = long_inspections.ask(event["claim"], event["artifact"])
        return long_inspections.known(request) or {"at_length": request}


def _logged(found: dict[str, Any]) -> dict[str, Any]:
    logger().info("artifact", extra={"artifact": found["url"], "refusals": found["refusal_count"]})
    return found


def _inspector(budget: TimeBudget) -> ArtifactInspector:
    return ArtifactInspector(_vault(), partial(Bucket, client("s3")), budget)


@cache
def _vault() -> Vault:
    return Vault(Bucket(client("s3"), from_environment(Settings).vault_bucket))
