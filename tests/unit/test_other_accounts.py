"""Decisions that other accounts send: whose they are, and about which groups."""

import pytest

from signoff.decisions import Recorded, Refused
from signoff.identity import account_of
from tests.support.world import APPROVER, World

OURS, THEIRS, STRANGER = "123456789012", "222222222222", "999999999999"
SHARED = {"accounts": {"submit": [THEIRS]}}
THEIR_APPROVER = f"arn:aws:iam::{THEIRS}:user/ann"


def shared(**policy: object) -> tuple[World, str]:
    """A world with a package that awaits a decision, in a group that is open to account THEIRS."""
    world = World(**{**SHARED, **policy})
    return world, world.pending()


def refusal(outcome: object) -> str:
    assert isinstance(outcome, Refused)
    return outcome.name


def test_a_decision_of_an_account_that_the_group_is_open_to_stands():
    world, arn = shared()
    assert isinstance(world.decide(arn, "approve", THEIR_APPROVER, account=THEIRS), Recorded)
    assert world.state(arn).status == "Approved"


def test_a_decision_of_the_registrys_own_account_may_name_anybody():
    world, arn = shared()
    assert isinstance(world.decide(arn, "approve", THEIR_APPROVER, account=OURS), Recorded)


@pytest.mark.parametrize("approver", [APPROVER, f"arn:aws:iam::{STRANGER}:user/ann", "ann", "arn:aws:iam::ann"])
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
    assert refusal(world.decide(arn, "approve", APPROVER, account=STRANGER)) == "ForeignApprover"


def test_the_list_of_approvers_is_for_other_accounts_too():
    world, arn = shared(approvals={"approvers": [APPROVER]})
    assert refusal(world.decide(arn, "approve", THEIR_APPROVER, account=THEIRS)) == "NotAnApprover"


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
