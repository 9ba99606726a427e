"""Manifests: what is read, and what is refused and where."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signoff.errors import ManifestRefused
from signoff.service_model import java_patterns
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.json_objects import read
from tests.support.depth import examples
from tests.support.manifests import GOOD, IMAGE, MODEL_DATA, SHAPE, found, manifest, with_container, with_source

# Reading


def refusal(data: bytes) -> dict[str, str]:
    with pytest.raises(ManifestRefused) as caught:
        read(data)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_a_json_object_is_read_as_it_is():
    assert read(json.dumps(GOOD, ensure_ascii=False).encode()) == GOOD


def test_what_is_not_json_is_refused_with_line_and_column():
    said = refusal(b'{\n  "ModelMetrics": {},\n  wrong\n}')[""]
    assert said.startswith("is not JSON: ")
    assert "at line 3, column 3" in said


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (b"", "", "is not JSON"),
        (b"{} {}", "", "is not JSON"),
        (b"[]", "", "must be a JSON object"),
        (b"null", "", "must be a JSON object"),
        (b"\xef\xbb\xbf{}", "", "byte order mark"),
        ('{"a": "é"}'.encode("latin-1"), "", "is not UTF-8: byte 8"),
        ("{}".encode("utf-16"), "", "is not UTF-8"),
        (b'{"a": NaN}', "a", "is NaN"),
        (b'{"a": [1, -Infinity]}', "a[1]", "is -Infinity"),
        (b'{"a": 1e999}', "a", "is 1e999"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a", "which is not a valid JSON number"),
        (b'{"a": "\\ud800"}', "a", "unpaired surrogate"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "b.c", "more than once"),
        (b'{"a": ' + b" " * 1024 * 1024 + b"1}", "", "at most 1,048,576 are allowed"),
        (b"[" * 500_000, "", "nested deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, ".".join("a" * 64), "nested deeper than 64"),
    ],
)
def test_json_that_two_readers_may_read_differently_is_refused(data, path, words):
    assert words in refusal(data)[path]


def test_64_levels_are_not_too_many():
    assert read(b'{"a":' * 64 + b"1" + b"}" * 64)["a"]["a"]


def test_all_that_is_wrong_with_the_json_is_said_at_once():
    assert set(refusal(b'{"a": NaN, "b": 1, "b": 2, "c": [Infinity]}')) == {"a", "b", "c[0]"}


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_read_or_be_refused(data):
    outcome: Any
    try:
        outcome = read(data)
    except ManifestRefused as refused:
        outcome = refused.faults

    assert isinstance(outcome, dict) or (isinstance(outcome, tuple) and outcome)


# What a manifest may hold


def minimum(shape: Any) -> Any:
    """Build the least that a shape takes, from the service model alone."""
    if shape.type_name == "structure":
        return {name: minimum(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [minimum(shape.member)] * shape.metadata.get("min", 0)
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    pattern = shape.metadata.get("pattern", ".*")
    return next(text for text in ("a", "s3://b/k") if java_patterns.matches(pattern, text))


def test_a_manifest_built_from_the_models_own_minimum_passes():
    specification = minimum(sagemaker_shape("CreateModelPackage").members["InferenceSpecification"])
    document = {"InferenceSpecification": specification}
    document["InferenceSpecification"]["Containers"][0]["Image"] = IMAGE

    assert manifest(document).faults() == []


def test_a_manifest_of_the_usual_kind_passes():
    assert manifest(GOOD).faults() == []
    manifest(GOOD).check()


def test_an_unknown_field_is_refused_with_the_one_that_was_meant():
    document = {**GOOD, "ModelMetric": {}, "Deploymnt": {}}

    assert found(document) == {
        "ModelMetric": "is not a field here; did you mean ModelMetrics?",
        "Deploymnt": "is not a field here; did you mean Deployment?",
    }


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (with_container(Image="two words"), "InferenceSpecification.Containers[0].Image", "must match the pattern"),
        (GOOD | {"SkipModelValidation": "Maybe"}, "SkipModelValidation", "must be one of All, None"),
        (GOOD | {"ModelPackageDescription": "x" * 1025}, "ModelPackageDescription", "at most 1,024 characters"),
        (GOOD | {"ModelLifeCycle": {"Stage": "a"}}, "ModelLifeCycle.StageStatus", "required"),
        (GOOD | {"Task": 3}, "Task", "must be a string"),
        (GOOD | {"CustomerMetadataProperties": {"a": "semi;colon"}}, "CustomerMetadataProperties.a", "pattern"),
    ],
)
def test_a_constraint_of_sagemakers_is_kept(document, path, words):
    assert words in found(document)[path]


def test_several_faults_come_together_each_by_its_path():
    document = {
        **with_container(Image="two words", ModelDataUrl="../other/model.tar.gz"),
        "ModelApprovalStatus": "Approved",
        "ModelMetric": {},
        "Deployment": {"ModelName": "mine"},
    }

    assert set(found(document)) == {
        "InferenceSpecification.Containers[0].Image",
        MODEL_DATA,
        "ModelApprovalStatus",
        "ModelMetric",
        "Deployment.ModelName",
    }


def test_a_report_stays_readable_however_much_is_wrong():
    faults = manifest({f"field{number}": 0 for number in range(50_000)}).faults()

    assert len(faults) == 201
    assert faults[-1].message == "has more errors than the 200 listed"


@pytest.mark.parametrize(
    "field", ["ModelPackageName", "ModelPackageGroupName", "ModelApprovalStatus", "ClientToken", "Tags"]
)
@pytest.mark.parametrize("value", ["churn", 7, [], None])
def test_what_signoff_sets_a_manifest_may_not_set_whatever_the_value(field, value):
    assert set(found({**GOOD, field: value})) == {field}


@pytest.mark.parametrize("key", ["signoff:evidence", "signoff:", "Signoff:Evidence"])
def test_signoffs_own_metadata_keys_are_refused(key):
    assert (
        "signoff:" in found({**GOOD, "CustomerMetadataProperties": {key: "x"}})[f'CustomerMetadataProperties["{key}"]']
    )


def test_a_manifest_leaves_room_for_signoffs_own_metadata():
    full = {f"key{number}": "v" for number in range(42)}

    assert found({**GOOD, "CustomerMetadataProperties": full}) == {}
    assert (
        "at most 42"
        in found({**GOOD, "CustomerMetadataProperties": full | {"more": "v"}})["CustomerMetadataProperties"]
    )


@pytest.mark.parametrize(
    ("deployment", "path", "words"),
    [
        ({"ModelName": "mine"}, "Deployment.ModelName", "is set by Signoff"),
        ({"ExecutionRoleArn": "role/of-the-data-scientists"}, "Deployment.ExecutionRoleArn", "pattern"),
        ({"VpcConfig": {"Subnets": ["s"]}}, "Deployment.VpcConfig.SecurityGroupIds", "required"),
        ({"EnableNetworkIsolation": 1}, "Deployment.EnableNetworkIsolation", "true or false"),
        ({"Tags": [{"Key": "a"}]}, "Deployment.Tags[0].Value", "required"),
        ({"PrimaryContainer": {"Image": IMAGE}}, "Deployment.PrimaryContainer.Image", "belongs to the package"),
        (
            {"PrimaryContainer": {"ModelPackageName": "x"}},
            "Deployment.PrimaryContainer.ModelPackageName",
            "is set by Signoff",
        ),
        ({"PrimaryContainer": {"ContainerHostname": "-"}}, "Deployment.PrimaryContainer.ContainerHostname", "pattern"),
        (
            {"InferenceExecutionConfig": {"Mode": "Direct"}},
            "Deployment.InferenceExecutionConfig",
            "2 containers or more",
        ),
        ({"Containers": [{}] * 2}, "Deployment.Containers", "one entry for each container that runs: 1"),
        ({"PrimaryContainer": {}, "Containers": [{}]}, "Deployment", "has both"),
        ([], "Deployment", "must be an object"),
    ],
)
def test_deployment_holds_only_how_the_containers_run(deployment, path, words):
    faults = found({**GOOD, "Deployment": deployment})

    assert words in faults.pop(path)
    assert faults == {}


def test_every_field_of_create_model_is_accepted_or_refused_by_name():
    model = sagemaker_shape("CreateModel")
    container = model.members["PrimaryContainer"]
    accepted = SHAPE.structure.members["Deployment"].members

    assert {name for name in model.members if f"Deployment.{name}" not in SHAPE.refused} == set(accepted)
    assert {name for name in container.members if f"Deployment.PrimaryContainer.{name}" not in SHAPE.refused} == set(
        accepted["PrimaryContainer"].members
    )


def test_a_deployment_chooses_among_the_specifications_that_are_there():
    document = {
        **GOOD,
        "AdditionalInferenceSpecifications": [{"Name": "neo", "Containers": [{"Image": IMAGE}]}],
        "Deployment": {"PrimaryContainer": {"InferenceSpecificationName": "neo"}},
    }

    assert found(document) == {}
    document["Deployment"] = {"PrimaryContainer": {"InferenceSpecificationName": "other"}}
    assert set(found(document)) == {"Deployment.PrimaryContainer.InferenceSpecificationName"}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({}, "", "nothing to deploy"),
        ({"InferenceSpecification": {"Containers": [{}]}}, "InferenceSpecification.Containers[0].Image", "an image"),
        (
            with_container(ModelDataSource={}),
            "InferenceSpecification.Containers[0]",
            "has both ModelDataUrl and ModelDataSource",
        ),
        (with_container(Environment={f"K{n}": "v" * 1000 for n in range(33)}), "InferenceSpecification.Containers",
         "SageMaker allows 32,768"),
        (GOOD | {"CertifyForMarketplace": True}, "CertifyForMarketplace", "unversioned"),
        ({"InferenceSpecification": {"Containers": [{"Image": IMAGE, "ContainerHostname": "a"}, {"Image": IMAGE}]}},
         "InferenceSpecification.Containers", "ContainerHostname on every container"),
    ],
)  # fmt: skip
def test_what_only_the_api_knows_is_known_here_too(document, path, words):
    assert words in found(document)[path]


def test_environments_count_together_over_all_containers():
    container = {"Image": IMAGE, "Environment": {f"K{number}": "v" * 1000 for number in range(20)}}

    assert found({"InferenceSpecification": {"Containers": [container]}}) == {}
    assert found({"InferenceSpecification": {"Containers": [container] * 2}}) != {}


def test_a_prefix_ends_in_a_slash():
    faults = found(with_source(S3DataType="S3Prefix", S3Uri="model"))

    assert "must end in /" in faults["InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.S3Uri"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["InferenceSpecification", "Containers", "Deployment", "PrimaryContainer", "Name",
                         "AdditionalInferenceSpecifications", "ModelDataSource", "S3DataSource", "Environment",
                         "CustomerMetadataProperties", "S3DataType", "S3Uri", "InferenceSpecificationName", "Image",
                         "AdditionalModelDataSources", "AdditionalS3DataSource", "ChannelName", "CompressionType",
                         "HubAccessConfig", "ManifestS3Uri", "ManifestEtag", "ETag", "ModelDataETag", "ModelDataUrl",
                         "SourceAlgorithmSpecification", "SourceAlgorithms", "Mode", "MultiModelConfig", "ImageConfig",
                         "RepositoryAccessMode", "RepositoryAuthConfig", "InferenceExecutionConfig",
                         "ContainerHostname", "ValidationSpecification", "ValidationProfiles", "ProductId",
                         "TransformJobDefinition", "TransformInput", "DataSource"])
        | st.text(max_size=3), inner, max_size=4),
    max_leaves=25,
)  # fmt: skip


def looks_like(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape's own outline, in which any part may be anything else."""
    if shape.type_name == "structure" and depth < 7:
        members = {name: looks_like(member, depth + 1) for name, member in shape.members.items()}
        outline: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    elif shape.type_name == "list" and depth < 7:
        outline = st.lists(looks_like(shape.member, depth + 1), max_size=2)
    elif shape.type_name == "string":
        words = ["", "a", "models/", "model.tar.gz", "s3://b/k", "s3://b/k/", *shape.metadata.get("enum", ())]
        outline = st.sampled_from(words)
    else:
        outline = st.booleans() | st.integers(-1, 9)
    odd = st.sampled_from([None, [], {}, 3, "x", True, [None], {"a": 1}])
    return st.integers(0, 7).flatmap(lambda roll: odd if roll == 7 else outline)


@settings(max_examples=examples(300), deadline=None)
@given(json_values)
def test_any_json_value_is_checked_without_a_crash(value):
    faults = manifest(value).faults()

    assert faults == manifest(copy.deepcopy(value)).faults()
    assert isinstance(value, dict) or [fault.path for fault in faults] == [""]


ABOUT_CONTAINERS = (
    *("InferenceSpecification", "AdditionalInferenceSpecifications", "SourceAlgorithmSpecification"),
    *("ValidationSpecification", "Deployment"),
)
ODD_INPUT = {"TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": []}}}}
outlines = {name: looks_like(SHAPE.structure.members[name]) for name in ABOUT_CONTAINERS}


@settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@example({"ValidationSpecification": {"ValidationProfiles": [{"TransformJobDefinition": ODD_INPUT}]}})
@given(st.fixed_dictionaries({}, optional=outlines))
def test_what_only_looks_like_containers_and_their_data_is_checked_without_a_crash(document):
    first, again = manifest(document).faults(), manifest(copy.deepcopy(document)).faults()

    assert first == again
    assert first or manifest(document).resolved(lambda name: f"s3://vault/{name}")


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from(sorted(SHAPE.structure.members)), json_values)
def test_any_value_of_any_field_is_checked_without_a_crash(field, value):
    faults = manifest({**GOOD, field: value}).faults()

    assert all(fault.path.startswith(field) or fault.path.startswith("Deployment") for fault in faults)
