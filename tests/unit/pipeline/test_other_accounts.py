"""Decisions that other accounts send: whose they are, and about which groups."""

import pytest

from signoff.approval.decisions import Recorded, Refusal
from signoff.identity.principals import account_of
from signoff.validation.open_validation import ValidationRequest
from tests.support.world import APPROVER, IMAGE, MODEL, SPECIFICATION, World

OURS, THEIRS, STRANGER = "123456789012", "222222222222", "999999999999"
SHARED = {"accounts": {"submit": [THEIRS]}}
THEIR_APPROVER = f"arn:aws:iam::{THEIRS}:user/ann"


def shared(**policy: object) -> tuple[World, str]:
    """A world with a package that awaits a decision, in a group that is open to account THEIRS."""
    world = World(**{**SHARED, **policy})
    return world, world.pending()


def refusal(outcome: object) -> str:
    assert isinstance(outcome, Refusal)
    return outcome.name


def test_a_decision_of_an_account_that_the_group_is_open_to_stands():
    world, arn = shared()
    assert isinstance(world.decide(arn, "approve", THEIR_APPROVER, account=THEIRS), Recorded)
    assert world.state(arn).status == "Approved"


def test_whoever_proves_to_be_of_an_account_with_a_say_may_send_it_over_the_registrys_own():
    world, arn = shared()
    assert isinstance(world.decide(arn, "approve", THEIR_APPROVER, account=OURS), Recorded)


def test_a_stranger_who_proves_it_has_no_say_whichever_way_the_decision_comes():
    world, arn = shared()
    assert (
        refusal(world.decide(arn, "approve", f"arn:aws:iam::{STRANGER}:user/ann", account=OURS)) == "AccountNotListed"
    )


@pytest.mark.parametrize("approver", [APPROVER, f"arn:aws:iam::{STRANGER}:user/ann"])
def test_no_account_decides_in_the_name_of_somebody_elses_people(approver):
    world, arn = shared()
    outcome = world.decide(arn, "approve", approver, account=THEIRS)
    assert refusal(outcome) == "ForeignApprover"
    assert world.state(arn).status == "PendingApproval"
    assert world.kinds(arn)[-1] == "DecisionRefused"


def test_an_account_that_the_policy_does_not_name_decides_nothing():
    world, arn = shared()
    outcome = world.decide(arn, "approve", f"arn:aws:iam::{STRANGER}:user/ann", account=STRANGER)
    assert refusal(outcome) == "AccountNotListed"
    assert world.state(arn).status == "PendingApproval"


def test_what_an_account_may_not_decide_is_refused_even_when_it_is_so_already():
    world, arn = shared()
    world.decide(arn, "approve")
    assert refusal(world.decide(arn, "approve", APPROVER, account=STRANGER, reason="again")) == "ForeignApprover"


def test_the_list_of_approvers_is_for_other_accounts_too():
    world, arn = shared(approvals={"approvers": [APPROVER]})
    assert refusal(world.decide(arn, "approve", THEIR_APPROVER, account=THEIRS)) == "NotAnApprover"


def test_an_annotation_of_an_account_that_the_group_is_open_to_is_made():
    world, arn = shared()
    assert world.annotate(arn, THEIR_APPROVER, account=THEIRS, set={"ticket": "CHG-1"}) is None
    assert world.registry.describe(arn)["CustomerMetadataProperties"]["ticket"] == "CHG-1"
    assert world.history(arn).entries[-1].actor == THEIR_APPROVER


@pytest.mark.parametrize(
    ("by", "account", "name"),
    [
        (APPROVER, THEIRS, "ForeignApprover"),
        (f"arn:aws:iam::{STRANGER}:user/ann", THEIRS, "ForeignApprover"),
        (f"arn:aws:iam::{STRANGER}:user/ann", STRANGER, "AccountNotListed"),
    ],
)
def test_no_account_annotates_in_anothers_name_or_what_is_not_open_to_it(by, account, name):
    world, arn = shared()
    before = world.registry.describe(arn)
    refused = world.annotate(arn, by, account=account, set={"ticket": "CHG-1"})
    assert (refused.name, world.kinds(arn)[-1]) == (name, "DecisionRefused")
    assert world.registry.describe(arn) == before


def test_another_account_adds_nothing_to_load_for_signoff_would_read_it_with_its_own_rights():
    world, arn = shared()
    world.put("private/run-1/model.tar.gz", MODEL)
    container = {"Image": IMAGE, "ModelDataUrl": "s3://artifacts/private/run-1/model.tar.gz"}
    added = {"Name": "gpu", **SPECIFICATION, "Containers": [container]}
    assert world.annotate(arn, THEIR_APPROVER, account=THEIRS, add_specifications=[added]).name == (
        "ForeignSpecification"
    )
    assert "AdditionalInferenceSpecifications" not in world.registry.describe(arn)
    world.clock.forward(seconds=1)
    assert world.annotate(arn, THEIR_APPROVER, account=OURS, add_specifications=[added]).name == "ForeignSpecification"
    assert world.annotate(arn, APPROVER, account=OURS, add_specifications=[added]) is None


def test_another_accounts_package_is_none_even_where_it_may_be_described_and_its_group_has_the_name():
    world, arn = shared()
    theirs = arn.replace(OURS, THEIRS)
    world.registry.described[theirs] = {**world.registry.described[arn], "ModelPackageArn": theirs}
    assert refusal(world.decide(theirs, "approve", THEIR_APPROVER, account=THEIRS)) == "UnknownPackage"
    assert world.opener.open(ValidationRequest(theirs, "execution"))["outcome"] == "Gone"
    assert world.deployer.converge(theirs) is None


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("arn:aws:iam::222222222222:role/path/name", "222222222222"),
        ("arn:aws:sts::222222222222:assumed-role/a:b/c", "222222222222"),
        ("arn:aws:s3:::bucket/key", ""),
        ("222222222222", ""),
        ("", ""),
    ],
)
def test_an_arns_account_is_its_fifth_part(arn, account):
    assert account_of(arn) == account


# What other accounts register


def registered(world: World, url: str, by: str | None = f"arn:aws:iam::{THEIRS}:user/dan") -> str:
    """Register a package with model data at `url` as somebody of another account, and return its ARN."""
    world.registry.tags.setdefault("churn", {})
    ours, world.registry.actor = world.registry.actor, by or ""
    container = {"Image": IMAGE, "ModelDataUrl": url}
    specification = {**SPECIFICATION, "Containers": [container]}
    arn = world.registry.create_package({"ModelPackageGroupName": "churn", "InferenceSpecification": specification})
    world.registry.actor = ours
    if by is None:
        del world.registry.described[arn]["CreatedBy"]
    world.deliver()
    return arn


def training(owner: str) -> World:
    """A world with a shared group, and a bucket of account `owner` that Signoff may read."""
    world = World()
    world.set_policy("groups/churn", **SHARED)
    world.s3.bucket("training").put("model.tar.gz", MODEL)
    world.s3.owners["training"] = owner
    return world


def why_errored(world: World, arn: str) -> str:
    (errored,) = (entry for entry in world.history(arn).entries if entry.kind == "ValidationErrored")
    return str(errored.details["cause"])


def test_a_package_of_another_account_loads_from_that_accounts_own_bucket():
    world = training(THEIRS)
    arn = registered(world, "s3://training/model.tar.gz")
    assert world.state(arn).status == "PendingApproval"
    assert world.state(arn).submitter == f"arn:aws:iam::{THEIRS}:user/dan"


@pytest.mark.parametrize("owner", [OURS, STRANGER])
def test_signoff_reads_no_bucket_of_ours_or_a_thirds_for_another_account(owner):
    world = training(owner)
    arn = registered(world, "s3://training/model.tar.gz")
    assert world.state(arn).status == "ValidationErrored"
    assert "cannot be read" in why_errored(world, arn)


def test_signoff_reads_no_submission_for_another_account():
    world = training(THEIRS)
    world.put("churn/run-1/model.tar.gz", MODEL)
    arn = registered(world, "s3://artifacts/churn/run-1/model.tar.gz")
    assert "cannot be read" in why_errored(world, arn)


@pytest.mark.parametrize("suffix", ["model.tar.gz", ""])
def test_signoff_takes_nothing_of_another_group_out_of_the_vault_for_another_account(suffix):
    world = training(THEIRS)
    world.set_policy("groups/churn", **SHARED, sources={"model_data": ["s3://vault/models/private/*"]})
    world.vault_bucket.put("models/private/1/model.tar.gz", MODEL)
    arn = registered(world, f"s3://vault/models/private/1/{suffix}")
    assert "belongs to a group other than" in why_errored(world, arn)


def test_the_registrys_own_account_registers_from_wherever_signoff_may_read():
    world = training(STRANGER)
    arn = registered(world, "s3://training/model.tar.gz", by=APPROVER)
    assert world.state(arn).status == "PendingApproval"


def test_where_others_may_register_a_package_of_nobody_known_loads_from_nowhere():
    world = training(OURS)
    arn = registered(world, "s3://training/model.tar.gz", by=None)
    assert "it is not known who registered" in why_errored(world, arn)
