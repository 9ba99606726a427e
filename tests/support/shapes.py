"""What becomes of a manifest: its way through Signoff in memory, and the paths of all that was said on the way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from examples import artifacts
from tests.support.world import ROLE, SUBMITTER, World

Document = dict[str, Any]
DIGEST = f"sha256:{'c' * 64}"
PINNED = f"{artifacts.IMAGE.rpartition(':')[0]}@{DIGEST}"
GROUP, PREFIX = "churn", "churn/run-1"


@dataclass(frozen=True)
class Way:
    """One manifest as it was submitted, and the world afterwards."""

    document: Document
    world: World

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
    def model(self) -> Document:
        """What DescribeModel says of the model, which is what CreateModel was asked for, without the tags."""
        (model,) = self.world.registry.models.values()
        return model


def submitted(document: Document, policy: Mapping[str, Any] | None = None) -> Way:
    """Submit a manifest with files of the kinds it names, and validate its package."""
    world = World()
    world.images.digests[artifacts.IMAGE] = DIGEST
    if policy:
        world.set_policy(f"groups/{GROUP}", **{**policy, "deployment": with_role(policy)})
    files = artifacts.submission(document)
    listed = {"submitter": SUBMITTER, "objects": [name for name in files if name != "manifest.json"]}
    for name, data in {"submission.json": json.dumps(listed).encode(), **files}.items():
        world.upload(f"{PREFIX}/{name}", data)
    world.deliver()
    return Way(json.loads(files["manifest.json"]), world)


def deployed(document: Document, policy: Mapping[str, Any] | None = None) -> Way:
    """Submit a manifest, have its package approved, and its model made."""
    way = submitted(document, policy)
    assert way.status == "PendingApproval", (way.report, way.failed)
    way.world.decide(way.arn, "approve")
    way.world.deliver()
    return way


def with_role(policy: Mapping[str, Any]) -> Document:
    """The deployment of a policy with an execution role, as the app fills it in."""
    return {"execution_role": ROLE, **policy.get("deployment", {})}


@cache
def example(name: str) -> Way:
    """The way of one of the examples to its model, under the policy that it needs."""
    return deployed(artifacts.manifest(name), artifacts.policy(name))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything in a document that holds nothing else: `Containers[].Environment{}`.

    The keys of a map are not part of a path. Which objects are maps is told by their own names, as SageMaker has few.
    """
    if isinstance(value, Mapping) and path.rpartition(".")[2] in {"Environment", "CustomerMetadataProperties"}:
        yield from (pair for item in value.values() for pair in leaves(item, f"{path}{{}}"))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


def in_additional_specification(document: Document) -> Document:
    """The same manifest with its containers, how they run as well, as an additional specification that is chosen."""
    moved = copy.deepcopy(document)
    specification = moved["InferenceSpecification"]
    moved["AdditionalInferenceSpecifications"] = [{"Name": "second", **copy.deepcopy(specification)}]
    settings = moved.setdefault("Deployment", {})
    several = settings.get("Containers") or [settings.get("PrimaryContainer", {})]
    if len(several) < len(specification["Containers"]):
        several = [{} for _ in specification["Containers"]]
    for position, container in enumerate(specification["Containers"]):
        # The main specification has no settings now, and so no prefix to load many models from.
        if str(container.get("ModelDataUrl", "")).endswith("/"):
            specification["Containers"][position] = {**container, "ModelDataUrl": "one.tar.gz"}
    chosen = [{**each, "InferenceSpecificationName": "second"} for each in several]
    moved["Deployment"] = {**settings, "Containers": chosen}
    moved["Deployment"].pop("PrimaryContainer", None)
    return moved


def in_pipeline(document: Document) -> Document:
    """The same manifest with a second container behind its own, which makes SageMaker's Containers of it."""
    longer = copy.deepcopy(document)
    longer["InferenceSpecification"]["Containers"].append({"Image": artifacts.IMAGE, "ModelDataUrl": "second.tar.gz"})
    settings = longer.setdefault("Deployment", {})
    first = settings.pop("PrimaryContainer", {})
    hostname = bool(first.get("ContainerHostname"))
    hostname = hostname or any("ContainerHostname" in each for each in document["InferenceSpecification"]["Containers"])
    second = {"ContainerHostname": "second"} if hostname else {}
    settings["Containers"] = [first, second]
    settings["InferenceExecutionConfig"] = {"Mode": "Serial"}
    return longer


def as_algorithm(document: Document) -> Document:
    """The same manifest with its model data as an algorithm's."""
    moved = copy.deepcopy(document)
    data = {
        field: value
        for field, value in moved.pop("InferenceSpecification")["Containers"][0].items()
        if field in {"ModelDataUrl", "ModelDataSource", "ModelDataETag"}
    }
    moved.pop("Deployment", None)
    moved["SourceAlgorithmSpecification"] = {"SourceAlgorithms": [{"AlgorithmName": "trainer", **data}]}
    return moved
