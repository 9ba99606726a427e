"""What becomes due by itself: each reminder once, the end of waiting once, an approval's end."""

import contextlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from signoff.approval.deadlines import due, expires, lapses, spoken
from signoff.aws.dynamodb import from_item
from signoff.aws.ledger_items import package_row_item
from signoff.ledger.entries import Kind, Status
from signoff.ledger.history import History
from signoff.policy.policy import Policy, of_document
from tests.support.clock import START
from tests.support.depth import few
from tests.support.entries import APPROVED, PENDING, decided, history, model_created
from tests.support.interruptions import Died
from tests.support.world import APPROVER, ROLE, World

OTHER = "arn:aws:iam::123456789012:user/ben"
EXPIRY = {"after": "P14D", "action": "reject", "reminders": ["P7D", "P13D"]}
EXTENDED = {**EXPIRY, "action": "extend"}


def policy(mode: str = "enforce", **approvals: Any) -> Policy:
    return of_document({"deployment": {"execution_role": ROLE}, "mode": mode, "approvals": approvals})


def world_with(**approvals: Any) -> World:
    return World(approvals=approvals)


def later(**span: float) -> datetime:
    return START + timedelta(**span)


def described(world: World, arn: str) -> str:
    return str(world.registry.described[arn]["ApprovalDescription"])


def entries(world: World, arn: str, kind: Kind) -> list[dict[str, Any]]:
    return [entry.details for entry in world.history(arn).entries if entry.kind is kind]


# Waiting


def test_a_package_is_rejected_when_nobody_decided_in_time_and_the_registry_says_why():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    world.sweep(days=14)
    (expired,) = entries(world, arn, Kind.EXPIRED)
    assert (world.state(arn).status, world.status(arn)) == (Status.REJECTED, "Rejected")
    assert (expired["after"], expired["waiting_since"]) == ("P14D", "2026-03-02T09:15:20.000Z")
    assert described(world, arn).startswith("Rejected by signoff: no decision within 14 days")
    assert world.sweep(days=30) == {}


def test_each_reminder_is_sent_once_and_then_it_ends():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    for _ in range(20 * 24):
        world.sweep(hours=1)
    reminders = [said["reminder"] for said in entries(world, arn, Kind.REMINDED)]
    assert (reminders, len(entries(world, arn, Kind.EXPIRED))) == (["P7D", "P13D"], 1)


def test_of_the_reminders_that_an_outage_kept_only_the_last_is_sent():
    world = world_with(expiry={**EXPIRY, "reminders": ["P1D", "P2D", "P13D"]})
    arn = world.pending()
    world.sweep(days=5)
    world.sweep(days=1)
    assert [said["reminder"] for said in entries(world, arn, Kind.REMINDED)] == ["P2D"]


def test_time_that_is_extended_begins_anew_with_its_reminders():
    world = world_with(expiry=EXTENDED)
    arn = world.pending()
    for _ in range(29):
        world.sweep(days=1)
    said = [(each["reminder"], each["extended"]) for each in entries(world, arn, Kind.REMINDED)]
    assert said == [("P7D", False), ("P13D", False), (None, True)] * 2
    assert world.state(arn).status is Status.PENDING_APPROVAL


def test_after_a_long_outage_time_is_extended_from_then_on():
    world = world_with(expiry=EXTENDED)
    arn = world.pending()
    world.sweep(days=100)
    assert (world.state(arn).asked, world.sweep(days=6)) == ("2026-06-10T09:15:20.000Z", {})


def test_an_approval_that_is_too_late_is_refused_although_no_sweep_has_been_by():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    world.clock.forward(days=14)
    assert world.decide(arn, "approve").name == "Expired"
    world.sweep()
    assert world.state(arn).status is Status.REJECTED


def test_an_approval_that_comes_between_the_look_and_the_entry_stands():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    world.clock.forward(days=13, hours=23, minutes=59)
    statement = world.statement(arn, "approve")
    world.clock.forward(minutes=1)
    world.sweeper.run(timedelta(minutes=5))
    world.clock.now -= timedelta(minutes=1)  # the clocks of two functions are apart
    world.interruptions.before["FakeLedger.append"] = lambda: world.decision_handler.apply(statement)
    world.deliver()
    assert (world.state(arn).status, entries(world, arn, Kind.EXPIRED)) == (Status.APPROVED, [])


def test_a_package_that_is_reopened_has_all_its_time_again():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    world.sweep(days=14)
    world.decide(arn, "reopen")
    world.deliver()
    world.sweep(days=13)
    assert world.state(arn).status is Status.PENDING_APPROVAL
    world.sweep(days=1)
    assert len(entries(world, arn, Kind.EXPIRED)) == 2


def test_the_policy_in_force_now_says_how_long_and_its_digest_stands_in_the_entry():
    world = world_with(expiry=EXPIRY)
    arn = world.pending()
    world.set_policy("default", groups={"create": True}, approvals={"expiry": {"after": "P1D"}})
    world.sweep(days=2)
    (expired,) = entries(world, arn, Kind.EXPIRED)
    assert expired["after"] == "P1D"
    assert world.vault.read("policies", expired["policy"])["approvals"]["expiry"]["after"] == "P1D"


def test_policies_are_read_once_for_a_group_and_no_package_is_described_before_something_is_due():
    world = world_with(expiry=EXPIRY)
    for number in range(5):
        world.pending(prefix=f"churn/run-{number}")
    world.registry.reads.clear()
    reads = counted_reads(world)
    world.clock.forward(days=1, minutes=7)
    world.sweeper.run(timedelta(minutes=5))
    once = len(reads)
    for number in range(5, 10):
        world.pending(prefix=f"churn/run-{number}")
    reads.clear()
    world.sweeper.run(timedelta(minutes=5))
    assert (len(reads), once) == (once, 3)  # the default, the group's own, of which there is none, and its champion


def counted_reads(world: World) -> list[str]:
    reads: list[str] = []
    read = world.parameters.get_parameters

    def counting(Names: list[str]) -> Any:  # noqa: N803 -- as boto3 has it
        reads.extend(Names[:1])
        return read(Names=Names)

    world.parameters.get_parameters = counting
    return reads


# Approvals that end


def test_an_approval_lapses_and_its_model_goes():
    world = world_with(revocation={"after": "P180D"})
    arn = world.approved()
    world.sweep(days=179)
    assert world.state(arn).status is Status.APPROVED
    world.sweep(days=1)
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Rejected", {})
    revocation = entries(world, arn, Kind.DECISION_RECORDED)[-1]
    assert (revocation["decision"], revocation["channel"]) == ("revoke", "policy")
    assert described(world, arn).startswith("Revoked by signoff: the approval lapsed: it holds for 180 days")


def test_what_was_rolled_back_to_has_all_its_time_again():
    world = world_with(revocation={"after": "P10D"})
    arn = world.approved()
    world.sweep(days=10)
    world.decide(arn, "rollback")
    world.deliver()
    world.sweep(days=9)
    assert (world.state(arn).status, len(world.registry.models)) == (Status.APPROVED, 1)
    world.sweep(days=1)
    assert world.state(arn).status is Status.REVOKED


def test_where_a_policy_only_reports_no_approval_lapses():
    approved = history(*APPROVED, model_created()).state
    assert due(approved, policy("report", revocation={"after": "P1D"}), later(days=2)) == []
    assert len(due(approved, policy(revocation={"after": "P1D"}), later(days=2))) == 1


def test_when_is_known_beforehand_by_the_state_and_by_the_head():
    waiting, approved = history(*PENDING), history(*APPROVED)
    expiring = policy(expiry=EXPIRY, revocation={"after": "P180D"})
    for standing in (waiting.state, from_item(package_row_item(waiting))):
        assert (expires(standing, expiring), lapses(standing, expiring)) == (later(days=14), None)
    for standing in (approved.state, from_item(package_row_item(approved))):
        assert (expires(standing, expiring), lapses(standing, expiring)) == (None, later(days=180))
    assert (expires(waiting.state, policy()), lapses(approved.state, policy())) == (None, None)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=14), "14 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, hours=12), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_time_spans_are_told_in_the_largest_unit_that_fits(span: timedelta, words: str):
    assert spoken(span) == words


# Dying


def expires_by_itself(world: World) -> str:
    return world.pending()


def lapses_by_itself(world: World) -> str:
    return world.approved()


def is_reminded_of(world: World) -> str:
    world.set_policy("default", groups={"create": True}, approvals={"expiry": {"after": "P90D", "reminders": ["P1D"]}})
    return world.pending()


ENDING = {"expiry": {"after": "P14D"}, "revocation": {"after": "P14D"}}


@pytest.mark.parametrize(
    "scenario", [expires_by_itself, lapses_by_itself, is_reminded_of], ids=lambda each: each.__name__
)
@pytest.mark.parametrize("error", [Died, lambda: ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")])
def test_whoever_dies_before_any_call_the_next_sweep_comes_to_the_same(scenario: Any, error: Any):
    calls, expected = swept_through(scenario, None, error)
    assert calls > 10
    for call in few(range(1, calls + 1), first=int(error is Died)):
        assert swept_through(scenario, call, error)[1] == expected, f"died before call {call} of {calls}"


def swept_through(scenario: Any, call: int | None, error: Any) -> tuple[int, dict[str, Any]]:
    world = world_with(**ENDING)
    scenario(world)
    world.clock.forward(days=14)
    world.interruptions.arm(call, error)
    with contextlib.suppress(Died, ClientError):
        world.sweeper.run(timedelta(minutes=5))
        world.deliver()
    calls = world.interruptions.calls
    world.interruptions.arm(None)
    for _ in range(2):
        world.sweep()
    # The lineage is shown by the message that died, which its queue would deliver again; no sweep looks at it.
    return calls, {what: came for what, came in world.outcome().items() if what != "lineage"}


# Whenever and however often the sweep runs

minutes = st.integers(0, 5 * 24 * 60)
decisions = st.sampled_from([None] * 6 + ["approve", "reject", "reopen"])
expiries = st.builds(
    lambda after, action, before: {
        "after": f"PT{after}M",
        "action": action,
        "reminders": [f"PT{each}M" for each in before if each < after],
    },
    st.integers(2, 8 * 24 * 60),
    st.sampled_from(["reject", "extend"]),
    st.lists(st.integers(1, 8 * 24 * 60), max_size=4),
)


def lived(looks: list[tuple[int, str | None]], expiring: Policy) -> History:
    """Return what becomes of a package that awaits its decision, looked at after so many minutes each."""
    now, found = START, history(*PENDING)
    for passed, decision in looks:
        now += timedelta(minutes=passed)
        if decision and _may(found.state.status, decision):
            found = found.extended([decided(decision)], now)
        for _ in range(2):  # twice at the same time, as two sweeps that cross
            found = found.extended(due(found.state, expiring, now), now)
    return found


def _may(status: Status | None, decision: str) -> bool:
    return status in ({Status.REJECTED} if decision == "reopen" else {Status.PENDING_APPROVAL})


def askings(found: History) -> list[list[Any]]:
    """Return the entries of each time that a decision was asked for, each time's first one being what asked for it."""
    times: list[list[Any]] = []
    for entry in found.entries:
        asks = entry.kind is Kind.EVIDENCE_RECORDED or entry.details.get("extended")
        if asks or entry.details.get("decision") == "reopen":
            times.append([])
        if times:
            times[-1].append(entry)
    return times


@given(st.lists(st.tuples(minutes, decisions), max_size=25), expiries)
def test_each_reminder_comes_once_for_each_asking_in_order_and_never_after_the_decision(looks, expiry):
    for asking in askings(lived(looks, policy(expiry=expiry))):
        reminders = [entry for entry in asking if entry.kind is Kind.REMINDED and not entry.details["extended"]]
        named = [entry.details["reminder"] for entry in reminders]
        ends = [entry for entry in asking[1:] if entry.kind in {Kind.DECISION_RECORDED, Kind.EXPIRED}]
        assert len(set(named)) == len(named) <= len(expiry["reminders"])
        assert [entry.time for entry in reminders] == sorted(entry.time for entry in reminders)
        assert all(entry.details["waiting_since"] == asking[0].time for entry in reminders)
        assert not ends or all(entry.sequence < ends[0].sequence for entry in reminders)


@given(st.lists(st.tuples(minutes, decisions), max_size=25), expiries)
def test_waiting_ends_once_and_not_before_its_time(looks, expiry):
    expiring = policy(expiry=expiry)
    after = expiring.approvals.expiry.after
    for asking in askings(lived(looks, expiring)):
        expired = [entry for entry in asking if entry.kind is Kind.EXPIRED]
        assert len(expired) <= 1
        for entry in expired:
            waited = datetime.fromisoformat(entry.time) - datetime.fromisoformat(asking[0].time)
            assert waited >= after
            assert asking[-1] is entry


@given(st.lists(st.tuples(minutes, decisions), max_size=25), expiries)
def test_the_head_says_that_something_is_due_whenever_the_ledger_does(looks, expiry):
    expiring, now = policy(expiry=expiry, revocation={"after": "P2D"}), START
    for count in range(len(looks) + 1):
        found = lived(looks[:count], expiring)
        now = START + timedelta(minutes=sum(passed for passed, _ in looks[:count]) + 60)
        by_head, by_state = (due(each, expiring, now) for each in (from_item(package_row_item(found)), found.state))
        assert [draft.kind for draft in by_head] == [draft.kind for draft in by_state]


def test_a_vote_of_two_changes_nothing_about_the_time():
    world = world_with(needed=2, expiry=EXPIRY)
    arn = world.pending()
    world.clock.forward(days=10)
    world.decide(arn, "approve", APPROVER)
    world.deliver()
    world.sweep(days=4)
    assert (world.state(arn).status, world.decide(arn, "approve", OTHER).name) == (Status.REJECTED, "AlreadyDecided")
    assert due(world.state(arn), policy(expiry=EXPIRY), later(days=90)) == []
