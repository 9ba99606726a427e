"""How containers may run: each rule by what it takes and what it refuses, where."""

from typing import Any

import pytest

from tests.support.manifests import IMAGE, found

HERE = "InferenceSpecification.Containers"
SEVERAL = {"Image": IMAGE, "ModelDataUrl": "models/"}
ONE = {"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}
VPC = {"RepositoryAccessMode": "Vpc"}
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:credentials"
CREDENTIALS = {"RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": FUNCTION}}


def running(*containers: dict[str, Any], **deployment: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": list(containers or (ONE,))}, "Deployment": deployment}


def named(name: str, container: dict[str, Any] = ONE) -> dict[str, Any]:
    return {**container, "ContainerHostname": name}


def with_specification(*containers: dict[str, Any], **deployment: Any) -> dict[str, Any]:
    additional = [{"Name": "neo", "Containers": list(containers or (ONE,))}]
    return {**running(**deployment), "AdditionalInferenceSpecifications": additional}


NEO = {"InferenceSpecificationName": "neo"}


@pytest.mark.parametrize(
    "document",
    [
        running(),
        running(PrimaryContainer={}),
        running(Containers=[{}]),
        running(PrimaryContainer={"Mode": "SingleModel", "Environment": {"A": "1"}, "ContainerHostname": "model"}),
        running(PrimaryContainer={"ImageConfig": {**VPC, **CREDENTIALS}}),
        running(PrimaryContainer={"ImageConfig": VPC}),
        running(PrimaryContainer={"ImageConfig": {"RepositoryAccessMode": "Platform"}}),
        running(SEVERAL, PrimaryContainer={"Mode": "MultiModel"}),
        running(SEVERAL, Containers=[{"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}]),
        running(SEVERAL, PrimaryContainer={"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Enabled"}}),
        running(ONE, SEVERAL, Containers=[{}, {"Mode": "MultiModel"}]),
        running(*[ONE] * 15),
        running(ONE, ONE, Containers=[{"Environment": {"A": "1"}}, {}]),
        running(ONE, ONE, InferenceExecutionConfig={"Mode": "Serial"}),
        running(named("a"), named("b"), InferenceExecutionConfig={"Mode": "Direct"}),
        running(ONE, ONE, InferenceExecutionConfig={"Mode": "Direct"},
                Containers=[{"ContainerHostname": "a"}, {"ContainerHostname": "b"}]),
        running(named("a"), named("b"), Containers=[{"ContainerHostname": "c"}, {"ContainerHostname": "d"}]),
        with_specification(PrimaryContainer=NEO),
        with_specification(ONE, ONE, PrimaryContainer=NEO),
        with_specification(ONE, ONE, Containers=[{**NEO, "Environment": {"A": "1"}}, NEO]),
        with_specification(SEVERAL, PrimaryContainer={**NEO, "Mode": "MultiModel"}),
        with_specification(SEVERAL),
        {"SourceUri": "s3://anywhere/source", "Deployment": {"PrimaryContainer": {"ContainerHostname": "model"}}},
    ],
)  # fmt: skip
def test_every_way_in_which_containers_run_is_taken(document: dict[str, Any]):
    assert found(document) == {}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (running(PrimaryContainer={}, Containers=[{}]), "Deployment", "has both PrimaryContainer and Containers"),
        (running(PrimaryContainer=NEO), "Deployment.PrimaryContainer.InferenceSpecificationName", "must be the Name"),
        (with_specification(ONE, ONE, Containers=[NEO, {}]), "Deployment.Containers", "one InferenceSpecificationName"),
        (running(Containers=[{}, {}]), "Deployment.Containers", "for each container that runs: 1"),
        (running(ONE, ONE, Containers=[{}]), "Deployment.Containers", "for each container that runs: 2"),
        (running(ONE, ONE, PrimaryContainer={"Mode": "SingleModel"}), "Deployment.PrimaryContainer", "and 2 run"),
        (with_specification(ONE, ONE, Containers=[NEO]), "Deployment.Containers", "for each container that runs: 2"),
        (running(SEVERAL), f"{HERE}[0].ModelDataUrl", "only a container of Mode MultiModel"),
        (running(PrimaryContainer={"Mode": "MultiModel"}), f"{HERE}[0]", "a ModelDataUrl that ends in /"),
        (running({"Image": IMAGE}, PrimaryContainer={"Mode": "MultiModel"}), f"{HERE}[0]", "it needs a ModelDataUrl"),
        (running(SEVERAL, SEVERAL, Containers=[{"Mode": "MultiModel"}] * 2), "Deployment.Containers", "may have one"),
        (running(PrimaryContainer={"MultiModelConfig": {}}), "Deployment.PrimaryContainer.MultiModelConfig",
         "is for a container of Mode MultiModel"),
        (running(PrimaryContainer={"ImageConfig": {"RepositoryAccessMode": "Platform", **CREDENTIALS}}),
         "Deployment.PrimaryContainer.ImageConfig.RepositoryAuthConfig", "is for RepositoryAccessMode Vpc"),
        (running(ONE, Containers=[{"ImageConfig": {"RepositoryAccessMode": "Platform", **CREDENTIALS}}]),
         "Deployment.Containers[0].ImageConfig.RepositoryAuthConfig", "is for RepositoryAccessMode Vpc"),
        (running(InferenceExecutionConfig={"Mode": "Serial"}), "Deployment.InferenceExecutionConfig", "2 containers"),
        (running(ONE, ONE, InferenceExecutionConfig={"Mode": "Direct"}), "Deployment.InferenceExecutionConfig.Mode",
         "needs a ContainerHostname on each"),
        (running(named("a"), ONE), HERE, "on every container where one has it"),
        (running(ONE, ONE, Containers=[{"ContainerHostname": "a"}, {}]), "Deployment.Containers", "on every container"),
        (running(named("a"), named("a")), HERE, "a ContainerHostname of its own"),
        (running(ONE, ONE, Containers=[{"ContainerHostname": "a"}] * 2), HERE, "a ContainerHostname of its own"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_where_it_stands(document: dict[str, Any], path: str, words: str):
    faults = found(document)
    assert words in faults.pop(path)
    assert faults == {}


@pytest.mark.parametrize("field", ["Mode", "MultiModelConfig", "ImageConfig"])
def test_settings_of_containers_that_nobody_can_see_are_refused(field: str):
    values = {"Mode": "SingleModel", "MultiModelConfig": {}, "ImageConfig": VPC}
    document = {"SourceUri": "s3://anywhere", "Deployment": {"PrimaryContainer": {field: values[field]}}}
    assert "needs an InferenceSpecification" in found(document)[f"Deployment.PrimaryContainer.{field}"]


def test_a_list_of_settings_needs_containers_to_be_for():
    document = {"SourceUri": "s3://anywhere", "Deployment": {"Containers": [{}]}}
    assert set(found(document)) == {"Deployment.Containers"}


def environment(entries: int) -> dict[str, str]:
    return {f"K{number:02}": "v" * 1000 for number in range(entries)}


def test_the_environments_that_run_count_together_the_deployments_over_the_packages():
    container = {**ONE, "Environment": environment(20)}
    assert found(running(container, PrimaryContainer={"Environment": environment(32)})) == {}
    assert set(found(running(container, PrimaryContainer={"Environment": {"X": "v" * 1000, **environment(32)}}))) == {
        "Deployment"
    }


def test_more_than_fifteen_containers_are_too_many():
    assert HERE in found(running(*[ONE] * 16))
