"""Who submits: whoever signed exactly these bytes for exactly this submission, by the word of STS, and nobody else."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.errors import Transient
from signoff.policy import of_document
from signoff.submission import REPORT
from signoff.submitters import object_checks, refusal
from tests.support.fake_sts import FakeSts
from tests.support.interruptions import Died
from tests.support.model_shapes import WEIGHTS, checks, files_of, manifest, source
from tests.support.world import APPROVER, BUS, IMAGE, MANIFEST, MODEL, QUALITY, ROLE, SUBMITTER, World

PREFIX, OTHER = "churn/run-7", "churn/run-8"
MANIFEST_KEY, MODEL_KEY, SIGNED_KEY = (
    f"{PREFIX}/{name}" for name in ("manifest.json", "model.tar.gz", "submission.json")
)
OBJECTS = {"model.tar.gz": MODEL, "quality.json": QUALITY, "manifest.json": MANIFEST}
EVE, JOB = "arn:aws:iam::123456789012:user/eve", "arn:aws:sts::123456789012:assumed-role/Training/job-1"
PROFILE = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-1/eve"
THEIRS = "210987654321"


def faults(world: World, prefix: str = PREFIX) -> dict[str, str]:
    report = json.loads(world.inbox.versions[f"{prefix}/{REPORT}"][-1].data)
    return {fault["path"]: fault["message"] for fault in report["faults"]}


def upload(world: World, files: dict[str, Any]) -> str:
    """Upload objects in their order and return what came of the last."""
    return [world.upload(key, data) for key, data in files.items()][-1]


def refused(world: World, signed: Any) -> str:
    """Upload all objects and then `signed` as submission.json; return what its sender reads of it."""
    upload(world, {**world.signed(PREFIX, OBJECTS), SIGNED_KEY: signed})
    assert world.registry.described == {}
    assert world.inbox.tags(SIGNED_KEY)["signoff:registration"] == "refused"
    return faults(world)["submission.json"]


def registration(world: World, prefix: str = PREFIX) -> dict[str, Any]:
    document: dict[str, Any] = world.vault.read_named(f"registrations/{world.submissions.rows[prefix]['attempt']}.json")
    return document


# Who signed is who submits


def test_who_signed_is_in_the_ledger_and_what_they_signed_in_the_vault():
    world = World()
    arn = world.submit()
    first, document = world.history(arn).entries[0], registration(world)
    assert (first.details["submitter"], first.details["channel"]) == (SUBMITTER, "proof")
    assert document["submitter"] == SUBMITTER
    assert document["digests"] == world.submission(PREFIX, OBJECTS)["objects"]
    assert set(document["signed"]) == {"id", "proof", "time"}
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
    assert world.registering.uploaded(SIGNED_KEY).startswith("registered as")


def test_a_registration_that_died_and_is_tried_again_after_the_quarter_of_an_hour_still_knows_who_signed():
    world = World()
    files = world.files(PREFIX)
    for key, data in files.items():
        world.put(key, data)
    world.interruptions.before["FakeBucket.copy_from"] = died
    with pytest.raises(Died):
        world.registering.uploaded(SIGNED_KEY)
    world.clock.forward(hours=2)
    assert world.registering.uploaded(MODEL_KEY).startswith("registered as")
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
    plain = {f"{PREFIX}/{name}": data for name, data in OBJECTS.items()}
    assert upload(world, plain).startswith("registered as")
    told = world.upload(SIGNED_KEY, world.submission(PREFIX, OBJECTS))
    assert "the submission is closed" in told
    assert registration(world)["submitter"] is None


def test_a_signed_object_that_is_not_there_is_waited_for_even_if_nothing_needs_it():
    world = World()
    files = world.signed(PREFIX, {**OBJECTS, "README.md": b"hello"})
    last = files.pop(f"{PREFIX}/README.md")
    assert upload(world, files) == "waits for README.md"
    assert world.upload(f"{PREFIX}/README.md", last).startswith("registered as")


def test_an_object_that_nobody_signed_and_nothing_needs_is_left_alone():
    world = World()
    world.put(f"{PREFIX}/stray.bin", b"?")
    assert world.submit(PREFIX)
    assert world.refusals(f"submission:{PREFIX}") == []


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


# Proofs that are none


def statement(**changed: Any) -> dict[str, Any]:
    """A statement as it ought to be, but for what is changed."""
    right = World().submission(PREFIX, OBJECTS)
    said = {name: right[name] for name in ("statement", "audience", "submission", "objects")}
    return {name: value for name, value in {**said, **changed}.items() if value is not None}


def as_another(**changed: Any) -> Any:
    """Sign, and say something else afterwards."""
    return lambda world: {**world.submission(PREFIX, OBJECTS), **changed}


def signed(by: str = SUBMITTER, **changed: Any) -> Any:
    """Sign something else."""
    return lambda world: world.sts.signed(statement(**changed), by=by)


def by_another_sts(region: str = "us-east-1", endpoint: str | None = None, by: str = SUBMITTER) -> Any:
    return lambda world: FakeSts(world.clock, region, endpoint).signed(statement(), by=by)


def edited(old: str, new: str) -> Any:
    def made(world: World) -> Any:
        right = world.submission(PREFIX, OBJECTS)
        return {**right, "proof": right["proof"].replace(old, new)}

    return made


def flipped(world: World) -> str:
    """The proof with another last digit."""
    proof = world.submission(PREFIX, OBJECTS)["proof"]
    return str(proof[:-1] + ("0" if proof[-1] != "0" else "1"))


def after_the_session_ended(world: World) -> Any:
    said = world.sts.signed(statement(), by=JOB)
    world.sts.expire(JOB)
    return said


def too_late(world: World) -> Any:
    said = world.submission(PREFIX, OBJECTS)
    world.clock.forward(minutes=16)
    return said


def too_early(world: World) -> Any:
    world.clock.forward(minutes=30)
    said = world.submission(PREFIX, OBJECTS)
    world.clock.forward(minutes=-30)
    return said


STRANGERS = f"arn:aws:iam::{THEIRS}:user/sam"
FORGED: dict[str, tuple[Any, str]] = {
    "no proof at all": (lambda world: statement(), "MalformedProof"),
    "a proof that is no URL": (as_another(proof=7), "MalformedProof"),
    "a proof with one parameter more": (edited("&X-Amz-Expires", "&Evil=1&X-Amz-Expires"), "MalformedProof"),
    "a time that is not the signature's": (as_another(time="2020-01-01T00:00:00Z"), "MalformedProof"),
    "another host": (edited("sts.us-east-1", "sts.evil"), "WrongHost"),
    "another region's endpoint": (by_another_sts("eu-west-1"), "WrongHost"),
    "another region": (by_another_sts("eu-west-1", "https://sts.us-east-1.amazonaws.com"), "WrongRegion"),
    "another action": (edited("GetCallerIdentity", "GetSessionToken"), "WrongAction"),
    "a digest that is not signed": (edited("host%3Bx-signoff-digest", "host"), "UnsignedDigest"),
    "another stack": (signed(audience=BUS.replace("us-east-1", "eu-west-1")), "WrongAudience"),
    "another account's stack": (signed(audience=BUS.replace("123456789012", THEIRS)), "WrongAudience"),
    "no audience": (signed(audience=None), "WrongAudience"),
    "a decision": (signed(statement="decision"), "WrongStatement"),
    "another submission": (signed(submission=OTHER), "WrongSubmission"),
    "a prefix of the submission": (signed(submission="churn/run"), "WrongSubmission"),
    "no submission": (signed(submission=None), "WrongSubmission"),
    "another submission, changed afterwards": (
        lambda world: {**world.submission(OTHER, OBJECTS), "submission": PREFIX},
        "NotProven",
    ),
    "one more object": (as_another(objects={**statement()["objects"], "evil.bin": "0" * 64}), "NotProven"),
    "another field": (as_another(comment="approved"), "NotProven"),
    "another signature": (lambda world: {**world.submission(PREFIX, OBJECTS), "proof": flipped(world)}, "NotProven"),
    "keys that nobody has": (by_another_sts(by=EVE), "NotProven"),
    "a session that ended": (after_the_session_ended, "NotProven"),
    "yesterday's": (too_late, "ProofExpired"),
    "tomorrow's": (too_early, "ProofNotYetValid"),
    "somebody else's name": (signed(submitter=EVE), "AnotherIdentity"),
    "a name that is none": (signed(submitter="sam"), "AnotherIdentity"),
    "a name of another kind": (signed(submitter={"arn": SUBMITTER}), "AnotherIdentity"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_proof_that_is_none_is_refused_by_name(forged: str):
    world = World()
    make, name = FORGED[forged]
    told = refused(world, make(world))
    assert told.split(":")[0] == name
    assert "AKIA" not in told


def test_what_came_too_late_is_to_be_signed_again():
    world = World()
    assert "sign again" in refused(world, too_late(world))


def test_who_signed_may_say_so():
    world = World()
    upload(world, world.signed(PREFIX, OBJECTS, submitter=SUBMITTER))
    assert registration(world)["submitter"] == SUBMITTER


@pytest.mark.parametrize(
    "objects", [None, ["model.tar.gz"], {"model.tar.gz": "short"}, {"model.tar.gz": "A" * 64}, 7, {"a": 1}]
)
def test_whoever_signs_gives_the_sha256_of_each_object(objects: Any):
    world = World()
    upload(world, {**world.signed(PREFIX, OBJECTS), SIGNED_KEY: signed(objects=objects)(world)})
    assert "SHA-256" in faults(world)["objects"]
    assert world.registry.described == {}


def test_signed_names_are_plain_like_all_others():
    world = World()
    objects = {**statement()["objects"], "../up": "0" * 64}
    upload(world, {**world.signed(PREFIX, OBJECTS), SIGNED_KEY: signed(objects=objects)(world)})
    assert "points outside its submission" in faults(world)["objects.../up"]


# Replays, and what is exchanged afterwards


def test_a_signature_does_not_move_to_another_submission():
    world = World()
    world.submit(PREFIX)
    upload(world, {**world.signed(OTHER, OBJECTS), f"{OTHER}/submission.json": world.submission(PREFIX, OBJECTS)})
    assert faults(world, OTHER)["submission.json"].startswith("WrongSubmission")
    assert len(world.registry.described) == 1


def test_a_signature_does_not_stand_for_another_manifest():
    world = World()
    files = world.files(PREFIX)
    upload(world, {**files, MANIFEST_KEY: {**MANIFEST, "ModelPackageDescription": "better"}})
    assert faults(world) == {"submission.json": f"manifest.json is not what {SUBMITTER} signed"}
    assert world.registry.described == {}


def test_an_older_signature_does_not_stand_for_what_was_signed_later():
    world = World()
    old = world.files(PREFIX, ModelPackageDescription="old")
    new = world.files(PREFIX, Nonsense="refused, so that the submission stays open")
    upload(world, new)
    upload(world, {SIGNED_KEY: old[SIGNED_KEY]})
    assert faults(world) == {"submission.json": f"manifest.json is not what {SUBMITTER} signed"}


@pytest.mark.parametrize(("name", "data"), [("model.tar.gz", MODEL + b"\0"), ("quality.json", {**QUALITY, "more": 1})])
def test_an_object_exchanged_after_it_was_signed_is_found_at_inspection(name: str, data: Any):
    world = World()
    *others, (last, mine) = world.files(PREFIX).items()
    upload(world, {**dict(others), f"{PREFIX}/{name}": data, last: mine})
    (arn,) = world.registry.described
    world.deliver()
    assert world.state(arn).status == "ValidationFailed"
    assert checks(world, arn)[f"submitter:{name}"] == f"{name} is not what its submitter signed"


def test_a_report_that_nothing_loads_is_compared_too():
    world = World()
    bias = {"Bias": {"Report": {"ContentType": "application/json", "S3Uri": "bias.json"}}}
    document = {**MANIFEST, "ModelMetrics": {**MANIFEST["ModelMetrics"], **bias}}
    files = world.signed(PREFIX, {**OBJECTS, "bias.json": {"bias": 1}, "manifest.json": document})
    upload(world, {**files, f"{PREFIX}/bias.json": {"bias": 0}, SIGNED_KEY: files[SIGNED_KEY]})
    (arn,) = world.registry.described
    world.deliver()
    assert list(checks(world, arn)) == ["submitter:bias.json"]


def test_each_object_under_a_prefix_is_compared():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    files = files_of(world, document, WEIGHTS)
    signed = files.pop(SIGNED_KEY)
    upload(world, {**files, f"{PREFIX}/weights/model.bin": b"others", SIGNED_KEY: signed})
    (arn,) = world.registry.described
    world.deliver()
    assert checks(world, arn) == {"submitter:weights/model.bin": "weights/model.bin is not what its submitter signed"}


def test_a_package_that_loads_something_else_by_now_is_not_what_its_submitter_signed():
    world = World()
    arn = world.pending()
    world.s3.bucket("pipelines").put("evil.tar.gz", MODEL)
    specification = dict(world.registry.describe(arn)["InferenceSpecification"])
    (container,) = specification["Containers"]
    specification["Containers"] = [{**container, "ModelDataUrl": "s3://pipelines/evil.tar.gz"}]
    world.registry.by_hand(arn, InferenceSpecification=specification)
    world.deliver()
    assert world.state(arn).status == "ValidationFailed"
    assert "is not among what the package's submitter signed" in str(checks(world, arn))


def test_very_many_differences_fit_into_the_ledger():
    found = [(f"{'n' * 500}-{number:04}", "0" * 64) for number in range(1000)]
    told = object_checks({}, found)
    assert told[-1].reason == "980 more objects are not what their submitter signed"
    assert len(json.dumps([check.document for check in told])) < 100_000


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
        (LISTED, None, True),
        (LISTED, PROFILE, True),
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
    assert "it is not known who submits this" in faults(world)["submitter"]
    assert world.registry.described == {}


@pytest.mark.parametrize(("fields", "by"), [(LISTED, EVE), (KNOWN, None)])
def test_where_the_policy_only_reports_it_is_registered_and_the_check_says_so(fields: dict[str, Any], by: str | None):
    world = World(mode="report", **fields)
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
    assert "it is not known who submits this" in checks(world, arn)["submitter"]


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
    assert taken or f"{STRANGERS} is of account {THEIRS}" in faults(world)["submitter"]


# Whatever anybody uploads in whatever order


UPLOADS = st.sampled_from(
    [
        *[("sam", name) for name in (*OBJECTS, "submission.json")],
        *[("eve", name) for name in (*OBJECTS, "submission.json")],
        *[("nobody", name) for name in OBJECTS],
    ]
)
BETTER = {**OBJECTS, "model.tar.gz": MODEL + b"\0", "manifest.json": {**MANIFEST, "ModelPackageDescription": "evil"}}


@given(st.lists(st.one_of(UPLOADS, st.integers(1, 20)), max_size=14))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
        found = {
            known["name"]: world.vault_bucket.get(known["vault"]["uri"].removeprefix("s3://vault/"))
            for known in kept["objects"]
        }
        expected = {name: data if isinstance(data, bytes) else json.dumps(data).encode() for name, data in said.items()}
        assert not passed or state.submitter is None or found == expected


def test_an_approver_cannot_sign_for_a_submission_and_then_approve_it():
    world = World()
    upload(world, world.signed(PREFIX, OBJECTS, by=APPROVER))
    (arn,) = world.registry.described
    world.deliver()
    assert world.decide(arn, "approve", APPROVER).name == "OwnModel"
