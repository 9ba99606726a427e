"""The functions' handlers as Lambda invokes them, over the tests' world: a batch of messages or records goes in."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import announce
import apply_decision
import create_model
import keep_signature
import register_model
import sweep
from signoff.runtime import batches
from tests.support.world import World

MODULES = {
    each.__name__: each for each in (announce, apply_decision, create_model, keep_signature, register_model, sweep)
}


def queued(*bodies: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch of SQS messages with those bodies; events are written as EventBridge writes them."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": str(number), "body": text} for number, text in enumerate(texts)]}


def inserted(*items: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch of records of the ledger's stream, each of a new item."""
    records = [{"NewImage": item, "SequenceNumber": str(number)} for number, item in enumerate(items)]
    return {"Records": [{"eventName": "INSERT", "dynamodb": record} for record in records]}


class Handlers:
    """The handlers that events reach, over a world's adapters; `errors` are those of what they report as failed."""

    def __init__(self, world: World, outlets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: list[BaseException | None] = []
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Signoff")
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "signoff")
        logger = SimpleNamespace(exception=lambda *_, **__: self.errors.append(sys.exc_info()[1]))
        monkeypatch.setattr(batches, "logger", lambda: logger)
        monkeypatch.setattr(batches, "_bring_back", lambda _: None)
        settings = SimpleNamespace(artifacts_bucket=world.inbox.name)
        adapters: dict[Any, dict[str, Any]] = {
            register_model: {"_registrar": world.registrar, "from_environment": settings},
            apply_decision: {
                "_decision_handler": world.decision_handler,
                "_annotation_handler": world.annotation_handler,
                "_reconciler": world.reconciler,
                "_witness": SimpleNamespace(begin=lambda: None),
            },
            create_model: {"_deployer": world.deployer},
            keep_signature: {
                "_keeper": SimpleNamespace(keep=None),
                "SignatureVerifier": world.signature_verifier,
                "Bucket": world.inbox,
                "client": None,
                "from_environment": settings,
            },
            sweep: {"_sweep": world.sweeper, "_daily_checkpoint": world.daily_checkpoint},
            announce: {"_bus": outlets, "_topics": outlets},
        }
        for module, replaced in adapters.items():
            for name, adapter in replaced.items():
                monkeypatch.setattr(module, name, lambda *_, adapter=adapter: adapter)

    def failed(self, function: str, batch: Mapping[str, Any]) -> list[str]:
        """Invoke a function with a batch, and return the ids of what it reports as failed."""
        handler = inspect.unwrap(MODULES[function].handler)  # without tracing, which opens a socket
        answer = handler(batch, None)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
