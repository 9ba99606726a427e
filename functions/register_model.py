"""RegisterModel: handles an upload to the artifacts bucket; registers the submission that it completes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from signoff import bootstrap
from signoff.aws.clients import client
from signoff.aws.remote_function import RemoteFunction
from signoff.aws.sqs import SWEEP_SOURCE
from signoff.aws.submissions_table import SubmissionsTable
from signoff.runtime.batches import each_event
from signoff.runtime.clock import utc_now
from signoff.runtime.events import text_in
from signoff.runtime.observability import about, logger, observed
from signoff.runtime.settings import from_environment
from signoff.submission.intake import Intake
from signoff.submission.manifest_shape import manifest_shape
from signoff.submission.register_model import Registrar
from signoff.submission.signature import SignatureVerifier


@dataclass(frozen=True)
class Settings(bootstrap.PackageSettings):
    """The settings of this function. `keep_signature` is the name of the function that keeps signatures."""

    artifacts_bucket: str
    keep_signature: str
    submissions_table: str


@observed
def handler(event: Any, context: Any) -> Any:
    """Handle each upload of the batch; failed ones are reported to be retried."""
    return each_event(event, _uploaded)


def _uploaded(document: dict[str, Any]) -> None:
    # The raw key: EventBridge does not URL-encode it.
    bucket, key = text_in(document, "detail", "bucket", "name"), text_in(document, "detail", "object", "key")
    about(key)
    if bucket != from_environment(Settings).artifacts_bucket:
        logger().warning("ignored an upload to another bucket", extra={"bucket": bucket})
        return
    registrar = _registrar()
    handle = registrar.look_again if document.get("source") == SWEEP_SOURCE else registrar.uploaded
    logger().info("upload", extra={"outcome": handle(key)})


@cache
def _registrar() -> Registrar:
    settings = from_environment(Settings)
    inbox, registry = bootstrap.bucket(settings.artifacts_bucket), bootstrap.registry()
    vault = bootstrap.vault(settings.vault_bucket)
    intake = Intake(
        inbox=inbox,
        registry=registry,
        policies=bootstrap.policies(settings),
        images=bootstrap.images(),
        shape=_shape,
        signature_verifier=SignatureVerifier(inbox, _kept_signature),
    )
    return Registrar(
        inbox=inbox,
        intake=intake,
        registry=registry,
        ledger=bootstrap.ledger(settings),
        submissions=SubmissionsTable(client("dynamodb"), settings.submissions_table),
        vault=vault,
        now=utc_now,
    )


def _kept_signature(statement: Mapping[str, Any]) -> dict[str, Any]:
    return _signature_keeper().answer({"statement": dict(statement)})


@cache
def _signature_keeper() -> RemoteFunction:
    return RemoteFunction(client("lambda"), from_environment(Settings).keep_signature)


@cache
def _shape() -> Any:
    # The client has read SageMaker's model already, which is large; its shapes are those of `sagemaker_shape`.
    model = client("sagemaker").meta.service_model
    create_package, create_model = (model.operation_model(name) for name in ("CreateModelPackage", "CreateModel"))
    return manifest_shape(create_package.input_shape, create_model.input_shape)
