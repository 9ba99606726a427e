"""Insiders with ordinary rights do anything, in any order, beside honest people: whose bytes run, and who agreed.

Everything that a person chooses carries that person's mark: bytes, image and environment. So each model says itself who
had a hand in it, whatever Signoff believes, and the test keeps for itself who signed what, and when. A human being may
have several principals, which Signoff cannot know.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from signoff.approval.statements import Sender
from signoff.ledger.entries import Entry, Kind
from tests.support.deliveries import GRACE
from tests.support.depth import examples
from tests.support.insiders import (
    APPROVERS,
    ARCHIVES,
    CHURN,
    FRAUD,
    HUMANS,
    POLICIES,
    PRINCIPALS,
    image,
    image_digest,
    keeping,
    marks,
    says_that_another_signed,
    specification,
    unsigned,
    user,
)
from tests.support.world import World


@dataclass(frozen=True)
class Approval:
    """Who approved which package, seeing whose marks, and the number of that moment."""

    human: str
    package: str
    seen: frozenset[str]
    moment: int


_S3 = re.compile(r"s3://([a-z-]+)/([^\"]+)")
packages, positions = st.integers(0, 3), st.integers(0, 50)
principals = st.sampled_from(list(PRINCIPALS))
# Of `churn`; tim is of another team, and does nothing there.
insiders = st.sampled_from([arn for arn, human in PRINCIPALS.items() if human in {"eve", "mallory"}])
verbs = st.sampled_from(["approve"] * 6 + ["reject", "revoke", "reopen", "rollback", "rollback"])


class AnyInsider(RuleBasedStateMachine):
    """Two groups: `churn`, whose policy is drawn, and `fraud` of another team."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(groups={"create": False})
        self.world.images.digests = {image(human): image_digest(human) for human in HUMANS}
        self.needed, self.listed, self.submitters = 1, True, set[str]()
        self.arns: list[str] = []
        self.approvals: list[Approval] = []
        self.proven: set[str] = set()
        self.sent: list[Callable[[], Any]] = []
        self.moment = self.submitted = 0
        self.withdrawn: dict[str, int] = {}
        self.read: dict[str, int] = {}
        self.faults: list[str] = []
        self.put_policies(0)
        self._watch()

    def put_policies(self, number: int) -> None:
        policy = POLICIES[number]
        self.needed, self.listed = policy["approvals"].get("needed", 1), "approvers" in policy["approvals"]
        self.submitters = {PRINCIPALS[who] for who in policy.get("submissions", {}).get("submitters", ())}
        self.world.set_policy(f"groups/{FRAUD}", groups={"create": True}, approvals={"approvers": [user("tim")]})
        self.world.set_policy(f"groups/{CHURN}", groups={"create": True}, **policy)

    def _watch(self) -> None:
        create = self.world.registry.create_model

        def created(request: dict[str, Any]) -> bool:
            self._read_ledgers()
            self.faults += self._deployed(request)
            return create(request)

        self.world.registry.create_model = created  # type: ignore[method-assign]

    def _read_ledgers(self) -> None:
        """Read what was recorded since the last time, all of it in the present moment."""
        for package, history in self.world.ledger.histories.items():
            for entry in history.entries[self.read.get(package, 0) :]:
                self._recorded(package, entry)
            self.read[package] = len(history.entries)

    def _recorded(self, package: str, entry: Entry) -> None:
        revoked = entry.kind is Kind.DECISION_RECORDED and entry.details["decision"] in {"revoke", "reject"}
        if revoked or entry.kind is Kind.EXPIRED:
            self.withdrawn[package.rpartition("@")[0] or package] = self.moment
        if entry.actor not in {"signoff", "unknown", *self.proven}:
            self.faults.append(f"{entry.kind} names {entry.actor}, who has proven nothing")

    def _deployed(self, request: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is wrong with a model that is about to be made."""
        name = request["ModelName"]
        arn = next((each for each in self.arns if self._names(each, name)), None)
        if arn is None:
            yield f"{name} is of no package"
            return
        hands = self._hands(request)
        group = arn.split("/")[-2]
        agreed = {
            each.human
            for each in self.approvals
            if each.package == arn and each.seen == hands and each.moment > self._withdrawn(arn)
        }
        if self.listed or group == FRAUD:
            agreed &= set(APPROVERS[group])
        if len(agreed - hands) < (self.needed if group == CHURN else 1):
            yield f"{name}, by {sorted(hands)}, was agreed to by {sorted(agreed)} only"
        if group == CHURN and "tim" in hands and self.listed:
            yield f"{name} is what another team made"
        if group == CHURN and self.submitters and not hands <= self.submitters:
            yield f"{name} is by {sorted(hands)}, who may not submit"

    def _names(self, arn: str, model: str) -> bool:
        group, version = arn.rsplit("/", 2)[-2:]
        return model.lower().startswith(f"{group}-v{version}-")

    def _withdrawn(self, arn: str) -> int:
        return next((moment for package, moment in self.withdrawn.items() if package.startswith(f"{arn}")), 0)

    def _hands(self, request: Mapping[str, Any]) -> set[str]:
        """Return who chose what SageMaker would run: it reads the package, and the objects at its locations, now."""
        containers = request.get("Containers") or [request["PrimaryContainer"]]
        read = [self.world.registry.described.get(each.get("ModelPackageName", ""), {}) for each in containers]
        text = json.dumps([containers, [each.get("InferenceSpecification") for each in read]])
        places = [found.groups() for found in _S3.finditer(text)]
        data = [self.world.s3.bucket(bucket).versions[key][-1].data for bucket, key in places]
        return marks(text) | {human for human, known in ARCHIVES.items() if known in data}

    @initialize(number=st.sampled_from([*range(len(POLICIES)), 5, 5]))
    def the_groups_are_in_use(self, number: int) -> None:
        self.put_policies(number)
        self.somebody_submits(user("sam"), CHURN)
        self.somebody_submits(user("tim"), FRAUD)
        self.everything_arrives()

    def _next_moment(self) -> None:
        self._read_ledgers()
        self.moment += 1
        self.world.clock.forward(seconds=20)

    def _package(self, which: int) -> str | None:
        known = [arn for arn in self.arns if arn in self.world.registry.described]
        return known[which % len(known)] if known else None

    def _known(self) -> None:
        self.arns += [arn for arn in self.world.registry.described if arn not in self.arns]

    # What people do

    @rule(who=principals, group=st.sampled_from([CHURN, CHURN, FRAUD, "Churn", "Fraud", "chum"]), signed=st.booleans())
    def somebody_submits(self, who: str, group: str, signed: bool = True) -> None:
        if len(self.arns) > 6 or (group == FRAUD) != (PRINCIPALS[who] == "tim"):
            return
        self.submitted += 1
        self._next_moment()
        human, prefix = PRINCIPALS[who], f"{group}/run-{self.submitted}"
        manifest = {"InferenceSpecification": specification(human)}
        objects = {"model.tar.gz": ARCHIVES[human], "manifest.json": manifest}
        files = self.world.signed(prefix, objects, by=who) if signed else unsigned(prefix, objects)
        self.proven |= {who} if signed else set()
        for key, data in files.items():
            self.world.upload(key, data)
        self._known()

    @rule(who=insiders, source=st.integers(0, 5))
    def somebody_registers_elsewhere(self, who: str, source: int) -> None:
        if len(self.arns) > 6 or CHURN not in self.world.registry.tags:
            return
        self._next_moment()
        registry, human = self.world.registry, PRINCIPALS[who]
        self.world.s3.bucket("pipelines").put(f"{human}/model.tar.gz", ARCHIVES[human])
        urls = [f"s3://pipelines/{human}/model.tar.gz", *self.places()]
        ours, registry.actor = registry.actor, who
        request = {"InferenceSpecification": specification(human, urls[source % len(urls)])}
        registry.create_package({"ModelPackageGroupName": CHURN, **request})
        registry.actor = ours
        self._known()

    def places(self) -> list[str]:
        """Return where model data lies that others submitted."""
        vault = [f"s3://vault/{key}" for key in self.world.vault_bucket.versions if key.endswith("model.tar.gz")]
        inbox = [f"s3://artifacts/{key}" for key in self.world.inbox.versions if key.endswith("model.tar.gz")]
        return sorted([*vault, *inbox])

    @rule(which=packages, who=insiders, what=st.sampled_from(["all", "environment", "data", "metadata", "add"]))
    def somebody_updates_a_package(self, which: int, who: str, what: str) -> None:
        arn = self._package(which)
        if arn is None:
            return
        self._next_moment()
        human, described = PRINCIPALS[who], self.world.registry.described[arn]
        self.world.s3.bucket("pipelines").put(f"{human}/model.tar.gz", ARCHIVES[human])
        theirs = specification(human, f"s3://pipelines/{human}/model.tar.gz")
        before = described["InferenceSpecification"]["Containers"][0]
        changed = {
            "all": {"InferenceSpecification": theirs},
            "environment": {"InferenceSpecification": keeping(theirs, before, "ModelDataUrl", "Image")},
            "data": {"InferenceSpecification": keeping(theirs, before, "Environment", "Image")},
            "metadata": {"CustomerMetadataProperties": {"signoff:registration": "0" * 32}},
            "add": {"AdditionalInferenceSpecificationsToAdd": [{"Name": f"by-{human}", **theirs}]},
        }[what]
        self.world.registry.by_hand(arn, who, **changed)

    @rule(which=packages, who=principals, status=st.sampled_from(["Approved", "Approved", "Rejected"]))
    def somebody_sets_a_status(self, which: int, who: str, status: str) -> None:
        arn = self._package(which)
        if arn is not None:
            self._next_moment()
            self.world.registry.by_hand(arn, who, ModelApprovalStatus=status)
            self.proven.add(who)
            if status == "Approved":
                self._signs(arn, who, self.world.evidence(arn))

    @rule(which=packages, verb=verbs, who=principals, send=st.sampled_from([True] * 4 + [False]))
    def somebody_decides(self, which: int, verb: str, who: str, send: bool = True, **said: Any) -> None:
        arn = self._package(which)
        if arn is None:
            return
        self._next_moment()
        statement, number = self.world.statement(arn, verb, who, **said), len(self.sent)
        self.proven.add(who)
        if verb in {"approve", "rollback"}:
            self._signs(arn, who, statement.get("evidence"))
        self.sent.append(lambda: self.world.decision_handler.apply(statement, Sender(f"event-{number}")))
        if send:
            self.sent[-1]()

    def _signs(self, arn: str, who: str, evidence: str | None) -> None:
        seen = marks(self.world.vault.read("evidence", evidence)["subject"]) if evidence else set()
        self.approvals.append(Approval(PRINCIPALS[who], arn, frozenset(seen), self.moment))

    @rule(position=positions)
    def a_decision_arrives_late_or_again(self, position: int) -> None:
        if self.sent:
            self.sent[position % len(self.sent)]()

    @rule()
    def the_next_inspection_is_taken_over_by_what_it_parses(self) -> None:
        """InspectArtifact finds nothing, and names the bytes of another team."""
        honest, names = self.world.inspector.inspect, self.world.vault_bucket.versions
        key = next(key for key in names if key.startswith(f"models/{FRAUD}/") and key.endswith("model.tar.gz"))
        (version,) = self.world.vault_bucket.versions[key]
        lie = {"key": key, "version_id": version.id, "sha256": hashlib.sha256(version.data).hexdigest()}

        def lies(claim: Mapping[str, Any], artifact: Mapping[str, Any]) -> dict[str, Any]:
            self.world.inspector.inspect = honest  # type: ignore[method-assign]
            return {**honest(claim, artifact), "refusals": [], "refusal_count": 0, **lie}

        self.world.inspector.inspect = lies  # type: ignore[method-assign]

    @rule(human=st.sampled_from(HUMANS))
    def the_next_registration_is_taken_over_by_its_manifest(self, human: str) -> None:
        says_that_another_signed(self.world, human)

    @rule(which=packages, who=insiders, human=st.sampled_from(HUMANS))
    def somebody_sends_a_decision_in_anothers_name(self, which: int, who: str, human: str) -> None:
        arn = self._package(which)
        if arn is not None:
            self._next_moment()
            self.proven.add(who)
            forged = {**self.world.statement(arn, "reject", who), "decision": "approve", "approver": user(human)}
            outcome = self.world.decision_handler.apply(forged)
            assert getattr(outcome, "name", "") in {"NotProven", "Replayed"}

    @rule(which=packages, who=insiders)
    def somebody_starts_a_validation_as_another(self, which: int, who: str) -> None:
        arn = self._package(which)
        if arn is not None:
            self.world.executions.start(arn, {"by": user("nobody"), "reason": PRINCIPALS[who]})

    @rule(which=packages, who=insiders)
    def somebody_annotates(self, which: int, who: str) -> None:
        arn = self._package(which)
        if arn is not None:
            self._next_moment()
            self.proven.add(who)
            added = {"Name": f"note-{PRINCIPALS[who]}", **specification(PRINCIPALS[who], "s3://pipelines/model.tar.gz")}
            self.world.annotate(arn, by=who, reason="more", add_specifications=[added])

    @rule(who=insiders, which=positions)
    def somebody_overwrites_what_was_uploaded(self, who: str, which: int) -> None:
        keys = [("artifacts", key) for key in self.world.inbox.versions if key.endswith("model.tar.gz")]
        keys += [("pipelines", key) for key in self.world.s3.bucket("pipelines").versions]
        bucket, key = sorted(keys)[which % len(keys)]
        self.world.s3.bucket(bucket).put(key, ARCHIVES[PRINCIPALS[who]])
        if bucket == "artifacts":
            self.world.registrar.uploaded(key)

    @rule(group=st.sampled_from(["Churn", "CHURN", "Fraud"]))
    def a_project_writes_a_policy_that_is_spelled_otherwise(self, group: str) -> None:
        self.world.set_policy(f"groups/{group}", groups={"create": True}, approvals={"approvers": [user("mallory")]})

    # What people do on purpose: chance alone seldom does one thing after the other

    @rule(
        who=insiders,
        which=packages,
        what=st.sampled_from(["submit", "unsigned", "register", "all", "environment", "data"]),
        voters=st.lists(principals, max_size=3),
    )
    def somebody_brings_something_and_has_it_approved(self, who: str, which: int, what: str, voters: list[str]) -> None:
        if what in {"submit", "unsigned"}:
            self.somebody_submits(who, CHURN, signed=what == "submit")
        elif what == "register":
            self.somebody_registers_elsewhere(who, which * 2)
        else:
            self.somebody_updates_a_package(which, who, what)
        self.everything_arrives()
        newest = len(self.world.registry.described) - 1
        for voter in (who, *voters):
            self.somebody_decides(which if what in {"all", "environment", "data"} else newest, "approve", voter)
        self.everything_arrives()

    @rule(which=packages, by=principals, then=principals, lapse=st.booleans())
    def a_version_is_withdrawn_and_brought_back(self, which: int, by: str, then: str, lapse: bool) -> None:
        for voter in map(user, APPROVERS[CHURN]):
            self.somebody_decides(which, "approve", voter)
        self.everything_arrives()
        if lapse:
            self.time_passes_and_the_sweep_comes_by(25)
        else:
            self.somebody_decides(which, "revoke", by)
        self.everything_arrives()
        self.somebody_decides(which, "rollback", then)
        self.everything_arrives()

    @rule(which=packages, who=principals, by=principals)
    def an_approval_is_kept_until_the_package_was_rejected_and_reopened(self, which: int, who: str, by: str) -> None:
        kept = len(self.sent)
        self.somebody_decides(which, "approve", who, send=False, standing=None)
        self.somebody_decides(which, "reject", by)
        self.somebody_decides(which, "reopen", by)
        self.a_decision_arrives_late_or_again(kept)
        self.everything_arrives()

    # What happens by itself

    @rule()
    def everything_arrives(self) -> None:
        self.world.deliver()

    @rule(position=positions, keep=st.booleans())
    def an_event_arrives(self, position: int, keep: bool) -> None:
        self.world.step(position, keep=keep)

    @rule(hours=st.sampled_from([0.3, 7, 25]))
    def time_passes_and_the_sweep_comes_by(self, hours: float) -> None:
        self._next_moment()
        self.world.clock.forward(hours=hours)
        self.world.sweeper.run(GRACE)

    # What holds

    @invariant()
    def nothing_was_deployed_that_others_had_not_agreed_to(self) -> None:
        self._read_ledgers()
        assert self.faults == []

    @invariant()
    def what_is_published_as_a_groups_champion_is_that_groups(self) -> None:
        for group, model in self.world.published().items():
            assert group in APPROVERS
            assert model.split("/")[-1].startswith(f"{group}-")

    @invariant()
    def every_chain_verifies(self) -> None:
        for history in self.world.ledger.histories.values():
            assert history.verified().head == history.head

    def teardown(self) -> None:
        """Whatever happened: once everything has arrived, it still holds."""
        self.world.deliver()
        self.nothing_was_deployed_that_others_had_not_agreed_to()


AnyInsider.TestCase.settings = settings(
    max_examples=examples(60), stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyInsider = AnyInsider.TestCase
