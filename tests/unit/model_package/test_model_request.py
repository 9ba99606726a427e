"""The CreateModel request of a signed package, and whether DescribeModel shows what was asked for."""

import copy
from typing import Any

import pytest

from signoff.model_package.model_comparison import differences
from signoff.model_package.model_request import model_request, why_expanded
from signoff.validation.deployability import deployment_checks

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"
ROLE = "arn:aws:iam::123456789012:role/model"
PINNED = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn@sha256:{'a' * 64}"
TAGGED = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1.2"
KEPT = "s3://vault/models/churn/1/"
ONE = {"Image": PINNED, "ModelDataUrl": f"{KEPT}model.tar.gz"}
SEVERAL = {"Image": PINNED, "ModelDataUrl": f"{KEPT}models/"}
POLICY = {"execution_role": ROLE, "network_isolation": True, "vpc": None, "tags": {}}
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}


def uri(key: str) -> str:
    return f"s3://vault/{key}"


def package(*containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": list(containers or (ONE,))}, **fields}


def signed(*urls: str, manifest: dict[str, Any] | None = None, **policy: Any) -> dict[str, Any]:
    """A subject whose artifacts lie in the vault already, and those of `urls` as copies there."""
    artifacts = [{"url": url, "key": f"models/churn/2/{url.partition('://b/')[2]}"} for url in urls]
    return {
        "deployment": {"policy": {**POLICY, **policy}, "manifest": manifest or {}},
        "images": {PINNED: PINNED, TAGGED: PINNED},
        "artifacts": artifacts,
    }


def pinned(**parts: Any) -> dict[str, Any]:
    return {**signed(**parts), "images": {PINNED: PINNED}}


def containers(described: dict[str, Any], subject: dict[str, Any]) -> list[dict[str, Any]]:
    request = model_request(ARN, described, subject, uri, "e" * 64)
    assert ("PrimaryContainer" in request) != ("Containers" in request)
    return request.get("Containers") or [request["PrimaryContainer"]]


# By the package's name


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ContainerHostname": "model"},
        {"Environment": {"A": "1"}},
        {"ContainerMetricsConfig": {"MetricsEndpoints": [{"MetricsEndpointPath": "/metrics"}]}},
    ],
)
def test_what_sagemaker_takes_beside_a_package_stands_beside_it(settings: dict[str, Any]):
    manifest = {"PrimaryContainer": settings}
    assert why_expanded(package(), manifest) == []
    assert containers(package(), pinned(manifest=manifest)) == [{"ModelPackageName": ARN, **settings}]


def test_settings_may_be_a_list_of_one():
    manifest = {"Containers": [{"ContainerHostname": "model"}]}
    assert containers(package(), pinned(manifest=manifest)) == [{"ModelPackageName": ARN, "ContainerHostname": "model"}]


def test_an_additional_specification_is_chosen_by_its_name():
    described = package(AdditionalInferenceSpecifications=[{"Name": "neo", "Containers": [ONE]}])
    manifest = {"PrimaryContainer": {"InferenceSpecificationName": "neo"}}
    assert containers(described, pinned(manifest=manifest)) == [
        {"ModelPackageName": ARN, "InferenceSpecificationName": "neo"}
    ]


def test_a_pipeline_is_taken_from_its_package_whole():
    described = package(ONE, {**ONE, "Environment": {"A": "1"}})
    assert containers(described, pinned()) == [{"ModelPackageName": ARN}]
    assert why_expanded(described, {}) == []


def test_a_pipeline_of_an_additional_specification_is_chosen_by_one_name():
    described = package(AdditionalInferenceSpecifications=[{"Name": "neo", "Containers": [ONE, ONE]}])
    manifest = {"Containers": [{"InferenceSpecificationName": "neo"}] * 2}
    assert containers(described, pinned(manifest=manifest)) == [
        {"ModelPackageName": ARN, "InferenceSpecificationName": "neo"}
    ]


@pytest.mark.parametrize("described", [{"SourceUri": "s3://b/x"}, {"SourceAlgorithmSpecification": {}}])
def test_a_package_whose_containers_nobody_sees_is_taken_by_its_name(described: dict[str, Any]):
    manifest = {"PrimaryContainer": {"Environment": {"A": "1"}}}
    assert why_expanded(described, manifest) == []
    assert containers(described, signed(manifest=manifest)) == [{"ModelPackageName": ARN, "Environment": {"A": "1"}}]


# Written out


@pytest.mark.parametrize(
    ("described", "manifest", "reasons"),
    [
        (package(), {"PrimaryContainer": {"Mode": "SingleModel"}}, ["Mode"]),
        (package(SEVERAL), {"PrimaryContainer": {"Mode": "MultiModel", "MultiModelConfig": {}}},
         ["Mode", "MultiModelConfig"]),
        (package(), {"PrimaryContainer": {"ImageConfig": {"RepositoryAccessMode": "Vpc"}}}, ["ImageConfig"]),
        (package({**ONE, "Environment": {"A": "1"}}), {"PrimaryContainer": {"Environment": {"B": "2"}}},
         ["Environment"]),
        (package({**ONE, "Environment": {}}), {"PrimaryContainer": {"Environment": {"B": "2"}}}, ["Environment"]),
        (package(ONE, ONE), {"Containers": [{"Environment": {"B": "2"}}, {}]}, ["Environment"]),
        (package(ONE, ONE), {"Containers": [{"ContainerHostname": "a"}, {"ContainerHostname": "b"}]},
         ["ContainerHostname"]),
        (package(ONE, ONE), {"InferenceExecutionConfig": {"Mode": "Direct"}}, ["InferenceExecutionConfig"]),
        (package(SourceUri="s3://b/x"), {}, ["SourceUri"]),
    ],
)  # fmt: skip
def test_what_sagemaker_does_not_take_beside_a_package_is_a_reason_to_write_it_out(
    described: dict[str, Any], manifest: dict[str, Any], reasons: list[str]
):
    assert why_expanded(described, manifest) == reasons
    assert all("ModelPackageName" not in each for each in containers(described, pinned(manifest=manifest)))


def test_a_multi_model_container_has_its_prefix_mode_and_cache_setting():
    settings = {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}
    assert containers(package(SEVERAL), pinned(manifest={"PrimaryContainer": settings})) == [{**SEVERAL, **settings}]


def test_a_private_registry_comes_with_its_credentials_and_its_network():
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    auth = {"RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": function}}
    settings = {"ImageConfig": {"RepositoryAccessMode": "Vpc", **auth}}
    request = model_request(ARN, package(), pinned(manifest={"PrimaryContainer": settings}, vpc=VPC), uri, "e")
    assert request["PrimaryContainer"] == {**ONE, **settings}
    assert request["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}


def test_environments_are_merged_the_deployments_over_the_packages():
    described = package({**ONE, "Environment": {"A": "1", "B": "1"}})
    manifest = {"PrimaryContainer": {"Environment": {"B": "2", "C": "3"}}}
    (container,) = containers(described, pinned(manifest=manifest))
    assert container["Environment"] == {"A": "1", "B": "2", "C": "3"}


def test_a_direct_pipeline_keeps_its_order_names_and_settings():
    described = package({**ONE, "ContainerHostname": "a"}, {**ONE, "ContainerHostname": "b"})
    manifest = {
        "InferenceExecutionConfig": {"Mode": "Direct"},
        "Containers": [{"Environment": {"A": "1"}}, {"ContainerHostname": "c"}],
    }
    request = model_request(ARN, described, pinned(manifest=manifest), uri, "e")
    assert request["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert request["Containers"] == [
        {**ONE, "ContainerHostname": "a", "Environment": {"A": "1"}},
        {**ONE, "ContainerHostname": "c"},
    ]


def test_a_chosen_specification_is_written_out_without_its_name():
    other = {"Image": PINNED, "ModelDataUrl": f"{KEPT}neo.tar.gz"}
    described = package(AdditionalInferenceSpecifications=[{"Name": "neo", "Containers": [other]}])
    manifest = {"PrimaryContainer": {"InferenceSpecificationName": "neo", "Mode": "SingleModel"}}
    assert containers(described, pinned(manifest=manifest)) == [{**other, "Mode": "SingleModel"}]


def source(location: str, **more: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": location, "S3DataType": "S3Prefix", "CompressionType": "None", **more}}


def test_all_model_data_of_a_package_from_elsewhere_is_on_the_vaults_copies():
    manifest_file = {"ManifestS3Uri": "s3://b/files.json", "ManifestEtag": "2"}
    container = {
        "Image": TAGGED,
        "ImageDigest": "sha256:" + "a" * 64,
        "ModelDataSource": source("s3://b/weights/", ETag="1", ModelAccessConfig={"AcceptEula": True}, **manifest_file),
        "AdditionalModelDataSources": [{"ChannelName": "lora", **source("s3://b/lora/", ETag="3")}],
        "Framework": "PYTORCH",
    }
    (expanded,) = containers(package(container), signed("s3://b/weights/", "s3://b/lora/", "s3://b/files.json"))
    home = "s3://vault/models/churn/2/"
    access = {"ModelAccessConfig": {"AcceptEula": True}}
    assert expanded == {
        "Image": PINNED,
        "ModelDataSource": source(f"{home}weights/", ManifestS3Uri=f"{home}files.json", **access),
        "AdditionalModelDataSources": [{"ChannelName": "lora", **source(f"{home}lora/")}],
    }


def test_the_etag_of_what_is_in_the_vault_already_stays_beside_it():
    home = "s3://vault/models/churn/2/"
    data = source(f"{home}m.bin", ETag='"1"', ManifestS3Uri="s3://b/files.json", ManifestEtag="2")
    subject = signed("s3://b/files.json", manifest={"PrimaryContainer": {"Mode": "SingleModel"}})
    (expanded,) = containers(package({"Image": TAGGED, "ModelDataSource": data}), subject)
    assert expanded["ModelDataSource"] == source(f"{home}m.bin", ETag='"1"', ManifestS3Uri=f"{home}files.json")


@pytest.mark.parametrize(("shown", "different"), [('"1"', []), ("1", []), ("2", ["ETag"]), (None, [])])
def test_an_etag_is_the_same_without_its_quotes_and_need_not_be_shown_again(shown: str | None, different: list[str]):
    asked, found = ({"PrimaryContainer": {"ModelDataSource": source("s3://v/m", ETag=etag)}} for etag in ('"1"', shown))
    assert [path.rpartition(".")[2] for path in differences(asked, found)] == different


def test_hub_content_is_left_where_it_is():
    hub = source("s3://hub/model/", HubAccessConfig={"HubContentArn": "arn:hub"})
    (expanded,) = containers(package({"Image": TAGGED, "ModelDataSource": hub}), signed())
    assert expanded["ModelDataSource"] == hub


def test_model_data_that_is_described_in_both_forms_is_asked_for_in_one():
    both = {**ONE, "ModelDataUrl": "s3://b/m", "ModelDataSource": source("s3://b/m"), "ModelDataETag": "1"}
    assert containers(package(both), signed("s3://b/m")) == [
        {"Image": PINNED, "ModelDataUrl": "s3://vault/models/churn/2/m"}
    ]


def test_what_the_policy_says_of_authority_network_and_tags_is_in_every_request():
    request = model_request(ARN, package(), pinned(vpc=VPC, network_isolation=False, tags={"team": "a"}), uri, "e" * 64)
    assert (request["ExecutionRoleArn"], request["EnableNetworkIsolation"]) == (ROLE, False)
    assert request["Tags"] == [{"Key": "team", "Value": "a"}, {"Key": "signoff:evidence", "Value": "e" * 64}]


# What would keep the model from being made


def checks(described: dict[str, Any], subject: dict[str, Any]) -> dict[str, str]:
    found = list(deployment_checks(described, subject, uri))
    assert all(check.status == "failed" for check in found)
    return {check.name: check.reason for check in found}


@pytest.mark.parametrize("field", ["ProductId", "AdditionalS3DataSource"])
def test_what_a_models_container_cannot_hold_stays_in_the_package(field: str):
    container = {**ONE, field: "something"}
    assert checks(package(container), pinned()) == {}
    settings = {"PrimaryContainer": {"Mode": "SingleModel"}}
    found = checks(package(container), pinned(manifest=settings))
    assert f"cannot hold {field}" in found["deployment:InferenceSpecification.Containers[0]"]


@pytest.mark.parametrize("field", ["ProductId", "AdditionalS3DataSource"])
def test_what_is_not_in_the_vault_is_written_out_and_cannot_hold_it_either(field: str):
    container = {"Image": PINNED, "ModelDataUrl": "s3://b/m", field: "something"}
    found = checks(package(container), signed("s3://b/m"))
    assert "what is not in the vault, the container must be written out" in " ".join(found.values())


def test_an_image_in_the_vpcs_registry_needs_the_vpc():
    manifest = {"PrimaryContainer": {"ImageConfig": {"RepositoryAccessMode": "Vpc"}}}
    assert "the policy sets no VPC for the model" in " ".join(checks(package(), pinned(manifest=manifest)).values())
    assert checks(package(), pinned(manifest=manifest, vpc=VPC)) == {}


THERE = {"account": None, "region": "eu-west-1", "execution_role": ROLE, "vpc": None}


@pytest.mark.parametrize(
    ("described", "manifest", "reason"),
    [
        (package({**ONE, "ProductId": "prod"}), {}, "the package has ProductId"),
        ({"ModelPackageArn": ARN, "SourceUri": "arn:model"}, {}, "the package has no containers of its own"),
        (package(), {"PrimaryContainer": {"ImageConfig": {"RepositoryAccessMode": "Vpc"}}}, "the target sets no VPC"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_in_a_further_place_is_known_before_anybody_decides(
    described: dict[str, Any], manifest: dict[str, Any], reason: str
):
    assert checks(described, pinned(manifest=manifest, vpc=VPC)) == {}
    found = checks(described, pinned(manifest=manifest, vpc=VPC, targets=[THERE]))
    assert reason in found["deployment:targets.this account/eu-west-1"]


@pytest.mark.parametrize(
    ("described", "manifest", "path"),
    [
        (package(), {"PrimaryContainer": {"InferenceSpecificationName": "gone"}},
         "Deployment.PrimaryContainer.InferenceSpecificationName"),
        (package(ONE, ONE), {"Containers": [{}]}, "Deployment.Containers"),
        (package(SEVERAL), {}, "InferenceSpecification.Containers[0].ModelDataUrl"),
        (package(), {"PrimaryContainer": {"Mode": "MultiModel"}}, "InferenceSpecification.Containers[0]"),
    ],
)  # fmt: skip
def test_how_a_groups_packages_run_must_fit_the_package_from_elsewhere(
    described: dict[str, Any], manifest: dict[str, Any], path: str
):
    assert f"deployment:{path}" in checks(described, pinned(manifest=manifest))


def test_nothing_keeps_a_plain_package_from_being_deployed():
    assert checks(package(), pinned()) == {}


# What DescribeModel shows

BASE = {"ModelName": "m", "ExecutionRoleArn": ROLE, "EnableNetworkIsolation": True, "Tags": [{"Key": "a"}]}
WRITTEN = {**BASE, "PrimaryContainer": {**ONE, "Mode": "SingleModel", "Environment": {"A": "1"}}}
BY_NAME = {**BASE, "PrimaryContainer": {"ModelPackageName": ARN}}
PIPELINE = {**BASE, "Containers": [{**ONE, "ContainerHostname": "a"}, {**ONE, "ContainerHostname": "b"}]}


def shown(request: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """What DescribeModel says of a request, and `changed` at paths like `Containers__1__Image`."""
    described = copy.deepcopy({field: value for field, value in request.items() if field != "Tags"})
    for path, value in changed.items():
        *way, last = path.split("__")
        at: Any = described
        for step in way:
            at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
        at[last] = value
    return {**described, "ModelArn": "arn", "CreationTime": "now", "DeploymentRecommendation": {}}


@pytest.mark.parametrize("request_", [WRITTEN, BY_NAME, PIPELINE])
def test_a_model_that_is_as_it_was_asked_for_does_not_differ(request_: dict[str, Any]):
    assert differences(request_, shown(request_)) == []


@pytest.mark.parametrize(
    "added",
    [
        {"PrimaryContainer__Mode": "SingleModel", "PrimaryContainer__ContainerHostname": "container-1"},
        {"PrimaryContainer__ImageConfig": {"RepositoryAccessMode": "Platform"}},
        {"PrimaryContainer__ModelDataSource": source(ONE["ModelDataUrl"], ETag="1")},
        {"PrimaryContainer__Environment": {}, "VpcConfig": None, "Containers": []},
        {"InferenceExecutionConfig": {"Mode": "Serial"}},
    ],
)
def test_what_sagemaker_adds_of_itself_is_no_difference(added: dict[str, Any]):
    request = {**BASE, "PrimaryContainer": ONE}
    assert differences(request, shown(request, **added)) == []


@pytest.mark.parametrize(
    ("request_", "changed", "path"),
    [
        (WRITTEN, {"ExecutionRoleArn": "other"}, "ExecutionRoleArn"),
        (WRITTEN, {"EnableNetworkIsolation": False}, "EnableNetworkIsolation"),
        (WRITTEN, {"PrimaryContainer__Image": TAGGED}, "PrimaryContainer.Image"),
        (WRITTEN, {"PrimaryContainer__Mode": "MultiModel"}, "PrimaryContainer.Mode"),
        (WRITTEN, {"PrimaryContainer__Environment__A": "2"}, "PrimaryContainer.Environment.A"),
        (BY_NAME, {"PrimaryContainer__ModelPackageName": "other"}, "PrimaryContainer.ModelPackageName"),
        (PIPELINE, {"Containers__1__ModelDataUrl": "s3://other"}, "Containers[1].ModelDataUrl"),
        (PIPELINE, {"Containers__0__ContainerHostname": "x"}, "Containers[0].ContainerHostname"),
        (PIPELINE, {"Containers": [ONE]}, "Containers"),
        # and what nobody asked for
        (WRITTEN, {"VpcConfig": {"Subnets": ["subnet-9"]}}, "VpcConfig"),
        (WRITTEN, {"Containers": [ONE]}, "Containers"),
        (WRITTEN, {"PrimaryContainer__Environment__B": "2"}, "PrimaryContainer.Environment.B"),
        (WRITTEN, {"InferenceExecutionConfig": {"Mode": "Direct"}}, "InferenceExecutionConfig"),
        (WRITTEN, {"PrimaryContainer__AdditionalModelDataSources": [source("s3://x/")]},
         "PrimaryContainer.AdditionalModelDataSources"),
        (WRITTEN, {"PrimaryContainer__ModelDataSource": source("s3://x/")}, "PrimaryContainer.ModelDataSource"),
        (PIPELINE, {"Containers__1__Environment": {"A": "1"}}, "Containers[1].Environment"),
        (PIPELINE, {"Containers__1__Mode": "MultiModel"}, "Containers[1].Mode"),
        (PIPELINE, {"PrimaryContainer": ONE}, "PrimaryContainer"),
    ],
)  # fmt: skip
def test_what_differs_is_named_by_its_path(request_: dict[str, Any], changed: dict[str, Any], path: str):
    assert differences(request_, shown(request_, **changed)) == [path]


def test_a_container_without_model_data_shows_none():
    request = {**BASE, "PrimaryContainer": {"Image": PINNED}}
    assert differences(request, shown(request)) == []
    assert differences(request, shown(request, PrimaryContainer__ModelDataUrl="s3://x")) == [
        "PrimaryContainer.ModelDataUrl"
    ]
