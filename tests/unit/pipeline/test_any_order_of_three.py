"""Three submissions to one group at once, and one that is refused: every event late, twice, in any order, or never.

Whatever happened, the group ends as if its packages had been submitted and decided on one after the other, and nothing
had ever failed.
"""

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from signoff.ledger.entries import Kind, Status
from signoff.notification.notifications import notifications
from tests.faults.journey import differences, meaning
from tests.faults.shuffled_world import ShuffledWorld
from tests.support.archives import honest
from tests.support.depth import examples
from tests.support.world import MANIFEST, MODEL, QUALITY

ACCOUNT = "arn:aws:iam::123456789012:user"
BETTER_MODEL = gzip.compress(honest(), mtime=1)
ANN, BEN, CAT = (f"{ACCOUNT}/{name}" for name in ("ann", "ben", "cat"))
OTHER = {**MANIFEST, "ModelPackageDescription": "another model"}
BETTER = {"multiclass_classification_metrics": {"accuracy": {"value": 0.98, "standard_deviation": "NaN"}}}
# Who submits what: the second the same bytes as the first, the fourth what is refused.
SUBMISSIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "run-1": ("sam", {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}),
    "run-2": ("tom", {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}),
    "run-3": ("una", {"model.tar.gz": BETTER_MODEL, "quality.json": BETTER, "manifest.json": OTHER}),
    "run-4": ("vic", {"model.tar.gz": MODEL, "manifest.json": {"Nonsense": 1}}),
}
POLICY = {"approvals": {"approvers": [ANN, BEN, CAT], "needed": 2}, "groups": {"create": True}}
SIGNATURE = "submission.json"
# What does not depend on when which function came by; of the others, the state at the end is compared.
STEADY = {Kind.REGISTERED, Kind.EVIDENCE_RECORDED, Kind.VOTED, Kind.DECISION_RECORDED, Kind.REGISTRATION_FAILED}
# In evidence: whoever was champion while the package was validated.
COMPARED = {"champion", "comparison"}
MOST_MINUTES = 50  # while objects are missing: after an hour their submitter is told

runs, positions = st.sampled_from(sorted(SUBMISSIONS)[:3]), st.integers(0, 50)
verbs = st.sampled_from(["approve", "approve", "approve", "reject", "revoke"])


def begun() -> ShuffledWorld:
    world = ShuffledWorld(**POLICY)
    world.set_policy("groups/churn", **POLICY)
    return world


def files(world: ShuffledWorld, run: str) -> dict[str, Any]:
    submitter, objects = SUBMISSIONS[run]
    return world.signed(f"churn/{run}", objects, by=f"{ACCOUNT}/{submitter}")


class AnyOrderOfThree(RuleBasedStateMachine):
    """What four submitters, three approvers and AWS do, each at their own time."""

    def __init__(self) -> None:
        super().__init__()
        self.world = begun()
        self.left = {run: files(self.world, run) for run in SUBMISSIONS}
        self.minutes = self.stated = self.aborted = 0

    @rule(run=st.sampled_from(sorted(SUBMISSIONS)), position=positions)
    def an_object_is_uploaded(self, run: str, position: int) -> None:
        if left := sorted(self.left[run]):
            key = left[position % len(left)]
            self._upload(run, key)

    @rule(position=positions, again=st.booleans())
    def an_event_arrives(self, position: int, again: bool) -> None:
        self.world.arrives(position, again=again)

    @rule(count=st.integers(1, 30), seed=st.integers(0, 1000))
    def several_events_arrive(self, count: int, seed: int) -> None:
        for number in range(count):
            self.world.arrives(seed * (number + 1))

    @precondition(lambda self: self.aborted < 3)
    @rule(position=positions)
    def an_event_is_lost(self, position: int) -> None:
        self.world.is_lost(position)
        self.aborted += 1

    @rule(position=positions, calls=st.integers(0, 25))
    def a_function_dies(self, position: int, calls: int) -> None:
        self.world.dies(position, calls)

    @rule(run=runs, verb=verbs, who=st.sampled_from([ANN, BEN, CAT]))
    def somebody_decides(self, run: str, verb: str, who: str) -> None:
        arn = package_of(self.world, run)
        if arn:
            self._decide(arn, verb, who)

    @rule()
    def the_sweep_is_due(self) -> None:
        self.world.sweep_is_due()

    @rule(minutes=st.sampled_from([1, 6, 20]))
    def time_passes(self, minutes: int) -> None:
        self.minutes += minutes
        if self.minutes <= MOST_MINUTES or not any(self.left.values()):
            self.world.time_passes(minutes)

    def teardown(self) -> None:
        """Everybody uploads what is left, all that waits is decided on, and the world settles."""
        for run, left in self.left.items():
            for key in sorted(left):
                self._upload(run, key)
        self.world.settle()
        for arn in packages(self.world):
            for who in (ANN, BEN, CAT):
                if self.world.state(arn).status is Status.PENDING_APPROVAL and who not in self.world.state(arn).votes:
                    self._decide(arn, "approve", who)
                    self.world.settle()
        assert self.world.dead == []
        assert_told_once(self.world)
        assert_one_champion(self.world)
        assert list(differences(plainly(self.world), plainly(in_order(self.world)))) == []

    def _upload(self, run: str, key: str) -> None:
        submitter, objects = SUBMISSIONS[run]
        data = self.left[run].pop(key)
        world = self.world
        if key.endswith(f"/{SIGNATURE}"):  # signed only now: its proof is valid for 15 minutes
            data = world.submission(f"churn/{run}", objects, f"{ACCOUNT}/{submitter}")
        world.put(key, data)
        world.event("RegisterModel", lambda: world.registrar.uploaded(key))
        if key.endswith(f"/{SIGNATURE}"):
            world.event("KeepSignature", lambda: world.signature_verifier.uploaded(key))

    def _decide(self, arn: str, verb: str, who: str) -> None:
        self.stated += 1
        self.world.is_stated(self.world.statement(arn, verb, who, reason=f"{self.stated}"), f"event-{self.stated}")


def package_of(world: ShuffledWorld, run: str) -> str | None:
    row = world.submissions.get(f"churn/{run}") or {}
    return row.get("package")


def packages(world: ShuffledWorld) -> list[str]:
    return sorted(world.registry.described, key=lambda arn: int(arn.rpartition("/")[2]))


def in_order(shuffled: ShuffledWorld) -> ShuffledWorld:
    """Return a world in which the same is submitted and decided on, one after the other, and nothing fails."""
    world = begun()
    of = {package_of(shuffled, run): run for run in SUBMISSIONS}
    for run in [*(of[arn] for arn in packages(shuffled)), "run-4"]:
        world.uploads(files(world, run))
    decided = [
        (entry.time, arn, entry)
        for arn in packages(shuffled)
        for entry in shuffled.history(arn).entries
        if entry.kind in {Kind.VOTED, Kind.DECISION_RECORDED}
    ]
    world.settle()
    for _, arn, entry in sorted(decided, key=lambda each: each[0]):
        said = {"decision": entry.details["decision"], "approver": entry.actor, "reason": entry.details["reason"]}
        world.is_stated(world.statement(arn, **said), entry.details["event"])
        world.in_order()
    world.settle()
    return world


def plainly(world: ShuffledWorld) -> Any:
    """Return what a run came to, without what tells one run from another."""
    found = meaning(world)
    for name in ("announced", "told"):
        del found[name]
    for key, entries in found["ledgers"].items():
        found["ledgers"][key] = [entry for entry in entries if entry[0] in STEADY]
    text = json.dumps(_without(found, COMPARED), default=str)
    for prefix, row in world.submissions.rows.items():
        text = text.replace(row["attempt"], f"the attempt of {prefix}")
    return json.loads(text)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _without(each, names) for name, each in value.items() if name not in names}
    return [_without(each, names) for each in value] if isinstance(value, (list, tuple)) else value


def assert_told_once(world: ShuffledWorld) -> None:
    """Each entry is announced and told as often as it came out of the ledger's stream, which is once at least."""
    entries = [entry for history in world.ledger.histories.values() for entry in history.entries]
    told = Counter(each.chat["id"] for each in world.outlets.told)
    for entry in entries:
        times = world.announcing[entry.hash]
        assert times >= 1, entry
        for each in notifications(entry):
            assert 1 <= told[each.chat["id"]] <= times


def approved_at(world: ShuffledWorld, arn: str) -> str:
    made = (entry for entry in world.history(arn).entries if entry.kind is Kind.DECISION_RECORDED)
    return next(entry.time for entry in made if entry.details["decision"] == "approve")


def assert_one_champion(world: ShuffledWorld) -> None:
    """The champion is who was approved last; of the others who are approved, each knows whom it made way for."""
    approved = [state for arn in packages(world) if (state := world.state(arn)).status is Status.APPROVED]
    champion = max(approved, key=lambda state: (state.decision["time"], state.version), default=None)
    assert world.published() == ({"churn": champion.model["arn"]} if champion else {})
    present = [state.version for state in approved if not state.superseded_by]
    assert present == ([champion.version] if champion else [])
    for arn in packages(world):
        evidence = world.history(arn).last(Kind.EVIDENCE_RECORDED)
        assert evidence
        before = evidence.details["champion"]
        assert before is None or approved_at(world, before.partition("@")[0]) < evidence.time
        kinds = [kind for kind in world.kinds(arn) if kind in {Kind.MODEL_CREATED, Kind.MODEL_RETIRED}]
        assert kinds in ([], [Kind.MODEL_CREATED], [Kind.MODEL_CREATED, Kind.MODEL_RETIRED]), kinds


AnyOrderOfThree.TestCase.settings = settings(
    max_examples=examples(80), stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrderOfThree = AnyOrderOfThree.TestCase


def test_what_nobody_disturbs_ends_with_three_models_and_one_refusal():
    machine = AnyOrderOfThree()
    machine.teardown()
    assert len(machine.world.registry.models) == 3
    assert len(machine.world.refusals("submission:churn/run-4")) == 1
