"""Approvals: how many are missing in which roles, counted over persons; how long they may take; what are none."""

import json
from collections.abc import Iterable
from datetime import timedelta
from itertools import combinations, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import PolicyFault
from signoff.policy.approvals import Approvals, Role
from signoff.policy.policy import Policy, of_document, parse

USER = "arn:aws:iam::123456789012:user"
ALICE, BOB, CAROL, DAVE = PEOPLE = [f"{USER}/{name}" for name in ("alice", "bob", "carol", "dave")]
SESSION = "arn:aws:sts::123456789012:assumed-role/risk-approvers/whatever"
SSO = "arn:aws:sts::{}:assumed-role/AWSReservedSSO_{}_0123456789abcdef/alice@example.com"
FEDERATED = "arn:aws:sts::123456789012:federated-user/"


def policy(**approvals: Any) -> Policy:
    return parse(
        json.dumps({"deployment": {"execution_role": "arn:aws:iam::123456789012:role/r"}, "approvals": approvals})
    )


# Quorum


def quorum(roles: dict[str, list[str]] | None = None, **fields: Any) -> Approvals:
    """Approvals by roles of one seat each, with these members."""
    seats = {name: Role(tuple(members)) for name, members in (roles or {}).items()}
    return Approvals(roles=seats, **fields)


def missing(approvals: Approvals, *approvers: str, **how: bool) -> tuple[int, dict[str, int]]:
    outstanding = approvals.outstanding(approvers, **how)
    return outstanding.people, dict(outstanding.roles)


def test_approvals_are_counted_until_they_are_enough():
    found = quorum(needed=2)
    assert [missing(found), missing(found, ALICE), missing(found, ALICE, BOB)] == [(2, {}), (1, {}), (0, {})]
    assert found.outstanding([ALICE, BOB]).satisfied


def test_those_who_are_not_listed_do_not_count():
    assert missing(quorum(approvers=(ALICE, BOB), needed=2), ALICE, CAROL) == (1, {})


def test_each_role_needs_somebody_of_its_own():
    found = quorum({"risk": [ALICE, BOB], "owners": [CAROL]})
    assert missing(found) == (2, {"risk": 1, "owners": 1})
    assert missing(found, ALICE, BOB) == (1, {"owners": 1})
    assert missing(found, ALICE, CAROL) == (0, {})


def test_a_person_in_two_roles_fills_one():
    found = quorum({"risk": [ALICE], "owners": [ALICE, BOB]})
    assert missing(found, ALICE) == (1, {"owners": 1})
    assert missing(found, ALICE, BOB) == (0, {})


@pytest.mark.parametrize("order", list(permutations([ALICE, BOB])))
def test_who_could_fill_several_roles_leaves_the_one_that_another_needs(order):
    assert missing(quorum({"risk": [ALICE, BOB], "owners": [BOB]}), *order) == (0, {})
    assert missing(quorum({"owners": [BOB], "risk": [ALICE, BOB]}), *order) == (0, {})


@pytest.mark.parametrize("order", list(permutations([ALICE, BOB, CAROL])))
@pytest.mark.parametrize("names", ["abc", "cba"])
def test_seats_are_passed_on_along_a_chain_of_people(names, order):
    members = {"a": [ALICE], "b": [ALICE, BOB], "c": [BOB, CAROL]}
    assert missing(quorum({name: members[name] for name in names}), *order) == (0, {})


def test_a_role_may_need_several_and_the_policy_more_than_its_roles():
    found = Approvals(needed=4, approvers=(DAVE,), roles={"risk": Role((ALICE, BOB, CAROL), needed=2)})
    assert missing(found, ALICE, DAVE) == (2, {"risk": 1})
    assert missing(found, ALICE, BOB, DAVE) == (1, {})
    assert str(found.outstanding([DAVE])) == "3 more approvals (2 of risk)"
    assert str(found.outstanding([ALICE, BOB, DAVE])) == "1 more approval"


@pytest.mark.parametrize(
    "twice",
    [
        (ALICE, ALICE),
        (SESSION, SESSION.replace("whatever", "somebody.else")),
        (SSO.format("1" * 12, "Developer"), SSO.format("2" * 12, "Approver")),
        (f"{FEDERATED}alice", f"{FEDERATED}bob"),
    ],
)
def test_a_person_counts_once_whatever_session_decides(twice):
    everyone = ("arn:*:*:*:*:*", ROLE, FEDERATED.rstrip("/"))
    assert missing(quorum(needed=2, approvers=everyone), *twice) == (1, {})


ROLE, ROOT = "arn:aws:iam::123456789012:role/risk-approvers", "arn:aws:iam::123456789012:root"
PROFILE = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-1/alice"
# Whoever may be used by anyone, and the patterns that mean them.
ANYBODYS = {
    SESSION: [ROLE, "arn:aws:iam::123456789012:role/*", "arn:*:iam::*:role/risk-*"],
    f"{FEDERATED}alice": [FEDERATED.rstrip("/"), "arn:aws:sts::*:federated-user"],
    ROOT: [ROOT, "arn:*:iam::*:root"],
    PROFILE: [PROFILE, "arn:*:sagemaker:*:*:user-profile/*"],
}
EVERYONE = ["arn:*:*:*:*:*", "arn:aws:*::123456789012:*", "arn:aws:iam::123456789012:*", "arn:aws:iam::123456789012:r*"]


@pytest.mark.parametrize("arn", ANYBODYS)
def test_whoever_may_be_used_by_anyone_decides_nothing_unless_listed_as_what_they_are(arn: str):
    assert not quorum().lists(arn)
    assert not quorum(approvers=tuple(EVERYONE), break_glass=tuple(EVERYONE)).lists(arn)
    assert not quorum(break_glass=tuple(EVERYONE)).breaks_glass(arn)
    assert missing(quorum(), arn) == (1, {})
    for pattern in ANYBODYS[arn]:
        assert quorum(approvers=(pattern,)).lists(arn)
        assert quorum({"risk": [pattern]}).roles_of(arn) == ["risk"]
        assert quorum(break_glass=(pattern,)).breaks_glass(arn)


@pytest.mark.parametrize("arn", [ALICE, SSO.format("1" * 12, "Approver")])
def test_known_persons_decide_where_nobody_is_listed_and_where_everyone_is(arn: str):
    assert quorum().lists(arn)
    assert quorum(approvers=("arn:*:*:*:*:*",)).lists(arn)


def test_a_user_and_a_role_that_they_may_take_on_count_as_two_where_both_are_listed():
    assert missing(quorum(needed=2), ALICE, SESSION) == (1, {})
    assert missing(quorum(needed=2, approvers=(ALICE, ROLE)), ALICE, SESSION) == (0, {})
    assert missing(quorum(needed=2, approvers=(f"{USER}/*",)), ALICE, SESSION) == (1, {})


def test_a_permission_set_that_is_listed_by_its_account_is_not_listed_in_another():
    risk = quorum(approvers=("arn:aws:iam::111111111111:role/AWSReservedSSO_Risk_*",))
    assert missing(risk, SSO.format("1" * 12, "Risk")) == (0, {})
    assert missing(risk, SSO.format("2" * 12, "Risk")) == (1, {})
    named = quorum(approvers=("arn:aws:identitycenter:::user/alice@example.com",))
    assert missing(named, SSO.format("2" * 12, "Whatever")) == (0, {})


def test_sessions_that_are_trusted_count_each():
    sessions = SESSION, SESSION.replace("whatever", "somebody.else")
    trusting = quorum(needed=2, trusted_sessions=("arn:aws:iam::*:role/risk-*",))
    assert missing(trusting, *sessions) == (0, {})
    others = quorum(needed=2, trusted_sessions=("arn:aws:iam::*:role/owners-*",), approvers=(ROLE,))
    assert missing(others, *sessions) == (1, {})


def test_an_unknown_submitter_takes_one_more_unless_the_policy_says_otherwise():
    assert missing(quorum(), ALICE, unknown_submitter=True) == (1, {})
    assert missing(quorum(), ALICE, BOB, unknown_submitter=True) == (0, {})
    assert missing(quorum(unknown_submitter="accept"), ALICE, unknown_submitter=True) == (0, {})
    roles = quorum({"risk": [ALICE, BOB], "owners": [CAROL]})
    assert missing(roles, ALICE, CAROL, unknown_submitter=True) == (1, {})


def fewest_empty_seats(approvals: Approvals, people: Iterable[str]) -> int:
    """How many seats stay empty when people sit down as well as they can: every way of seating them is tried."""
    seats = [name for name, role in approvals.roles.items() for _ in range(role.needed)]
    nobody = [None] * len(seats)
    ways = permutations([*people, *nobody], len(seats))
    filled = (
        sum(who is not None and seat in approvals.roles_of(who) for seat, who in zip(seats, way, strict=True))
        for way in ways
    )
    return len(seats) - max(filled, default=0)


def test_no_three_people_leave_a_role_empty_in_any_order_that_they_could_fill():
    people = PEOPLE[:3]
    lists = [list(some) for count in (1, 2, 3) for some in combinations(people, count)]
    wrong = [
        (risk, owners, legal, order)
        for risk, owners, legal in product(lists, repeat=3)
        for found in [quorum({"risk": risk, "owners": owners, "legal": legal})]
        for fewest in [fewest_empty_seats(found, people)]
        for order in permutations(people)
        if missing(found, *order)[0] != fewest
    ]
    assert len(lists) == 7
    assert wrong == []


members = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)
roles = st.dictionaries(
    st.sampled_from(["risk", "owners", "legal"]), st.builds(Role, members.map(tuple), st.integers(1, 2)), max_size=3
)
several = st.builds(
    Approvals,
    needed=st.integers(1, 4),
    approvers=st.lists(st.sampled_from(PEOPLE), max_size=2).map(tuple),
    roles=roles.filter(lambda found: sum(role.needed for role in found.values()) <= 4),
)


@given(several, st.lists(st.sampled_from(PEOPLE), max_size=5), st.booleans())
def test_what_is_missing_is_what_no_seating_of_the_people_could_spare(approvals, approvers, unknown):
    people = {who for who in approvers if approvals.lists(who)}
    seats = sum(role.needed for role in approvals.roles.values())
    empty = fewest_empty_seats(approvals, people)
    found = approvals.outstanding(approvers, unknown_submitter=unknown)
    assert sum(found.roles.values()) == empty
    assert found.people == max(max(approvals.needed, seats) + unknown - len(people), empty)
    assert found.satisfied == (empty == 0 and len(people) >= max(approvals.needed, seats) + unknown)


@given(several, st.lists(st.sampled_from(PEOPLE), max_size=4), st.sampled_from(PEOPLE), st.booleans())
def test_another_approval_never_makes_more_missing(approvals, approvers, another, unknown):
    before = approvals.outstanding(approvers, unknown_submitter=unknown)
    after = approvals.outstanding([*approvers, another], unknown_submitter=unknown)
    assert before.people - 1 <= after.people <= before.people
    assert sum(after.roles.values()) <= sum(before.roles.values())


@given(several, st.lists(st.sampled_from(PEOPLE), max_size=4), st.randoms())
def test_neither_the_order_of_approvals_nor_saying_it_twice_matters(approvals, approvers, random):
    again = [*approvers, *approvers]
    random.shuffle(again)
    assert approvals.outstanding(again).people == approvals.outstanding(approvers).people


# Times


def test_durations_are_read_and_written_as_iso_8601():
    found = policy(expiry={"after": "P14D", "reminders": ["PT12H", "P7D"]}, revocation={"after": "P180D"})
    expiry = found.approvals.expiry
    assert expiry is not None
    assert (expiry.after, expiry.action) == (timedelta(days=14), "reject")
    assert expiry.reminders == (timedelta(hours=12), timedelta(days=7))
    assert found.approvals.revocation.after == timedelta(days=180)
    assert of_document(json.loads(json.dumps(found.document))) == found


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P2W", "14 days", "", "P", "PT", 14, None])
def test_what_is_no_certain_length_of_time_is_a_fault(text):
    with pytest.raises(PolicyFault, match=r"approvals\.expiry\.after"):
        policy(expiry={"after": text})


@pytest.mark.parametrize(
    ("approvals", "words"),
    [
        ({"needed": 0}, "Expected `int` >= 1 - at `$.approvals.needed`"),
        ({"needed": 21}, "Expected `int` <= 20 - at `$.approvals.needed`"),
        ({"roles": {"a": {"members": [ALICE], "needed": 1_000_000}}}, "Expected `int` <= 20"),
        ({"roles": {"a": {"members": []}}}, "Expected `array` of length >= 1 - at `$.approvals.roles[...].members`"),
        ({"roles": {"a": {"members": [ALICE], "needed": 0}}}, "Expected `int` >= 1"),
        ({"roles": {"a": {"members": ["alice"]}}}, "at `$.approvals.roles[...].members[0]`"),
        ({"approvers": ["*"]}, "at `$.approvals.approvers[0]`"),
        ({"approvers": [ALICE, SESSION]}, "at `$.approvals.approvers[1]`"),
        ({"trusted_sessions": ["x"]}, "at `$.approvals.trusted_sessions[0]`"),
        ({"break_glass": ["arn:aws:iam:"]}, "at `$.approvals.break_glass[0]`"),
        ({"publishers": {"acme": [ALICE]}}, "`publishers` are only trusted where `identity` is `asserted`"),
        ({"identity": "asserted"}, "so `publishers` must name who is trusted, by event source"),
        ({"identity": "asserted", "publishers": {"": [ALICE]}}, "is reserved for AWS or Signoff"),
        ({"identity": "asserted", "publishers": {"aws.x": [ALICE]}}, "is reserved for AWS or Signoff"),
        ({"identity": "asserted", "publishers": {"signoff": [ALICE]}}, "is reserved for AWS or Signoff"),
        ({"identity": "asserted", "publishers": {"acme": []}}, "length >= 1 - at `$.approvals.publishers[...]`"),
        ({"identity": "asserted", "publishers": {"acme": ["x"]}}, "at `$.approvals.publishers[...][0]`"),
        ({"identity": "assumed"}, "identity"),
        ({"expiry": {"after": "P0D"}}, "`after` must be longer than zero, such as P14D"),
        ({"expiry": {"after": "P2D", "reminders": ["P2D"]}}, "`reminders` must come before the expiry"),
        ({"expiry": {"after": "P2D", "reminders": ["P0D"]}}, "`reminders` must come before the expiry"),
        ({"revocation": {"after": "P0D"}}, "`after` must be longer than zero, such as P180D"),
    ],
)
def test_every_fault_of_the_approvals_is_refused_with_what_is_wrong(approvals, words):
    with pytest.raises(PolicyFault) as refused:
        policy(**approvals)
    assert words in str(refused.value)


def test_twenty_people_may_be_needed_in_all_and_in_a_role():
    most = policy(needed=20, roles={"a": {"members": [ALICE], "needed": 20}}).approvals
    assert (most.needed, most.outstanding([ALICE]).people) == (20, 19)


def test_several_broken_rules_of_one_part_are_told_together():
    with pytest.raises(PolicyFault, match=r"`publishers` are only trusted.*; .*`aws.x` is reserved .*\$\.approvals"):
        policy(publishers={"aws.x": [ALICE]})
