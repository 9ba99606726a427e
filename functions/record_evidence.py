"""RecordEvidence: records the result of a validation, or the error that prevented one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.governance.champions import ChampionFinder
from signoff.governance.registry_status import RegistryProjector
from signoff.runtime.clock import utc_now
from signoff.runtime.observability import about, count, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.card_writer import CardWriter
from signoff.validation.champion import Comparer
from signoff.validation.images import ImageExaminer
from signoff.validation.make_evidence import EvidenceMaker
from signoff.validation.record_evidence import EvidenceRecorder
from signoff.validation.sources import Sources


@dataclass(frozen=True)
class Settings(bootstrap.RegistrationSettings):
    """The settings of this function."""

    artifacts_bucket: str


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `claim`, `artifacts` and the digest of what was `measured`, if anything; or the `error` of a validation.

    An error comes with the `claim` or, before there was one, with `arn` and `execution`.

    Return the `verdict`: `passed`, `failed` or `errored`.
    """
    recorder = _recorder()
    about(event["claim"]["arn"] if "claim" in event else event["arn"])
    if "artifacts" in event:
        recorded = recorder.record(event["claim"], event["artifacts"], event.get("measured"))
    elif "claim" in event:
        recorded = recorder.record_error(event["claim"], event["error"])
    else:
        recorded = recorder.record_unopened(event["arn"], event["execution"], event["error"])
    if recorded.get("would_be_held"):
        count("WouldHaveHeld")
    logger().info("validation", extra=recorded)
    return recorded


@cache
def _recorder() -> EvidenceRecorder:
    settings = from_environment(Settings)
    registry, ledger = bootstrap.registry(), bootstrap.ledger(settings)
    vault = bootstrap.vault(settings.vault_bucket)
    registrations = bootstrap.registrations(settings)
    maker = EvidenceMaker(
        images=ImageExaminer(bootstrap.images(), bootstrap.image_scans(), utc_now),
        comparer=Comparer(finder=ChampionFinder(ledger), vault=vault),
        vault=vault,
        registrations=registrations,
        sources=Sources(settings.vault_bucket, settings.artifacts_bucket),
    )
    return EvidenceRecorder(
        governance=bootstrap.governance(settings),
        registry=registry,
        ledger=ledger,
        vault=vault,
        registrations=registrations,
        maker=maker,
        projector=RegistryProjector(registry, ledger),
        card_writer=CardWriter(registry),
        now=utc_now,
    )
