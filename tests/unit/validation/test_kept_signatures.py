"""Who submitted is who KeepSignature says: a RegisterModel that was taken over makes up nobody's submission."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from signoff.documents.canonical_json import digest
from signoff.governance.kept_signatures import SIGNATURES
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.submission import register_model
from signoff.submission.manifest import Manifest
from signoff.submission.signed_manifest import unlike_manifest
from tests.support.auditing import audited, names
from tests.support.validations import checks
from tests.support.world import APPROVER, SUBMITTER, World

EVE = "arn:aws:iam::123456789012:user/eve"
Answer = Callable[[Any], dict[str, Any]]


def invented(_: Any) -> dict[str, Any]:
    """What whoever took RegisterModel over says that KeepSignature answered."""
    return {"submitter": SUBMITTER, "user_id": "AIDAEXAMPLE", "id": "0" * 64, "proof": "1" * 64}


def taken_over(world: World, answer: Answer) -> str:
    """Submit as a RegisterModel does that makes up what KeepSignature says of the signature."""
    world.registrar.intake.signature_verifier._keep = answer  # type: ignore[method-assign]
    arn = world.submit(prefix="churn/run-8")
    world.deliver()
    return arn


def signatures(world: World) -> list[dict[str, Any]]:
    keys = [key for key in world.vault_bucket.versions if key.startswith(f"{SIGNATURES}/")]
    return [world.vault.read_named(key) for key in keys]


def lent(world: World, **changed: Any) -> Answer:
    """Return what answers with the real signature of another submission, except for what is `changed`."""
    world.submit(prefix="churn/run-7")
    (kept,) = signatures(world)
    return lambda _: {**kept, **changed}


def assert_unproven(world: World, arn: str, because: str) -> None:
    status, reason = checks(world, arn)["submitter"]
    assert (status, because in reason) == ("failed", True), reason
    assert world.state(arn).status is Status.VALIDATION_FAILED
    assert world.decide(arn, "approve", EVE).name == "ValidationFailed"


def test_what_sts_said_is_kept_with_all_that_was_signed_and_without_the_proof():
    world = World()
    world.pending()
    (kept,) = signatures(world)
    signed = world.files("churn/run-7")["churn/run-7/submission.json"]
    assert kept["submitter"] == SUBMITTER
    assert kept["statement"] == {name: value for name, value in signed.items() if name not in {"proof"}}
    assert signed["proof"] not in str(kept)


def test_a_signature_that_nobody_made_makes_nobody_a_submitter():
    world = World()
    arn = taken_over(world, invented)
    assert_unproven(world, arn, "KeepSignature was not asked")
    assert "SubmitterUnproven" in names(audited(world))


@pytest.mark.parametrize(("changed", "what"), [({}, "submission"), ({"user_id": "AIDAEVE"}, "user_id")])
def test_a_signature_for_another_submission_or_of_another_person_is_not_lent_to_this(changed: Any, what: str):
    world = World()
    assert_unproven(world, taken_over(world, lent(world, **changed)), what)


def test_a_signature_of_other_bytes_is_not_lent_to_these(monkeypatch: pytest.MonkeyPatch):
    world = World()
    monkeypatch.setattr("signoff.submission.object_list.digests", lambda _: {"manifest.json": "0" * 64})
    monkeypatch.setattr("signoff.submission.intake._unsigned_faults", lambda *_: [])
    monkeypatch.setattr("signoff.submission.intake._manifest", lambda *_: world.files("x")["x/manifest.json"])
    arn = world.submit()
    world.deliver()
    assert_unproven(world, arn, "digests")


def test_a_first_entry_that_names_another_submitter_than_the_registration_passes_nothing():
    world = World()
    arn = world.submit()
    rewritten(world, arn, submitter=APPROVER)
    world.deliver()
    assert_unproven(world, arn, f"the ledger names {APPROVER} as the submitter, who is {SUBMITTER}")


def test_a_first_entry_that_names_another_than_sagemakers_creator_passes_nothing():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.validate(arn)
    rewritten(world, arn, submitter=APPROVER)
    world.validate(arn, by=APPROVER)
    assert_unproven(world, arn, f"the ledger names {APPROVER} as the submitter, who is {SUBMITTER}")


def test_a_submitter_who_was_exchanged_since_the_evidence_has_nobody_approve():
    world = World()
    arn = world.pending()
    rewritten(world, arn, submitter=APPROVER)
    refused = world.decide(arn, "approve", EVE, standing=None)
    assert (refused.name, "(submitter)" in refused.reason) == ("EvidenceStale", True)


def rewritten(world: World, arn: str, **first: Any) -> None:
    """Have the table hold the ledger with another first entry, in a chain that fits."""
    entries = world.history(arn).entries
    history = History(entries[0].package)
    for entry in entries:
        details = {**entry.details, **(first if entry.kind is Kind.REGISTERED else {})}
        sealed = history.extended([Draft(entry.kind, entry.actor, details)], world.clock()).entries[-1]
        sealed = replace(sealed, time=entry.time)
        history = History(history.package, (*history.entries, replace(sealed, hash=digest(sealed.content))))
    world.ledger.histories[history.package] = history


# A real signature, for another request than its manifest's


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(registration: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for name in way:
            registration = registration[int(name) if name.isdigit() else name]  # type: ignore[index]
        registration[last] = value

    return change


METRICS = "request.ModelMetrics.ModelQuality.Statistics"
CONTAINER = "request.InferenceSpecification.Containers.0"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (f"{CONTAINER}.Image", f"123456789012.dkr.ecr.us-east-1.amazonaws.com/evil@sha256:{'0' * 64}", "Image"),
        (f"{CONTAINER}.Environment", {"LD_PRELOAD": "evil.so"}, "Environment"),
        (f"{CONTAINER}.ModelDataUrl", "s3://evil/models/churn/x/model.tar.gz", "ModelDataUrl"),
        ("deployment", {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/admin"}, "Deployment"),
        ("request.ModelPackageDescription", "Reviewed by Ann", "ModelPackageDescription"),
        (f"{METRICS}.ContentDigest", f"sha256:{'0' * 64}", "ContentDigest"),
        (f"{METRICS}.ContentType", "text/csv", "ContentType"),
        ("objects", [], "manifest.json"),
    ],
)
def test_a_request_that_the_signed_manifest_does_not_make_fails_by_what_differs(path: str, value: Any, field: str):
    world = World()
    world.pending()
    (key,) = (key for key in world.vault_bucket.versions if key.startswith("registrations/"))
    registration = world.vault.read_named(key)
    home = world.vault.uri(f"models/{registration['group']}/{registration['id']}/")
    manifest = next(each for each in registration["objects"] if each["name"] == "manifest.json")
    data = manifest["content"].encode()
    assert unlike_manifest(registration, None, home, data) == []
    changed(path, value)(registration)
    (found,) = unlike_manifest(registration, None, home, data if registration["objects"] else None)
    assert found.endswith(field)


def test_a_registration_from_before_digests_were_put_in_is_what_its_manifest_asks_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(register_model, "with_digests", lambda request, _: request)
    world = World()
    arn = world.pending()
    metrics = world.registry.described[arn]["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert ("ContentDigest" in metrics, world.state(arn).status) == (False, Status.PENDING_APPROVAL)


def test_what_a_registration_asks_for_beside_its_manifest_is_no_evidence_that_passes(monkeypatch: pytest.MonkeyPatch):
    world = World()
    honest = Manifest.with_images

    def with_environment(manifest: Manifest, images: dict[str, str]) -> Manifest:
        manifest.document["InferenceSpecification"]["Containers"][0]["Environment"] = {"BY": "eve"}
        return honest(manifest, images)

    monkeypatch.setattr(Manifest, "with_images", with_environment)
    arn = world.pending()
    status, reason = checks(world, arn)["submitter:request"]
    assert (status, "InferenceSpecification.Containers[0].Environment" in reason) == ("failed", True)
    assert world.state(arn).status is Status.VALIDATION_FAILED
