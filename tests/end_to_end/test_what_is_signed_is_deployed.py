"""What is signed is what is deployed: anything that changes in between leads to no model, and to a reason."""

from collections.abc import Callable
from typing import Any

import pytest

from signoff.ledger.entries import Kind
from tests.support.depth import some
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import IMAGE, honest, model_archive, specification
from tests.support.waiting import eventually

Change = Callable[[Package], dict[str, Any]]


def another_type(package: Package) -> dict[str, Any]:
    return {
        "InferenceSpecification": package.described()["InferenceSpecification"] | {"SupportedContentTypes": ["a/b"]}
    }


def another_image(package: Package) -> dict[str, Any]:
    changed = package.described()["InferenceSpecification"]
    changed["Containers"][0] |= {"Image": f"{IMAGE.partition('@')[0]}@sha256:{'2' * 64}"}
    return {"InferenceSpecification": changed}


def another_specification(package: Package) -> dict[str, Any]:
    url = package.described()["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    return {"AdditionalInferenceSpecificationsToAdd": [{"Name": "other", **specification(url)}]}


def another_source(package: Package) -> dict[str, Any]:
    return {"SourceUri": "s3://elsewhere/training/"}


CHANGES: dict[str, tuple[Change, str]] = {
    "InferenceSpecification": (another_type, "inference_specification"),
    "its image": (another_image, "inference_specification"),
    "SourceUri": (another_source, "source_uri"),
}


def force(package: Package, body: bytes = b"not what was signed") -> None:
    """Put a new object under the vault's key, as only somebody with the account's keys to everything can."""
    artifact = package.evidence()["artifacts"][0]
    vault = package.pipeline.outputs["VaultBucket"]
    package.pipeline.aws("s3").put_object(Bucket=vault, Key=artifact["key"], Body=body)


def approved_in_the_registry(package: Package) -> None:
    package.say("approve")
    eventually(lambda: package.registry[0] == "Approved")
    eventually(lambda: package.kinds()[-1] == "RegistryUpdated")


def assert_revoked(package: Package, part: str) -> None:
    because = f"SubjectChanged: {part} not as signed"
    assert package.status == "Revoked"
    assert package.models() == []
    assert package.entries(Kind.SUBJECT_CHANGED) == [{"parts": [part], "because": because}]
    assert package.registry == ("Rejected", f"Revoked by Signoff: {because}")
    event = package.pipeline.event("Decision Recorded", package.arn, entry="SubjectChanged")
    assert event["detail"]["because"] == because


@pytest.mark.parametrize("field", some(CHANGES, 0))
def test_a_package_changed_between_approval_and_create_model_has_no_model(group: Group, field: str) -> None:
    package, (change, part) = group.pending(), CHANGES[field]
    with group.pipeline.without_reader("CreateModel"):
        approved_in_the_registry(package)
        package.update(**change(package))
        eventually(lambda: package.status == "Revoked")
    group.pipeline.quiet()

    assert_revoked(package, part)


@pytest.mark.parametrize("field", some(CHANGES, 1))
def test_createmodel_itself_finds_a_changed_package_that_no_event_told_of(group: Group, field: str) -> None:
    package, (change, part), pipeline = group.pending(), CHANGES[field], group.pipeline
    with pipeline.without_reader("CreateModel"):
        approved_in_the_registry(package)
        updated = pipeline.witness.change(package.arn, "ModelApprovalStatus")
        lost = [pipeline.resource(f"Rules{rule}") for rule in ("SpecificationChanged", "StatusOrSpecificationChanged")]
        for rule in lost:
            pipeline.aws("events").disable_rule(Name=rule)
        package.update(**change(package))
        for rule in lost:
            pipeline.aws("events").enable_rule(Name=rule)
    pipeline.quiet()

    assert updated["detail"]["ModelApprovalStatus"] == "Approved"
    assert_revoked(package, part)


@pytest.mark.deep
def test_a_specification_that_somebody_adds_takes_nothing_down_and_is_not_deployed(group: Group) -> None:
    package = group.pending()
    before = package.approve()

    package.update(**another_specification(package))
    package.pipeline.quiet()

    assert [each["Name"] for each in package.described()["AdditionalInferenceSpecifications"]] == ["other"]
    assert (package.status, package.registry[0], package.models()) == ("Approved", "Approved", [before])


def test_a_new_object_under_the_vaults_key_after_approval_leads_to_no_model(group: Group) -> None:
    package = group.pending()
    with group.pipeline.without_reader("CreateModel"):
        approved_in_the_registry(package)
        force(package)
    group.pipeline.quiet()

    assert_revoked(package, "artifacts")


@pytest.mark.deep
def test_a_new_object_under_the_vaults_key_before_approval_leads_to_no_model(group: Group) -> None:
    package = group.pending()
    force(package, model_archive(**{"model.joblib": b"poisoned"}))

    package.decide("approve")

    assert_revoked(package, "artifacts")


@pytest.mark.deep
def test_a_vault_object_hidden_by_a_delete_marker_leads_to_no_model(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    key = package.evidence()["artifacts"][0]["key"]
    with pipeline.without_reader("CreateModel"):
        approved_in_the_registry(package)
        pipeline.aws("s3").delete_object(Bucket=pipeline.outputs["VaultBucket"], Key=key)
    pipeline.quiet()

    assert_revoked(package, "artifacts")


@pytest.mark.parametrize("field", some(CHANGES, 2))
def test_a_package_changed_after_its_model_was_made_loses_it(group: Group, field: str) -> None:
    package, (change, part) = group.pending(), CHANGES[field]
    before = package.approve()

    package.update(**change(package))
    eventually(lambda: package.status == "Revoked")
    group.pipeline.quiet()

    assert before["PrimaryContainer"]["ModelPackageName"] == package.arn
    assert_revoked(package, part)


@pytest.mark.parametrize("field", ["InferenceSpecification", pytest.param("SourceUri", marks=pytest.mark.deep)])
def test_a_submission_that_is_changed_while_it_waits_fails_by_what_was_changed(group: Group, field: str) -> None:
    package, (change, _) = group.pending(), CHANGES[field]

    package.update(by="reviewer", **change(package))
    package.until("ValidationFailed")
    package.decide("approve", by="reviewer")

    status, why = package.registry
    assert (status, package.models()) == ("Rejected", [])
    assert f"submitter:specification: not as it was submitted: {field}" in why


@pytest.mark.deep
def test_who_changes_a_package_from_elsewhere_while_it_waits_cannot_approve_it(group: Group) -> None:
    other = group.pending().described()["InferenceSpecification"] | {"SupportedContentTypes": ["text/plain"]}
    package = group.register(InferenceSpecification=other).until("PendingApproval")
    first = package.evidence()["subject"]["sha256"]

    package.update(by="reviewer", **another_type(package))
    eventually(lambda: package.state.attempt == 2 and package.status == "PendingApproval")
    package.decide("approve", by="reviewer")

    assert package.evidence()["subject"]["sha256"] != first
    refused = package.pipeline.event("Decision Refused", package.arn)["detail"]
    assert (refused["refusal"], package.models()) == ("OwnModel", [])


@pytest.mark.deep
def test_a_submission_that_is_changed_before_its_ledger_begins_is_known_as_signoffs_own(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    package.update(by="reviewer", **another_type(package))
    package.until("ValidationFailed")
    pipeline.quiet()
    for item in pipeline.table("LedgerTable", group.name):
        key = {"package": {"S": item["package"]}, "sequence": {"N": str(item["sequence"])}}
        pipeline.aws("dynamodb").delete_item(TableName=pipeline.outputs["LedgerTable"], Key=key)

    pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    first = package.entries(Kind.REGISTERED)[0]
    assert (first["submitter"], "differs from it in InferenceSpecification" in first["unmatched"]) == (None, True)
    assert package.status == "ValidationFailed"


@pytest.mark.deep
def test_evidence_that_is_older_than_the_package_cannot_be_approved(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    with pipeline.without_rule("SpecificationChanged"):
        package.update(**another_type(package))
        pipeline.witness.change(package.arn, "InferenceSpecification")

    package.decide("approve")

    assert package.status == "PendingApproval"
    refused = pipeline.event("Decision Refused", package.arn)["detail"]
    assert (refused["refusal"], package.models()) == ("EvidenceStale", [])
    assert "inference_specification" in refused["because"]


def test_an_approval_puts_off_the_day_when_what_was_approved_may_go(pipeline: Pipeline, group: Group) -> None:
    package = group.pending(honest())
    artifact, vault = package.evidence()["artifacts"][0], pipeline.outputs["VaultBucket"]
    which = {"Bucket": vault, "Key": artifact["key"], "VersionId": artifact["version_id"]}
    before = pipeline.aws("s3").get_object_retention(**which)["Retention"]["RetainUntilDate"]

    package.approve()

    after = pipeline.aws("s3").get_object_retention(**which)["Retention"]["RetainUntilDate"]
    assert after > before
