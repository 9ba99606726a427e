"""Signatures of submissions that are none, that were taken from elsewhere, or whose objects were exchanged."""

import json
from typing import Any

import pytest

from signoff.validation.gates import object_checks
from tests.support.fake_sts import FakeSts
from tests.support.model_shapes import WEIGHTS, checks, files_of, manifest, source
from tests.support.signing import (
    EVE,
    JOB,
    MANIFEST_KEY,
    OBJECTS,
    OTHER,
    PREFIX,
    SIGNED_KEY,
    THEIRS,
    faults,
    refused,
    registration,
    upload,
)
from tests.support.world import BUS, IMAGE, MANIFEST, MODEL, QUALITY, SUBMITTER, World

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
    assert faults(world) == {"submission.json": f"manifest.json does not match what {SUBMITTER} signed"}
    assert world.registry.described == {}


def test_an_older_signature_does_not_stand_for_what_was_signed_later():
    world = World()
    old = world.files(PREFIX, ModelPackageDescription="old")
    new = world.files(PREFIX, Nonsense="refused, so that the submission stays open")
    upload(world, new)
    upload(world, {SIGNED_KEY: old[SIGNED_KEY]})
    assert faults(world) == {"submission.json": f"manifest.json does not match what {SUBMITTER} signed"}


@pytest.mark.parametrize(("name", "data"), [("model.tar.gz", MODEL + b"\0"), ("quality.json", {**QUALITY, "more": 1})])
def test_an_object_exchanged_after_it_was_signed_is_found_at_inspection(name: str, data: Any):
    world = World()
    *others, (last, mine) = world.files(PREFIX).items()
    upload(world, {**dict(others), f"{PREFIX}/{name}": data, last: mine})
    (arn,) = world.registry.described
    world.deliver()
    assert world.state(arn).status == "ValidationFailed"
    assert checks(world, arn)[f"submitter:{name}"] == f"{name} does not match what its submitter signed"


def with_other_report(world: World) -> str:
    """Submit with a report that is not the one that was signed, and which no container loads; return the package."""
    bias = {"Bias": {"Report": {"ContentType": "application/json", "S3Uri": "bias.json"}}}
    document = {**MANIFEST, "ModelMetrics": {**MANIFEST["ModelMetrics"], **bias}}
    files = world.signed(PREFIX, {**OBJECTS, "bias.json": {"bias": 1}, "manifest.json": document})
    upload(world, {**files, f"{PREFIX}/bias.json": {"bias": 0}, SIGNED_KEY: files[SIGNED_KEY]})
    (arn,) = world.registry.described
    world.deliver()
    return arn


def test_a_report_that_nothing_loads_is_compared_too():
    world = World()
    assert list(checks(world, with_other_report(world))) == ["submitter:bias.json"]
    assert not [key for key in world.vault_bucket.reads if key.endswith("bias.json")]


@pytest.mark.parametrize(
    ("limit", "words"), [(10_000, "does not match what its submitter signed"), (1, "submit it as smaller files")]
)
def test_a_report_that_s3_does_not_know_the_digest_of_is_read_and_fails_if_it_is_too_large(
    limit: int, words: str, monkeypatch: pytest.MonkeyPatch
):
    world = World()
    world.vault_bucket.checksums = False
    monkeypatch.setattr("signoff.validation.gates.DOCUMENT_LIMIT", limit)
    found = checks(world, with_other_report(world))
    assert words in found["submitter:bias.json"]
    assert "submitter:manifest.json" not in found  # which is read in any case


def test_each_object_under_a_prefix_is_compared():
    world = World()
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    files = files_of(world, document, WEIGHTS)
    signed = files.pop(SIGNED_KEY)
    upload(world, {**files, f"{PREFIX}/weights/model.bin": b"others", SIGNED_KEY: signed})
    (arn,) = world.registry.described
    world.deliver()
    assert checks(world, arn) == {
        "submitter:weights/model.bin": "weights/model.bin does not match what its submitter signed"
    }


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
    assert "was not signed by the package's submitter" in str(checks(world, arn))


def test_very_many_differences_fit_into_the_ledger():
    found = [(f"{'n' * 500}-{number:04}", "0" * 64) for number in range(1000)]
    told = object_checks({}, found)
    assert told[-1].reason == "980 more objects do not match what their submitter signed"
    assert len(json.dumps([check.document for check in told])) < 100_000


def test_a_proof_is_confirmed_while_it_is_valid_whatever_becomes_of_the_registration():
    world = World()
    files = world.files(PREFIX)
    for key, data in files.items():
        world.put(key, data)
    *_, signed = files

    outcome = world.signature_verifier.uploaded(signed)
    world.clock.forward(hours=1)  # RegisterModel died, and its message was hidden for a while

    assert outcome == "confirmed"
    assert world.registrar.uploaded(signed).startswith("registered as ")
    assert registration(world)["submitter"] == SUBMITTER


@pytest.mark.parametrize(("key", "data"), [("submission.json", b"no JSON"), ("submission.json", {"objects": {}})])
def test_a_submission_file_that_proves_nothing_is_left_to_the_registration(key: str, data: Any):
    world = World()
    world.put(f"{PREFIX}/{key}", data)
    assert world.signature_verifier.uploaded(f"{PREFIX}/{key}") != "confirmed"
    assert not world.ledger.histories
    assert not [key for key in world.vault_bucket.versions if key.startswith("signatures/")]


@pytest.mark.parametrize("key", [f"{PREFIX}/more/submission.json", "submission.json", f"{PREFIX}/submission.json"])
def test_only_the_submission_file_of_a_submission_that_is_there_is_asked_about(key: str):
    world = World()
    assert world.signature_verifier.uploaded(key) == "no signature"
    assert not world.sts.requests
