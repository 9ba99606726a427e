"""What insiders tried: each road holds, and a mutant that restores what they went through is found.

The roads are those of `tests.unit.pipeline.test_any_insider`, whose machine walks at random; here each is walked once.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from signoff.approval import decisions
from signoff.aws import ssm
from signoff.aws.ssm import Policies
from signoff.governance.registrations import Registrations
from signoff.ledger import state
from signoff.ledger.state import State
from signoff.policy import submitters
from signoff.policy.approvals import Approvals
from signoff.validation import gates, make_evidence
from signoff.validation.sources import Sources
from tests.support.insiders import ACCOUNT, CHURN, FRAUD, user
from tests.unit.pipeline.test_any_insider import AnyInsider

ANN, BEN, EVE, MALLORY, SAM = map(user, ("ann", "ben", "eve", "mallory", "sam"))
FEDERATED, ROOT = f"arn:aws:sts::{ACCOUNT}:federated-user/eve", f"arn:aws:iam::{ACCOUNT}:root"
LISTED, TWO_NEEDED, _REFUSING, _COUNTING, LAPSING, OPEN, SUBMITTERS = range(7)
Road = Callable[[], AnyInsider]
ROADS: dict[str, Road] = {}


def road(walk: Road) -> Road:
    ROADS[walk.__name__] = walk
    return walk


def groups(policy: int = LISTED) -> AnyInsider:
    """Two groups in use: sam has submitted to `churn` (package 0), tim to `fraud` (package 1)."""
    machine = AnyInsider()
    machine.the_groups_are_in_use(policy)
    return machine


def holds(machine: AnyInsider) -> bool:
    """Whether what must hold does, once everything has arrived."""
    try:
        machine.everything_arrives()
        machine.nothing_was_deployed_that_others_had_not_agreed_to()
        machine.what_is_published_as_a_groups_champion_is_that_groups()
    except AssertionError:
        return False
    return True


@road
def who_exchanges_a_signed_submission_approves_it() -> AnyInsider:
    machine = groups(OPEN)
    machine.somebody_updates_a_package(0, MALLORY, "environment")
    machine.everything_arrives()
    machine.somebody_decides(0, "approve", MALLORY)
    return machine


@road
def who_exchanges_it_before_anything_was_recorded_approves_it() -> AnyInsider:
    machine = groups(OPEN)
    machine.somebody_submits(SAM, CHURN)
    machine.somebody_updates_a_package(2, MALLORY, "environment")
    machine.everything_arrives()
    machine.somebody_decides(2, "approve", MALLORY)
    return machine


@road
def who_changes_what_a_pipeline_registered_approves_it() -> AnyInsider:
    machine = groups()
    machine.somebody_registers_elsewhere(MALLORY, 0)
    machine.everything_arrives()
    machine.somebody_updates_a_package(2, EVE, "all")
    machine.everything_arrives()
    machine.somebody_decides(2, "approve", EVE)
    return machine


@road
def a_project_spells_the_groups_name_otherwise_and_publishes_its_champion() -> AnyInsider:
    machine = AnyInsider()
    machine.a_project_writes_a_policy_that_is_spelled_otherwise("Churn")
    machine.somebody_submits(EVE, "Churn")
    machine.everything_arrives()
    machine.somebody_decides(0, "approve", MALLORY)
    return machine


@road
def an_unsigned_upload_to_a_group_that_lists_submitters_is_approved() -> AnyInsider:
    machine = groups(SUBMITTERS)
    machine.somebody_submits(MALLORY, CHURN, signed=False)
    machine.everything_arrives()
    for who in (ANN, BEN):
        machine.somebody_decides(2, "approve", who)
    return machine


@road
def a_submitter_approves_as_a_federated_user() -> AnyInsider:
    return _approved_by_another_principal(FEDERATED)


@road
def a_submitter_approves_as_the_accounts_root() -> AnyInsider:
    return _approved_by_another_principal(ROOT)


def _approved_by_another_principal(who: str) -> AnyInsider:
    machine = groups(OPEN)
    machine.somebody_submits(EVE, CHURN)
    machine.everything_arrives()
    machine.somebody_decides(2, "approve", who)
    return machine


@road
def one_person_undoes_a_revocation_by_two() -> AnyInsider:
    machine = groups(TWO_NEEDED)
    for who in (ANN, BEN):
        machine.somebody_decides(0, "approve", who)
    machine.everything_arrives()
    machine.somebody_decides(0, "revoke", ANN)
    machine.everything_arrives()
    machine.somebody_decides(0, "rollback", BEN)
    return machine


@road
def an_approval_that_was_withheld_comes_after_a_rejection_and_a_reopening() -> AnyInsider:
    machine = groups()
    machine.somebody_decides(0, "approve", ANN, send=False, standing=None)
    machine.somebody_decides(0, "reject", BEN)
    machine.somebody_decides(0, "reopen", BEN)
    machine.a_decision_arrives_late_or_again(0)
    return machine


@road
def a_version_that_two_approved_and_that_lapsed_is_brought_back_by_one() -> AnyInsider:
    machine = groups(LAPSING)
    for who in (ANN, BEN):
        machine.somebody_decides(0, "approve", who)
    machine.everything_arrives()
    machine.time_passes_and_the_sweep_comes_by(25)
    machine.everything_arrives()
    machine.somebody_decides(0, "rollback", BEN)
    return machine


@road
def a_package_loads_what_another_team_submitted() -> AnyInsider:
    machine = groups()
    others = [number for number, place in enumerate(machine.places(), 1) if FRAUD in place]
    for number in others:
        machine.somebody_registers_elsewhere(EVE, number)
    machine.everything_arrives()
    for position in range(4):
        for who in (ANN, BEN):
            machine.somebody_decides(position, "approve", who)
    return machine


@road
def two_set_the_status_within_one_second() -> AnyInsider:
    machine = groups(_COUNTING)
    machine.somebody_sets_a_status(0, MALLORY, "Approved")
    machine.world.registry.by_hand(machine.arns[0], ANN, ModelPackageDescription="ann corrects a word")
    return machine


@road
def an_inspection_that_was_taken_over_names_other_bytes() -> AnyInsider:
    machine = groups()
    machine.the_next_inspection_is_taken_over_by_what_it_parses()
    machine.somebody_registers_elsewhere(MALLORY, 0)
    machine.everything_arrives()
    for who in (ANN, BEN):
        machine.somebody_decides(2, "approve", who)
    return machine


@road
def a_registration_that_was_taken_over_says_that_somebody_else_signed() -> AnyInsider:
    machine = groups()
    machine.the_next_registration_is_taken_over_by_its_manifest("sam")
    machine.somebody_submits(EVE, CHURN)
    machine.everything_arrives()
    machine.somebody_decides(2, "approve", EVE)
    return machine


@pytest.mark.parametrize("walked", ROADS)
def test_no_insider_gets_through(walked: str):
    assert holds(ROADS[walked]())


# Mutants


def _own_spelling_first(group: str) -> list[str]:
    return [f"groups/{name}" for name in dict.fromkeys((group, group.lower()))]


MUTANTS: dict[str, list[tuple[Any, str, Any]]] = {
    "who_exchanges_a_signed_submission_approves_it": [(gates, "specification_check", lambda *_: iter(()))],
    "who_changes_what_a_pipeline_registered_approves_it": [
        (State, "authors", property(lambda self: (self.submitter,)))
    ],
    "a_project_spells_the_groups_name_otherwise_and_publishes_its_champion": [
        (ssm, "_own_names", _own_spelling_first),
        (Policies, "governing_of", lambda policies, group, look: (policies.governing(*look()), {})),
    ],
    "one_person_undoes_a_revocation_by_two": [(state, "_revoked", lambda state, why: replace(state, revoked_for=why))],
    "a_version_that_two_approved_and_that_lapsed_is_brought_back_by_one": [
        (state, "_revoked", lambda state, why: replace(state, revoked_for=why)),
        (decisions, "lapsed", lambda *_: False),
    ],
    "a_package_loads_what_another_team_submitted": [(Sources, "_of_others", lambda *_: [])],
    "an_unsigned_upload_to_a_group_that_lists_submitters_is_approved": [
        (submitters, "refusal", lambda *_: None),
        (gates, "refusal", lambda *_: None),
    ],
    "a_submitter_approves_as_a_federated_user": [(Approvals, "lists", lambda *_: True)],
    "a_submitter_approves_as_the_accounts_root": [(Approvals, "lists", lambda *_: True)],
    "an_approval_that_was_withheld_comes_after_a_rejection_and_a_reopening": [
        (decisions, "outrun", lambda *_, **__: None)
    ],
    "a_registration_that_was_taken_over_says_that_somebody_else_signed": [(Registrations, "unproven", lambda *_: None)],
    "an_inspection_that_was_taken_over_names_other_bytes": [
        (make_evidence, "witness_checks", lambda *_: iter(())),
        (make_evidence, "as_listed", lambda inspected: {**inspected["kept"], **inspected["found"]}),
    ],
}


@pytest.mark.parametrize("walked", MUTANTS)
def test_a_mutant_that_lets_them_is_found(walked: str, monkeypatch: pytest.MonkeyPatch):
    for place, name, mutant in MUTANTS[walked]:
        monkeypatch.setattr(place, name, mutant)
    assert not holds(ROADS[walked]())
