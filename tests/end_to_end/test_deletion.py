"""Packages and groups that somebody deletes in SageMaker: nothing of them stays deployable in silence."""

import time

import pytest

from signoff.ledger.entries import Status
from signoff.ledger.history import History, package_key
from tests.support.groups import Group, Package, models_of
from tests.support.submissions import honest
from tests.support.waiting import eventually


def key_of(package: Package) -> str:
    return package_key(package.arn, package.described()["CreationTime"])


def delete(package: Package) -> str:
    """Delete a package, as anybody with the permission may, and return its ledger's key."""
    key = key_of(package)
    package.pipeline.aws("sagemaker").delete_model_package(ModelPackageName=package.arn)
    return key


def told(group: Group, key: str) -> tuple[str, list[str]]:
    history: History = group.pipeline.ledger.history(key).verified()
    return str(history.state.status), [str(entry.kind) for entry in history.entries]


def test_the_model_of_an_approved_package_that_was_deleted_is_retired(group: Group) -> None:
    package = group.pending()
    package.approve()
    key = delete(package)

    moved = group.pipeline.sweep()

    status, kinds = told(group, key)
    assert moved["deleted package"] == 1
    assert (status, kinds[-2:]) == ("Deleted", ["PackageDeleted", "ModelRetired"])
    assert models_of(group.pipeline, group.name) == []
    assert group.pipeline.event("Package Deleted", package.arn)["detail"]["version"] == 1


def test_a_pending_package_that_was_deleted_awaits_no_decision_and_gets_none(group: Group) -> None:
    pipeline, package = group.pipeline, group.pending()
    key = delete(package)

    package.decide("approve")
    refused = pipeline.event("Decision Refused", package.arn)["detail"]["refusal"]
    pipeline.sweep()

    assert refused == "UnknownPackage"
    assert told(group, key)[0] == "Deleted"
    assert package.arn not in {head["arn"] for head in pipeline.ledger.rows_by_status(Status.PENDING_APPROVAL)}


@pytest.mark.deep
def test_a_package_deleted_before_it_is_validated_is_not_validated_again_and_again(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        key = delete(package)

    pipeline.sweep()
    again = pipeline.sweep()

    assert told(group, key) == ("Deleted", ["Registered", "PackageDeleted"])
    assert not again.get("validate")


@pytest.mark.deep
def test_a_group_made_anew_begins_again_at_version_1_with_a_ledger_of_its_own(group: Group) -> None:
    pipeline, sagemaker = group.pipeline, group.pipeline.aws("sagemaker")
    first = group.pending()
    first.approve()
    created = first.described()["CreationTime"].timestamp()
    old = delete(first)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group.name)
    # SageMaker tells some times to the second: two packages of one ARN and one second could not be told apart.
    eventually(lambda: int(time.time()) > int(created), what="the next second")

    second = group.pending(honest(ModelPackageDescription="Made anew"))
    between = second.status
    pipeline.sweep()
    model = second.approve()

    assert (second.arn, between) == (first.arn, "PendingApproval")
    assert told(group, old)[0] == "Deleted"
    assert second.status == "Approved"
    assert second.models() == [model]
    assert [each["ModelName"] for each in models_of(pipeline, group.name)] == [model["ModelName"]]


@pytest.mark.deep
def test_a_package_deleted_behind_an_endpoint_keeps_its_model_until_the_endpoint_is_gone(group: Group) -> None:
    pipeline, sagemaker, package = group.pipeline, group.pipeline.aws("sagemaker"), group.pending()
    name, endpoint = package.approve()["ModelName"], f"serving-{group.name}"
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    key = delete(package)

    pipeline.sweep()
    blocked = told(group, key)[1][-1]
    sagemaker.delete_endpoint(EndpointName=endpoint)
    pipeline.sweep()

    assert blocked == "RetirementBlocked"
    assert told(group, key)[1][-1] == "ModelRetired"
    eventually(lambda: models_of(pipeline, group.name) == [], what="the model to be gone")


@pytest.mark.deep
def test_a_submission_in_another_spelling_of_the_group_is_told_the_right_one(group: Group) -> None:
    group.pending()
    other = Group(group.pipeline, group.name.upper())

    report = other.submit().report()

    assert report["outcome"] == "refused"
    assert f"another spelling of the group {group.name}" in report["faults"][0]["message"]


@pytest.mark.deep
def test_a_decision_about_an_arn_in_another_spelling_is_about_the_package(group: Group) -> None:
    package = group.pending()
    detail = {"package": package.arn.replace(group.name, group.name.upper()), "decision": "reject", "reason": "No"}

    group.pipeline.say(group.pipeline.signed(detail))

    assert package.until("Rejected").state.decision is not None
