"""EvaluateModel: prepares the measurement of a claimed package, and measures it once its transform jobs have ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import client
from signoff.aws.transform_jobs import TransformJobs
from signoff.governance.champions import ChampionFinder
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.validation.measure_model import ModelMeasurer
from signoff.validation.prepare_measurement import MeasurementPreparer


@dataclass(frozen=True)
class Settings(bootstrap.PackageSettings):
    """The settings of this function: where jobs write, and the ARN of the role that temporary models run under."""

    answers_bucket: str
    measuring_role: str


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `claim` with `artifacts`, and return the `jobs` to run; or with `prepared` and what `ran`, and measure.

    A measurement is returned as the `sha256` of its document in the vault.
    """
    about(event["claim"]["arn"])
    if "artifacts" in event:
        prepared = _preparer().prepare(event["claim"], event["artifacts"])
        logger().info("prepared", extra={"jobs": [job["name"] for job in prepared["jobs"]]})
        return prepared
    measured = _measurer().measure(event["claim"], event["prepared"], event["ran"])
    logger().info("measured", extra={"measurement": measured["sha256"]})
    return measured


@cache
def _preparer() -> MeasurementPreparer:
    settings = from_environment(Settings)
    ledger = bootstrap.ledger(settings)
    return MeasurementPreparer(
        registry=bootstrap.registry(),
        resolver=bootstrap.images(),
        ledger=ledger,
        vault=bootstrap.vault(settings.vault_bucket),
        finder=ChampionFinder(ledger),
        bucket=bootstrap.bucket,
        execution_role=settings.measuring_role,
        output=f"s3://{settings.answers_bucket}/",
    )


@cache
def _measurer() -> ModelMeasurer:
    settings = from_environment(Settings)
    return ModelMeasurer(
        registry=bootstrap.registry(),
        jobs=TransformJobs(client("sagemaker")),
        vault=bootstrap.vault(settings.vault_bucket),
        output=bootstrap.bucket(settings.answers_bucket),
    )
