"""What a described package loads: where from, in which form, and what an inventory makes of many objects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.model_package.artifacts import (
    ARCHIVE,
    ARCHIVES,
    DOCUMENT,
    FILES,
    OBJECT,
    artifacts_of,
    inventory,
    is_the_model,
)

HERE = "InferenceSpecification.Containers[0]"


def loaded(*containers: dict[str, Any], **fields: Any) -> list[tuple[str, str, str]]:
    described = {"InferenceSpecification": {"Containers": list(containers)}, **fields}
    return [(each["name"], each["url"], each["kind"]) for each in artifacts_of(described)]


def source(uri: str, compression: str = "None", **more: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": compression, **more}}


@pytest.mark.parametrize(
    ("container", "name", "url", "kind"),
    [
        ({"ModelDataUrl": "s3://b/m.tar.gz"}, "ModelDataUrl", "s3://b/m.tar.gz", ARCHIVE),
        ({"ModelDataUrl": "s3://b/models/"}, "ModelDataUrl", "s3://b/models/", ARCHIVES),
        ({"ModelDataSource": source("s3://b/m", "Gzip")}, "ModelDataSource.S3DataSource.S3Uri", "s3://b/m", ARCHIVE),
        ({"ModelDataSource": source("s3://b/m")}, "ModelDataSource.S3DataSource.S3Uri", "s3://b/m", OBJECT),
        ({"ModelDataSource": source("s3://b/m/")}, "ModelDataSource.S3DataSource.S3Uri", "s3://b/m/", FILES),
        ({"AdditionalS3DataSource": source("s3://b/x")["S3DataSource"]},
         "AdditionalS3DataSource.S3Uri", "s3://b/x", OBJECT),
        ({"AdditionalModelDataSources": [{"ChannelName": "lora", **source("s3://b/lora/")}]},
         "AdditionalModelDataSources[0].S3DataSource.S3Uri", "s3://b/lora/", FILES),
    ],
)  # fmt: skip
def test_a_container_loads_it_in_the_form_that_it_says(container: dict[str, Any], name: str, url: str, kind: str):
    assert loaded(container) == [(f"{HERE}.{name}", url, kind)]


def test_hub_content_is_nobodys_here_to_read_but_a_manifest_file_beside_it_is():
    hub = {"HubAccessConfig": {"HubContentArn": "arn"}, "ManifestS3Uri": "s3://b/files.json"}
    where = f"{HERE}.ModelDataSource.S3DataSource"
    assert loaded({"ModelDataSource": source("s3://hub/m/", **hub)}) == [
        (f"{where}.ManifestS3Uri", "s3://b/files.json", OBJECT)
    ]


def test_every_specification_and_algorithm_is_looked_at():
    algorithm = {"AlgorithmName": "a", "ModelDataUrl": "s3://b/alg.tar.gz"}
    found = loaded(
        {"ModelDataUrl": "s3://b/1"},
        AdditionalInferenceSpecifications=[{"Name": "neo", "Containers": [{"ModelDataUrl": "s3://b/2"}]}],
        SourceAlgorithmSpecification={"SourceAlgorithms": [algorithm, {"AlgorithmName": "b", "ModelDataSource": source("s3://b/w/")}]},
        ModelMetrics={"ModelQuality": {"Statistics": {"S3Uri": "s3://b/quality.json"}}},
    )  # fmt: skip
    assert [(url, kind) for _, url, kind in found] == [
        ("s3://b/1", ARCHIVE),
        ("s3://b/2", ARCHIVE),
        ("s3://b/alg.tar.gz", ARCHIVE),
        ("s3://b/w/", FILES),
        ("s3://b/quality.json", DOCUMENT),
    ]


def test_what_sagemaker_describes_in_both_forms_is_loaded_once():
    twice = {"ModelDataUrl": "s3://b/m.tar.gz", "ModelDataSource": source("s3://b/m.tar.gz", "Gzip")}
    several = {"ModelDataUrl": "s3://b/models/", "ModelDataSource": source("s3://b/models/")}
    assert loaded(twice) == [(f"{HERE}.ModelDataUrl", "s3://b/m.tar.gz", ARCHIVE)]
    assert loaded(several) == [(f"{HERE}.ModelDataUrl", "s3://b/models/", ARCHIVES)]


def test_two_forms_that_differ_are_both_scanned():
    both = {"ModelDataUrl": "s3://b/m.tar.gz", "ModelDataSource": source("s3://b/other", "Gzip")}
    assert [url for _, url, _ in loaded(both)] == ["s3://b/m.tar.gz", "s3://b/other"]


def test_a_package_of_a_source_alone_loads_nothing_that_could_be_kept():
    assert artifacts_of({"SourceUri": "s3://b/source"}) == []


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (f"{HERE}.ModelDataUrl", True),
        ("AdditionalInferenceSpecifications[1].Containers[2].ModelDataSource.S3DataSource.S3Uri", True),
        (f"{HERE}.AdditionalModelDataSources[0].S3DataSource.S3Uri", False),
        (f"{HERE}.AdditionalS3DataSource.S3Uri", False),
        (f"{HERE}.ModelDataSource.S3DataSource.ManifestS3Uri", False),
        ("SourceAlgorithmSpecification.SourceAlgorithms[0].ModelDataUrl", False),
        ("ModelMetrics.ModelQuality.Statistics", False),
    ],
)
def test_only_what_a_container_serves_must_hold_the_files_that_a_policy_requires(name: str, model: bool):
    assert is_the_model(name) is model


OBJECTS = st.lists(st.fixed_dictionaries({"name": st.text(max_size=4), "version_id": st.text(max_size=4)}), max_size=5)


@given(OBJECTS, st.randoms())
def test_an_inventory_is_the_same_in_any_order(objects: list[dict[str, str]], random: Any):
    shuffled = random.sample(objects, len(objects))
    assert inventory(shuffled, "version_id") == inventory(objects, "version_id")


@given(OBJECTS, OBJECTS)
def test_another_object_name_or_version_is_another_inventory(one: list[dict[str, str]], other: list[dict[str, str]]):
    pairs = [sorted((each["name"], each["version_id"]) for each in objects) for objects in (one, other)]
    assert (inventory(one, "version_id") == inventory(other, "version_id")) is (pairs[0] == pairs[1])
