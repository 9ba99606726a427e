"""What a manifest names: where its locations may point, its images, and a policy's defaults under it."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import ManifestRefused
from signoff.model_package.images import image_reference
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.manifest import with_defaults
from signoff.submission.manifest_shape import takes_s3_uri
from tests.support.manifests import GOOD, IMAGE, MODEL_DATA, found, manifest, with_container

# Where it points


@pytest.mark.parametrize(
    "name",
    ["model.tar.gz", "a/b/c.tar.gz", "s3://artifacts/churn/run-7/model.tar.gz", "modèle 2 (final).tar.gz", "..a/b..",
     "..."],
)  # fmt: skip
def test_a_name_under_the_submission_is_taken(name):
    assert found(with_container(ModelDataUrl=name)) == {}


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("../other/model.tar.gz", ".."),
        ("a/../../model.tar.gz", ".."),
        ("a/..", ".."),
        ("..", ".."),
        ("/model.tar.gz", "begin with /"),
        ("/etc/passwd", "begin with /"),
        ("a//model.tar.gz", "empty"),
        ("", "empty"),
        ("/", "begin with /"),
        ("./model.tar.gz", "dot"),
        ("a/./b", "dot"),
        ("s3://artifacts/churn/run-7/../run-8/model.tar.gz", ".."),
        ("s3://artifacts/churn/run-7//model.tar.gz", "begin with /"),
        ("s3://artifacts/churn/run-7/", "empty"),
        ("models/", "is a prefix, which only a container of Mode MultiModel loads"),
        ("models//", "empty"),
        ("s3://artifacts/churn/run-7", "outside"),
        ("s3://artifacts/churn/run-77/model.tar.gz", "outside"),
        ("s3://artifacts/churn/model.tar.gz", "outside"),
        ("s3://artifacts/Churn/run-7/model.tar.gz", "outside"),
        ("s3://other/churn/run-7/model.tar.gz", "outside"),
        ("S3://artifacts/churn/run-7/model.tar.gz", "outside"),
        ("s3a://artifacts/churn/run-7/model.tar.gz", "outside"),
        ("file:///etc/passwd", "outside"),
        ("https://artifacts.s3.amazonaws.com/churn/run-7/model.tar.gz", "may change after it is signed"),
        ("HTTP://example.com/model.tar.gz", "may change after it is signed"),
        ("%2e%2e/model.tar.gz", "percent-encoded"),
        ("a/%2E%2E/%2E%2E/model.tar.gz", "percent-encoded"),
        ("..\\other\\model.tar.gz", "\\"),
        ("model.tar.gz?versionId=1", "?"),
        ("model.tar.gz#x", "#"),
        ("model.tar.gz\n", "control"),
        ("model\x00.tar.gz", "control"),
        ("model\u202egz.rat", "control"),
        ("x" * 513, "512 bytes"),
        ("manifest.json", "file of the submission itself"),
        ("s3://artifacts/churn/run-7/registration-report.json", "file of the submission itself"),
    ],
)
def test_a_name_that_leads_elsewhere_or_is_not_plain_is_refused(location, words):
    faults = found(with_container(ModelDataUrl=location))

    assert words in faults.pop(MODEL_DATA)
    assert faults == {}


@given(st.lists(st.sampled_from(["..", ".", "/", "//", "a", "%2e", "s3://", "artifacts/churn/run-7", "\\", "\t"])))
def test_whatever_passes_stays_under_the_submission(parts):
    document = with_container(ModelDataUrl="".join(parts))

    if not found(document):
        (name,) = manifest(document).objects()
        assert all(segment not in {"", ".", ".."} for segment in name.split("/"))
    else:
        assert set(found(document)) == {MODEL_DATA}


def strings_of(shape: Any, path: str = "", above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the shape of every string that is reachable from a shape, by its path without indices."""
    if shape.name in above:
        return {}
    above = (*above, shape.name)
    if shape.type_name == "structure":
        found: dict[str, Any] = {}
        for name, member in shape.members.items():
            found |= strings_of(member, f"{path}.{name}".strip("."), above)
        return found
    if shape.type_name == "list":
        return strings_of(shape.member, f"{path}[]", above)
    return {path: shape} if shape.type_name == "string" else {}


def test_exactly_the_fields_that_are_named_for_an_s3_uri_take_one():
    shapes = strings_of(sagemaker_shape("CreateModelPackage"))

    taking = {path for path, shape in shapes.items() if takes_s3_uri(shape)}

    named = {path for path in shapes if path.endswith(("S3Uri", "ModelDataUrl", "PayloadUrl", "S3OutputPath"))}
    assert taking == named
    assert {
        "SamplePayloadUrl",
        "InferenceSpecification.Containers[].ModelDataUrl",
        "InferenceSpecification.Containers[].AdditionalS3DataSource.S3Uri",
        "AdditionalInferenceSpecifications[].Containers[].AdditionalModelDataSources[].S3DataSource.ManifestS3Uri",
        "SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataUrl",
        "ModelMetrics.ModelQuality.Statistics.S3Uri",
        "DriftCheckBaselines.Bias.ConfigFile.S3Uri",
    } < taking


def test_where_sagemaker_writes_is_no_name_of_an_object_that_is_submitted():
    job = {"TransformOutput": {"S3OutputPath": "s3://elsewhere/out/"}}
    validation = {"ValidationProfiles": [{"ProfileName": "smoke", "TransformJobDefinition": job}]}

    named = manifest({**GOOD, "ValidationSpecification": validation}).locations()

    assert named == manifest(GOOD).locations()


def test_the_objects_are_named_once_each_relative_to_the_submission():
    document = copy.deepcopy(GOOD)
    document["InferenceSpecification"]["Containers"] *= 2

    assert manifest(document).objects() == (
        "metrics/bias.json",
        "metrics/quality.json",
        "model.tar.gz",
        "payload.tar.gz",
    )


def test_a_name_outside_the_submission_is_never_handed_out():
    document = with_container(ModelDataUrl="s3://other/model.tar.gz")

    with pytest.raises(ManifestRefused):
        manifest(document).objects()
    with pytest.raises(ManifestRefused):
        manifest(document).resolved(lambda name: name)


def test_resolving_replaces_every_location_and_nothing_else():
    before = copy.deepcopy(GOOD)

    resolved = manifest(GOOD).resolved(lambda name: f"s3://vault/models/churn/1/{name}")

    assert before == GOOD
    assert resolved["InferenceSpecification"]["Containers"][0] == {
        **GOOD["InferenceSpecification"]["Containers"][0],
        "ModelDataUrl": "s3://vault/models/churn/1/model.tar.gz",
    }
    assert resolved["ModelMetrics"]["Bias"]["Report"]["S3Uri"] == "s3://vault/models/churn/1/metrics/bias.json"
    assert resolved["SamplePayloadUrl"] == "s3://vault/models/churn/1/payload.tar.gz"
    assert resolved["CustomerMetadataProperties"] == {"team": "growth"}


def test_what_was_resolved_is_a_copy_all_the_way_down():
    resolved = manifest(GOOD).resolved(lambda name: f"s3://v/{name}")
    resolved["CustomerMetadataProperties"]["team"] = "other"

    assert GOOD["CustomerMetadataProperties"] == {"team": "growth"}


# Images


def test_images_are_found_wherever_containers_are():
    document = {
        **GOOD,
        "AdditionalInferenceSpecifications": [{"Name": "neo", "Containers": [{"Image": "other:1"}]}],
    }

    assert manifest(document).images() == [
        ("InferenceSpecification.Containers[0].Image", IMAGE),
        ("AdditionalInferenceSpecifications[0].Containers[0].Image", "other:1"),
    ]


def test_images_are_replaced_wherever_they_stand():
    document = {**GOOD, "AdditionalInferenceSpecifications": [{"Name": "neo", "Containers": [{"Image": IMAGE}]}]}

    pinned = manifest(document).with_images({IMAGE: "pinned"})

    assert [image for _, image in pinned.images()] == ["pinned", "pinned"]
    assert pinned.document["ModelPackageDescription"] == GOOD["ModelPackageDescription"]
    assert document["InferenceSpecification"]["Containers"][0]["Image"] == IMAGE


DIGEST = "sha256:" + "0a" * 32
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
FIPS = "123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        (IMAGE, ("123456789012", "eu-west-1", "sklearn", "1.2", None)),
        (f"{ECR}/a/b-c/d", ("123456789012", "us-east-1", "a/b-c/d", None, None)),
        (f"{ECR}/ab@{DIGEST}", ("123456789012", "us-east-1", "ab", None, DIGEST)),
        (f"{ECR}/ab:1@{DIGEST}", ("123456789012", "us-east-1", "ab", "1", DIGEST)),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/ab:1", ("123456789012", "cn-north-1", "ab", "1", None)),
        (f"{FIPS}/ab", ("123456789012", "us-gov-east-1", "ab", None, None)),
        ("123456789012.dkr-ecr.us-east-1.on.aws/ab:1", ("123456789012", "us-east-1", "ab", "1", None)),
    ],
)
def test_a_private_ecr_image_is_taken_apart(image, parts):
    reference = image_reference(image)

    assert reference is not None
    assert parts == (reference.account, reference.region, reference.repository, reference.tag, reference.digest)
    assert reference.at(DIGEST) == f"{reference.registry}/{reference.repository}@{DIGEST}"


@pytest.mark.parametrize(
    "image",
    [
        "python:3.13",
        "public.ecr.aws/lambda/python:3.13",
        "docker.io/123456789012.dkr.ecr.us-east-1.amazonaws.com/ab",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.example.org/a:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/A:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/ab:1\n",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/ab@sha256:beef",
        "12345.dkr.ecr.us-east-1.amazonaws.com/ab:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1",
        "",
    ],
)
def test_any_other_image_is_not_taken_for_one_in_ecr(image):
    assert image_reference(image) is None


# Defaults


def test_a_manifests_own_fields_stand_over_the_policys_defaults():
    defaults = {"Domain": "MACHINE_LEARNING", "Task": "OTHER"}

    assert with_defaults({"Task": "REGRESSION"}, defaults) == {"Domain": "MACHINE_LEARNING", "Task": "REGRESSION"}
    assert with_defaults({"Task": "REGRESSION"}, None) == {"Task": "REGRESSION"}
    assert defaults == {"Domain": "MACHINE_LEARNING", "Task": "OTHER"}
