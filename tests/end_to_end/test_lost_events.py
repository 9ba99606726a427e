"""An event may never come: the sweep moves on whatever lacks its next step, to the same end."""

import json
from uuid import uuid4

import pytest

from signoff.ledger.entries import Draft, Kind
from tests.support.groups import Group
from tests.support.submissions import honest, specification
from tests.support.waiting import eventually


def test_a_submission_whose_uploads_nobody_heard_of_is_registered(group: Group) -> None:
    pipeline, submission = group.pipeline, group.submission()
    with pipeline.without_rule("ObjectCreated"):
        submission.upload(honest())
        pipeline.event("Object Created", f"{submission.prefix}/manifest.json")
    unheard = submission.reported()

    pipeline.sweep()

    assert not unheard
    assert submission.package().until("PendingApproval").state.attempt == 1


@pytest.mark.deep
def test_a_submission_whose_last_upload_nobody_heard_of_is_registered(group: Group) -> None:
    pipeline, submission, files = group.pipeline, group.submission(), honest()
    submission.upload({"manifest.json": files["manifest.json"]}, signed=files)
    with pipeline.without_rule("ObjectCreated"):
        submission.put("model.tar.gz", files["model.tar.gz"])
        pipeline.event("Object Created", f"{submission.prefix}/model.tar.gz")
    unheard = submission.reported()

    pipeline.sweep()

    assert not unheard
    assert submission.package().until("PendingApproval").state.attempt == 1


@pytest.mark.deep
def test_a_corrected_manifest_that_nobody_heard_of_is_registered(group: Group) -> None:
    pipeline, submission, files = group.pipeline, group.submission(), honest()
    submission.upload({**files, "manifest.json": b"not JSON"}).report()
    with pipeline.without_rule("ObjectCreated"):
        submission.upload(files)
        version = pipeline.event("Object Created", f"{submission.prefix}/submission.json")
    refused = submission.report()["outcome"]

    pipeline.sweep()

    assert (refused, bool(version)) == ("refused", True)
    assert submission.package().until("PendingApproval").state.attempt == 1


def test_a_package_whose_registration_nobody_heard_of_is_validated(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        pipeline.witness.registration(package.arn)
    before = package.status

    pipeline.sweep()

    assert (before, package.until("PendingApproval").state.attempt) == ("Validating", 1)


@pytest.mark.deep
def test_a_package_registered_elsewhere_that_nobody_heard_of_is_validated(group: Group) -> None:
    pipeline = group.pipeline
    model = group.pending().described()["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    with pipeline.without_rule("PackageRegistered"):
        package = group.register(InferenceSpecification=specification(model))
        pipeline.witness.registration(package.arn)
    before = package.kinds()

    pipeline.sweep()

    assert before == []
    assert package.until("PendingApproval").state.attempt == 1


def test_an_approval_that_createmodel_never_heard_of_has_its_model(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    with pipeline.without_rule("StatusOrSpecificationChanged"):
        package.decide("approve")
        pipeline.witness.change(package.arn, "ModelApprovalStatus")
        before = package.models()

    pipeline.sweep()

    assert before == []
    assert package.until("Approved").model()["PrimaryContainer"]["ModelPackageName"] == package.arn


@pytest.mark.deep
def test_a_revocation_that_createmodel_never_heard_of_retires_the_model(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    package.approve()
    with pipeline.without_rule("StatusOrSpecificationChanged"):
        package.decide("revoke", reason="Drifts on the new cohort")
        pipeline.witness.change(package.arn, "ModelApprovalStatus", ModelApprovalStatus="Rejected")
        before = package.models()

    pipeline.sweep()

    assert len(before) == 1
    assert package.models() == []
    assert package.kinds()[-1] == "ModelRetired"


def test_a_status_set_by_hand_that_nobody_heard_of_is_set_back(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    with pipeline.without_rule("StatusOrSpecificationChanged"):
        package.update(ModelApprovalStatus="Approved")
        pipeline.witness.change(package.arn, "ModelApprovalStatus")
    before = package.registry[0]

    pipeline.sweep()

    assert (before, package.registry[0], package.status) == ("Approved", "PendingManualApproval", "PendingApproval")
    assert package.models() == []


@pytest.mark.deep
def test_a_package_registered_as_approved_that_nobody_heard_of_is_held(group: Group) -> None:
    pipeline = group.pipeline
    model = group.pending().described()["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    with pipeline.without_rule("RegisteredAsDecided"), pipeline.without_rule("PackageRegistered"):
        package = group.register(InferenceSpecification=specification(model), ModelApprovalStatus="Approved")
        pipeline.witness.registration(package.arn)
    before = package.registry[0]

    pipeline.sweep()
    pipeline.sweep()

    assert (before, package.until("PendingApproval").registry[0]) == ("Approved", "PendingManualApproval")
    assert package.models() == []


@pytest.mark.deep
def test_a_changed_specification_that_nobody_heard_of_is_validated_anew(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    changed = package.described()["InferenceSpecification"] | {"SupportedContentTypes": ["text/plain"]}
    with pipeline.without_rule("SpecificationChanged"), pipeline.without_rule("StatusOrSpecificationChanged"):
        package.update(InferenceSpecification=changed)
        pipeline.witness.change(package.arn, "InferenceSpecification")

    pipeline.sweep()

    assert package.until("ValidationFailed").state.attempt == 2  # it is not what its submitter submitted any more


@pytest.mark.deep
def test_a_specification_changed_after_approval_that_nobody_heard_of_is_revoked(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    package.approve()
    changed = package.described()["InferenceSpecification"] | {"SupportedContentTypes": ["text/plain"]}
    with pipeline.without_rule("SpecificationChanged"), pipeline.without_rule("StatusOrSpecificationChanged"):
        package.update(InferenceSpecification=changed)
        pipeline.witness.change(package.arn, "InferenceSpecification")

    pipeline.sweep()

    assert package.status == "Revoked"
    assert package.models() == []


@pytest.mark.deep
def test_a_claim_whose_execution_died_is_released_and_the_package_can_be_validated_again(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        pipeline.witness.registration(package.arn)
    dead = pipeline.outputs["ValidationArn"].replace(":stateMachine:", ":execution:") + f":{uuid4()}"
    claimed = pipeline.invoke("OpenValidation", {"arn": package.arn, "execution": dead})

    pipeline.sweep()

    died = package.entries(Kind.VALIDATION_ERRORED)[0]
    assert (claimed["outcome"], package.status) == ("Claimed", "ValidationErrored")
    assert (died["execution"], died["error"]) == (dead, "ExecutionDied")
    by = {"by": pipeline.user("submitter"), "reason": "It died"}
    pipeline.start({"detail": {"ModelPackageArn": package.arn}, "revalidate": by})
    assert package.until("PendingApproval").state.attempt == 2


@pytest.mark.deep
def test_an_execution_that_somebody_stopped_leaves_no_package_validating(group: Group) -> None:
    pipeline, states = group.pipeline, group.pipeline.aws("stepfunctions")
    with pipeline.without_function("InspectArtifact"):
        package = group.submit().package()
        execution = eventually(lambda: package.state.execution)
        states.stop_execution(executionArn=execution)

    pipeline.sweep()

    died = package.until("ValidationErrored").entries(Kind.VALIDATION_ERRORED)[0]
    assert (died["error"], died["next_attempt_in"]) == ("ExecutionDied", 900)
    assert "ABORTED" in json.dumps(died)


def test_the_sweep_begins_the_next_attempt_once_it_is_due_and_not_before(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        pipeline.witness.registration(package.arn)
    errored = {"attempt": 1, "execution": "x1", "error": "ExecutionDied", "cause": "it was killed"}

    def erred(next_attempt_in: int) -> None:
        draft = Draft(Kind.VALIDATION_ERRORED, "signoff", {**errored, "next_attempt_in": next_attempt_in})
        pipeline.ledger.update(pipeline.history(package.arn).package, lambda _: [draft])
        pipeline.sweep()

    erred(900)
    waits = package.kinds()
    erred(0)

    assert waits == ["Registered", "ValidationErrored"]
    assert package.until("PendingApproval").kinds()[3:] == ["ValidationStarted", "EvidenceRecorded"]


def test_a_sweep_with_nothing_to_do_changes_nothing(group: Group) -> None:
    group.pending().approve()
    group.pending()
    group.pipeline.sweep()
    before = group.everything()

    group.pipeline.sweep()

    assert group.everything() == before
