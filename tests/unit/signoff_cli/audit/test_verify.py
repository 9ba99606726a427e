"""Verifying ledgers: whatever anybody changes anywhere is found and named."""

import json
from dataclasses import replace
from typing import Any

import pytest

from signoff.documents.canonical_json import canonical, digest
from signoff.ledger import checkpoints
from signoff.ledger.entries import Draft, Entry, Kind
from signoff.ledger.history import History
from signoff.ledger.witnessed import DECISIONS
from signoff_cli.audit.facts import Discrepancy
from tests.support import compared
from tests.support.auditing import arn_of, audited, names
from tests.support.world import APPROVER, SUBMITTER, World

BEN = "arn:aws:iam::123456789012:user/ben"
EVE = "arn:aws:iam::123456789012:user/eve"
MALLORY = "arn:aws:iam::123456789012:user/mallory"


@pytest.fixture
def world() -> World:
    """A world with an approved package whose model is there, and its heads of the day."""
    world = World()
    world.approved()
    assert world.daily_checkpoint.write_once()
    assert audited(world) == []
    return world


def key_of(world: World) -> str:
    return next(key for key in world.ledger.histories if key.startswith(arn_of(world)))


def entries(world: World) -> list[Entry]:
    return list(world.ledger.histories[key_of(world)].entries)


def put(world: World, changed: list[Entry]) -> None:
    """Have the table hold these entries, as whoever can write to it has them."""
    world.ledger.histories[key_of(world)] = History(key_of(world), tuple(changed))


def resealed(world: World, changed: list[Entry]) -> None:
    """Have the table hold these entries in a chain that fits, as whoever knows how to hash has them."""
    history = History(key_of(world))
    for entry in changed:
        facts = {"kind": entry.kind, "actor": entry.actor, "details": entry.details}
        sealed = history.extended([Draft(**facts)], world.clock()).entries[-1]
        sealed = replace(sealed, time=entry.time)
        history = History(history.package, (*history.entries, replace(sealed, hash=digest(sealed.content))))
    world.ledger.histories[key_of(world)] = history


def one(found: list[Discrepancy], name: str) -> Discrepancy:
    (finding,) = [each for each in found if each.name == name]
    return finding


# The table


def test_an_entry_whose_content_was_changed_is_found(world: World):
    changed = entries(world)
    changed[3] = replace(changed[3], actor=MALLORY)
    put(world, changed)
    assert one(audited(world), "ChainBroken").entry == 4


def test_an_entry_that_was_removed_is_found(world: World):
    changed = entries(world)
    del changed[2]
    put(world, changed)
    assert one(audited(world), "ChainBroken").entry == 3


def test_a_truncated_end_is_found(world: World):
    put(world, entries(world)[:3])
    assert one(audited(world), "EntriesMissing").entry == 4


def test_a_chain_that_was_rewritten_with_right_hashes_is_found(world: World):
    changed = entries(world)
    changed[0] = replace(changed[0], details={**changed[0].details, "submitter": BEN})
    resealed(world, changed)
    assert one(audited(world), "ChainRewritten").entry == len(changed) - 2


def test_a_ledger_that_only_the_heads_know_is_found(world: World):
    key = key_of(world)
    del world.ledger.histories[key]
    finding = one(audited(world), "LedgerMissing")
    assert (finding.about, finding.entry) == (key, 1)


def test_a_row_of_the_index_that_was_changed_or_removed_is_found(world: World):
    row = world.ledger.indexed(key_of(world)) or {}
    world.ledger.indexed = lambda _: {**row, "status": "Rejected"}  # type: ignore[method-assign]
    assert "status" in one(audited(world), "IndexDiffers").because
    world.ledger.indexed = lambda _: None  # type: ignore[method-assign]
    assert names(audited(world)) == ["IndexMissing"]


@pytest.mark.parametrize(
    ("details", "because"),
    [
        ({}, "counts the votes"),
        ({"votes": [MALLORY]}, "without what the policy asks for"),
        ({"votes": [MALLORY], "evidence": "e" * 64}, "names evidence"),
        ({"votes": [MALLORY], "person": BEN}, "another person"),
        ({"votes": [MALLORY], "break_glass": True}, "may not approve alone"),
        ({"votes": [MALLORY], "channel": "publisher", "publisher": "tickets"}, "publisher"),
        ({"votes": [MALLORY], "channel": "registry"}, "registry"),
        ({"votes": [MALLORY], "channel": "policy"}, "not due"),
        ({"votes": [MALLORY], "policy": None}, "names no policy"),
    ],
)
def test_a_decision_that_the_policy_would_not_allow_is_found_although_every_hash_is_right(details: Any, because: str):
    world = World(approvals={"needed": 3})
    arn = world.pending()
    world.decide(arn, "approve")
    made = world.history(arn).entries[-1].details
    votes = {"votes": [APPROVER, MALLORY]} if details else {}
    said = {**made, "person": MALLORY, "id": "i" * 64, "proof": "p" * 64, **votes, **details}
    key = key_of(world)
    history = world.ledger.histories[key]
    world.ledger.histories[key] = world.ledger.histories[key].extended(
        [Draft(Kind.DECISION_RECORDED, MALLORY, said)], world.clock()
    )
    # As if it were the deciding function itself that was wrong.
    world.vault.write(DECISIONS, world.ledger.histories[key].entries[-1].content)
    assert [each.entry for each in audited(world) if because in each.because] == [len(history.entries) + 1]
    assert {each.name for each in audited(world) if each.entry == len(history.entries) + 1} == {"NotAllowed"}
    assert world.status(arn) == "PendingManualApproval"


def test_an_approval_that_overlooks_what_its_evidence_asks_is_found():
    world = World(metrics=[{"name": "accuracy", "path": "accuracy", "suspicious": 0.1}])
    compared.approved(world, "churn/1", {"accuracy": 0.6})
    arn = compared.submitted(world, "churn/2", {"accuracy": 0.9})
    history = world.history(arn)
    world.decide(arn, "approve", accepts=["suspicious:accuracy"])
    assert audited(world) == []
    made = world.history(arn).last(Kind.DECISION_RECORDED)
    assert made
    said = {name: value for name, value in made.details.items() if name != "accepts"}
    forged = history.extended([Draft(made.kind, made.actor, said)], world.clock())
    world.ledger.histories[history.package] = forged
    # As if it were the deciding function itself that was wrong.
    world.vault.write(DECISIONS, forged.entries[-1].content)
    (found,) = [each for each in audited(world) if each.name == "NotAllowed"]
    assert (found.entry, found.because.rpartition(" asks about: ")[2]) == (made.sequence, "suspicious:accuracy")


@pytest.mark.parametrize(
    ("verb", "said", "because"),
    [
        ("rollback", {"votes": [APPROVER, BEN, MALLORY]}, "counts the votes"),
        ("rollback", {"votes": [MALLORY], "anew": True}, "had not lapsed"),
        ("revoke", {"revoked_for": "superseded", "channel": "policy"}, "was not why it was due"),
    ],
    ids=["with the votes of before", "as if it had lapsed", "for another reason"],
)
def test_a_revocation_that_one_person_undid_is_found(verb: str, said: dict[str, Any], because: str):
    world = World(approvals={"needed": 2, "revocation": {"after": "P30D", "superseded": True}})
    arn = world.pending()
    for each in (APPROVER, BEN):
        world.decide(arn, "approve", each)
    world.deliver()
    if verb == "rollback":
        world.decide(arn, "revoke", BEN)
    else:
        world.clock.forward(days=31)
    made = {**world.history(arn).state.decision, **said, "decision": verb, "id": "i" * 64, "proof": "p" * 64}
    made = {name: value for name, value in made.items() if name not in {"approver", "time"}}
    key, forged = key_of(world), len(world.history(arn).entries) + 1
    drafts = [Draft(Kind.DECISION_RECORDED, MALLORY if verb == "rollback" else "signoff", {**made, "person": MALLORY})]
    world.ledger.histories[key] = world.history(arn).extended(drafts, world.clock())
    assert [finding.name for finding in audited(world) if because in finding.because] == ["NotAllowed"]
    assert {finding.entry for finding in audited(world) if because in finding.because} == {forged}


@pytest.mark.parametrize("counts", [True, False])
def test_a_vote_set_in_the_registry_is_judged_by_whether_its_policy_counted_those_then(counts: bool):
    edits = {"registry_edits": "count"} if counts else {}
    world = World(approvals={"approvers": [APPROVER], **edits})
    arn = world.pending()
    world.decide(arn, "approve")
    approved, key = world.history(arn), key_of(world)
    made = next(entry for entry in approved.entries if entry.kind is Kind.DECISION_RECORDED)
    said = {name: value for name, value in made.details.items() if name not in {"id", "proof", "signed", "standing"}}
    before = History(key, tuple(entry for entry in approved.entries if entry.sequence < made.sequence))
    drafts = [
        Draft(made.kind, made.actor, {**said, "channel": "registry"}),
        Draft(Kind.REGISTRY_UPDATED, "signoff", {}),
    ]
    drafts[1].details["status"] = "Approved"
    world.ledger.histories[key] = before.extended(drafts, world.clock())
    found = [each.because for each in audited(world) if (each.entry, each.name) == (made.sequence, "NotAllowed")]
    assert [("registry" in because) for because in found] == ([] if counts else [True])


@pytest.mark.parametrize("actor", [SUBMITTER, MALLORY])
def test_an_approval_by_somebody_who_may_not_is_found(actor: str):
    world = World(approvals={"approvers": [APPROVER, SUBMITTER]})
    arn = world.pending()
    other = World(approvals={"approvers": [APPROVER, SUBMITTER]})
    other.decide(other.pending(), "approve")
    details = other.history(arn_of(other)).entries[3].details
    forged = {**details, "person": actor, "votes": [actor]}
    key = key_of(world)
    world.ledger.histories[key] = world.history(arn).extended(
        [Draft(Kind.DECISION_RECORDED, actor, forged)], world.clock()
    )
    expected = "who submitted the model" if actor == SUBMITTER else "not among the approvers"
    found = [finding for finding in audited(world) if expected in finding.because]
    assert [(finding.name, finding.entry) for finding in found] == [("NotAllowed", 4)]


def test_an_approval_by_the_submitter_under_another_name_is_found():
    world = World()
    arn = world.pending()
    submitted = world.history(arn).entries[0].details["user_id"]
    world.decide(arn, "approve", MALLORY)
    *before, approval, _ = world.history(arn).entries
    assert approval.kind is Kind.DECISION_RECORDED
    forged = Draft(approval.kind, approval.actor, {**approval.details, "user_id": submitted})
    world.ledger.histories[key_of(world)] = History(key_of(world), tuple(before)).extended([forged], world.clock())
    found = [finding for finding in audited(world) if "who submitted the model" in finding.because]
    assert [(finding.name, finding.entry) for finding in found] == [("NotAllowed", approval.sequence)]


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        (Kind.MODEL_CREATED, {"model": {"name": "m", "arn": "arn:m"}}),
        (Kind.REGISTRY_OBSERVED, {"found": "Approved", "last_modified_by": None}),
        (Kind.EXPIRED, {"reason": "r"}),
        (Kind.ENFORCEMENT_CHANGED, {"enforced": False}),
        (Kind.EVIDENCE_RECORDED, {"attempt": 2, "verdict": "passed", "checks": [], "subject": "s", "uri": "u"}),
        (Kind.REGISTRY_UPDATED, {"policy": None}),
    ],
)
def test_an_entry_that_could_not_have_been_written_is_found_although_every_hash_is_right(kind: Kind, details: Any):
    world = World()
    arn = world.pending()
    history = world.history(arn)
    policy = history.state.policy
    row = world.ledger.indexed(key_of(world))
    world.ledger.indexed = lambda _: row  # type: ignore[method-assign]
    forged = [Draft(kind, "signoff", {"policy": policy, **details})]
    world.ledger.histories[key_of(world)] = history.extended(forged, world.clock())
    assert len(history.entries) + 1 in {each.entry for each in audited(world)}


def test_a_proof_that_answers_twice_is_found():
    world = World(approvals={"needed": 2})
    arn = world.pending()
    world.decide(arn, "approve")
    vote = world.history(arn).entries[-1]
    forged = Draft(Kind.VOTED, BEN, {**vote.details, "person": BEN})
    world.ledger.histories[key_of(world)] = world.history(arn).extended([forged], world.clock())
    assert {each.entry for each in audited(world) if each.name == "ProofUsedTwice"} == {5}


# Heads


@pytest.mark.parametrize("written", [f"99.{'a' * 64}", f"2.{'a' * 64}", "none of ours"])
def test_a_head_in_the_registry_that_was_changed_is_found(world: World, written: str):
    world.registry.by_hand(arn_of(world), CustomerMetadataProperties={checkpoints.METADATA: written})
    expected = {"9": "EntriesMissing", "2": "ChainRewritten", "n": "HeadMissing"}[written[0]]
    assert names(audited(world)) == [expected]


def test_a_head_in_the_registry_that_was_removed_is_found(world: World):
    world.registry.by_hand(arn_of(world), CustomerMetadataPropertiesToRemove=[checkpoints.METADATA])
    assert names(audited(world)) == ["HeadMissing"]


def two_more_days(world: World) -> list[str]:
    for _ in range(2):
        world.clock.forward(days=1)
        assert world.daily_checkpoint.write_once()
    return world.vault.keys("heads/")


@pytest.mark.parametrize("position", [0, 1, 2])
def test_heads_that_were_replaced_in_the_vault_are_found(world: World, position: int):
    key = two_more_days(world)[position]
    document = json.loads(world.vault_bucket.get(key) or b"")
    world.vault_bucket.put(key, canonical({**document, "heads": []}))
    finding = one(audited(world), "HeadsChanged")
    assert finding.about == key


@pytest.mark.parametrize("position", [0, 1])
def test_heads_that_were_changed_in_place_are_found_by_the_next(world: World, position: int):
    keys = two_more_days(world)
    version = world.vault_bucket.versions[keys[position]][-1]
    version.data = canonical({**json.loads(version.data), "time": "?"})
    assert one(audited(world), "HeadsChanged").about == keys[position]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_heads_that_were_removed_from_the_vault_are_found(world: World, position: int):
    del world.vault_bucket.versions[two_more_days(world)[position]]
    if position == 2:
        world.clock.forward(days=1)  # of the last day it is known a day later
    assert set(names(audited(world))) <= {"HeadsMissing", "HeadsChanged"}
    assert len(audited(world)) == 1


def test_heads_that_nobody_can_have_written_are_found(world: World):
    two_more_days(world)
    version = world.vault_bucket.versions[world.vault.keys("heads/")[2]][-1]
    document = json.loads(version.data)
    version.data = canonical({**document, "heads": [[key_of(world), 2, "a" * 64]]})
    assert one(audited(world), "ChainRewritten").entry == 2
    version.data = b"{"
    assert "HeadsChanged" in names(audited(world))


def test_heads_that_are_not_locked_are_found(world: World):
    world.vault_bucket.versions[world.vault.keys("heads/")[0]][-1].retained_until = None
    assert names(audited(world)) == ["HeadsUnlocked"]


def test_a_vault_without_any_heads_is_found(world: World):
    for key in world.vault.keys("heads/"):
        del world.vault_bucket.versions[key]
    world.clock.forward(days=2)
    assert names(audited(world)) == ["HeadsMissing"]


# The vault


def key_under(world: World, prefix: str) -> str:
    return next(key for key in world.vault_bucket.versions if key.startswith(prefix))


@pytest.mark.parametrize("annotated", [False, True])
def test_evidence_that_passed_what_nobody_submitted_is_found(monkeypatch: pytest.MonkeyPatch, annotated: bool):
    world = World()
    arn = world.pending()
    specification = world.registry.describe(arn)["InferenceSpecification"]
    if annotated:
        world.annotate(arn, by=SUBMITTER, add_specifications=[{"Name": "other", **specification}])
    else:
        monkeypatch.setattr("signoff.validation.make_evidence._differences", lambda *_: [])
        specification["Containers"][0]["Environment"] = {"LD_PRELOAD": "evil.so"}
        world.registry.by_hand(arn, MALLORY, InferenceSpecification=specification)
    world.deliver()
    world.decide(arn, "approve")
    world.deliver()
    found = audited(world)
    assert names(found) == ([] if annotated else ["SubjectDiffers"])
    assert annotated or "InferenceSpecification differ" in one(found, "SubjectDiffers").because


@pytest.mark.parametrize(("prefix", "name"), [("evidence/", "Evidence"), ("policies/", "Policy")])
def test_a_document_that_was_replaced_or_removed_is_found_with_the_first_entry_that_names_it(
    world: World, prefix: str, name: str
):
    key = key_under(world, prefix)
    document = json.loads(world.vault_bucket.get(key) or b"")
    world.vault_bucket.put(key, canonical({**document, "description": "another"}))
    entry = {"evidence/": 3, "policies/": 2}[prefix]
    assert next(each.entry for each in audited(world) if each.name == f"{name}Changed") == entry
    del world.vault_bucket.versions[key]
    assert next(each.entry for each in audited(world) if each.name == f"{name}Missing") == entry


def test_evidence_of_another_package_is_found(world: World):
    other = world.submit("churn/run-8")
    world.deliver()
    theirs = next(e for e in world.history(other).entries if e.kind is Kind.EVIDENCE_RECORDED).details
    changed = entries(world)
    changed[2] = replace(changed[2], details=theirs)
    changed[3] = replace(changed[3], details={**changed[3].details, "evidence": theirs["sha256"]})
    resealed(world, changed)
    finding = one(audited(world), "EvidenceOfAnother")
    assert finding.entry == 3
    assert "package" in finding.because


def test_a_registration_that_was_replaced_or_removed_is_found(world: World):
    key = next(key for key in world.vault_bucket.versions if key.count("/") == 1 and key.startswith("registrations/"))
    document = json.loads(world.vault_bucket.get(key) or b"")
    world.vault_bucket.put(key, canonical({**document, "submitter": BEN}))
    assert "submitter" in one(audited(world), "RegistrationChanged").because
    world.vault_bucket.put(key, canonical({**document, "objects": []}))
    assert "versions" in one(audited(world), "RegistrationChanged").because
    del world.vault_bucket.versions[key]
    assert one(audited(world), "RegistrationMissing").entry == 1


def test_an_object_that_was_forced_under_a_key_of_the_vault_is_found(world: World):
    world.vault_bucket.put(key_under(world, "models/"), b"other weights")
    finding = one(audited(world), "VaultChanged")
    assert (finding.entry, "another version" in finding.because) == (3, True)


def test_an_object_that_is_gone_from_the_vault_is_found(world: World):
    del world.vault_bucket.versions[next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))]
    assert "gets nothing" in one(audited(world), "VaultChanged").because


def test_what_was_never_approved_may_have_expired(world: World):
    world.decide(world.pending(prefix="churn/run-8"), "reject")
    world.deliver()
    before = audited(world)
    copies = [key for key, found in world.vault_bucket.versions.items() if "until-decided" in found[-1].tags.values()]
    for key in copies:
        del world.vault_bucket.versions[key]
    assert len(copies) >= 2
    assert audited(world) == before


def test_bytes_that_changed_although_no_version_did_are_found_if_they_are_read(world: World):
    key = next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))
    world.vault_bucket.versions[key][-1].data = b"rotten"
    assert audited(world, bytes_too=False) == []
    assert "other bytes" in one(audited(world), "VaultChanged").because


# SageMaker


def test_a_status_that_was_set_by_hand_while_nobody_answered_is_found():
    world = World()
    arn = world.pending()
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    assert names(audited(world)) == ["StatusDiffers"]
    world.deliver()
    assert audited(world) == []


def test_a_specification_that_was_changed_is_found(world: World):
    specification = world.registry.describe(arn_of(world))["InferenceSpecification"]
    changed = {**specification, "SupportedContentTypes": ["application/json"]}
    world.registry.by_hand(arn_of(world), InferenceSpecification=changed)
    assert "inference_specification" in one(audited(world), "SpecificationDiffers").because


@pytest.mark.parametrize("name", ["evidence", "subject", "verdict"])
def test_metadata_that_was_changed_or_removed_is_found(world: World, name: str):
    world.registry.by_hand(arn_of(world), CustomerMetadataProperties={f"signoff:{name}": "forged"})
    assert f"signoff:{name} is forged" in one(audited(world), "MetadataDiffers").because
    world.registry.by_hand(arn_of(world), CustomerMetadataPropertiesToRemove=[f"signoff:{name}"])
    assert f"signoff:{name} is missing" in one(audited(world), "MetadataDiffers").because


@pytest.mark.parametrize("key", ["signoff:registration", "signoff:other", "Signoff:Evidence"])
def test_metadata_in_signoffs_name_is_found(world: World, key: str):
    world.registry.by_hand(arn_of(world), CustomerMetadataProperties={key: "forged"})
    assert key in one(audited(world), "MetadataDiffers").because


def test_a_package_that_is_gone_although_no_entry_says_so_is_found(world: World):
    world.registry.delete_package(arn_of(world))
    assert names(audited(world)) == ["PackageMissing"]
    world.sweep()
    assert audited(world) == []


def test_a_model_that_is_gone_or_another_is_found(world: World):
    (name,) = world.registry.models
    model = world.registry.models.pop(name)
    assert one(audited(world), "ModelMissing").entry == 6
    container = {**model["PrimaryContainer"], "ModelPackageName": "arn:other"}
    world.registry.models[name] = {**model, "PrimaryContainer": container}
    assert "PrimaryContainer.ModelPackageName" in one(audited(world), "ModelDiffers").because
    world.registry.models[name] = {**model, "EnableNetworkIsolation": False}
    assert "EnableNetworkIsolation" in one(audited(world), "ModelDiffers").because


def test_a_model_that_is_there_although_nothing_stands_is_found(world: World):
    (name,) = world.registry.models
    model = world.registry.models[name]
    world.decide(arn_of(world), "revoke")
    world.deliver()
    assert audited(world) == []
    world.registry.models[name] = model
    assert one(audited(world), "ModelWithoutApproval").about == key_of(world)


def test_a_decision_that_another_function_wrote_is_found():
    world = World(approvals={"needed": 2})
    arn = world.pending()
    world.decide(arn, "approve")
    world.decide(arn, "approve", EVE)
    world.deliver()
    assert audited(world) == []
    for position, kind in ((4, Kind.VOTED), (5, Kind.DECISION_RECORDED)):
        entry = world.history(arn).entries[position - 1]
        kept = world.vault_bucket.versions.pop(f"{DECISIONS}/{entry.hash}.json")
        (found,) = audited(world)
        assert (entry.kind, found.name, found.entry) == (kind, "DecisionUnwitnessed", position)
        world.vault_bucket.versions[f"{DECISIONS}/{entry.hash}.json"] = kept


def test_a_package_without_room_for_a_head_fails_by_name_and_is_not_reported_as_tampered_with():
    world = World()
    world.set_policy("groups/churn")
    full = {f"k{number}": "v" for number in range(50)}
    arn = world.elsewhere(CustomerMetadataProperties=full)
    world.deliver()
    (check,) = [each for each in world.state(arn).evidence["checks"] if each["status"] == "failed"]
    assert check["name"] == "metadata"
    assert "remove 8 (`signoff annotate --remove`)" in check["reason"]
    assert world.status(arn) == "Rejected"
    assert audited(world) == []
    world.annotate(arn, remove=sorted(full)[:8], reason="make room")
    world.validate(arn, reason="again")
    world.deliver()
    assert checkpoints.METADATA in world.registry.described[arn]["CustomerMetadataProperties"]
    assert audited(world) == []
    world.registry.by_hand(arn, CustomerMetadataPropertiesToRemove=[checkpoints.METADATA])
    assert names(audited(world)) == ["HeadMissing"]


def test_findings_in_the_image_of_a_package_that_was_not_approved_are_not_allowed():
    world = World()
    arn = world.pending()
    found = Draft(Kind.IMAGE_FINDINGS_CHANGED, "signoff", {"found": ["CVE-1"]})
    world.ledger.histories[key_of(world)] = world.history(arn).extended([found], world.clock())
    (finding,) = [each for each in audited(world) if each.entry == len(world.history(arn).entries)]
    assert (finding.name, "for a package that was PendingApproval" in finding.because) == ("NotAllowed", True)
