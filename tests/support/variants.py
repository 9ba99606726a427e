"""The example manifests, and their model data and settings in each other place where SageMaker has fields for them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from examples import artifacts
from signoff.policy.policy import Unpinned
from tests.support.shapes import Document, Way, example, submitted

SECOND = "second"


@cache
def ways() -> list[Way]:
    """The way of every example to its model, and of every variant, those to a model that can become one."""
    found = [example(name) for name in artifacts.names()]
    for name in artifacts.names():
        for variant in _variants(artifacts.manifest(name)):
            way = submitted(variant, _policy(name))
            found.append(way.approve() if way.status == "PendingApproval" else way)
    return found


def _policy(name: str) -> Document:
    """An example's policy, and beside it consent to whatever cannot be pinned."""
    policy = {"groups": {"create": True}, **artifacts.policy(name)}
    return {**policy, "sources": {**policy.get("sources", {}), "unpinned": list(get_args(Unpinned))}}


def _variants(document: Document) -> Iterator[Document]:
    containers = document.get("InferenceSpecification", {}).get("Containers", [])
    if not containers:
        return
    if "AdditionalInferenceSpecifications" not in document:
        yield in_additional_specification(document)
    if len(containers) > 1:
        return
    yield in_pipeline(document)
    yield written_out(document)
    if _has_data(containers[0]):
        yield as_algorithm(document)
    if "ModelDataSource" in containers[0]:
        beside = beside_other_data(document)
        yield from (beside, in_pipeline(beside), written_out(beside), in_additional_specification(beside))


def _has_data(container: Document) -> bool:
    return "ModelDataSource" in container or str(container.get("ModelDataUrl", "/")).endswith(".gz")


def in_additional_specification(document: Document) -> Document:
    """The same manifest with its containers as those of an additional specification as well, which is chosen."""
    moved = copy.deepcopy(document)
    containers, settings = moved["InferenceSpecification"]["Containers"], moved.setdefault("Deployment", {})
    moved["AdditionalInferenceSpecifications"] = [{"Name": SECOND, **copy.deepcopy(moved["InferenceSpecification"])}]
    for container in containers:
        # Nobody says of the main specification that it runs in Mode MultiModel, and so it has no prefix.
        if str(container.get("ModelDataUrl", "")).endswith("/"):
            container["ModelDataUrl"] = "one.tar.gz"
    several = settings.get("Containers") or [settings.pop("PrimaryContainer", {})] * len(containers)
    settings["Containers"] = [{**each, "InferenceSpecificationName": SECOND} for each in several]
    return moved


def in_pipeline(document: Document) -> Document:
    """The same manifest with a second container behind its own, and so several where SageMaker had one."""
    longer = copy.deepcopy(document)
    settings = longer.setdefault("Deployment", {})
    first = {"ContainerHostname": "first", **settings.pop("PrimaryContainer", {})}
    first.pop("InferenceSpecificationName", None)
    specifications = [longer["InferenceSpecification"], *longer.pop("AdditionalInferenceSpecifications", [])]
    for specification in specifications:
        second = {"Image": artifacts.IMAGE, "ModelDataUrl": "second.tar.gz"}
        named = "ContainerHostname" in specification["Containers"][0]
        specification["Containers"].append(second | ({"ContainerHostname": SECOND} if named else {}))
    settings["Containers"] = [first, {"ContainerHostname": SECOND}]
    settings["InferenceExecutionConfig"] = {"Mode": "Serial"}
    return longer


def written_out(document: Document) -> Document:
    """The same manifest with a setting that SageMaker does not take beside a package: where the image is."""
    told = copy.deepcopy(document)
    primary = told.setdefault("Deployment", {}).setdefault("PrimaryContainer", {})
    primary.setdefault("ImageConfig", {"RepositoryAccessMode": "Platform"})
    return told


def beside_other_data(document: Document) -> Document:
    """The same manifest with its model data as additional model data, and other data in their place."""
    moved = copy.deepcopy(document)
    (container,) = moved["InferenceSpecification"]["Containers"]
    source: dict[str, Any] = container["ModelDataSource"]["S3DataSource"]
    container["AdditionalModelDataSources"] = [{"ChannelName": "moved", "S3DataSource": source}]
    base = {"S3Uri": "base.safetensors", "S3DataType": "S3Object", "CompressionType": "None"}
    container["ModelDataSource"] = {"S3DataSource": base}
    return moved


def as_algorithm(document: Document) -> Document:
    """The same manifest with its model data as those of an algorithm."""
    moved = {field: value for field, value in document.items() if field != "Deployment"}
    (container,) = moved.pop("InferenceSpecification")["Containers"]
    data = {field: value for field, value in container.items() if field.startswith("ModelData")}
    moved["SourceAlgorithmSpecification"] = {"SourceAlgorithms": [{"AlgorithmName": "trainer", **data}]}
    return copy.deepcopy(moved)
