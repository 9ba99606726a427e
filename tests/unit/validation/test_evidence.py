"""What evidence is made of: canonical JSON, the subject, and the document that opens with it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.canonical_json import canonical, digest
from signoff.model_package.artifacts import QUALITY, artifacts_of, document_named
from signoff.model_package.subject import changes, covers, images, subject, subject_digest
from signoff.validation.checks import Check, CheckStatus
from signoff.validation.evidence import Attempt, Facts, document, said_of_itself, signed_subject

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT, lambda each: st.lists(each) | st.dictionaries(TEXT, each), max_leaves=12
)
DESCRIBED = {
    "InferenceSpecification": {
        "Containers": [
            {"Image": "one", "ModelDataUrl": "s3://b/one.tar.gz"},
            {"Image": "two", "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://b/two/", "CompressionType": "None"}}},
        ]
    },
    "AdditionalInferenceSpecifications": [{"Name": "x", "Containers": [{"Image": "one", "ModelDataUrl": "s3://b/3"}]}],
    "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/quality.json"}}},
    "SourceUri": "s3://b/source",
    "CustomerMetadataProperties": {"note": "none of the subject"},
}
ARTIFACTS = [
    {"url": "s3://b/one.tar.gz", "key": "models/g/1/one", "version_id": "1", "sha256": "a" * 64, "size": 1},
    {"url": "s3://b/3", "key": "models/g/1/3", "version_id": "1", "sha256": "b" * 64, "size": 1},
]
DEPLOYMENT = {"policy": {"execution_role": "role"}, "manifest": {}}
ATTEMPT = Attempt("arn@time", "churn", 3, 1, "x1", "2026-03-02T09:15:20.000Z")


def the_subject(described: Any = DESCRIBED, **changed: Any) -> dict[str, Any]:
    parts = {"deployment": DEPLOYMENT, "images": {"one": "one@sha256"}, "artifacts": ARTIFACTS, **changed}
    return subject(described, **parts)


# Canonical JSON


@given(JSON)
def test_a_document_that_was_written_and_read_has_the_same_digest(value: Any):
    assert digest(json.loads(canonical(value))) == digest(value)


@given(st.dictionaries(TEXT, JSON))
def test_the_order_of_fields_makes_no_difference(value: dict[str, Any]):
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_another_document_has_another_digest():
    assert len({digest(value) for value in (None, {}, [], {"a": 1}, {"a": "1"}, {"a": [1]}, {"b": 1})}) == 7


@pytest.mark.parametrize(
    "value", [float("nan"), 2**53, {"a": object()}, {"a": "\ud800"}], ids=["NaN", "large", "object", "half a pair"]
)
def test_what_json_does_not_know_has_no_digest(value: Any):
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)


# The subject


def test_the_subject_is_the_same_whatever_order_its_artifacts_were_found_in():
    assert the_subject() == the_subject(artifacts=ARTIFACTS[::-1])


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("inference_specification", {"InferenceSpecification": {"Containers": []}}),
        ("additional_inference_specifications", {"AdditionalInferenceSpecifications": []}),
        ("source_algorithms", {"SourceAlgorithmSpecification": {"SourceAlgorithms": []}}),
        ("source_uri", {"SourceUri": None}),
    ],
)
def test_a_change_of_what_is_described_is_found_by_its_name(part: str, changed: dict[str, Any]):
    found = the_subject({**DESCRIBED, **changed})
    assert changes(the_subject(), found) == [part]
    assert subject_digest(found) != subject_digest(the_subject())


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("deployment", {"policy": {"execution_role": "other"}, "manifest": {}}),
        ("images", {"one": "one@sha256:other"}),
        ("artifacts", [{**ARTIFACTS[0], "version_id": "2"}, ARTIFACTS[1]]),
        ("artifacts", [{**ARTIFACTS[0], "sha256": "c" * 64}, ARTIFACTS[1]]),
        ("artifacts", ARTIFACTS[:1]),
    ],
)
def test_a_change_of_what_is_deployed_is_found_by_its_name(part: str, changed: Any):
    assert changes(the_subject(), the_subject(**{part: changed})) == [part]


def test_what_does_not_run_is_no_part_of_the_subject():
    assert changes(the_subject(), the_subject({**DESCRIBED, "CustomerMetadataProperties": {}, "ModelCard": {}})) == []


def test_images_are_named_once_in_order():
    assert images(DESCRIBED) == ["one", "two"]


def test_everything_that_is_loaded_is_named_by_its_path_and_kind():
    assert [(each["name"], each["kind"]) for each in artifacts_of(DESCRIBED)] == [
        ("InferenceSpecification.Containers[0].ModelDataUrl", "archive"),
        ("AdditionalInferenceSpecifications[0].Containers[0].ModelDataUrl", "archive"),
        ("InferenceSpecification.Containers[1].ModelDataSource.S3DataSource.S3Uri", "files"),
        ("ModelMetrics.ModelQuality.Statistics", "document"),
    ]


@pytest.mark.parametrize("metrics", [None, {}, {"ModelQuality": None}, {"ModelQuality": {"Statistics": {}}}])
def test_a_package_may_name_no_quality_document(metrics: Any):
    assert document_named({"ModelMetrics": metrics}, QUALITY) is None


@given(JSON)
def test_everything_covers_itself(value: Any):
    assert covers(copy.deepcopy(value), value)


def test_sagemaker_may_add_to_what_was_asked_and_change_nothing():
    asked = {"Containers": [{"Image": "i"}], "Types": ["a", "b"]}
    assert covers({"Containers": [{"Image": "i", "ImageDigest": "d"}], "Types": ["a", "b"], "More": 1}, asked)
    for other in ({**asked, "Types": ["a"]}, {**asked, "Types": ["b", "a"]}, {**asked, "Containers": []}, {}, None, []):
        assert not covers(other, asked)


# The document


def evidence(*checks: Check) -> dict[str, Any]:
    facts = Facts(**said_of_itself(DESCRIBED), comparison={})
    return document(ATTEMPT, the_subject(), checks, ARTIFACTS, facts, policy="p", submitter="sam", registration=None)


def test_evidence_opens_with_the_subject_and_its_digest():
    found = evidence(Check("a", CheckStatus.PASSED, "fine"))
    assert found["subject"]["sha256"] == subject_digest(the_subject())
    assert signed_subject(json.loads(canonical(found))) == the_subject()


def test_evidence_holds_every_check_and_the_verdict_they_come_to():
    found = evidence(Check("a", CheckStatus.PASSED, "fine"), Check("b", CheckStatus.FAILED, "not so fine"))
    assert found["verdict"] == "failed"
    assert found["checks"][1] == {"name": "b", "status": "failed", "reason": "not so fine"}


def test_the_same_facts_are_the_same_evidence():
    assert digest(evidence()) == digest(evidence())
    assert digest(evidence()) != digest(evidence(Check("a", CheckStatus.PASSED, "fine")))


def test_evidence_of_version_1_keeps_its_digests():
    found = json.loads((Path(__file__).parents[1] / "pipeline/golden/evidence_version_1.json").read_text())
    assert found["document"]["evidence_version"] == 1
    assert digest(found["document"]) == found["sha256"]
    assert subject_digest(signed_subject(found["document"])) == found["subject"]
