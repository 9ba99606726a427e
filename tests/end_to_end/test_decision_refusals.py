"""A decision that does not stand: whoever listens hears why, and the ledger keeps it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from signoff.ledger.entries import Kind
from signoff.runtime.clock import utc_now
from signoff_cli.statements.signature import sign_statement
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import honest, measured
from tests.support.waiting import eventually

ACCURACY = {"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.9}


def assert_refused(package: Package, refusal: str, because: str) -> None:
    """Assert that the newest decision about a package was refused, in the ledger and as an event."""
    kept = package.entries(Kind.DECISION_REFUSED)[-1]
    event = package.pipeline.event("Decision Refused", package.arn, refusal=refusal)["detail"]
    assert (kept["refusal"], because in kept["because"]) == (refusal, True), kept
    assert event["because"] == kept["because"]
    assert package.models() == []


def test_the_submitter_cannot_approve_their_own_model(group: Group) -> None:
    package = group.pending()

    package.decide("approve", by="submitter")

    assert_refused(package, "OwnModel", "someone else must approve it")
    assert (package.status, package.registry[0]) == ("PendingApproval", "PendingManualApproval")


def approve_with(package: Package, credentials: dict[str, Any]) -> None:
    """Have the holder of `credentials`, as IAM or STS returns them, approve a package."""
    secret, token = credentials["SecretAccessKey"], credentials.get("SessionToken")
    keys = ReadOnlyCredentials(credentials["AccessKeyId"], secret, token)
    pipeline = package.pipeline
    decided = {"statement": "decision", "audience": pipeline.outputs["BusArn"], "package": package.arn}
    decided |= {"decision": "approve", "reason": "Recall holds", "evidence": package.seen()}
    pipeline.say(sign_statement(decided, keys, pipeline.stack.engine.url, "us-east-1", utc_now()), user="reviewer")
    pipeline.quiet()


@pytest.mark.deep
def test_a_user_who_was_deleted_and_made_anew_has_one_vote(group: Group) -> None:
    group.policy(approvals={"needed": 2})
    iam, name, package = group.pipeline.aws("iam"), f"twice-{uuid4().hex[:8]}", group.pending()
    for _ in range(2):
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        approve_with(package, made)
        iam.delete_access_key(UserName=name, AccessKeyId=made["AccessKeyId"])
        iam.delete_user(UserName=name)

    (vote,) = package.entries(Kind.VOTED)
    assert vote["user_id"].startswith("AIDA")
    assert (package.status, package.state.votes) == ("PendingApproval", (group.pipeline.user(name),))


def test_the_submitter_cannot_approve_it_as_a_federated_user_either_where_the_policy_lists_nobody(group: Group) -> None:
    package = group.pending()
    made = group.pipeline.aws("sts", "submitter").get_federation_token(Name="approver")["Credentials"]

    approve_with(package, made)

    assert_refused(package, "NotAnApprover", "federated-user/approver is not among the approvers")
    assert (package.status, package.registry[0]) == ("PendingApproval", "PendingManualApproval")


@pytest.mark.deep
def test_whoever_registered_a_package_elsewhere_cannot_approve_it(group: Group) -> None:
    specification = group.pending().described()["InferenceSpecification"]
    package = group.register(InferenceSpecification=specification).until("PendingApproval")

    package.decide("approve", by="submitter")

    assert_refused(package, "OwnModel", "someone else must approve it")


@pytest.mark.deep
def test_somebody_who_is_not_on_the_policys_list_cannot_approve(group: Group) -> None:
    group.policy(approvals={"approvers": ["arn:*:iam::*:user/approver"]})
    package = group.pending()

    package.decide("approve", by="reviewer")

    assert_refused(package, "NotAnApprover", f"is not among the approvers of group {group.name}")


@pytest.mark.parametrize(
    "seen",
    [{"standing": None}, pytest.param({}, marks=pytest.mark.deep)],
    ids=["by its time", "by the status that it names"],
)
def test_an_approval_that_was_kept_back_is_older_than_the_status(group: Group, seen: dict[str, Any]) -> None:
    package = group.pending()
    kept = package.statement("approve", **seen)
    package.approve(by="reviewer")
    for decision in ("revoke", "reopen"):
        package.decide(decision, by="reviewer")

    package.pipeline.say(kept)
    package.pipeline.quiet()

    assert_refused(package, "OlderThanStatus", "sign again")
    assert (package.status, package.state.votes) == ("PendingApproval", ())


@pytest.mark.deep
def test_what_was_validated_before_its_policy_was_tightened_cannot_be_approved(group: Group) -> None:
    group.policy(deployment={"network_isolation": False})
    package = group.pending()
    group.policy()

    package.decide("approve")

    assert_refused(package, "SettingsNotAllowed", "(network_isolation); revalidate it")


def test_a_package_that_failed_its_validation_cannot_be_approved(group: Group) -> None:
    group.policy(metrics=[ACCURACY])
    package = group.submit(measured(0.5)).package().until("ValidationFailed")

    package.decide("approve")

    assert_refused(package, "ValidationFailed", "no decision can override that")
    assert package.registry[0] == "Rejected"


@pytest.mark.deep
def test_a_package_that_is_still_validated_cannot_be_approved(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        pipeline.witness.registration(package.arn)

    package.decide("approve")

    assert_refused(package, "NotValidated", "there is no evidence to decide on")
    pipeline.sweep()
    assert package.until("PendingApproval").approve()["ModelName"]


def test_a_package_whose_validation_erred_cannot_be_approved(group: Group) -> None:
    group.policy()
    group.create()
    package = group.register(InferenceSpecification=_nowhere(group)).until("ValidationErrored")

    package.decide("approve")

    assert_refused(package, "NotValidated", "ValidationErrored")


def _nowhere(group: Group) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(honest()["manifest.json"])
    specification: dict[str, Any] = manifest["InferenceSpecification"]
    vault = group.pipeline.outputs["VaultBucket"]
    specification["Containers"][0]["ModelDataUrl"] = f"s3://{vault}/models/{group.name}/nothing/model.tar.gz"
    return specification


@pytest.mark.deep
def test_a_rejected_package_cannot_be_approved(group: Group) -> None:
    package = group.pending()
    package.decide("reject")

    package.decide("approve")

    assert_refused(package, "AlreadyDecided", "the package is Rejected already")
    assert package.registry[0] == "Rejected"


@pytest.mark.deep
def test_an_approved_package_cannot_be_rejected(group: Group) -> None:
    package = group.pending()
    model = package.approve()

    package.decide("reject")

    refused = package.entries(Kind.DECISION_REFUSED)[-1]
    assert (refused["refusal"], "revoke it instead" in refused["because"]) == ("AlreadyDecided", True)
    assert package.models() == [model]


@pytest.mark.deep
def test_a_package_that_is_not_approved_cannot_be_revoked(group: Group) -> None:
    package = group.pending()

    package.decide("revoke")

    assert_refused(package, "AlreadyDecided", "revoke needs one that is Approved")


def test_a_refusal_is_kept_once_however_often_its_decision_comes(group: Group) -> None:
    package = group.pending()
    decision = package.statement("approve", by="submitter")
    group.pipeline.say(decision)
    group.pipeline.quiet()
    before = group.everything()

    group.pipeline.say(decision)
    group.pipeline.quiet()

    assert group.everything() == before


def refused_elsewhere(pipeline: Pipeline, about: str) -> dict[str, Any]:
    """The ledger's entry about a decision on something that is no package of Signoff's."""
    pipeline.quiet()

    def found() -> list[dict[str, Any]]:
        entries = [json.loads(entry["details"]) for entry in pipeline.table("LedgerTable", "unknown:")]
        return [details for details in entries if details["package"] == about]

    (details,) = eventually(found)
    return details


def test_a_decision_about_a_package_that_nobody_knows_is_refused(pipeline: Pipeline, group: Group) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group.name}/7"

    Package(pipeline, arn).say("approve")

    event = pipeline.event("Decision Refused", arn)["detail"]
    assert (event["refusal"], event["package"]) == ("UnknownPackage", arn)
    assert refused_elsewhere(pipeline, arn)["refusal"] == "UnknownPackage"


def test_a_decision_about_a_package_that_signoff_does_not_govern_is_refused(group: Group) -> None:
    group.create()
    package = group.register(InferenceSpecification=_nowhere(group))

    package.say("approve")

    assert group.pipeline.event("Decision Refused", package.arn)["detail"]["refusal"] == "UngovernedPackage"
    assert refused_elsewhere(group.pipeline, package.arn)["refusal"] == "UngovernedPackage"
    assert package.registry[0] == "PendingManualApproval"


@pytest.mark.deep
def test_a_decision_without_a_reason_is_refused(group: Group) -> None:
    package = group.pending()

    package.say("approve", reason="  ")

    event = group.pipeline.event("Decision Refused", package.arn)["detail"]
    assert (event["refusal"], "must say why" in event["because"]) == ("MalformedDecision", True)
    assert package.status == "PendingApproval"


@pytest.mark.deep
def test_a_decision_that_is_none_is_refused(group: Group) -> None:
    package = group.pending()

    group.pipeline.say(package.statement("maybe", reason="Perhaps"))

    event = group.pipeline.event("Decision Refused", package.arn)["detail"]
    assert (event["refusal"], event["decision"]) == ("MalformedDecision", "maybe")
    assert package.status == "PendingApproval"


def test_a_decision_in_signoffs_own_name_is_not_heard(group: Group) -> None:
    package, pipeline = group.pending(), group.pipeline
    said = package.statement("approve", reason="Mine")

    with pytest.raises(ClientError, match="AccessDenied"):
        pipeline.say(said, source="signoff")
    pipeline.quiet()

    assert package.kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]
