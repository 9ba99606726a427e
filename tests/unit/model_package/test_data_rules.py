"""What only the API knows of model data, each rule by what it takes and what it refuses, where."""

from typing import Any

import pytest

from tests.support.manifests import IMAGE, found, with_container, with_source

HERE = "InferenceSpecification.Containers[0]"
S3 = f"{HERE}.ModelDataSource.S3DataSource"
ALGORITHM = "arn:aws:sagemaker:eu-west-1:123456789012:algorithm/trees"


def source(uri: str = "weights/", kind: str = "S3Prefix", compression: str = "None", **more: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression, **more}}


def channels(*names: str) -> dict[str, Any]:
    return with_container(
        AdditionalModelDataSources=[{"ChannelName": name, **source(f"{name}/")} for name in names],
    )


def algorithm(**fields: Any) -> dict[str, Any]:
    return {"SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": ALGORITHM, **fields}]}}


@pytest.mark.parametrize(
    "document",
    [
        with_source(),
        with_source(CompressionType="None"),
        with_source(S3Uri="weights/", S3DataType="S3Prefix", CompressionType="None"),
        with_source(S3Uri="s3://artifacts/churn/run-7/weights/", S3DataType="S3Prefix", CompressionType="None"),
        with_source(ModelAccessConfig={"AcceptEula": True}),
        with_source(ManifestS3Uri="files.json", ManifestEtag="1", ETag="2"),
        channels("lora", "tokenizer"),
        with_container(AdditionalS3DataSource={"S3Uri": "lookup/", "S3DataType": "S3Prefix"}),
        with_container(AdditionalS3DataSource={"S3Uri": "x.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}),
        with_container(ModelDataETag="abc"),
        algorithm(ModelDataUrl="model.tar.gz", ModelDataETag="abc"),
        algorithm(ModelDataSource=source()),
        algorithm(),
    ],
)
def test_every_form_of_model_data_is_taken(document: dict[str, Any]):
    assert found(document) == {}


HUB = "s3://jumpstart-private-cache-prod-eu-west-1/llama/artifacts/"
CONTENT = "arn:aws:sagemaker:eu-west-1:123456789012:hub-content/hub/Model/llama/1.0.0"


def test_hub_content_may_lie_outside_the_submission_and_nothing_else_may():
    config = {"HubAccessConfig": {"HubContentArn": CONTENT}, "ModelAccessConfig": {"AcceptEula": True}}
    fields = {"S3Uri": HUB, "S3DataType": "S3Prefix", "CompressionType": "None"}
    assert found(with_source(**fields, **config)) == {}
    assert "points outside its submission" in found(with_source(**fields))[f"{S3}.S3Uri"]
    manifest = found(with_source(**fields, **config, ManifestS3Uri="s3://elsewhere/files.json"))
    assert set(manifest) == {f"{S3}.ManifestS3Uri"}


@pytest.mark.parametrize("document", [
    with_container(ModelDataSource=source()),
    with_container(ModelDataSource=source("model.tar.gz", "S3Object", "Gzip")),
])  # fmt: skip
def test_a_containers_model_data_has_one_form(document: dict[str, Any]):
    assert found(document)[HERE] == "has both ModelDataUrl and ModelDataSource; give one of them"


def test_an_algorithms_model_data_has_one_form():
    (path, message), *others = found(algorithm(ModelDataUrl="model.tar.gz", ModelDataSource=source())).items()
    assert (path, others) == ("SourceAlgorithmSpecification.SourceAlgorithms[0]", [])
    assert message.startswith("has both ModelDataUrl and ModelDataSource")


def test_an_algorithms_model_data_is_one_object():
    faults = found(algorithm(ModelDataUrl="models/"))
    assert set(faults) == {"SourceAlgorithmSpecification.SourceAlgorithms[0].ModelDataUrl"}


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"S3Uri": "weights", "S3DataType": "S3Prefix", "CompressionType": "None"}, "S3Uri", "must end in /"),
        ({"S3Uri": "weights/", "S3DataType": "S3Object", "CompressionType": "None"}, "S3Uri", "must not end in /"),
        ({"S3Uri": "weights/", "S3DataType": "S3Prefix"}, "CompressionType", "must be None"),
        ({"ETag": "1", "S3Uri": "w/", "S3DataType": "S3Prefix", "CompressionType": "None"}, "ETag", "is a prefix"),
        ({"ManifestEtag": "1"}, "ManifestEtag", "ManifestS3Uri, which is missing"),
        ({"ManifestS3Uri": "files/"}, "ManifestS3Uri", "names a prefix"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused_by_its_field(fields: dict[str, Any], field: str, words: str):
    faults = found(with_source(**fields))
    assert words in faults.pop(f"{S3}.{field}")
    assert faults == {}


def test_an_additional_s3_source_keeps_the_same_rules():
    faults = found(with_container(AdditionalS3DataSource={"S3Uri": "lookup", "S3DataType": "S3Prefix"}))
    assert "must end in /" in faults[f"{HERE}.AdditionalS3DataSource.S3Uri"]


def test_a_channel_is_one_sources_own():
    assert set(found(channels("lora", "lora"))) == {f"{HERE}.AdditionalModelDataSources"}


def test_the_same_channel_may_be_in_two_containers():
    (container,) = channels("lora")["InferenceSpecification"]["Containers"]
    assert found({"InferenceSpecification": {"Containers": [container, container]}}) == {}


def test_an_etag_of_model_data_that_is_not_there_is_refused():
    document = {"InferenceSpecification": {"Containers": [{"Image": IMAGE, "ModelDataETag": "1"}]}}
    assert set(found(document)) == {f"{HERE}.ModelDataETag"}


def test_the_rules_hold_in_additional_specifications_too():
    container = {"Image": IMAGE, "ModelDataSource": source("weights")}
    document = {**with_container(), "AdditionalInferenceSpecifications": [{"Name": "a", "Containers": [container]}]}
    where = "AdditionalInferenceSpecifications[0].Containers[0].ModelDataSource.S3DataSource.S3Uri"
    assert set(found(document)) == {where}
