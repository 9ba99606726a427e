"""Shapes of model that SageMaker's rules or the policy of a group refuse: by name, where their sender looks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from examples import artifacts
from tests.support.depth import few
from tests.support.groups import Group
from tests.support.pipeline import Pipeline
from tests.support.shapes_on_engine import Document, Shapes


def changed(name: str, change: Callable[[Document], Any]) -> Document:
    """An example's manifest with something else in it."""
    document = copy.deepcopy(artifacts.manifest(name))
    change(document)
    return document


def container(document: Document) -> Document:
    first: Document = document["InferenceSpecification"]["Containers"][0]
    return first


def source(document: Document) -> Document:
    found: Document = container(document)["ModelDataSource"]["S3DataSource"]
    return found


def sixteen(document: Document) -> None:
    document["InferenceSpecification"]["Containers"] = [container(document)] * 16


def primary(**fields: Any) -> Callable[[Document], None]:
    return lambda document: document.update(Deployment={"PrimaryContainer": fields})


FIRST = "InferenceSpecification.Containers[0]"
SOURCE = f"{FIRST}.ModelDataSource.S3DataSource"
PRIMARY = "Deployment.PrimaryContainer"
REFUSED: dict[str, tuple[Document, str, str]] = {
    "has model data in two forms": (
        changed("uncompressed-prefix", lambda document: container(document).update(ModelDataUrl="model.tar.gz")),
        FIRST,
        "both ModelDataUrl and ModelDataSource",
    ),
    "has a prefix that does not end in a slash": (
        changed("uncompressed-prefix", lambda document: source(document).update(S3Uri="weights")),
        f"{SOURCE}.S3Uri",
        "must end in /",
    ),
    "has an object that ends in a slash": (
        changed("uncompressed-object", lambda document: source(document).update(S3Uri="weights/")),
        f"{SOURCE}.S3Uri",
        "must not end in /",
    ),
    "compresses a prefix": (
        changed("uncompressed-prefix", lambda document: source(document).update(CompressionType="Gzip")),
        f"{SOURCE}.CompressionType",
        "must be None",
    ),
    "has an archive where it loads many": (
        changed("multi-model-cached", lambda document: container(document).update(ModelDataUrl="model.tar.gz")),
        FIRST,
        "it needs a ModelDataUrl that ends in /",
    ),
    "has a prefix where it loads one archive": (
        changed("single-container", lambda document: container(document).update(ModelDataUrl="models/")),
        f"{FIRST}.ModelDataUrl",
        "only a container of Mode MultiModel loads",
    ),
    "caches one model": (
        changed("single-container", primary(MultiModelConfig={"ModelCacheSetting": "Enabled"})),
        f"{PRIMARY}.MultiModelConfig",
        "is for a container of Mode MultiModel",
    ),
    "has more containers than 15": (changed("pipeline", sixteen), "InferenceSpecification.Containers", "at most 15"),
    "names some containers of a pipeline": (
        changed("pipeline", lambda document: container(document).update(ContainerHostname="prepare")),
        "InferenceSpecification.Containers",
        "on every container where one has it",
    ),
    "is called directly by no names": (
        changed(
            "pipeline", lambda document: document.update(Deployment={"InferenceExecutionConfig": {"Mode": "Direct"}})
        ),
        "Deployment.InferenceExecutionConfig.Mode",
        "needs a ContainerHostname on each",
    ),
    "has credentials for Amazon ECR": (
        changed(
            "private-registry",
            lambda document: document["Deployment"]["PrimaryContainer"]["ImageConfig"].update(
                RepositoryAccessMode="Platform"
            ),
        ),
        f"{PRIMARY}.ImageConfig.RepositoryAuthConfig",
        "is for RepositoryAccessMode Vpc",
    ),
    "chooses a specification that is not there": (
        changed("additional-specification", primary(InferenceSpecificationName="double")),
        f"{PRIMARY}.InferenceSpecificationName",
        "must be the Name of one",
    ),
    "finds two sources by one channel": (
        changed(
            "additional-model-data",
            lambda document: container(document)["AdditionalModelDataSources"][1].update(ChannelName="adapter-north"),
        ),
        f"{FIRST}.AdditionalModelDataSources",
        "a ChannelName of its own",
    ),
    "has tags beside its group": (
        changed("single-container", lambda document: document.update(Tags=[{"Key": "team", "Value": "growth"}])),
        "Tags",
        "uses the group's tags",
    ),
    "is unversioned": (
        changed("single-container", lambda document: document.update(ModelPackageName="churn")),
        "ModelPackageName",
        "unversioned",
    ),
    "is for the marketplace": (
        changed("single-container", lambda document: document.update(CertifyForMarketplace=True)),
        "CertifyForMarketplace",
        "unversioned",
    ),
    "names the package of its model": (
        changed("single-container", primary(ModelPackageName="another")),
        f"{PRIMARY}.ModelPackageName",
        "is set by Signoff",
    ),
    "has too large an environment": (
        changed(
            "single-container",
            lambda document: container(document).update(Environment={f"NAME_{n}": "x" * 1000 for n in range(40)}),
        ),
        "InferenceSpecification.Containers",
        "SageMaker allows 32,768",
    ),
    "chooses what the policy does not offer": (
        artifacts.manifest("deployment-choices"),
        "Deployment.ExecutionRoleArn",
        "is not allowed by the group's policy",
    ),
    "is tested under a role of its own choice": (
        artifacts.manifest("validation-specification"),
        "ValidationSpecification.ValidationRole",
        "is set by the policy",
    ),
}
# Examples that the default policy takes in, and fails: which of their checks.
FAILED = {
    "algorithm-source": "unpinned:SourceAlgorithmSpecification",
    "environment-that-fetches": f"environment:{FIRST}.HF_MODEL_ID",
    "hub-access": f"unpinned:{SOURCE}.HubAccessConfig",
    "managed-storage": "unpinned:ManagedStorageType",
    "manifest-file": f"unpinned:{SOURCE}.ManifestS3Uri",
    "marketplace-product": f"unpinned:{FIRST}.ProductId",
    "private-registry": f"deployment:{FIRST}",
    "source-uri": "unpinned:SourceUri",
}


SOME_REFUSED, SOME_FAILED = few(REFUSED), few(FAILED)  # each is tried without an engine too


@pytest.fixture(scope="module")
def refused(pipeline: Pipeline) -> Shapes:
    made = Shapes(pipeline)
    for name in SOME_REFUSED:
        made.submit(name.replace(" ", "-"), REFUSED[name][0])
    for name in SOME_FAILED:
        made.submit(name, artifacts.manifest(name))
    pipeline.quiet()
    return made


@pytest.mark.parametrize("name", SOME_REFUSED)
def test_a_shape_is_refused_by_name_that(refused: Shapes, name: str) -> None:
    _, path, message = REFUSED[name]

    report = refused.submissions[name.replace(" ", "-")].report()

    told = [fault["message"] for fault in report["faults"] if fault["path"].startswith(path)]
    assert report["outcome"] == "refused"
    assert any(message in each for each in told), report["faults"]


@pytest.mark.parametrize("name", SOME_FAILED)
def test_what_nobody_can_pin_or_inspect_fails_unless_the_policy_accepts_it(refused: Shapes, name: str) -> None:
    package = refused.submissions[name].package().until("ValidationFailed")

    failed = [check["name"] for check in package.evidence()["checks"] if check["status"] == "failed"]

    assert failed == [FAILED[name]]
    assert FAILED[name] in package.registry[1]
    assert package.models() == []


def test_an_etag_that_is_not_the_objects_is_refused(pipeline: Pipeline, group: Group) -> None:
    document = artifacts.manifest("compressed-with-eula")
    files = artifacts.submission(document, pipeline.stack.image)

    report = group.submit({**files, "manifest.json": json.dumps(document).encode()}).report()

    (fault,) = report["faults"]
    assert fault["path"] == f"{SOURCE}.ETag"
    assert "is not the ETag of model.tar.gz as it was uploaded" in fault["message"]


def test_a_prefix_of_which_no_object_was_listed_is_refused(group: Group) -> None:
    files = artifacts.submission(artifacts.manifest("uncompressed-prefix"))

    submission = group.submit({"manifest.json": files["manifest.json"]})

    (fault,) = submission.report()["faults"]
    assert fault["message"] == "submission.json lists no object under weights/, which the manifest names"
