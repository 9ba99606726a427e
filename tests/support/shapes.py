"""What becomes of a manifest: its way through Signoff in memory, and what SageMaker was asked for on the way."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from examples import artifacts
from tests.support.world import ROLE, World

Document = dict[str, Any]
DIGEST = f"sha256:{'c' * 64}"
PINNED = f"{artifacts.IMAGE.rpartition(':')[0]}@{DIGEST}"
GROUP, PREFIX = "churn", "churn/run-1"


@dataclass(frozen=True)
class Way:
    """One manifest as it was submitted, and the world afterwards."""

    document: Document
    policy: Mapping[str, Any]
    world: World
    updates: list[tuple[str, Document]] = field(default_factory=list)
    models: list[Document] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Remember what SageMaker is asked to update and to create."""
        registry, update, create = (
            self.world.registry,
            self.world.registry.update_package,
            self.world.registry.create_model,
        )

        def updated(arn: str, **fields: Any) -> None:
            self.updates.append((arn, copy.deepcopy(fields)))
            update(arn, **fields)

        def created(request: Mapping[str, Any]) -> bool:
            self.models.append(copy.deepcopy(dict(request)))
            return create(request)

        registry.update_package, registry.create_model = updated, created

    @property
    def report(self) -> Document:
        """What the submitter is told."""
        found: Document = json.loads(self.world.inbox.get(f"{PREFIX}/registration-report.json") or b"{}")
        return found

    @property
    def arn(self) -> str:
        """The ARN of the package."""
        return str(self.report["package"])

    @property
    def status(self) -> str:
        """Where the package stands."""
        return str(self.world.state(self.arn).status)

    @property
    def failed(self) -> list[str]:
        """The names of the checks that the package did not pass."""
        evidence = self.world.state(self.arn).evidence or {}
        return [check["name"] for check in evidence["checks"] if check["status"] != "passed"]

    @property
    def package_request(self) -> Document:
        """What CreateModelPackage was asked for."""
        described = self.world.registry.described[self.arn]
        hint = described["CustomerMetadataProperties"]["signoff:registration"]
        registration = json.loads(self.world.vault_bucket.get(f"registrations/{hint}.json") or b"{}")
        request: Document = registration["request"]
        return request

    @property
    def model_request(self) -> Document:
        """What CreateModel was asked for."""
        (request,) = self.models
        return request

    def approve(self) -> Way:
        """Have the package approved and its model made."""
        assert self.status == "PendingApproval", (self.report, self.failed)
        self.world.decide(self.arn, "approve")
        self.world.deliver()
        return self


def submitted(document: Document, policy: Mapping[str, Any] | None = None) -> Way:
    """Submit a manifest with files of the kinds it names, and validate its package."""
    files = artifacts.submission(document)
    way = Way(json.loads(files["manifest.json"]), policy or {}, World())
    way.world.images.digests[artifacts.IMAGE] = DIGEST
    if policy:
        deployment = {"execution_role": ROLE, **policy.get("deployment", {})}
        way.world.set_policy(f"groups/{GROUP}", **{**policy, "deployment": deployment})
    for key, data in way.world.signed(PREFIX, files).items():
        way.world.upload(key, data)
    way.world.deliver()
    return way


def deployed(document: Document, policy: Mapping[str, Any] | None = None) -> Way:
    """Submit a manifest, have its package approved, and its model made."""
    return submitted(document, policy).approve()


@cache
def example(name: str) -> Way:
    """The way of one of the examples to its model, under the policy that it needs."""
    return deployed(artifacts.manifest(name), artifacts.policy(name))
