"""From an upload to a deployable model, as a submitter and an approver go through it."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from examples.train import write_submissions
from tests.support.depth import deep, some
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest, measured, specification
from tests.support.waiting import eventually

OFFLINE = {"name": "Offline", "evaluation_observation": "As good as last year"}


def test_an_upload_awaits_approval_and_an_approval_makes_a_model_from_the_package(group: Group) -> None:
    card = {"ModelCardContent": json.dumps({"evaluation_details": [OFFLINE]}), "ModelCardStatus": "PendingReview"}
    package = group.submit(honest(ModelCard=card)).package().until("PendingApproval")
    before = package.models()

    model = package.approve()

    assert before == []
    assert model["PrimaryContainer"]["ModelPackageName"] == package.arn
    assert model["EnableNetworkIsolation"] is True
    assert package.registry[0] == "Approved"
    assert package.registry[1].startswith(f"Approved by {group.pipeline.user('approver')}: Recall holds")
    assert package.kinds() == [
        "Registered",
        "ValidationStarted",
        "EvidenceRecorded",
        "DecisionRecorded",
        "RegistryUpdated",
        "ModelCreated",
    ]
    assert_shown(package)


def assert_shown(package: Package) -> None:
    """Assert that SageMaker's own tools show the evidence, beside what the manifest says, and the approval."""
    sagemaker = package.pipeline.aws("sagemaker")
    card = package.described()["ModelCard"]
    theirs, ours = json.loads(card["ModelCardContent"])["evaluation_details"]
    assert (theirs, card["ModelCardStatus"]) == (OFFLINE, "PendingReview")
    assert (ours["name"], ours["metadata"]["evidence"]) == ("Signoff", (package.state.evidence or {})["sha256"])

    def approvals() -> list[dict[str, Any]]:
        found = sagemaker.list_artifacts(SourceUri=package.arn)["ArtifactSummaries"]
        ends = [{"DestinationArn": each["ArtifactArn"], "SourceType": "Approval"} for each in found]
        return [one for end in ends for one in sagemaker.list_associations(**end)["AssociationSummaries"]]

    (approval,) = eventually(approvals, what="the approval in the lineage")
    action = sagemaker.describe_action(ActionName=approval["SourceArn"])
    assert (action["Status"], action["Properties"]["evidence"]) == ("Completed", ours["metadata"]["evidence"])


def test_a_model_that_a_function_has_no_time_for_is_inspected_in_a_build_and_approved_like_any(group: Group) -> None:
    before = group.pipeline.builds()
    with group.pipeline.in_a_hurry():
        package = group.submit(honest()).package().until("PendingApproval")

    model = package.approve()

    assert len(group.pipeline.builds()) == len(before) + 1
    assert model["PrimaryContainer"]["ModelPackageName"] == package.arn


@pytest.mark.parametrize("order", some(itertools.permutations(("model.tar.gz", "model_quality.json", "manifest.json"))))
def test_the_order_of_the_uploads_makes_no_difference(group: Group, order: tuple[str, ...]) -> None:
    group.policy(
        metrics=[{"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.9}]
    )
    files = measured(0.95)

    package = group.submit({name: files[name] for name in order}).package().until("PendingApproval")

    assert [found.arn for found in group.packages()] == [package.arn]
    assert [check["status"] for check in package.evidence()["checks"]] == ["passed"] * 4
    assert package.kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]


@pytest.mark.deep
def test_a_submission_whose_objects_are_far_apart_waits_for_the_last_of_them(group: Group) -> None:
    submission, files = group.submission(), honest()
    submission.upload({"manifest.json": files["manifest.json"]}, signed=files)
    group.pipeline.quiet()
    waiting = group.pipeline.table("SubmissionsTable", group.name)
    reported = submission.reported()

    submission.put("model.tar.gz", files["model.tar.gz"])

    assert (waiting[0]["state"], waiting[0]["missing"], reported) == ("waiting", ["model.tar.gz"], False)
    assert submission.package().until("PendingApproval").state.version == 1


def test_the_submitter_is_told_what_the_submission_became(group: Group) -> None:
    submission = group.submit()

    package = submission.package().until("PendingApproval")

    assert submission.report() | {"time": ""} == {
        "outcome": "registered",
        "policy": "default",
        "package": package.arn,
        "faults": [],
        "time": "",
    }
    assert submission.tags("manifest.json") == {"signoff:registration": "registered"}
    assert package.state.submitter == group.pipeline.user("submitter")


def test_an_archive_uploaded_in_parts_is_registered_like_any_other(group: Group) -> None:
    submission, files = group.submission(), honest()
    submission.upload({"manifest.json": files["manifest.json"]}, signed=files)
    bucket, s3 = group.pipeline.outputs["ArtifactsBucket"], group.pipeline.aws("s3", "submitter")
    where = {"Bucket": bucket, "Key": f"{submission.prefix}/model.tar.gz"}
    upload = {**where, "UploadId": s3.create_multipart_upload(**where)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=files["model.tar.gz"])
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})

    assert submission.package().until("PendingApproval").state.submitter == group.pipeline.user("submitter")


def test_what_is_deployed_are_the_vaults_copies_and_not_the_uploads(group: Group) -> None:
    submission = group.submit()
    package = submission.package().until("PendingApproval")
    submission.put("model.tar.gz", b"other bytes, uploaded after the evidence was recorded")
    package.approve()

    artifact = package.evidence()["artifacts"][0]

    vault, s3 = group.pipeline.outputs["VaultBucket"], group.pipeline.aws("s3")
    kept = s3.get_object(Bucket=vault, Key=artifact["key"])
    assert (kept["Body"].read(), kept["VersionId"]) == (honest()["model.tar.gz"], artifact["version_id"])
    container = package.described()["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == f"s3://{vault}/{artifact['key']}"
    tags = s3.get_object_tagging(Bucket=vault, Key=artifact["key"], VersionId=artifact["version_id"])["TagSet"]
    assert tags == [{"Key": "signoff:kept", "Value": "approved"}]  # or the bucket's life cycle would expire it


def test_an_image_named_by_a_tag_is_deployed_by_its_digest(group: Group) -> None:
    tagged = specification(image=group.pipeline.stack.image)

    package = group.pending(honest(InferenceSpecification=tagged))

    container = package.described()["InferenceSpecification"]["Containers"][0]
    assert "@sha256:" in container["Image"]


@pytest.mark.deep
def test_a_rejected_package_has_no_model(group: Group) -> None:
    package = group.pending()

    package.decide("reject", reason="Recall fell on the new cohort")

    assert package.status == "Rejected"
    assert package.registry[0] == "Rejected"
    assert "Recall fell on the new cohort" in package.registry[1]
    assert package.models() == []


def test_the_real_examples_end_as_they_should(pipeline: Pipeline, tmp_path: Path) -> None:
    write_submissions(tmp_path, pipeline.stack.image)
    examples = Group(pipeline, "breast-cancer")
    submitted = {
        folder.name: examples.submit({file.name: file.read_bytes() for file in folder.iterdir()})
        for folder in tmp_path.iterdir()
    }

    packages = {name: submission.package() for name, submission in submitted.items()}

    assert packages["good"].until("PendingApproval").approve()["ModelName"].startswith("breast-cancer-v")
    assert packages["better"].until("PendingApproval").registry[0] == "PendingManualApproval"
    assert "is below the threshold 0.92" in packages["weak"].until("ValidationFailed").registry[1]
    assert "../../etc/cron.d/job" in packages["escaping"].until("ValidationFailed").registry[1]


def test_of_many_submissions_at_once_none_is_lost_and_none_is_doubled(group: Group) -> None:
    number = 30 if deep() else 12
    submissions = [group.submission(f"number-{each}") for each in range(number)]
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda submission: submission.upload(honest()), submissions))

    packages = [submission.package().until("PendingApproval") for submission in submissions]

    assert sorted(package.arn for package in packages) == sorted(package.arn for package in group.packages())
    assert len({package.arn for package in packages}) == number
    assert {tuple(package.kinds()) for package in packages} == {("Registered", "ValidationStarted", "EvidenceRecorded")}
