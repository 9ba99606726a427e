"""Who submits: whoever signed exactly these bytes for exactly this submission, by the word of STS, and nobody else."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.errors import Transient
from signoff.policy.policy import of_document
from signoff.policy.submitters import refusal
from tests.support.depth import examples
from tests.support.interruptions import Died
from tests.support.model_shapes import checks
from tests.support.signing import (
    EVE,
    JOB,
    MODEL_KEY,
    OBJECTS,
    OTHER,
    PREFIX,
    PROFILE,
    SIGNED_KEY,
    STRANGERS,
    THEIRS,
    faults,
    refused,
    registration,
    upload,
)
from tests.support.world import APPROVER, MANIFEST, MODEL, QUALITY, ROLE, SUBMITTER, World

# Who signed is who submits


def test_who_signed_is_in_the_ledger_and_what_they_signed_in_the_vault():
    world = World()
    arn = world.submit()
    first, document = world.history(arn).entries[0], registration(world)
    assert (first.details["submitter"], first.details["channel"]) == (SUBMITTER, "proof")
    assert document["submitter"] == SUBMITTER
    assert document["digests"] == world.submission(PREFIX, OBJECTS)["objects"]
    assert set(document["signed"]) == {"id", "proof", "time", "user_id"}
    assert document["signed"]["user_id"] == first.details["user_id"]
    assert first.details["user_id"].startswith("AIDA")
    assert document["signed"]["time"] == world.submission(PREFIX, OBJECTS)["time"]


def test_no_proof_is_kept():
    world = World()
    world.approved()
    kept = b"".join(version.data for found in world.vault_bucket.versions.values() for version in found)
    told = str([history.entries for history in world.ledger.histories.values()]).encode()
    assert b"sts.us-east-1" not in kept + told
    assert b"X-Amz" not in kept + told


def test_what_somebody_writes_without_signing_makes_nobody_the_submitter():
    world = World()
    world.registry.create_group("churn")
    plain = {f"{PREFIX}/{name}": data for name, data in OBJECTS.items()}
    upload(world, {SIGNED_KEY: {"submitter": SUBMITTER, "objects": ["model.tar.gz"]}, **plain})
    (arn,) = world.registry.described
    details = world.history(arn).entries[0].details if world.deliver() is None else {}
    assert (details["submitter"], "channel" in details) == (None, False)


def test_a_person_of_identity_center_is_known_by_whichever_session_signed():
    world = World()
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Data_0123456789abcdef/sam@example.com"
    upload(world, world.signed(PREFIX, OBJECTS, by=session))
    (arn,) = world.registry.described
    world.deliver()
    own = session.replace("Data_0123456789abcdef", "Admin_fedcba9876543210")
    assert world.state(arn).submitter == session
    assert world.decide(arn, "approve", own).name == "OwnModel"


def test_sts_is_asked_once_however_many_objects_come_after():
    world = World()
    files = world.signed(PREFIX, OBJECTS)
    upload(world, {SIGNED_KEY: files[SIGNED_KEY], **files})
    upload(world, {MODEL_KEY: MODEL})
    assert len(world.sts.requests) == 1


def test_when_sts_gives_no_answer_the_upload_is_looked_at_again():
    world = World()
    files = world.files(PREFIX)

    def cut_off() -> None:
        raise ConnectionError("reset")

    world.interruptions.before["FakeSts.send"] = cut_off
    with pytest.raises(Transient):
        upload(world, files)
    assert world.refusals(f"submission:{PREFIX}") == []
    assert world.registrar.uploaded(SIGNED_KEY).startswith("registered as")


def test_a_registration_that_died_and_is_tried_again_after_the_quarter_of_an_hour_still_knows_who_signed():
    world = World()
    files = world.files(PREFIX)
    for key, data in files.items():
        world.put(key, data)
    world.interruptions.before["FakeBucket.copy_from"] = died
    with pytest.raises(Died):
        world.registrar.uploaded(SIGNED_KEY)
    world.clock.forward(hours=2)
    assert world.registrar.uploaded(MODEL_KEY).startswith("registered as")
    assert registration(world)["submitter"] == SUBMITTER


def died() -> None:
    raise Died


# Not before it is signed, and not never


def test_what_is_uploaded_to_be_signed_waits_for_the_signature():
    world = World()
    *others, _ = world.files(PREFIX).items()
    assert upload(world, dict(others)) == "waits for submission.json"
    assert world.submissions.rows[PREFIX]["missing"] == ["submission.json"]
    world.sweep()
    assert world.registry.described == {}


def test_what_is_uploaded_to_be_signed_waits_without_a_manifest_too():
    world = World(registration_defaults={"InferenceSpecification": MANIFEST["InferenceSpecification"]})
    files = world.signed(PREFIX, {"model.tar.gz": MODEL})
    assert world.upload(MODEL_KEY, MODEL) == "waits for submission.json"
    assert world.upload(SIGNED_KEY, files[SIGNED_KEY]).startswith("registered as")


@pytest.mark.parametrize("order", list(itertools.permutations(["model.tar.gz", "manifest.json", "submission.json"])))
def test_a_manifest_that_was_signed_is_waited_for_where_defaults_would_do(order: tuple[str, ...]):
    world = World(registration_defaults={"Domain": "COMPUTER_VISION", **MANIFEST})
    objects = {
        "model.tar.gz": MODEL,
        "quality.json": QUALITY,
        "manifest.json": {"Domain": "NATURAL_LANGUAGE_PROCESSING"},
    }
    files = world.signed(PREFIX, objects)
    world.put(f"{PREFIX}/quality.json", QUALITY)
    upload(world, {f"{PREFIX}/{name}": files[f"{PREFIX}/{name}"] for name in order})
    (described,) = world.registry.described.values()
    assert described["Domain"] == "NATURAL_LANGUAGE_PROCESSING"


def test_a_list_that_nobody_signed_does_not_stand_in_for_the_signature_to_come():
    told = refused(World(), {"objects": ["model.tar.gz", "quality.json"]})
    assert told.startswith("Unproven: its objects were uploaded to be signed")


def test_a_signature_that_comes_after_the_registration_is_told_that_it_is_too_late():
    world = World()
    world.registry.create_group("churn")
    plain = {f"{PREFIX}/{name}": data for name, data in OBJECTS.items()}
    assert upload(world, plain).startswith("registered as")
    told = world.upload(SIGNED_KEY, world.submission(PREFIX, OBJECTS))
    assert "the submission is closed" in told
    assert registration(world)["submitter"] is None


def test_an_object_that_the_manifest_needs_and_nobody_signed_is_refused():
    world = World()
    some = {name: OBJECTS[name] for name in ("manifest.json", "quality.json")}
    upload(world, {**world.signed(PREFIX, OBJECTS), **world.signed(PREFIX, some)})
    assert faults(world)["objects"] == "submission.json does not sign model.tar.gz, which the manifest names"
    assert world.registry.described == {}


def test_a_refused_submission_is_registered_once_it_is_signed_rightly():
    world = World()
    refused(world, world.submission(OTHER, OBJECTS))
    assert world.upload(SIGNED_KEY, world.submission(PREFIX, OBJECTS)).startswith("registered as")


# Who may submit


def policy(**fields: Any) -> Any:
    return of_document({"deployment": {"execution_role": ROLE}, **fields})


LISTED = {"submissions": {"submitters": [SUBMITTER, "arn:aws:iam::123456789012:role/Training"]}}
KNOWN = {"approvals": {"unknown_submitter": "refuse"}}


@pytest.mark.parametrize(
    ("fields", "submitter", "taken"),
    [
        ({}, SUBMITTER, True),
        ({}, EVE, True),
        ({}, None, True),
        (LISTED, SUBMITTER, True),
        (LISTED, EVE, False),
        (LISTED, JOB, True),
        (LISTED, JOB.replace("Training", "Other"), False),
        (LISTED, None, False),
        (LISTED, PROFILE, False),
        ({"submissions": {"submitters": [PROFILE]}}, PROFILE, True),
        (KNOWN, SUBMITTER, True),
        (KNOWN, None, False),
        (KNOWN, JOB, False),
        (KNOWN, PROFILE, False),
        ({"approvals": {**KNOWN["approvals"], "trusted_sessions": ["arn:aws:iam::*:role/Training"]}}, JOB, True),
        ({**LISTED, **KNOWN}, JOB, True),
        ({**LISTED, **KNOWN}, JOB.replace("Training", "Other"), False),
        ({**LISTED, **KNOWN}, None, False),
        ({**LISTED, **KNOWN}, PROFILE, False),
    ],
)
def test_a_policy_takes_submissions_of_those_it_lists_and_may_refuse_those_nobody_knows(
    fields: dict[str, Any], submitter: str | None, taken: bool
):
    assert (refusal(policy(**fields), submitter) is None) is taken


def test_a_submission_of_somebody_who_is_not_listed_is_refused():
    world = World(**LISTED)
    upload(world, world.signed(PREFIX, OBJECTS, by=EVE))
    assert EVE in faults(world)["submitter"]
    assert world.inbox.tags(SIGNED_KEY)["signoff:registration"] == "refused"
    assert world.registry.described == {}


@pytest.mark.parametrize("by", [None, JOB])
def test_a_submission_of_nobody_is_refused_where_the_policy_says_so(by: str | None):
    world = World(**KNOWN)
    plain = {f"{PREFIX}/{name}": data for name, data in OBJECTS.items()}
    upload(world, world.signed(PREFIX, OBJECTS, by=by) if by else plain)
    assert "it is not known who submitted this" in faults(world)["submitter"]
    assert world.registry.described == {}


@pytest.mark.parametrize(("fields", "by"), [(LISTED, EVE), (KNOWN, None)])
def test_where_the_policy_only_reports_it_is_registered_and_the_check_says_so(fields: dict[str, Any], by: str | None):
    world = World(mode="report", **fields)
    world.registry.create_group("churn")
    plain = {f"{PREFIX}/{name}": data for name, data in OBJECTS.items()}
    upload(world, world.signed(PREFIX, OBJECTS, by=by) if by else plain)
    (arn,) = world.registry.described
    world.deliver()
    assert "submitter" in checks(world, arn)


@pytest.mark.parametrize(("fields", "passed"), [({}, True), (LISTED, False), (KNOWN, True)])
def test_who_registers_elsewhere_has_to_be_somebody_who_may_submit(fields: dict[str, Any], passed: bool):
    world = World()
    world.set_policy("groups/churn", **fields)
    arn = elsewhere(world, {"IamIdentity": {"Arn": EVE}})
    assert (world.state(arn).status == "PendingApproval", "submitter" in checks(world, arn)) == (passed, not passed)
    first = world.history(arn).entries[0].details
    assert (first["submitter"], first["channel"]) == (EVE, "registry")


@pytest.mark.parametrize("created_by", [{}, {"UserProfileArn": PROFILE}, {"IamIdentity": {"Arn": JOB}}])
def test_who_registers_elsewhere_and_is_nobody_known_is_refused_where_the_policy_says_so(created_by: dict[str, Any]):
    world = World()
    world.set_policy("groups/churn", **KNOWN)
    arn = elsewhere(world, created_by)
    assert world.state(arn).status == "ValidationFailed"
    assert "it is not known who submitted this" in checks(world, arn)["submitter"]


def elsewhere(world: World, created_by: dict[str, Any]) -> str:
    arn = world.elsewhere()
    world.registry.described[arn]["CreatedBy"] = created_by
    world.deliver()
    return arn


# From other accounts


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, False),
        ({"accounts": {"submit": [THEIRS]}}, True),
        ({"accounts": {"deploy": [THEIRS]}}, True),
        ({"accounts": {"submit": ["999999999999"]}}, False),
        ({"mode": "report"}, False),
    ],
)
def test_people_of_another_account_submit_to_groups_that_are_open_to_it(fields: dict[str, Any], taken: bool):
    world = World(**fields)
    upload(world, world.signed(PREFIX, OBJECTS, by=STRANGERS))
    assert bool(world.registry.described) is taken
    assert taken or f"{STRANGERS} belongs to account {THEIRS}" in faults(world)["submitter"]


# Whatever anybody uploads in whatever order


UPLOADS = st.sampled_from(
    [
        *[("sam", name) for name in (*OBJECTS, "submission.json")],
        *[("eve", name) for name in (*OBJECTS, "submission.json")],
        *[("nobody", name) for name in OBJECTS],
    ]
)
BETTER = {**OBJECTS, "model.tar.gz": MODEL + b"\0", "manifest.json": {**MANIFEST, "ModelPackageDescription": "evil"}}


def kept_bytes(world: World, known: dict[str, Any]) -> bytes | None:
    """The bytes that the vault has of an object: its copy, or the manifest that stands in the registration."""
    if "content" in known:
        return str(known["content"]).encode()
    return world.vault_bucket.get(known["vault"]["uri"].removeprefix("s3://vault/"))


@given(st.lists(st.one_of(UPLOADS, st.integers(1, 20)), max_size=14))
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whoever_is_the_submitter_of_a_package_that_passes_signed_every_byte_of_it(events: list[Any]):
    world = World()
    for event in [*events, ("sam", "submission.json"), *[("sam", name) for name in OBJECTS]]:
        if isinstance(event, int):
            world.clock.forward(minutes=event)
            continue
        who, name = event
        objects, by = (OBJECTS, SUBMITTER) if who == "sam" else (BETTER, EVE)
        signed = world.submission(PREFIX, objects, by)
        world.upload(f"{PREFIX}/{name}", signed if name == "submission.json" else objects[name])
    world.deliver()
    for arn in world.registry.described:
        kept, state = registration(world), world.state(arn)
        passed = state.status == "PendingApproval"
        said = {SUBMITTER: OBJECTS, EVE: BETTER}.get(state.submitter or "", {})
        found = {known["name"]: kept_bytes(world, known) for known in kept["objects"]}
        expected = {name: data if isinstance(data, bytes) else json.dumps(data).encode() for name, data in said.items()}
        assert not passed or state.submitter is None or found == expected


def test_nobody_else_completes_what_was_uploaded_to_be_signed_by_somebody():
    world = World()
    files = world.files(PREFIX)
    rightful = files.pop(SIGNED_KEY)
    upload(world, files)
    told = world.upload(SIGNED_KEY, world.submission(PREFIX, OBJECTS, by=EVE))
    assert f"was uploaded to be signed by {SUBMITTER}, but {EVE} signed it" in told
    assert world.registry.described == {}
    assert world.upload(SIGNED_KEY, rightful).startswith("registered as")
    assert registration(world)["submitter"] == SUBMITTER


def test_who_uploaded_in_one_session_may_sign_in_another():
    world = World()
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_{}_0123456789abcdef/sam@example.com"
    files = world.signed(PREFIX, OBJECTS, by=session.format("Data"))
    files[SIGNED_KEY] = world.submission(PREFIX, OBJECTS, by=session.format("Admin"))
    assert upload(world, files).startswith("registered as")


def test_an_approver_cannot_sign_for_a_submission_and_then_approve_it():
    world = World()
    upload(world, world.signed(PREFIX, OBJECTS, by=APPROVER))
    (arn,) = world.registry.described
    world.deliver()
    assert world.decide(arn, "approve", APPROVER).name == "OwnModel"
