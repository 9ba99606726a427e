"""A submission that cannot be registered: its sender reads why, beside the manifest, on the object and on the bus."""

from typing import Any

import pytest

from tests.support.depth import some
from tests.support.groups import Group, Submission
from tests.support.pipeline import Pipeline
from tests.support.submissions import IMAGE, Files, as_json, honest, image_only, manifest, metrics, specification
from tests.support.waiting import eventually


def with_manifest(document: Any) -> Files:
    return honest() | {"manifest.json": document if isinstance(document, bytes) else as_json(document)}


def assert_refused(submission: Submission, path: str, message: str, name: str = "manifest.json") -> None:
    """Assert that the sender of a submission sees, in all three places, that `path` is at fault and why."""
    report = submission.report()
    faults = {fault["path"]: fault["message"] for fault in report["faults"]}
    assert (report["outcome"], report["package"]) == ("refused", None)
    assert message in faults[path]
    submission.pipeline.quiet()
    tags = submission.tags(name)
    assert tags["signoff:registration"] == "refused"
    assert tags["signoff:reason"]
    # Where the group itself is at fault, each upload is told of by an event of its own.
    uri = f"s3://{submission.pipeline.outputs['ArtifactsBucket']}/{submission.prefix}/{name}"
    event = submission.pipeline.witness.hears(
        "Registration Failed", submission.prefix, lambda detail: detail["object"]["uri"] == uri
    )
    assert {"path": path, "message": faults[path]} in event["detail"]["faults"]


MANIFESTS: dict[str, tuple[Any, str, str]] = {
    "is not JSON": (b'{"InferenceSpecification": ', "", "JSON"),
    "is no object": (["InferenceSpecification"], "", "must be a JSON object"),
    "names a field twice": (b'{"Domain": "A", "Domain": "B"}', "Domain", "is given more than once"),
    "names an unknown field": (manifest(Colour="blue"), "Colour", "is not a field here"),
    "sets what Signoff sets": (manifest(ModelApprovalStatus="Approved"), "ModelApprovalStatus", "is set by Signoff"),
    "sets what the policy sets": (
        manifest(Deployment={"ExecutionRoleArn": "arn:aws:iam::123456789012:role/admin"}),
        "Deployment.ExecutionRoleArn",
        "is not allowed by the group's policy",
    ),
    "breaks an enum": (manifest(SkipModelValidation="Maybe"), "SkipModelValidation", "None"),
    "breaks a pattern": (
        manifest(InferenceSpecification=specification(image="an image")),
        "InferenceSpecification.Containers[0].Image",
        "",
    ),
    "breaks a maximum": (manifest(ModelPackageDescription="x" * 1025), "ModelPackageDescription", "at most 1,024"),
    "breaks a type": (manifest(CustomerMetadataProperties={"seed": 5}), "CustomerMetadataProperties.seed", "string"),
    "lacks what is required": (
        manifest(InferenceSpecification={"SupportedContentTypes": ["text/csv"]}),
        "InferenceSpecification.Containers",
        "required",
    ),
    "names nothing to deploy": ({"ModelPackageDescription": "Nothing"}, "", "names nothing to deploy"),
    "points into another bucket": (
        manifest(InferenceSpecification=specification("s3://another-bucket/model.tar.gz")),
        "InferenceSpecification.Containers[0].ModelDataUrl",
        "points outside its submission",
    ),
    "climbs out of its submission": (
        manifest(InferenceSpecification=specification("../other/model.tar.gz")),
        "InferenceSpecification.Containers[0].ModelDataUrl",
        "points outside its submission",
    ),
    "points to metrics of another submission": (
        manifest(ModelMetrics=metrics("../other/model_quality.json")),
        "ModelMetrics.ModelQuality.Statistics.S3Uri",
        "points outside its submission",
    ),
    "writes Signoff's metadata": (
        manifest(CustomerMetadataProperties={"signoff:verdict": "passed"}),
        'CustomerMetadataProperties["signoff:verdict"]',
        "reserved for Signoff",
    ),
    "names an unknown image tag": (
        manifest(InferenceSpecification=specification(image=f"{IMAGE.partition('@')[0]}:no-such-tag")),
        "InferenceSpecification.Containers[0].Image",
        "push it, or correct the tag",
    ),
    "names an image that nobody can pin": (
        manifest(InferenceSpecification=specification(image="docker.io/library/python:3.13")),
        "InferenceSpecification.Containers[0].Image",
        "push it there",
    ),
}


@pytest.mark.parametrize("fault", some(MANIFESTS))
def test_a_manifest_is_refused_that(group: Group, fault: str) -> None:
    document, path, message = MANIFESTS[fault]

    submission = group.submit(with_manifest(document))

    assert_refused(submission, path, message)
    assert group.packages() == []


def test_every_fault_of_a_manifest_is_reported_at_once(group: Group) -> None:
    submission = group.submit(with_manifest(manifest(Colour="blue", SkipModelValidation="Maybe", ClientToken="mine")))

    assert_refused(submission, "Colour", "is not a field here")
    assert [fault["path"] for fault in submission.report()["faults"]] == [
        "ClientToken",
        "Colour",
        "SkipModelValidation",
    ]


def test_a_model_that_nothing_names_is_refused_though_its_submitter_signed_it(group: Group) -> None:
    files = with_manifest(manifest(InferenceSpecification=image_only()))

    submission = group.submit(files)

    assert_refused(submission, "model.tar.gz", "nothing names it", "submission.json")
    assert group.packages() == []


@pytest.mark.deep
def test_a_submission_that_waits_too_long_is_told_once_what_was_meant_and_registered_when_that_comes(
    group: Group,
) -> None:
    files = honest()
    submission = group.submission().upload(
        {"Model.tar.gz": files["model.tar.gz"], "manifest.json": files["manifest.json"]}, signed=files
    )
    group.pipeline.quiet()
    waited = submission.reported()
    submission.has_waited(hours=1)

    group.pipeline.sweep()
    group.pipeline.sweep()

    assert not waited
    assert_refused(submission, "model.tar.gz", "was 'Model.tar.gz' meant")
    assert len(group.pipeline.witness.heard("Registration Failed", submission.prefix)) == 1
    submission.delete("Model.tar.gz")
    submission.put("model.tar.gz", files["model.tar.gz"])
    eventually(lambda: submission.report()["outcome"] == "registered")


@pytest.mark.deep
def test_a_refused_submission_is_registered_when_its_manifest_is_corrected(group: Group) -> None:
    submission = group.submit(with_manifest(b"{"))
    assert_refused(submission, "", "JSON")

    submission.upload(honest())
    eventually(lambda: submission.report()["outcome"] == "registered")

    submission.package().until("PendingApproval")
    assert submission.tags("manifest.json") == {"signoff:registration": "registered"}


def test_a_refusal_is_told_once_however_often_its_event_comes(group: Group) -> None:
    submission = group.submit(with_manifest(b"{"))
    assert_refused(submission, "", "JSON")
    manifest_event = group.pipeline.event("Object Created", f"{submission.prefix}/manifest.json")
    before = group.pipeline.table("LedgerTable", group.name)

    group.pipeline.deliver("Register", manifest_event)

    assert group.pipeline.table("LedgerTable", group.name) == before
    assert len(group.pipeline.witness.heard("Registration Failed", submission.prefix)) == 1


def test_a_group_that_signoff_does_not_govern_takes_no_submission(group: Group) -> None:
    group.create()

    submission = group.submit()

    assert_refused(submission, "ModelPackageGroupName", "Signoff does not govern it")
    assert group.packages() == []


@pytest.mark.deep
def test_a_group_that_its_policy_does_not_let_be_created_takes_no_submission(group: Group) -> None:
    group.policy(groups={"create": False})

    submission = group.submit()

    assert_refused(submission, "ModelPackageGroupName", "does not let a submission create it")


@pytest.mark.parametrize("signed", [True, False])
def test_a_group_that_nobody_asks_for_is_not_created(group: Group, signed: bool) -> None:
    group.policy()
    mistyped = Group(group.pipeline, f"{group.name}x")
    submission, files = mistyped.submission(), honest()
    if signed:
        submission.put("submission.json", as_json(submission.statement(files, create_group=False)))
    for name, body in files.items():
        submission.put(name, body)

    assert_refused(submission, "ModelPackageGroupName", f"did you mean {group.name}")
    assert mistyped.packages() == []


@pytest.mark.deep
def test_a_name_that_no_group_can_have_is_refused(pipeline: Pipeline, group: Group) -> None:
    submission = Submission(pipeline, f"not_a_group_{group.name}/first").upload(honest())

    assert_refused(submission, "ModelPackageGroupName", "is not a valid name for a model package group")


def test_an_upload_that_belongs_to_no_submission_is_refused(group: Group) -> None:
    pipeline, key = group.pipeline, f"{group.name}/model.tar.gz"
    bucket, s3 = pipeline.outputs["ArtifactsBucket"], pipeline.aws("s3", "submitter")
    s3.put_object(Bucket=bucket, Key=key, Body=b"misplaced")

    event = pipeline.event("Registration Failed", key)["detail"]
    pipeline.quiet()

    tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}
    assert "is not in a submission" in event["faults"][0]["message"]
    assert "is not in a submission" in tags["signoff:reason"]


def test_a_closed_submission_takes_no_new_version_and_says_so_on_the_object(group: Group) -> None:
    submission = group.submit()
    package = submission.package().until("PendingApproval")
    report = submission.report()

    submission.put("manifest.json", as_json(manifest(ModelPackageDescription="Second thoughts")))
    event = group.pipeline.event("Registration Failed", submission.prefix)["detail"]
    group.pipeline.quiet()

    assert f"the submission is closed: it is registered as {package.arn}" in event["faults"][0]["message"]
    assert "closed" in submission.tags("manifest.json")["signoff:reason"]
    assert submission.report() == report
    assert [found.arn for found in group.packages()] == [package.arn]


@pytest.mark.deep
def test_a_submission_that_is_refused_harms_no_other(group: Group) -> None:
    refused, good = group.submission(), group.submission()
    refused.upload(with_manifest(b"{"))
    good.upload(honest())

    assert_refused(refused, "", "JSON")
    assert good.package().until("PendingApproval").state.version == 1
