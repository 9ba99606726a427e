"""What the command says of champions."""

from typing import Any

import pytest

from signoff.deployment.champions import Champions
from signoff.documents import timestamps
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, baseline_key
from signoff.policy.policy import of_document
from signoff_cli.errors import CommandFailed
from signoff_cli.packages import champion
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger, FakeParameters
from tests.support.world import ACCURATE, World

ROLE = {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/model"}}
COMPARED = {**ACCURATE[0], "against_champion": {"at_least": -0.1}}
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Models/1"
BASELINE = {"name": "first", "arn": "arn:aws:sagemaker:us-east-1:123456789012:model/first"}


class Signoff:
    """A ledger with what is published of it."""

    def __init__(self) -> None:
        self.clock = clock = Clock()
        self.ledger, self.parameters = FakeLedger(clock), FakeParameters(clock)
        self.champions = Champions(self.parameters, "/signoff/champions", self.ledger)

    def approved(self) -> History:
        """Record an approved package whose model exists."""
        return self.ledger.append(History(entries.PACKAGE), (*entries.APPROVED, entries.model_created()))

    def baseline(self, **details: str) -> History:
        """Record a baseline."""
        draft = Draft(Kind.BASELINE_DEPLOYED, STACK, {"group": "Churn", "model": BASELINE, "request": "1", **details})
        return self.ledger.append(History(baseline_key("Churn")), [draft])


def test_the_champion_is_told_with_who_approved_it_and_that_others_see_it():
    signoff = Signoff()
    signoff.approved()
    signoff.champions.publish("Churn")
    document = champion.document(signoff.champions, signoff.ledger, "Churn")
    assert (document["package"], document["version"], document["model"]) == (entries.ARN, 3, "arn:churn-v3")
    assert (document["approver"], document["reason"], document["agrees"]) == (entries.APPROVER, "because", True)
    told = champion.describe(document)
    assert told.startswith("Churn/3, model arn:churn-v3, approved by user/ann at ")
    assert told.endswith(": because")


def test_a_champion_that_is_not_published_yet_is_told_as_such():
    signoff = Signoff()
    signoff.approved()
    document = champion.document(signoff.champions, signoff.ledger, "Churn")
    assert (document["published"], document["agrees"]) == (None, False)
    assert champion.describe(document).endswith("; published is none, until the next sweep")


@pytest.mark.parametrize(("review", "told"), [({"review": "pull request 7"}, ": pull request 7"), ({}, "")])
def test_a_baseline_is_told_with_its_stack_and_review(review: dict[str, str], told: str):
    signoff = Signoff()
    signoff.baseline(**review)
    signoff.champions.publish("Churn")
    document = champion.document(signoff.champions, signoff.ledger, "Churn")
    assert (document["package"], document["model"], document["approver"]) == (None, BASELINE["arn"], STACK)
    line = champion.describe(document)
    assert line.startswith("Churn: the baseline first, approved by stack/Models/1 at ")
    assert line.partition("Z")[2] == told


def test_a_group_without_a_champion_is_a_failure():
    signoff = Signoff()
    with pytest.raises(CommandFailed, match="group churn has no champion"):
        champion.document(signoff.champions, signoff.ledger, "churn")


def test_a_package_is_its_groups_champion_or_it_is_not():
    signoff = Signoff()
    history = signoff.approved()
    assert champion.is_champion(signoff.champions, history) is True
    revoked = signoff.ledger.append(history, [entries.decided("revoke")])
    assert champion.is_champion(signoff.champions, revoked) is False
    assert champion.is_champion(signoff.champions, History("submission:churn/run-7")) is False


def beside_another_champion(**policy: Any) -> tuple[World, str]:
    """Return a package that waits, was compared with the first version, and of whose group the third is champion."""
    world = World(**policy)
    world.approved()
    waiting = world.pending(prefix="churn/run-8")
    world.approved(prefix="churn/run-9")
    return world, waiting


def test_a_package_that_was_compared_with_a_former_champion_is_told_to_be_revalidated():
    world, waiting = beside_another_champion(metrics=[COMPARED], comparison={"other_data": "pass"})
    policy = of_document({**ROLE, **world.policy})
    told = champion.changed_since_evidence(world.champions, world.state(waiting), policy)
    assert told == champion.changed_since_evidence(world.champions, world.state(waiting), None)
    assert told is not None
    assert "with arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1, and the champion is" in told
    assert told.endswith("/churn/3 now; revalidate it, or an approval is refused")
    assert world.decide(waiting, "approve").name == "ChampionChanged"
    assert world.status(waiting) == "PendingManualApproval"


def test_a_policy_may_let_it_be_approved_all_the_same():
    world, waiting = beside_another_champion(comparison={"stale_champion": False})
    told = champion.changed_since_evidence(world.champions, world.state(waiting), of_document({**ROLE, **world.policy}))
    assert str(told).endswith("the policy lets it be approved all the same")


def test_nothing_is_told_of_a_package_whose_champion_is_still_the_one_or_that_was_decided_on():
    world = World()
    first = world.approved()
    waiting = world.pending(prefix="churn/run-8")
    assert champion.changed_since_evidence(world.champions, world.state(waiting), None) is None
    assert champion.changed_since_evidence(world.champions, world.state(first), None) is None


def test_whoever_was_champion_at_a_time_is_found_in_the_ledgers_of_then():
    world = World()
    moments = [world.clock()]
    packages = []
    for version in (1, 2):
        world.clock.forward(days=1)
        arn = world.submit(f"churn/run-{version}")
        world.deliver()
        world.decide(arn, "approve")
        world.deliver()
        packages.append(arn)
        moments.append(world.clock())
    world.clock.forward(days=1)
    world.decide(packages[1], "revoke")
    world.deliver()
    found = [champion.document_at(world.ledger, "churn", timestamps.text(each)) for each in moments[1:]]
    now = champion.document_at(world.ledger, "churn", timestamps.text(world.clock()))
    assert [each["package"] for each in [*found, now]] == [packages[0], packages[1], packages[0]]
    evidence = world.state(packages[1]).evidence or {}
    assert found[1]["evidence"] == {"uri": evidence["uri"], "sha256": evidence["sha256"]}
    assert found[1]["submitter"].endswith("user/sam")
    assert champion.describe(found[1]).startswith("at 2026-03-04T09:15:20.000Z it was churn/2, model ")
    with pytest.raises(CommandFailed, match="had no champion at 2026-03-02"):
        champion.document_at(world.ledger, "churn", timestamps.text(moments[0]))


def test_a_baseline_may_have_been_the_champion():
    signoff = Signoff()
    signoff.baseline()
    signoff.clock.forward(days=1)
    signoff.approved()
    found = champion.document_at(signoff.ledger, "Churn", "2026-03-02T12:00:00.000Z")
    assert (found["model"], found["package"]) == (BASELINE["arn"], None)


def test_what_somebody_took_out_of_a_ledger_is_not_passed_over():
    signoff = Signoff()
    history = signoff.approved()
    signoff.ledger.histories[history.package] = History(history.package, (*history.entries[:2], *history.entries[3:]))
    with pytest.raises(LedgerBroken):
        champion.document_at(signoff.ledger, "Churn", "2026-03-05T12:00:00.000Z")
