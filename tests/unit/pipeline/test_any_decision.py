"""Submissions, votes, registry edits, timers and policy changes in any order, doubled and lost: what must hold always.

Who is which person, and whether a policy is satisfied, is worked out here by itself, from tables and by brute force.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from signoff.approval.decisions import ADMITTING
from signoff.approval.statements import Sender
from signoff.ledger.entries import Entry, Kind, Status
from signoff.ledger.state import State, fold
from signoff_cli.statements.signature import id_of
from tests.support.deliveries import GRACE
from tests.support.depth import examples
from tests.support.world import SUBMITTER, World

ACCOUNT = "123456789012"


def user(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def session(role: str, name: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"


ANN, BEN, CAT, EVE = user("ann"), user("ben"), user("cat"), user("eve")
DAN = [session(f"AWSReservedSSO_{name}_0123456789abcdef", "dan@example.com") for name in ("Approver", "Admin")]
JOBS = [session("risk", name) for name in ("one", "two")]
SAM = [SUBMITTER, session("AWSReservedSSO_Scientist_0123456789abcdef", "sam@example.com")]
# Each of these ARNs, and the human being or the role that it stands for.
PERSONS = {
    ANN: "ann",
    BEN: "ben",
    CAT: "cat",
    EVE: "eve",
    SAM[0]: "sam",
    SAM[1]: "sam by sso",
    **dict.fromkeys(DAN, "dan"),
    **dict.fromkeys(JOBS, "the role risk"),
}
LISTED = {
    "ann": ANN,
    "ben": BEN,
    "dan": "arn:aws:identitycenter:::user/dan@example.com",
    "the role risk": f"arn:aws:iam::{ACCOUNT}:role/risk",
    "sam": SAM[0],
    "sam by sso": "arn:aws:identitycenter:::user/sam@example.com",
}


def listing(*persons: str) -> list[str]:
    return [LISTED[person] for person in persons]


EVERYBODY = list(LISTED)
POLICIES: list[dict[str, Any]] = [
    {"approvers": EVERYBODY, "needed": 1},
    {"approvers": EVERYBODY, "needed": 2},
    {"approvers": ["ann", "ben"], "needed": 2, "registry_edits": "count"},
    {"approvers": EVERYBODY, "needed": 1, "registry_edits": "count", "expiry": {"after": "P1D", "reminders": ["PT6H"]}},
    {"roles": {"risk": ["ann", "dan", "the role risk"], "owners": ["ann", "ben", "sam"]}, "needed": 1},
    {"roles": {"risk": ["ann", "dan"]}, "needed": 3, "approvers": EVERYBODY, "break_glass": ["ben"]},
    {"approvers": EVERYBODY, "needed": 2, "expiry": {"after": "P2D", "action": "extend"}, "break_glass": ["ann"]},
    {"approvers": EVERYBODY, "needed": 1, "revocation": {"after": "P3D", "superseded": True}},
]


def approvals(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the policy document says under `approvals`."""
    said = dict(policy)
    for field in ("approvers", "break_glass"):
        if field in said:
            said[field] = listing(*said[field])
    if "roles" in said:
        said["roles"] = {name: {"members": listing(*members)} for name, members in said["roles"].items()}
    return said


def satisfied(policy: Mapping[str, Any], votes: Sequence[str], unknown_submitter: bool) -> bool:
    """Return whether these persons satisfy a policy: some order of them fills each role's seat with another one."""
    roles = policy.get("roles", {})
    allowed = {*policy.get("approvers", ()), *(person for members in roles.values() for person in members)}
    persons = [person for person in dict.fromkeys(votes) if person in allowed]
    enough = len(persons) >= max(policy["needed"], len(roles)) + unknown_submitter
    return enough and any(
        all(person in members for person, members in zip(order, roles.values(), strict=True))
        for order in permutations(persons, len(roles))
    )


packages, positions, policies = st.integers(0, 2), st.integers(0, 50), st.integers(0, len(POLICIES) - 1)
verbs = st.sampled_from(["approve"] * 6 + ["reject", "revoke", "reopen", "reopen", "rollback", "rollback"])


class AnyDecision(RuleBasedStateMachine):
    """Packages of one group; the submitter of the first is sam, of the second sam by SSO, of the third nobody known."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.digests: dict[str, Mapping[str, Any]] = {}
        self.put_policy(0, "enforce")
        self.arns: list[str] = []
        self.submitters: dict[str, str | None] = {}
        self.sent: list[Callable[[], Any]] = []
        self.signed_for: dict[str, str | None] = {}
        self.faults: list[str] = []
        self._watch()

    def _watch(self) -> None:
        registry = self.world.registry
        create, set_status = registry.create_model, registry.set_status

        def created(request: dict[str, Any]) -> bool:
            approved = [arn for arn in self.arns if self.world.state(arn).status is Status.APPROVED]
            if not any(self._explained(self.world.history(arn).entries, arn) for arn in approved):
                self.faults.append(f"{request['ModelName']} was made and no policy is satisfied")
            return create(request)

        def shown(arn: str, status: str, *why: Any) -> None:
            if status != self.world.state(arn).registry_status:
                self.faults.append(f"{arn} was set to {status}, which the ledger does not say")
            set_status(arn, status, *why)

        registry.create_model, registry.set_status = created, shown

    def put_policy(self, number: int, mode: str) -> None:
        self.world.set_policy("groups/churn", groups={"create": True}, mode=mode, approvals=approvals(POLICIES[number]))
        governing = self.world.governing("churn")
        self.digests[governing.digest] = POLICIES[number]

    def _explained(self, entries: Sequence[Entry], arn: str) -> bool:
        """Return whether the approval that stands last was one that its policy is satisfied with."""
        made = [entry for entry in entries if _admits(entry)]
        if not made:
            return False
        details, policy = made[-1].details, self.digests[made[-1].details["policy"]]
        votes = [PERSONS[vote] for vote in details["votes"]]
        if details.get("break_glass"):
            return votes[-1] in policy.get("break_glass", ())
        return satisfied(policy, votes, self.submitters[arn] is None)

    @initialize(number=policies, submitted=st.integers(1, 3))
    def a_group_is_in_use(self, number: int, submitted: int) -> None:
        self.put_policy(number, "enforce")
        for _ in range(submitted):
            self.somebody_submits()
        self.world.deliver()

    # What people do

    @rule()
    def somebody_submits(self) -> None:
        if len(self.arns) < 3:
            number = len(self.arns)
            arn = self.world.elsewhere(ModelPackageDescription=f"number {number}")
            creator = [SAM[0], SAM[1], session("training", "job-7")][number]
            self.world.registry.described[arn]["CreatedBy"] = {"IamIdentity": {"Arn": creator}}
            self.arns.append(arn)
            self.submitters[arn] = PERSONS.get(creator)

    @rule(
        which=packages,
        verb=verbs,
        who=st.sampled_from(list(PERSONS)),
        glass=st.sampled_from([False] * 5 + [True]),
        tells=st.booleans(),
        kept=st.sampled_from([False] * 3 + [True]),
    )
    def somebody_decides(
        self, which: int, verb: str, who: str, glass: bool, tells: bool = True, kept: bool = False
    ) -> None:
        """Sign a decision, which `tells` the status that was seen or does not; one that is `kept` may be sent later."""
        if which < len(self.arns):
            more: dict[str, Any] = {"break_glass": True} if glass and verb == "approve" else {}
            more |= {} if tells else {"standing": None}
            statement, number = self.world.statement(self.arns[which], verb, who, **more), len(self.sent)
            self.sent.append(lambda: self.world.decision_handler.apply(statement, Sender(f"event-{number}")))
            self.signed_for[id_of(statement)] = self.world.standing(self.arns[which])
            if not kept:
                self.sent[-1]()

    @rule(
        which=packages, voters=st.lists(st.sampled_from(list(PERSONS)), min_size=2, max_size=4), deliver=st.booleans()
    )
    def several_approve(self, which: int, voters: list[str], deliver: bool) -> None:
        for who in voters:
            self.somebody_decides(which, "approve", who, glass=False)
        if deliver:
            self.world.deliver()

    @rule(which=packages, who=st.sampled_from(list(PERSONS)))
    def somebody_signs_and_somebody_else_alters_it(self, which: int, who: str) -> None:
        if which < len(self.arns):
            signed = self.world.statement(self.arns[which], "reject", who, reason="altered afterwards")
            statement = {**signed, "decision": "approve"}
            outcome = self.world.decision_handler.apply(statement)
            assert getattr(outcome, "name", "") in {"NotProven", "Replayed"}

    @rule(position=positions)
    def a_decision_arrives_again(self, position: int) -> None:
        if self.sent:
            self.sent[position % len(self.sent)]()

    @rule(
        which=packages,
        who=st.sampled_from(list(PERSONS)),
        status=st.sampled_from(["Approved", "Approved", "Rejected", "PendingManualApproval"]),
    )
    def somebody_sets_a_status_in_the_registry(self, which: int, who: str, status: str) -> None:
        if which < len(self.arns):
            self.world.clock.forward(seconds=2)
            self.world.registry.by_hand(self.arns[which], who, ModelApprovalStatus=status)

    @rule(which=packages)
    def somebody_asks_for_another_validation(self, which: int) -> None:
        if which < len(self.arns):
            self.world.executions.start(self.arns[which], {"by": SUBMITTER, "reason": "again"})

    @rule(number=policies, mode=st.sampled_from(["enforce"] * 4 + ["report"]))
    def the_policy_changes(self, number: int, mode: str) -> None:
        self.put_policy(number, mode)

    # What happens by itself

    @rule()
    def everything_arrives(self) -> None:
        self.world.deliver()

    @rule(position=positions, keep=st.booleans())
    def an_event_arrives(self, position: int, keep: bool) -> None:
        self.world.step(position, keep=keep)

    @rule(position=positions)
    def an_event_is_lost(self, position: int) -> None:
        self.world.lose(position)

    @rule(position=positions, call=st.integers(1, 25))
    def a_function_dies(self, position: int, call: int) -> None:
        self.world.die(position, call)

    @rule(hours=st.sampled_from([0.3, 7, 25, 50, 80]))
    def time_passes_and_the_sweep_comes_by(self, hours: float) -> None:
        self.world.clock.forward(hours=hours)
        self.world.sweeper.run(GRACE)

    # What holds

    @invariant()
    def nothing_was_made_or_shown_without_a_reason(self) -> None:
        assert self.faults == []

    @invariant()
    def every_chain_verifies(self) -> None:
        for history in self.world.ledger.histories.values():
            assert history.verified().head == history.head

    @invariant()
    def every_approval_satisfies_its_policy_and_nobody_is_counted_twice_or_for_their_own(self) -> None:
        for arn in self.arns:
            entries = self.world.history(arn).entries
            for position, entry in enumerate(entries):
                if _admits(entry):
                    assert self._explained(entries[: position + 1], arn)
                    votes = [PERSONS[vote] for vote in entry.details["votes"]]
                    assert len(set(votes)) == len(votes)
                    assert self.submitters[arn] not in votes

    @invariant()
    def what_admits_was_signed_for_the_status_that_the_package_had(self) -> None:
        for arn in self.arns:
            state = State()
            for entry in self.world.history(arn).entries:
                if entry.kind in _VOTES and entry.details["decision"] in ADMITTING and "id" in entry.details:
                    joins = entry.details.get("joins")
                    assert joins or self.signed_for[entry.details["id"]] == (state.moved and state.moved.hash)
                state = fold([entry], state)

    @invariant()
    def nobody_goes_back_to_what_people_revoked_with_the_approvals_of_before(self) -> None:
        for arn in self.arns:
            entries = self.world.history(arn).entries
            for position, entry in enumerate(entries):
                if entry.kind is Kind.DECISION_RECORDED and entry.details["decision"] == "rollback":
                    assert set(entry.details["votes"]) <= _voters_since_the_last_revocation(entries[: position + 1])

    def teardown(self) -> None:
        """Whatever happened: once everything is delivered and the sweep has come by, all agree."""
        self.world.deliver()
        for _ in range(4):
            self.world.executions.statuses = dict.fromkeys(self.world.executions.statuses, "FAILED")
            self.world.sweep()
        assert self.faults == []
        for arn in self.arns:
            state = self.world.state(arn)
            assert state.next_step is None
            assert self.world.status(arn) == state.projected == state.registry_status
            approved = state.status is Status.APPROVED
            # Where the policy only reports, somebody may have taken an approval back in the registry before the model.
            wanted = approved and state.registry_status == "Approved"
            assert approved >= (state.model is not None) >= wanted
        models = {model["name"] for model in map(_model, map(self.world.state, self.arns)) if model}
        assert set(self.world.registry.models) == models


def _admits(entry: Entry) -> bool:
    return entry.kind is Kind.DECISION_RECORDED and entry.details["decision"] in {"approve", "rollback"}


def _voters_since_the_last_revocation(entries: Sequence[Entry]) -> set[str]:
    """Return who voted or decided since an approval ended for anything but another champion."""
    ends = [position for position, entry in enumerate(entries) if _ends_approvals(entry)]
    return {entry.actor for entry in entries[max(ends, default=-1) + 1 :] if entry.kind in _VOTES}


_VOTES = {Kind.VOTED, Kind.DECISION_RECORDED}


def _ends_approvals(entry: Entry) -> bool:
    said = entry.details
    revoked = entry.kind in _VOTES and said["decision"] == "revoke" and "superseded" not in said["reason"]
    return revoked or entry.kind is Kind.SUBJECT_CHANGED


def _model(state: State) -> dict[str, Any] | None:
    return state.model


AnyDecision.TestCase.settings = settings(
    max_examples=examples(100), stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyDecision = AnyDecision.TestCase


def test_the_machine_gets_packages_through_to_models_by_several_roads():
    machine = AnyDecision()
    for _ in range(3):
        machine.somebody_submits()
    machine.world.deliver()
    machine.put_policy(4, "enforce")
    for arn, voters in zip(machine.arns, [(DAN[0], BEN), (ANN, BEN), (DAN[1], ANN, BEN)], strict=True):
        for who in voters:
            machine.somebody_decides(machine.arns.index(arn), "approve", who, glass=False)
    machine.world.deliver()
    assert len(machine.world.registry.models) == 3
    machine.teardown()
