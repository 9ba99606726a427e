"""ApplyDecision: handles decisions and annotations from the bus, and registry events about changed statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from signoff import bootstrap
from signoff.approval.apply_annotation import AnnotationHandler
from signoff.approval.apply_decision import DecisionHandler
from signoff.approval.decisions import Recorded, Refusal, Repeated
from signoff.approval.reconcile import Reconciler
from signoff.approval.retention import Retention
from signoff.approval.statements import Adapters, Sender
from signoff.approval.witness import DecisionWitness
from signoff.errors import EventFault
from signoff.governance.champions import ChampionFinder
from signoff.governance.registry_status import RegistryProjector
from signoff.notification.announcements import ANNOTATION, DECISION
from signoff.runtime.batches import each_event
from signoff.runtime.clock import utc_now
from signoff.runtime.events import package_named
from signoff.runtime.observability import about, count, logger, observed
from signoff.runtime.settings import from_environment
from signoff.service_model.sagemaker import sagemaker_shape

# Outcomes as logs and metrics name them; dashboards depend on these names.
_OUTCOMES: Mapping[type, str] = {Recorded: "Recorded", Refusal: "Refused", Repeated: "Absorbed"}


@dataclass(frozen=True)
class Settings(bootstrap.RegistrationSettings):
    """The settings of this function; `lock_mode` and the days are for Object Lock.

    `bus` is the bus's ARN, the audience of every proof.
    """

    approved_retention_days: str
    lock_mode: str
    bus: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Handle each event of the batch; failed ones are reported to be retried."""
    _witness().begin()
    return each_event(event, _answer, _malformed)


def _answer(event: dict[str, Any]) -> None:
    answer = {DECISION: _decide, ANNOTATION: _annotate}.get(event["detail-type"], _reconcile)
    answer(event)


def _malformed(fault: EventFault) -> None:
    """Record as a refused statement what somebody sent; what AWS or Signoff sent is raised, for an operator."""
    kind = fault.event.get("detail-type")
    if kind not in (DECISION, ANNOTATION, None):
        raise fault
    handler = _annotation_handler if kind == ANNOTATION else _decision_handler
    handler().refuse_malformed(fault.event.get("detail"), str(fault))
    count("DecisionRefused")


def _decide(event: dict[str, Any]) -> None:
    about(str(event["detail"].get("package")))
    outcome = _OUTCOMES[type(_decision_handler().apply(event["detail"], _sender(event)))]
    logger().info("decision", extra={"outcome": outcome})
    count(f"Decision{outcome}")


def _annotate(event: dict[str, Any]) -> None:
    about(str(event["detail"].get("package")))
    outcome = _annotation_handler().apply(event["detail"], _sender(event))
    refusal = outcome.name if isinstance(outcome, Refusal) else None
    logger().info("annotation", extra={"refusal": refusal})
    count("AnnotationRefused" if refusal else "Annotated")


def _reconcile(event: dict[str, Any]) -> None:
    arn = package_named(event["detail"])
    about(arn)
    state = _reconciler().reconcile({**event["detail"], "ModelPackageArn": arn})
    logger().info("reconciled", extra={"status": state and state.status})
    if state and state.would_be_held:
        count("WouldHaveHeld")


def _sender(event: dict[str, Any]) -> Sender:
    return Sender(event.get("id"), event.get("source", ""), event.get("account"))


@cache
def _settings() -> Settings:
    return from_environment(Settings)


@cache
def _witness() -> DecisionWitness:
    return DecisionWitness(bootstrap.vault(_settings().vault_bucket), _retention(), utc_now)


@cache
def _adapters() -> Adapters:
    settings = _settings()
    return Adapters(
        governance=bootstrap.governance(settings),
        ledger=bootstrap.ledger(settings, _witness().keep),
        vault=bootstrap.vault(settings.vault_bucket),
        registrations=bootstrap.registrations(settings),
        identity_verifier=bootstrap.identity_verifier(settings.bus),
    )


@cache
def _retention() -> Retention:
    vault = bootstrap.vault(_settings().vault_bucket)
    return Retention(vault, utc_now, int(_settings().approved_retention_days), _settings().lock_mode)


@cache
def _decision_handler() -> DecisionHandler:
    adapters = _adapters()
    return DecisionHandler(
        adapters=adapters,
        projector=RegistryProjector(bootstrap.registry(), adapters.ledger),
        witness=_witness(),
        retention=_retention(),
        champions=ChampionFinder(adapters.ledger),
        now=utc_now,
    )


@cache
def _reconciler() -> Reconciler:
    return Reconciler(bootstrap.registry(), _decision_handler())


@cache
def _annotation_handler() -> AnnotationHandler:
    shape = partial(sagemaker_shape, "UpdateModelPackage")
    return AnnotationHandler(adapters=_adapters(), registry=bootstrap.registry(), shape=shape)
