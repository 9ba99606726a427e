"""Rolling back: a version that was approved before is so again in one step, and all of its bytes are verified."""

import contextlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.approval.decisions import Repeated
from signoff.ledger.entries import Kind, Status, Step
from tests.support.depth import few
from tests.support.interruptions import Died
from tests.support.model_shapes import CACHED, MODELS, SEVERAL, manifest, submitted
from tests.support.voting import ANN, BEN, EVE
from tests.support.world import APPROVER, MODEL, SPECIFICATION, World
from tests.unit.deployment.test_target_champions import NEXT_DOOR, two_approved, world_of

GROUP = "churn"


def two(world: World) -> tuple[str, str]:
    """Return a former champion and the present one."""
    first, second = world.approved(prefix="churn/run-1"), world.approved(prefix="churn/run-2")
    world.clock.forward(days=7)
    return first, second


def rollback(world: World, arn: str, **said: Any) -> Any:
    outcome = world.decide(arn, "rollback", **said)
    world.deliver()
    return outcome


def model_of(world: World, arn: str) -> str:
    return str((world.state(arn).model or {})["arn"])


def created(world: World, arn: str) -> dict[str, Any]:
    entry = world.history(arn).last(Kind.MODEL_CREATED)
    return entry.details if entry else {}


def tampered(world: World, arn: str, name: str = "model.tar.gz") -> None:
    """Change bytes of a package in the vault without a new version, as nobody but AWS could."""
    place = f"/{world.state(arn).registration}/"
    key = next(key for key in world.vault_bucket.versions if place in key and key.endswith(name))
    world.vault_bucket.versions[key][-1].data = b"other bytes"


# From a superseded version that is approved still


def test_a_former_champion_is_champion_again_and_the_other_keeps_its_model():
    world = World()
    first, second = two(world)
    rollback(world, first)
    assert world.published() == {GROUP: model_of(world, first)}
    assert [world.status(arn) for arn in (first, second)] == ["Approved", "Approved"]
    assert len(world.registry.models) == 2


def test_its_model_is_found_again_and_not_made_anew():
    world = World()
    first, _ = two(world)
    before = world.state(first).model
    calls = len([name for call, name in world.registry.writes if call == "delete_model"])
    rollback(world, first)
    assert world.state(first).model == before
    assert len([name for call, name in world.registry.writes if call == "delete_model"]) == calls == 0


def test_the_entry_says_how_much_was_verified():
    world = World()
    first, _ = two(world)
    assert "verified" not in created(world, first)
    rollback(world, first)
    document = world.vault.read("evidence", world.state(first).evidence["sha256"])
    sizes = [artifact["size"] for artifact in document["artifacts"]]
    assert created(world, first)["verified"] == {"artifacts": len(sizes), "bytes": sum(sizes)}
    assert sum(sizes) > len(MODEL)


def test_it_is_champion_only_once_its_model_was_verified():
    world = World()
    first, second = two(world)
    world.decide(first, "rollback")
    world.champions.publish(GROUP)
    assert world.published() == {GROUP: model_of(world, second)}
    assert (world.state(first).model, world.state(first).next_step) == (None, Step.CREATE_MODEL)
    world.deliver()
    assert world.published() == {GROUP: model_of(world, first)}


def test_when_what_tells_of_it_is_lost_the_sweep_finds_it():
    world = World()
    first, _ = two(world)
    world.decide(first, "rollback")
    for queue, _ in world.waiting():
        queue.clear()
    assert world.sweep()["create_model"] == 1
    assert world.published() == {GROUP: model_of(world, first)}


def test_elsewhere_it_is_champion_only_once_its_model_was_verified_here():
    world = world_of(NEXT_DOOR)
    first, second = two_approved(world)
    world.decide(first, "rollback")
    world.queues["deployments"].messages.clear()
    world.deployer.converge(second)  # which publishes the champion there
    assert world.published(NEXT_DOOR) == {GROUP: world.state(second).targets[NEXT_DOOR].model["arn"]}
    world.deliver()
    assert world.published(NEXT_DOOR) == {GROUP: world.state(first).targets[NEXT_DOOR].model["arn"]}


# From a revoked version


def test_a_revoked_version_is_approved_again_and_its_model_made_anew():
    world = World()
    first, _ = two(world)
    world.decide(first, "revoke")
    world.deliver()
    rollback(world, first)
    assert (world.status(first), world.state(first).status) == ("Approved", Status.APPROVED)
    assert world.published() == {GROUP: model_of(world, first)}
    assert world.state(first).model["name"] in world.registry.models


def test_a_model_that_an_endpoint_kept_is_found_again():
    world = World()
    first, _ = two(world)
    world.registry.endpoints["live"] = {world.state(first).model["name"]}
    world.decide(first, "revoke")
    world.deliver()
    assert world.state(first).retirement_blocked_by == ("live",)
    rollback(world, first)
    assert (world.state(first).retirement_blocked_by, world.state(first).next_step) == ((), None)
    assert world.sweep() == {}


# How many it takes

CAT = "arn:aws:iam::123456789012:user/cat"
BY_TWO: dict[str, Any] = {"needed": 2, "approvers": [ANN, BEN, CAT, EVE]}


def two_by_two(**approvals: Any) -> tuple[World, str]:
    """A world, and a former champion that Ann and Ben approved a week before."""
    world = World(approvals={**BY_TWO, **approvals})
    arns = [world.pending(prefix=f"churn/run-{number}") for number in (1, 2)]
    for arn in arns:
        for who in (ANN, BEN):
            world.clock.forward(seconds=1)
            world.decide(arn, "approve", who)
        world.deliver()
    world.clock.forward(days=7)
    return world, arns[0]


def revoked_by_two(**approvals: Any) -> tuple[World, str]:
    world, arn = two_by_two(**approvals)
    for who in (CAT, EVE):
        world.decide(arn, "revoke", who)
        world.deliver()
    return world, arn


def test_what_was_merely_superseded_is_rolled_back_to_by_one():
    world, arn = two_by_two()
    rollback(world, arn, approver=CAT)
    assert world.published() == {GROUP: model_of(world, arn)}


def test_what_only_a_policy_revoked_for_being_superseded_is_rolled_back_to_by_one():
    world, arn = two_by_two(revocation={"superseded": True})
    world.sweep()
    assert (world.state(arn).status, world.state(arn).revoked_for) == (Status.REVOKED, "superseded")
    rollback(world, arn, approver=CAT)
    assert world.status(arn) == "Approved"


@pytest.mark.parametrize("who", [ANN, CAT, EVE], ids=["who approved it", "who revoked it", "who joined"])
def test_nobody_alone_undoes_what_people_revoked(who: str):
    world, arn = revoked_by_two()
    rollback(world, arn, approver=who)
    assert (world.state(arn).status, world.state(arn).votes, world.status(arn)) == (Status.REVOKED, (who,), "Rejected")
    assert world.history(arn).last(Kind.VOTED).details["outstanding"] == "1 more approval"
    assert rollback(world, arn, approver=who, reason="once more") == Repeated()


def test_the_full_number_undoes_what_people_revoked():
    world, arn = revoked_by_two()
    for who in (ANN, CAT):
        rollback(world, arn, approver=who)
    made = world.history(arn).last(Kind.DECISION_RECORDED).details
    assert (made["decision"], made["votes"], world.status(arn)) == ("rollback", [ANN, CAT], "Approved")
    assert world.published() == {GROUP: model_of(world, arn)}


def test_somebody_who_revokes_it_once_more_ends_the_votes_for_a_rollback():
    world, arn = two_by_two()
    world.decide(arn, "revoke", CAT)
    world.deliver()
    rollback(world, arn, approver=ANN)
    world.decide(arn, "revoke", EVE)
    rollback(world, arn, approver=BEN)
    assert (world.state(arn).status, world.state(arn).votes) == (Status.REVOKED, (BEN,))


def test_what_a_policy_revoked_for_being_superseded_and_people_then_did_takes_the_full_number():
    world, arn = two_by_two(revocation={"superseded": True})
    world.sweep()
    world.decide(arn, "revoke", EVE)
    rollback(world, arn, approver=CAT)
    assert (world.state(arn).revoked_for, world.state(arn).status) == ("decision", Status.REVOKED)


def test_an_approval_that_lapsed_takes_the_full_number():
    world, arn = two_by_two(revocation={"after": "P30D"})
    world.sweep(days=31)
    assert world.state(arn).revoked_for == "lapsed"
    rollback(world, arn, approver=ANN)
    assert (world.state(arn).votes, world.status(arn)) == ((ANN,), "Rejected")
    rollback(world, arn, approver=BEN)
    assert world.status(arn) == "Approved"


@pytest.mark.parametrize("superseded", [False, True], ids=["approved still", "revoked as superseded"])
def test_an_approval_that_has_lapsed_by_now_takes_the_full_number_though_nothing_recorded_it(superseded: bool):
    world, arn = two_by_two(revocation={"after": "P30D", "superseded": superseded})
    if superseded:
        world.sweep()
    world.clock.forward(days=31)
    for who in (CAT, EVE):
        assert world.history(arn).last(Kind.DECISION_RECORDED).details["decision"] != "rollback"
        rollback(world, arn, approver=who)
    made = world.history(arn).last(Kind.DECISION_RECORDED).details
    assert (made["decision"], made["votes"], world.status(arn)) == ("rollback", [CAT, EVE], "Approved")


def test_a_subject_that_changed_and_is_as_it_was_again_takes_the_full_number():
    world, arn = two_by_two()
    specification = world.registry.described[arn]["InferenceSpecification"]
    world.registry.by_hand(arn, InferenceSpecification={**specification, "SupportedContentTypes": ["text/x"]})
    world.deliver()
    assert (world.state(arn).status, world.state(arn).revoked_for) == (Status.REVOKED, "subject")
    world.registry.by_hand(arn, InferenceSpecification=specification)
    world.deliver()
    rollback(world, arn, approver=ANN)
    assert (world.state(arn).status, world.state(arn).votes) == (Status.REVOKED, (ANN,))


def test_a_policy_that_asks_for_more_today_is_asked_for_what_is_missing():
    world, arn = two_by_two()
    world.set_policy("default", groups={"create": True}, approvals={**BY_TWO, "needed": 4})
    rollback(world, arn, approver=CAT)
    assert world.history(arn).last(Kind.VOTED).details["outstanding"] == "1 more approval"
    rollback(world, arn, approver=EVE)
    assert world.history(arn).last(Kind.DECISION_RECORDED).details["votes"] == [ANN, BEN, CAT, EVE]


# What is signed is what is deployed


def test_other_bytes_in_the_vault_revoke_it_and_take_its_model():
    world = World()
    first, second = two(world)
    tampered(world, first)
    rollback(world, first)
    because = "Revoked by Signoff: SubjectChanged: artifacts not as signed"
    assert world.registry.described[first]["ApprovalDescription"] == because
    assert (world.state(first).status, world.status(first)) == (Status.REVOKED, "Rejected")
    assert list(world.registry.models) == [world.state(second).model["name"]]
    assert world.published() == {GROUP: model_of(world, second)}


def test_other_bytes_of_the_quality_document_revoke_it_as_well():
    world = World()
    first, _ = two(world)
    tampered(world, first, "quality.json")
    rollback(world, first)
    assert world.state(first).status is Status.REVOKED


def test_the_model_of_other_bytes_goes_even_if_no_event_tells_of_the_revocation():
    world = World()
    first, second = two(world)
    tampered(world, first)
    world.decide(first, "rollback")
    world.deployer.converge(first)
    for queue, _ in world.waiting():
        queue.clear()
    assert world.state(first).next_step is Step.RETIRE_MODEL
    world.sweep()
    assert list(world.registry.models) == [world.state(second).model["name"]]


def test_other_bytes_are_found_under_a_prefix_too():
    world = World()
    arn = submitted(world, manifest(SEVERAL, deployment={"PrimaryContainer": CACHED}), MODELS)
    world.deliver()
    for verb in ("approve", "revoke"):
        world.decide(arn, verb)
        world.deliver()
    world.clock.forward(minutes=1)
    rollback(world, arn)
    assert created(world, arn)["verified"]["artifacts"] >= 1
    world.decide(arn, "revoke")
    world.deliver()
    document = world.vault.read("evidence", world.evidence(arn) or "")
    prefix = next(artifact["key"] for artifact in document["artifacts"] if artifact["key"].endswith("/"))
    world.vault_bucket.versions[world.vault.under(prefix)[-1].key][-1].data = b"other bytes"
    world.clock.forward(minutes=1)
    rollback(world, arn)
    assert world.state(arn).status is Status.REVOKED


def test_bytes_that_s3_vouches_for_are_not_read_again():
    world = World()
    first, _ = two(world)
    world.vault_bucket.reads.clear()
    rollback(world, first)
    assert ("verified" in created(world, first), world.vault_bucket.reads) == (True, [])


@pytest.mark.parametrize("tampers", [False, True])
@pytest.mark.parametrize(("then", "now"), [(True, False), (False, True), (False, False)])
def test_bytes_that_s3_does_not_vouch_for_are_read(then: bool, now: bool, tampers: bool):
    world = World()
    world.vault_bucket.checksums = then
    first, _ = two(world)
    world.vault_bucket.checksums = now
    if tampers:
        tampered(world, first)
    world.vault_bucket.reads.clear()
    rollback(world, first)
    assert bool(world.vault_bucket.reads) is not now
    assert world.status(first) == ("Rejected" if tampers else "Approved")


def test_parts_that_s3_vouched_for_otherwise_are_read():
    world = World()
    first, _ = two(world)
    world.vault_bucket.composite = True
    world.vault_bucket.reads.clear()
    rollback(world, first)
    assert world.vault_bucket.reads
    assert ("verified" in created(world, first), world.status(first)) == (True, "Approved")


def test_an_approval_reads_no_bytes_again():
    world = World()
    arn = world.pending()
    tampered(world, arn)
    world.decide(arn, "approve")
    world.deliver()
    assert world.state(arn).status is Status.APPROVED


def test_a_changed_package_cannot_be_rolled_back_to():
    world = World()
    first, _ = two(world)
    world.decide(first, "revoke")
    world.deliver()
    world.registry.by_hand(first, InferenceSpecification={**SPECIFICATION, "SupportedContentTypes": ["text/x"]})
    assert rollback(world, first).name == "EvidenceStale"
    assert world.state(first).status is Status.REVOKED


def test_why_it_was_revoked_is_said_of_the_last_revocation():
    world = World()
    first, _ = two(world)
    tampered(world, first)
    rollback(world, first)
    for verb in ("reopen", "approve", "revoke"):
        world.clock.forward(minutes=1)
        world.decide(first, verb)
        world.deliver()
    assert world.registry.described[first]["ApprovalDescription"].startswith(f"Revoked by {APPROVER}: because")


# Dying, and crossing


@pytest.mark.parametrize("revoked", [False, True], ids=["approved still", "revoked"])
@pytest.mark.parametrize("error", [Died, lambda: ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")])
def test_whoever_dies_before_any_call_the_next_try_comes_to_the_same(revoked: bool, error: Any):
    calls, expected = lived_through(None, error, revoked=revoked)
    assert calls > 10
    for call in few(range(1, calls + 1), first=int(error is Died)):
        assert lived_through(call, error, revoked=revoked)[1] == expected, f"died before call {call} of {calls}"


def lived_through(call: int | None, error: Any, *, revoked: bool) -> tuple[int, dict[str, Any]]:
    world = World()
    first, _ = two(world)
    if revoked:
        world.decide(first, "revoke")
        world.deliver()
    statement = world.statement(first, "rollback")

    def decided_and_verified() -> None:
        world.decision_handler.apply(statement)
        world.deployer.converge(first)

    world.interruptions.arm(call, error)
    if call is None:
        decided_and_verified()
        calls = world.interruptions.calls
    else:
        with contextlib.suppress(Died, ClientError):
            decided_and_verified()
        calls = call
    world.interruptions.arm(None)
    decided_and_verified()
    world.deliver()
    return calls, world.outcome()


@pytest.mark.parametrize(
    "call", ["FakeBucket.checksum", "FakeRegistry.describe", "FakeRegistry.create_model", "FakeLedger.append"]
)
def test_a_revocation_that_crosses_the_verification_leaves_no_model(call: str):
    world = World()
    first, second = two(world)
    world.decide(first, "rollback")
    world.registry.events.clear()
    world.interruptions.before[call] = lambda: world.decide(first, "revoke")
    world.deployer.converge(first)
    world.deliver()
    assert (world.state(first).status, world.status(first)) == (Status.REVOKED, "Rejected")
    assert list(world.registry.models) == [world.state(second).model["name"]]
    assert world.published() == {GROUP: model_of(world, second)}
