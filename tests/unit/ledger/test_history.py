"""The ledger: a chain in which no change goes unseen, and the state that its entries come to."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.documents.canonical_json import digest
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Draft, Entry, Kind, Status, Step
from signoff.ledger.history import GENESIS, History, package_key, submission_key, unknown_key
from signoff.ledger.state import State
from tests.support.clock import START
from tests.support.entries import (
    APPROVED,
    APPROVER,
    ARN,
    PACKAGE,
    PENDING,
    SUBMITTER,
    annotated,
    blocked,
    decided,
    deleted,
    errored,
    evidence,
    history,
    model_created,
    model_retired,
    refused,
    registered,
    reverted,
    started,
    subject_changed,
    updated,
)

DRAFTS = [
    registered(),
    started(),
    started(2, "x2"),
    evidence(),
    evidence("failed"),
    errored(),
    *(decided(decision) for decision in ("approve", "reject", "revoke")),
    *(updated(status) for status in ("Approved", "Rejected", "PendingManualApproval")),
    reverted("Approved"),
    subject_changed(),
    model_created(),
    model_retired(),
    blocked("live"),
    refused(),
    annotated(ticket="CHG-1"),
    deleted(),
    Draft(Kind.REGISTRATION_FAILED, "signoff", {"faults": []}),
]


def state(*drafts: Draft) -> State:
    return history(*drafts).state


# The chain


def test_an_empty_ledger_begins_at_the_genesis_hash():
    assert History(PACKAGE).head == GENESIS
    assert History(PACKAGE).verified().state == State()


def test_entries_are_numbered_from_one_and_each_names_the_hash_before_it():
    first, second, third = history(*PENDING).entries
    assert (first.sequence, second.sequence, third.sequence) == (1, 2, 3)
    assert (first.previous, second.previous, third.previous) == (GENESIS, first.hash, second.hash)


def test_every_entry_carries_group_and_version_once_they_are_known():
    assert {(entry.group, entry.version) for entry in history(*PENDING).entries} == {("Churn", 3)}


def test_extending_leaves_the_shorter_history_as_it_was():
    shorter = history(*PENDING)
    longer = shorter.extended([decided("approve")], START + timedelta(hours=1))
    assert (len(shorter.entries), len(longer.entries)) == (3, 4)
    assert longer.entries[3].time == "2026-03-02T10:15:20.000Z"


def altered(value: Any) -> Any:
    match value:
        case int():
            return value + 1
        case dict():
            return {**value, "more": 1}
        case _:
            return f"{value}x"


@given(st.lists(st.sampled_from(DRAFTS), min_size=1, max_size=12), st.data())
def test_whatever_field_of_whatever_entry_is_changed_the_chain_shows_it(drafts: list[Draft], data: st.DataObject):
    honest = history(*drafts)
    position = data.draw(st.integers(0, len(drafts) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(Entry)]))
    entry = honest.entries[position]
    changed = replace(entry, **{name: altered(getattr(entry, name))})
    tampered = replace(honest, entries=(*honest.entries[:position], changed, *honest.entries[position + 1 :]))
    assert honest.verified() is honest
    with pytest.raises(LedgerBroken):
        tampered.verified()


@given(st.lists(st.sampled_from(DRAFTS), min_size=2, max_size=8), st.data())
def test_an_entry_that_is_removed_or_moved_breaks_the_chain(drafts: list[Draft], data: st.DataObject):
    entries = history(*drafts).entries
    position = data.draw(st.integers(0, len(entries) - 2))
    removed = entries[:position] + entries[position + 1 :]
    swapped = (*entries[:position], entries[position + 1], entries[position], *entries[position + 2 :])
    for others in (removed, swapped):
        with pytest.raises(LedgerBroken, match="does not follow"):
            History(PACKAGE, others).verified()


@given(st.lists(st.sampled_from(DRAFTS), min_size=2, max_size=8), st.data())
def test_who_hashes_an_entry_anew_is_found_by_the_one_that_follows(drafts: list[Draft], data: st.DataObject):
    honest = history(*drafts)
    position = data.draw(st.integers(0, len(drafts) - 2))
    changed = replace(honest.entries[position], actor="arn:aws:iam::123456789012:user/mallory")
    changed = replace(changed, hash=digest(changed.content))
    entries = (*honest.entries[:position], changed, *honest.entries[position + 1 :])
    with pytest.raises(LedgerBroken, match=f"entry {position + 2} "):
        History(PACKAGE, entries).verified()


def test_the_entries_of_another_package_are_not_taken_for_this_ones():
    other = history(*PENDING, package=f"{ARN}@2027-01-01T00:00:00.000Z")
    with pytest.raises(LedgerBroken, match="entry 1"):
        History(PACKAGE, other.entries).verified()


# The fold


def legal(choices: list[int]) -> list[Draft]:
    """Return a sequence of drafts as the steps could append them, steered by `choices`."""
    drafts: list[Draft] = []
    for choice in choices:
        now = state(*drafts)
        options = _options(now)
        drafts.append(options[choice % len(options)])
    return drafts


def _options(now: State) -> list[Draft]:
    always = [
        refused(),
        updated(now.registry_status),
        reverted("Approved"),
        annotated("gpu", ticket="CHG-1"),
        deleted(),
    ]
    retiring = [model_retired(), blocked("live")] if now.model else []
    match now.status:
        case None:
            return [registered()]
        case Status.VALIDATING if now.attempt_open:
            return [*always, evidence(), evidence("failed"), errored()]
        case Status.VALIDATING | Status.VALIDATION_ERRORED | Status.VALIDATION_FAILED:
            return [*always, started(now.attempt + 1)]
        case Status.PENDING_APPROVAL:
            return [*always, started(now.attempt + 1), decided("approve"), decided("reject")]
        case Status.APPROVED:
            return [*always, decided("revoke"), subject_changed(), model_created()]
        case _:
            return [*always, *retiring]


@given(st.lists(st.integers(0, 100), max_size=30))
def test_every_legal_sequence_folds_to_a_state_that_is_consistent(choices: list[int]):
    drafts = legal(choices)
    now = state(*drafts)
    assert (now.status is None) == (not drafts)
    assert now.attempt_open is (now.status is Status.VALIDATING and now.attempt > 0)
    if now.status in (Status.PENDING_APPROVAL, Status.VALIDATION_FAILED, Status.APPROVED):
        assert now.evidence is not None
    if now.status is Status.APPROVED:
        assert (now.decision or {})["decision"] == "approve"
    assert now.registry_status in ("PendingManualApproval", "Approved", "Rejected")


@given(st.lists(st.integers(0, 100), max_size=30))
def test_once_every_step_is_done_nothing_is_left_to_do(choices: list[int]):
    drafts = legal([0, *choices])
    done = {
        Step.VALIDATE: lambda now: started(now.attempt + 1),
        Step.FINISH_VALIDATION: lambda _: evidence(),
        Step.UPDATE_REGISTRY: lambda now: updated(now.registry_status),
        Step.CREATE_MODEL: lambda _: model_created(),
        Step.RETIRE_MODEL: lambda _: model_retired(),
    }
    for _ in range(5):
        step = state(*drafts).next_step
        if step is None:
            break
        drafts.append(done[step](state(*drafts)))
    assert state(*drafts).next_step is None


@pytest.mark.parametrize(
    ("drafts", "status", "step"),
    [
        ([registered()], Status.VALIDATING, Step.VALIDATE),
        ([registered(), started()], Status.VALIDATING, Step.FINISH_VALIDATION),
        ([registered(), started(), errored()], Status.VALIDATION_ERRORED, None),
        (PENDING, Status.PENDING_APPROVAL, None),
        ([registered(), started(), evidence("failed")], Status.VALIDATION_FAILED, Step.UPDATE_REGISTRY),
        ([*PENDING, decided("approve")], Status.APPROVED, Step.UPDATE_REGISTRY),
        (APPROVED, Status.APPROVED, Step.CREATE_MODEL),
        ([*APPROVED, model_created()], Status.APPROVED, None),
        ([*PENDING, decided("reject"), updated("Rejected")], Status.REJECTED, None),
        ([*APPROVED, model_created(), decided("revoke"), updated("Rejected")], Status.REVOKED, Step.RETIRE_MODEL),
        ([*APPROVED, subject_changed()], Status.REVOKED, Step.UPDATE_REGISTRY),
        ([registered(), deleted()], Status.DELETED, None),
        ([registered(), started(), deleted()], Status.DELETED, None),
        ([*PENDING, decided("approve"), deleted()], Status.DELETED, None),
        ([*APPROVED, model_created(), deleted()], Status.DELETED, Step.RETIRE_MODEL),
        ([*APPROVED, model_created(), deleted(), blocked("live")], Status.DELETED, Step.RETIRE_MODEL),
        ([*APPROVED, model_created(), deleted(), model_retired()], Status.DELETED, None),
    ],
)
def test_a_package_stands_where_its_entries_say_and_waits_for_the_step_that_is_missing(
    drafts: list[Draft], status: Status, step: Step | None
):
    assert (state(*drafts).status, state(*drafts).next_step) == (status, step)


def test_a_new_attempt_forgets_the_evidence_of_the_one_before():
    now = state(*PENDING, started(2, "x2"))
    assert (now.evidence, now.attempt, now.execution) == (None, 2, "x2")


def test_a_decision_is_remembered_with_who_made_it_and_when():
    decision = state(*PENDING, decided("approve")).decision or {}
    assert (decision["approver"], decision["time"], decision["evidence"]) == (
        APPROVER,
        "2026-03-02T09:15:20.000Z",
        "e" * 64,
    )


def test_a_refusal_leaves_everything_as_it_was():
    assert state(*PENDING, refused()) == state(*PENDING)


def test_an_annotation_moves_nothing_but_the_metadata():
    now = state(*APPROVED, annotated(ticket="CHG-1"))
    assert now.metadata == {"ticket": "CHG-1"}
    assert replace(now, metadata={}) == state(*APPROVED)


def test_metadata_is_that_of_the_registration_with_what_was_set_and_removed_since():
    first = registered(metadata={"team": "risk", "draft": "yes"})
    assert state(first).metadata == {"team": "risk", "draft": "yes"}
    now = state(first, annotated(team="core", ticket="CHG-1"), annotated(removed=("draft", "never there"), ticket="2"))
    assert now.metadata == {"team": "core", "ticket": "2"}


def test_after_another_specification_was_added_a_summary_does_not_show_the_package_as_its_evidence_does():
    pending = (registered(), started(), evidence(specification="d" * 64))
    assert (state(*pending).evidence or {})["specification"] == "d" * 64
    assert (state(*pending, annotated(ticket="1")).evidence or {})["specification"] == "d" * 64
    assert (state(*pending, annotated("gpu")).evidence or {})["specification"] is None


def test_the_time_of_registration_is_that_of_the_first_entry():
    assert state(*PENDING).registered == "2026-03-02T09:15:20.000Z"


def test_the_submitter_is_whom_the_registration_names():
    assert state(registered()).submitter == SUBMITTER


def test_endpoints_in_the_way_of_a_retirement_are_known_until_it_is_done():
    revoked = (*APPROVED, model_created(), decided("revoke"))
    assert state(*revoked, blocked("live")).retirement_blocked_by == ("live",)
    assert state(*revoked, blocked("live"), model_retired()).retirement_blocked_by == ()


def test_a_status_set_by_hand_is_what_the_registry_shows_until_it_is_set_back():
    assert state(*PENDING, reverted("Approved")).next_step is Step.UPDATE_REGISTRY
    assert state(*PENDING, reverted("Approved"), updated("PendingManualApproval")).next_step is None


# Keys


def test_a_package_made_anew_under_the_same_arn_has_a_ledger_of_its_own():
    keys = {package_key(ARN, START), package_key(ARN, START + timedelta(seconds=1))}
    assert keys == {f"{ARN}@2026-03-02T09:15:20.000Z", f"{ARN}@2026-03-02T09:15:21.000Z"}


def test_an_entry_knows_its_packages_arn():
    assert history(registered()).entries[0].arn == ARN


@pytest.mark.parametrize("key", [submission_key("churn/sam@home"), unknown_key("2026-03-02"), submission_key("a/b")])
def test_an_entry_about_no_package_has_no_arn_even_where_its_key_holds_an_at_sign(key: str):
    assert history(refused(), package=key).entries[0].arn is None
