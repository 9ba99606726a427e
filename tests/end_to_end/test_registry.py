"""What others do in SageMaker's registry: set back, held, let in by the same gate, or none of Signoff's business."""

from typing import Any

import pytest

from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest, specification
from tests.support.waiting import eventually


@pytest.mark.parametrize("status", ["Approved", pytest.param("Rejected", marks=pytest.mark.deep)])
def test_a_status_set_by_hand_is_set_back_and_recorded(group: Group, status: str) -> None:
    package = group.pending()

    package.update(ModelApprovalStatus=status, ApprovalDescription="I know better")
    eventually(lambda: package.entries(Kind.REGISTRY_REVERTED))
    group.pipeline.quiet()

    reverted = package.entries(Kind.REGISTRY_REVERTED)[0]
    assert package.registry == (
        "PendingManualApproval",
        "Waiting for a decision in Signoff; a status set here by hand is reverted",
    )
    assert (reverted["found"], reverted["restored"]) == (status, "PendingManualApproval")
    assert reverted["last_modified_by"] == group.pipeline.user("submitter")
    assert package.status == "PendingApproval"
    assert package.models() == []
    assert package.approve()["ModelName"]


def test_an_approval_undone_by_hand_is_restored_and_the_model_stays(group: Group) -> None:
    package = group.pending()
    model = package.approve()

    package.update(ModelApprovalStatus="Rejected")
    eventually(lambda: package.entries(Kind.REGISTRY_REVERTED))
    group.pipeline.quiet()

    assert package.registry[0] == "Approved"
    assert package.models() == [model]


@pytest.mark.deep
def test_a_rejection_undone_by_hand_is_restored(group: Group) -> None:
    package = group.pending()
    package.decide("reject")

    package.update(ModelApprovalStatus="Approved")
    eventually(lambda: package.entries(Kind.REGISTRY_REVERTED))
    group.pipeline.quiet()

    assert package.registry[0] == "Rejected"
    assert package.models() == []


@pytest.mark.deep
def test_metadata_of_others_is_left_alone(group: Group) -> None:
    package = group.pending()
    before = package.kinds()

    package.update(CustomerMetadataProperties={"team": "tumours"})
    group.pipeline.quiet()

    metadata = package.described()["CustomerMetadataProperties"]
    assert metadata["team"] == "tumours"
    assert metadata["signoff:verdict"] == "passed"
    assert metadata["signoff:evidence"] == (package.state.evidence or {})["sha256"]
    assert package.kinds() == before


def registered_elsewhere(group: Group, **fields: Any) -> Package:
    """A package of a governed group that was registered directly, with an artifact in the artifacts bucket."""
    group.policy()
    group.create()
    bucket, key = group.pipeline.outputs["ArtifactsBucket"], f"{group.name}/training/output/model.tar.gz"
    group.pipeline.aws("s3").put_object(Bucket=bucket, Key=key, Body=honest()["model.tar.gz"])
    return group.register(InferenceSpecification=specification(f"s3://{bucket}/{key}"), **fields)


def test_a_package_registered_as_approved_is_held_until_signoff_approves_it(group: Group) -> None:
    package = registered_elsewhere(group, ModelApprovalStatus="Approved")

    eventually(lambda: package.entries(Kind.REGISTRY_REVERTED, Kind.REGISTRY_UPDATED))
    package.until("PendingApproval")

    assert package.registry[0] == "PendingManualApproval"
    assert package.models() == []
    assert package.approve()["ModelName"]


def test_a_package_registered_elsewhere_passes_the_same_gate_and_is_deployed_from_the_vault(group: Group) -> None:
    package = registered_elsewhere(group).until("PendingApproval")

    model = package.approve()

    artifact = package.evidence()["artifacts"][0]
    vault = f"s3://{group.pipeline.outputs['VaultBucket']}/"
    assert model["PrimaryContainer"]["ModelDataUrl"] == vault + artifact["key"]
    assert artifact["key"].startswith(f"models/{group.name}/")
    assert "@sha256:" in model["PrimaryContainer"]["Image"]
    assert package.state.submitter == group.pipeline.user("submitter")


@pytest.mark.deep
def test_what_is_overwritten_where_it_was_registered_from_is_deployed_as_it_was_signed(group: Group) -> None:
    package = registered_elsewhere(group).until("PendingApproval")
    bucket, key = group.pipeline.outputs["ArtifactsBucket"], f"{group.name}/training/output/model.tar.gz"
    group.pipeline.aws("s3").put_object(Bucket=bucket, Key=key, Body=b"other bytes")

    model = package.approve()

    vault, _, key = model["PrimaryContainer"]["ModelDataUrl"].removeprefix("s3://").partition("/")
    assert group.pipeline.aws("s3").get_object(Bucket=vault, Key=key)["Body"].read() == honest()["model.tar.gz"]


def test_an_artifact_that_signoff_may_not_read_is_no_fault_of_the_package(group: Group) -> None:
    group.policy()
    group.create()
    bucket, s3 = f"elsewhere-{group.name}", group.pipeline.aws("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=honest()["model.tar.gz"])

    package = group.register(InferenceSpecification=specification(f"s3://{bucket}/model.tar.gz"))

    erred = package.until("ValidationErrored").entries(Kind.VALIDATION_ERRORED)[0]
    assert erred["error"] == "ObjectMissing"
    assert f"s3://{bucket}/model.tar.gz cannot be read by Signoff" in erred["cause"]
    assert package.registry[0] == "PendingManualApproval"


@pytest.mark.deep
def test_a_package_that_names_another_groups_model_is_refused(pipeline: Pipeline, group: Group) -> None:
    theirs = Group(pipeline, f"{group.name}2").pending().described()["InferenceSpecification"]
    group.policy()
    group.create()

    package = group.register(InferenceSpecification=theirs).until("ValidationFailed")

    status, why = package.registry
    assert (status, "source:InferenceSpecification.Containers[0].ModelDataUrl" in why) == ("Rejected", True)
    vault = pipeline.aws("s3").list_objects_v2(Bucket=pipeline.outputs["VaultBucket"], Prefix=f"models/{group.name}/")
    assert vault["KeyCount"] == 0


@pytest.mark.deep
def test_a_package_of_a_group_that_signoff_does_not_govern_passes_by_untouched(group: Group) -> None:
    group.create()
    package = group.register(InferenceSpecification=specification("s3://anywhere/model.tar.gz"))
    group.pipeline.quiet()
    before = group.everything()

    package.update(ModelApprovalStatus="Approved")
    package.update(InferenceSpecification=specification("s3://anywhere/else/model.tar.gz"))
    group.pipeline.witness.change(package.arn, "InferenceSpecification")
    group.pipeline.quiet()
    group.pipeline.sweep()

    after = group.everything()
    assert package.registry[0] == "Approved"
    assert [after[kept] for kept in ("ledger", "packages", "submissions", "models", "vault", "artifacts", "tags")] == [
        [] for _ in range(7)
    ]
    assert before | {"registry": []} == after | {"registry": []}
    assert "CustomerMetadataProperties" not in package.described()


@pytest.mark.deep
def test_a_group_with_a_policy_of_its_own_keeps_it_and_never_falls_back(group: Group) -> None:
    group.policy()
    package = group.pending()
    group.pipeline.aws("ssm").delete_parameter(Name=f"{group.pipeline.outputs['PolicyPath']}/groups/{group.name}")

    second = group.register(InferenceSpecification=package.described()["InferenceSpecification"])

    event = group.pipeline.event("Validation Completed", second.arn)["detail"]
    assert (event["error"], "had its own policy, which is gone" in event["cause"]) == ("PolicyFault", True)
    group.policy()
