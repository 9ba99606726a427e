"""What nobody does: waiting ends, approvals are taken back, what was only reported is held in the end."""

from collections.abc import Callable

import pytest

from signoff.ledger.entries import Kind
from tests.support.groups import Group
from tests.support.waiting import eventually


def swept(group: Group, look: Callable[[], object], what: str) -> None:
    """Let the sweep come by until there is something to be seen."""

    def sweep() -> object:
        group.pipeline.sweep()
        return look()

    eventually(sweep, what=what)
    group.pipeline.quiet()


def test_waiting_ends_by_the_sweep_and_the_registry_says_so(group: Group) -> None:
    package = group.pending()
    group.policy(approvals={"expiry": {"after": "PT1S"}})

    swept(group, lambda: package.status == "Rejected", "the waiting to end")

    status, why = package.registry
    assert (status, why.startswith("Rejected by signoff: no decision within 1 second")) == ("Rejected", True)
    assert [said["after"] for said in package.entries(Kind.EXPIRED)] == ["PT1S"]


@pytest.mark.deep
def test_people_are_reminded_once(group: Group) -> None:
    package = group.pending()
    group.policy(approvals={"expiry": {"after": "P1D", "reminders": ["PT1S"]}})

    swept(group, lambda: package.entries(Kind.REMINDED), "a reminder")
    group.pipeline.sweep()

    assert [said["reminder"] for said in package.entries(Kind.REMINDED)] == ["PT1S"]
    assert package.status == "PendingApproval"


@pytest.mark.deep
def test_a_policy_revokes_what_another_champion_followed_without_waiting_for_the_sweep(group: Group) -> None:
    group.policy(approvals={"revocation": {"superseded": True}})
    first, second = group.pending(), group.pending()
    first.approve()

    second.approve()

    first.until("Revoked")
    eventually(lambda: first.models() == [], what="the model of the first to be retired")
    revocation = first.entries(Kind.DECISION_RECORDED)[-1]
    assert (revocation["decision"], revocation["channel"]) == ("revoke", "policy")
    assert (first.registry[0], len(second.models())) == ("Rejected", 1)


@pytest.mark.deep
def test_what_a_policy_only_reports_is_left_until_it_enforces(group: Group) -> None:
    group.policy(mode="report")
    package = group.pending()

    package.update(by="approver", ModelApprovalStatus="Approved")
    eventually(lambda: package.entries(Kind.REGISTRY_OBSERVED), what="the edit to be observed")
    group.pipeline.sweep()
    reported = package.registry[0], package.models(), len(package.entries(Kind.REGISTRY_OBSERVED))
    group.policy()
    group.pipeline.sweep()

    assert reported == ("Approved", [], 1)
    assert package.registry[0] == "PendingManualApproval"
    assert [said["enforced"] for said in package.entries(Kind.ENFORCEMENT_CHANGED)] == [True]
