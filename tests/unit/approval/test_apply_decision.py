"""Decisions and registry events, from the bus to the ledger and the registry."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.approval import statements
from signoff.approval.decisions import Recorded, Refusal, Repeated
from signoff.approval.statements import Sender
from signoff.approval.vault_reading import VaultReading
from signoff.documents import timestamps
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import unknown_key
from tests.support.depth import examples
from tests.support.interruptions import Died
from tests.support.model_shapes import CACHED, MODELS, SEVERAL, manifest, submitted
from tests.support.world import ACCURATE, APPROVER, CHANGED, SUBMITTER, World

NOBODY = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/99"
EVE = "arn:aws:iam::123456789012:user/eve"


def metadata(world: World, arn: str) -> dict[str, str]:
    return world.registry.described[arn]["CustomerMetadataProperties"]


def died() -> None:
    raise Died


# Decisions that stand


def test_an_approval_goes_to_the_ledger_and_then_to_the_registry_with_who_and_why():
    world = World()
    arn = world.pending()
    assert isinstance(world.decide(arn, "approve", reason="it\nworks"), Recorded)
    assert world.kinds(arn)[-2:] == ["DecisionRecorded", "RegistryUpdated"]
    assert world.status(arn) == "Approved"
    description = world.registry.described[arn]["ApprovalDescription"]
    assert description.startswith(f"Approved by {APPROVER}: it works (evidence ")


def test_a_decision_names_the_evidence_the_subject_and_the_policy_it_was_made_on():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    decision = world.state(arn).decision
    assert decision["evidence"] == world.state(arn).evidence["sha256"] == metadata(world, arn)["signoff:evidence"]
    assert decision["subject"] == metadata(world, arn)["signoff:subject"]
    assert f"policies/{decision['policy']}.json" in world.vault_bucket.versions


@pytest.mark.parametrize(("decision", "status"), [("reject", Status.REJECTED), ("approve", Status.APPROVED)])
def test_a_pending_package_can_be_approved_or_rejected(decision: str, status: Status):
    world = World()
    arn = world.pending()
    world.decide(arn, decision)
    assert world.state(arn).status is status


def test_an_approval_keeps_artifacts_evidence_and_policy_beyond_the_vaults_own_retention():
    world = World()
    world.approved()
    kept = {key.split("/")[0] for key, found in world.vault_bucket.versions.items() if found[-1].retained_until}
    assert kept == {"models", "evidence", "policies", "decisions"}


def test_who_extends_the_retention_again_finds_it_done_since_it_counts_from_the_decision():
    world = World()
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": CACHED}), MODELS)
    world.deliver()
    world.decide(arn, "approve")
    objects = [found[-1] for key, found in world.vault_bucket.versions.items() if "/models/" in key]
    until = {each.retained_until for each in objects}
    assert {date - timedelta(days=365) - timestamps.parse(world.state(arn).decision["time"]) for date in until} == {
        timedelta(seconds=1)
    }

    written = list(world.vault_bucket.writes)
    world.clock.forward(hours=3)
    world.decision_handler.settle(arn, world.history(arn), VaultReading(world.vault))
    assert (len(objects), world.vault_bucket.writes) == (len(MODELS), written)


def test_who_dies_while_the_retention_of_many_objects_is_extended_leaves_the_rest_to_the_next():
    world = World()
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": CACHED}), MODELS)
    world.deliver()
    before, retain = world.interruptions.before, "FakeBucket.retain"
    # The decision's own document and one object are retained, the next is not.
    before[retain] = lambda: before.update({retain: lambda: before.update({retain: died})})
    with pytest.raises(Died):
        world.decide(arn, "approve")
    world.clock.forward(hours=3)
    world.deliver()
    world.sweep()
    dates = {found[-1].retained_until for key, found in world.vault_bucket.versions.items() if "/models/" in key}
    assert (len(dates), None in dates, world.status(arn)) == (1, False, "Approved")


def test_a_rejection_extends_no_retention():
    world = World()
    world.decide(world.pending(), "reject")
    kept = {key.split("/")[0] for key, found in world.vault_bucket.versions.items() if found[-1].retained_until}
    assert kept == {"decisions"}


def test_the_policy_that_it_was_approved_under_is_kept_as_long_as_that_which_it_was_validated_under():
    world = World()
    arn = world.pending()
    world.set_policy("default", groups={"create": True}, approvals={"approvers": [APPROVER]})
    world.decide(arn, "approve")
    policies = {key: found for key, found in world.vault_bucket.versions.items() if key.startswith("policies/")}
    assert [found[-1].retained_until is not None for found in policies.values()] == [True, True]
    assert f"policies/{world.state(arn).decision['policy']}.json" in policies


def test_the_same_decision_again_is_absorbed():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    before = world.kinds(arn)
    assert world.decide(arn, "approve") == Repeated()
    world.clock.forward(minutes=1)
    assert world.decide(arn, "approve", reason="signed anew") == Repeated()
    assert [kind for kind in world.kinds(arn) if kind != "StatementRepeated"] == before


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_of_two_people_who_decide_the_same_both_are_recorded_and_one_outcome(decision: str):
    world = World()
    arn = world.pending()
    world.decide(arn, decision)
    assert isinstance(world.decide(arn, decision, approver=EVE), Recorded)
    assert world.kinds(arn)[-3:] == ["DecisionRecorded", "RegistryUpdated", "VoteRecorded"]
    assert world.decide(arn, decision, approver=EVE, reason="again") == Repeated()


def test_a_policy_may_let_submitters_withdraw_their_own_but_not_approve_it():
    world = World(approvals={"submitter_may_withdraw": True})
    arn = world.pending()
    assert refused(world, arn, approver=SUBMITTER) == "OwnModel"
    assert isinstance(world.decide(arn, "reject", approver=SUBMITTER), Recorded)


# Decisions that are refused, each by name


def refused(world: World, arn: str, decision: str = "approve", **other: Any) -> str:
    outcome = world.decide(arn, decision, **other)
    assert isinstance(outcome, Refusal)
    return outcome.name


def test_a_decision_about_a_package_that_does_not_exist_is_an_unknown_package():
    world = World()
    assert refused(world, NOBODY) == "UnknownPackage"
    assert world.refusals(unknown_key(world.ledger.today))[0]["refusal"] == "UnknownPackage"


def test_a_decision_about_a_package_of_another_group_is_an_ungoverned_package():
    world = World()
    arn = world.elsewhere()
    written = list(world.registry.writes)
    assert refused(world, arn) == "UngovernedPackage"
    assert world.registry.writes == written


def test_a_decision_before_validation_is_not_validated():
    world = World()
    assert refused(world, world.submit()) == "NotValidated"


def test_a_decision_about_a_package_nobody_has_seen_yet_is_not_validated():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    assert refused(world, arn) == "NotValidated"
    assert world.kinds(arn) == ["Registered", "DecisionRefused"]


def test_nobody_gets_rid_of_being_the_submitter_by_deciding_before_the_validation_begins():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    refused(world, arn, approver=SUBMITTER)
    world.deliver()
    assert refused(world, arn, approver=SUBMITTER) == "OwnModel"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_about_a_failed_package_is_validation_failed(decision: str):
    world = World(metrics=[{**ACCURATE[0], "at_least": 0.99}])
    assert refused(world, world.pending(), decision) == "ValidationFailed"


@pytest.mark.parametrize(
    ("first", "second"), [("approve", "reject"), ("reject", "approve"), ("reject", "revoke"), (None, "revoke")]
)
def test_what_was_decided_otherwise_is_already_decided(first: str | None, second: str):
    world = World()
    arn = world.pending()
    if first:
        world.decide(arn, first)
    assert refused(world, arn, second) == "AlreadyDecided"


def test_somebody_not_on_the_policys_list_is_not_an_approver():
    world = World(approvals={"approvers": [APPROVER]})
    assert refused(world, world.pending(), approver=EVE) == "NotAnApprover"


def test_who_submitted_a_model_cannot_approve_it():
    world = World()
    arn = world.pending()
    assert refused(world, arn, approver=SUBMITTER) == "OwnModel"
    assert world.status(arn) == "PendingManualApproval"


def test_a_policy_may_let_submitters_approve_their_own():
    world = World(approvals={"submitter_may_approve": True})
    assert isinstance(world.decide(world.pending(), "approve", approver=SUBMITTER), Recorded)


def test_a_package_changed_since_its_evidence_is_stale():
    world = World()
    arn = world.pending()
    world.registry.by_hand(arn, InferenceSpecification=CHANGED)
    outcome = world.decide(arn, "approve")
    assert (outcome.name, "inference_specification" in outcome.reason) == ("EvidenceStale", True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "maybe"},
        {"reason": "  "},
        {"reason": "x" * 2001},
        {"reason": "\ud800"},
        {"approver": 7},
        {"approver": "x" * 5000},
        {"package": None},
        {"package": "x" * 5000},
        {"package": "\N{GRINNING FACE}" * 3000},
        {"extra": "x" * 100_000},
    ],
    ids=lambda wrong: str(wrong).encode("ascii", "replace").decode()[:40],
)
def test_what_is_no_decision_is_a_malformed_decision(wrong: dict[str, Any]):
    world = World()
    detail = {"package": NOBODY, "decision": "approve", "reason": "because", "approver": APPROVER, **wrong}
    outcome = world.decision_handler.apply(detail)
    assert outcome.name == "MalformedDecision"
    entry = next(iter(world.ledger.histories.values())).entries[0]
    assert entry.details["refusal"] == "MalformedDecision"
    assert entry.actor == "unknown"
    assert entry.details["claimed"] == str(detail["approver"])[:1000]
    assert len(str(entry.content)) < 10_000


def test_a_repeated_refusal_leaves_one_entry():
    world = World()
    arn = world.pending()
    for _ in range(3):
        assert world.assert_decision(arn, "approve").name == "Unproven"
        assert world.assert_decision(arn, "reject").name == "Unproven"
    refusals = world.refusals(world.history(arn).package)
    assert [(details["decision"], details["refusal"]) for details in refusals] == [
        ("approve", "Unproven"),
        ("reject", "Unproven"),
    ]


def test_a_flood_of_what_nobody_proves_ends_in_the_ledger_and_keeps_nobody_from_deciding():
    world = World()
    arn = world.pending()
    for number in range(250):
        detail = {"package": arn, "decision": "approve", "reason": f"number {number}", "approver": APPROVER}
        assert world.decision_handler.apply(detail).name == "Unproven"
    assert len(world.history(arn).entries) < 210
    assert isinstance(world.decide(arn, "approve"), Recorded)


def test_decisions_about_invented_packages_make_one_ledger_a_day_which_ends():
    world = World()
    for number in range(210):
        assert refused(world, f"{NOBODY}{number}") == "UnknownPackage"
        world.decision_handler.apply({"package": f"{number}"})
    assert set(world.ledger.histories) == {unknown_key(world.ledger.today)}
    entries = world.ledger.history(unknown_key(world.ledger.today)).entries
    assert (len(entries), entries[0].about, len(list(world.ledger.rows()))) == (200, f"{NOBODY}0", 0)
    world.clock.forward(days=1)
    refused(world, NOBODY)
    assert [details["package"] for details in world.refusals(unknown_key(world.ledger.today))] == [NOBODY]


def test_a_flood_of_what_one_person_signs_in_many_sessions_ends_and_keeps_nobody_from_revoking(monkeypatch):
    monkeypatch.setitem(statements._LIMITS, Kind.DECISION_REFUSED, (20, 100))
    world = World(approvals={"approvers": [APPROVER]})
    arn = world.approved()
    for number in range(30):
        session = f"arn:aws:sts::123456789012:assumed-role/job/{number}"
        assert world.decide(arn, "revoke", session, reason=session).name == "NotAnApprover"
    assert len(world.refusals(world.history(arn).package)) == 20
    assert isinstance(world.decide(arn, "revoke"), Recorded)


def test_other_entries_between_them_make_no_room_for_more_of_what_nobody_proves():
    world = World()
    arn = world.pending()
    for number in range(210):
        detail = {"package": arn, "decision": "approve", "reason": f"number {number}", "approver": APPROVER}
        world.decision_handler.apply(detail)
        if number % 50 == 0:
            world.annotate(arn, set={"number": str(number)})
    assert len(world.refusals(world.history(arn).package)) == 200


def test_each_refused_decision_that_somebody_signed_is_recorded_once():
    world = World()
    arn = world.pending()
    signed = [world.statement(arn, "approve", SUBMITTER, reason=reason) for reason in ("one", "two", "one")]
    for statement in signed:
        world.decision_handler.apply(statement)
    assert [details["reason"] for details in world.refusals(world.history(arn).package)] == ["one", "two"]


def test_a_refusal_leaves_registry_and_status_as_they_were():
    world = World()
    arn = world.pending()
    written = list(world.registry.writes)
    refused(world, arn, approver=SUBMITTER)
    assert (world.state(arn).status, world.registry.writes) == (Status.PENDING_APPROVAL, written)


# Late and crossing


def test_a_late_approval_after_a_revocation_changes_nothing():
    world = World()
    arn = world.approved()
    world.decide(arn, "revoke")
    world.deliver()
    assert refused(world, arn, approver=EVE) == "AlreadyDecided"
    world.deliver()
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Rejected", {})


def test_the_very_event_of_an_approval_again_after_a_revocation_is_absorbed():
    world = World()
    arn = world.pending()
    approval = world.statement(arn, "approve")
    world.decision_handler.apply(approval, Sender("event-1"))
    world.decide(arn, "revoke")
    before = world.kinds(arn)
    assert world.decision_handler.apply(approval, Sender("event-1")) == Repeated()
    assert world.kinds(arn) == before


def test_of_two_decisions_that_cross_the_first_in_the_ledger_stands():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeLedger.append"] = lambda: world.decide(arn, "reject")
    assert world.decide(arn, "approve").name == "AlreadyDecided"
    world.deliver()
    assert (world.state(arn).status, world.status(arn)) == (Status.REJECTED, "Rejected")


@pytest.mark.parametrize("call", ["FakeRegistry.set_status", "FakeLedger.history", "FakeLedger.append"])
@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_revocation_that_crosses_an_approvals_way_to_the_registry_ends_revoked(call: str, position: int):
    world = World()
    arn = world.pending()
    later = world.interruptions.before

    def revoke_at(remaining: int) -> None:
        if remaining > 1:
            later[call] = lambda: revoke_at(remaining - 1)
        elif world.state(arn).status is Status.APPROVED:
            world.decide(arn, "revoke")

    later[call] = lambda: revoke_at(position)
    world.decide(arn, "approve")
    later.clear()
    if world.state(arn).status is Status.APPROVED:
        world.decide(arn, "revoke")
    world.deliver()
    assert (world.status(arn), world.registry.models) == ("Rejected", {})
    assert world.state(arn).next_step is None


def test_the_ledger_never_says_that_the_registry_shows_what_was_not_set():
    world = World()
    arn = world.pending()
    revocation = Draft(Kind.DECISION_RECORDED, APPROVER, {"decision": "revoke", "reason": "no", "evidence": None})

    def revoked_by_a_function_that_then_died() -> None:
        world.ledger.update(world.history(arn).package, lambda _: [revocation])

    world.interruptions.before["FakeRegistry.set_status"] = revoked_by_a_function_that_then_died
    world.decide(arn, "approve")
    shown = [entry.details["status"] for entry in world.history(arn).entries if entry.kind == "RegistryUpdated"]
    assert shown == ["Approved", "Rejected"]
    assert (world.state(arn).status, world.state(arn).projected) == (Status.REVOKED, world.status(arn))


def test_the_event_of_a_decision_that_was_refused_does_not_take_effect_when_it_comes_again_later():
    world = World()
    arn = world.submit()
    approval = world.statement(arn, "approve")
    assert world.decision_handler.apply(approval, Sender("event-1")).name == "NotValidated"
    world.deliver()
    assert world.decision_handler.apply(approval, Sender("event-1")) == Repeated()
    assert world.state(arn).status is Status.PENDING_APPROVAL


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
        max_leaves=8,
    )
)
@settings(max_examples=examples(100), deadline=None)
def test_whatever_comes_as_a_decision_is_answered_with_a_name(detail: Any):
    outcome = World().decision_handler.apply(detail)
    assert outcome.name in ("MalformedDecision", "UnknownPackage")
