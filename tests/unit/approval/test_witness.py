"""Every function may append to the ledger; only the one that decides has what it decided kept in the vault."""

from datetime import timedelta
from typing import Any

import pytest

from signoff.errors import ApprovalUnwitnessed
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import package_key
from signoff.ledger.witnessed import DECISIONS, SINCE, unwitnessed
from tests.support.world import APPROVER, World

EVE = "arn:aws:iam::123456789012:user/eve"
TWO = {"approvals": {"needed": 2}}


def approval(world: World, arn: str, by: str = APPROVER, kind: Kind = Kind.DECISION_RECORDED) -> Draft:
    """What ApplyDecision would append about an approval."""
    other = World(**world.policy)
    same = other.pending()
    other.decide(same, "approve", by)
    made = other.history(same).last(kind)
    assert made is not None
    evidence = world.state(arn).evidence or {}
    told = {"evidence": evidence["sha256"], "subject": evidence["subject"]}
    return Draft(kind, by, {**made.details, **told})


def forged(world: World, arn: str, draft: Draft) -> None:
    """Append as another function could, and have the registry show it."""
    key = package_key(arn, world.registry.described[arn]["CreationTime"])
    world.ledger.update(key, lambda _: [draft])


def test_an_approval_that_apply_decision_gave_is_kept_in_the_vault():
    world = World(**TWO)
    arn = world.pending()
    world.decide(arn, "approve", EVE)
    world.decide(arn, "approve")
    kinds = [entry.kind for entry in world.history(arn).entries if world.vault.holds(DECISIONS, entry.hash)]
    assert kinds == [Kind.VOTED, Kind.DECISION_RECORDED]
    entry = world.history(arn).entries[-1]
    decision = world.history(arn).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert world.vault.read(DECISIONS, decision.hash) == decision.content
    assert world.unwitnessed(entry.package) == []


def test_a_forged_approval_gets_neither_the_registrys_status_nor_a_model():
    world = World()
    arn = world.pending()
    forged(world, arn, approval(world, arn))
    assert world.state(arn).status is Status.APPROVED
    with pytest.raises(ApprovalUnwitnessed, match=r"4 \(DecisionRecorded\)"):
        world.reconciler.reconcile({"ModelPackageArn": arn})
    assert world.status(arn) == "PendingManualApproval"
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    with pytest.raises(ApprovalUnwitnessed):
        world.deployer.converge(arn)
    assert world.registry.models == {}


def test_a_forged_vote_does_not_count_however_real_the_second_is():
    world = World(**TWO)
    arn = world.pending()
    forged(world, arn, approval(world, arn, EVE, Kind.VOTED))
    with pytest.raises(ApprovalUnwitnessed, match="VoteRecorded"):
        world.decide(arn, "approve")
    assert world.status(arn) == "PendingManualApproval"
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    with pytest.raises(ApprovalUnwitnessed):
        world.deployer.converge(arn)
    assert world.registry.models == {}


def test_a_forged_approval_can_be_revoked():
    world = World()
    arn = world.pending()
    forged(world, arn, approval(world, arn))
    world.decide(arn, "revoke")
    assert world.state(arn).status is Status.REVOKED


def test_after_a_forgery_new_evidence_is_decided_on_anew():
    world = World()
    arn = world.pending()
    forged(world, arn, approval(world, arn))
    world.decide(arn, "revoke")
    world.decide(arn, "reopen")
    world.validate(arn, by=APPROVER)
    world.decide(arn, "approve")
    world.deliver()
    assert len(world.registry.models) == 1


def test_what_another_function_wrote_elsewhere_in_the_vault_is_no_witness():
    world = World()
    arn = world.pending()
    forged(world, arn, approval(world, arn))
    entry = world.history(arn).entries[-1]
    world.vault.write("findings", entry.content)
    world.vault.write_named(f"{DECISIONS}/{'0' * 64}.json", entry.content)
    assert world.unwitnessed(entry.package) == [entry]


def upgraded(world: World) -> None:
    """As if this version were deployed now, and all of before were another's."""
    for key in [key for key in world.vault_bucket.versions if key.startswith(f"{DECISIONS}/")]:
        del world.vault_bucket.versions[key]
    world.clock.forward(hours=1)
    world._compose()


def test_what_was_decided_before_this_version_still_stands():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    upgraded(world)
    world.deliver()
    assert len(world.registry.models) == 1


def test_a_vote_of_before_counts_with_one_of_now():
    world = World(**TWO)
    arn = world.pending()
    world.decide(arn, "approve", EVE)
    upgraded(world)
    world.decide(arn, "approve")
    world.deliver()
    assert len(world.registry.models) == 1


def test_a_forgery_that_is_dated_back_follows_what_is_not_that_old():
    world = World()
    arn = world.pending()
    forged(world, arn, approval(world, arn))
    entries = list(world.history(arn).entries)
    since = entries[2].time
    dated: Any = type(entries[3])(**{**vars(entries[3]), "time": "2020-01-01T00:00:00Z"})
    assert unwitnessed([*entries[:3], dated], since, lambda _: False) == [dated]
    assert unwitnessed([dated], since, lambda _: False) == []


def test_until_it_is_known_since_when_decisions_are_kept_all_of_them_are_asked_for():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    for key in [key for key in world.vault_bucket.versions if key.startswith(f"{DECISIONS}/")]:
        del world.vault_bucket.versions[key]
    with pytest.raises(ApprovalUnwitnessed):
        world.deployer.converge(arn)


def test_since_when_decisions_are_kept_is_recorded_once():
    world = World()
    since = world.vault.read_named(SINCE)
    world.clock.forward(seconds=timedelta(days=1).total_seconds())
    world._compose()
    assert world.vault.read_named(SINCE) == since
