"""Who parses hostile bytes may be taken over by them, and vouches for nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from signoff.errors import DocumentMissing
from tests.support.model_shapes import WEIGHTS, files_of, manifest, source
from tests.support.validations import claimed, evidence
from tests.support.world import IMAGE, World

Inspected = list[dict[str, dict[str, Any]]]
Lie = Callable[[dict[str, Any]], None]


def validated(lie: Lie, world: World | None = None) -> tuple[World, str]:
    """Validate a package whose first artifact's inspection answers with a `lie`."""
    world = world or World()
    arn = world.submit()
    world.registry.events.clear()
    claim = claimed(world, arn)
    inspected = world.inspected(claim)
    lie(inspected[0]["found"])
    world.recorder.record(claim, inspected)
    return world, arn


def errors(world: World, arn: str) -> dict[str, tuple[str, str]]:
    """The checks of a validation that ended in an error."""
    last = world.history(arn).entries[-1]
    assert last.kind == "ValidationErrored"
    return {check["name"]: (check["status"], check["reason"]) for check in last.details["checks"]}


def moves(found: dict[str, Any]) -> None:
    found |= {"key": "models/churn/other/model.tar.gz", "version_id": "other", "size": 1}


def renames(found: dict[str, Any]) -> None:
    found |= {
        "name": "InferenceSpecification.Containers[1].ModelDataUrl",
        "url": "s3://vault/other",
        "kind": "document",
    }


@pytest.mark.parametrize("lie", [moves, renames])
def test_an_inspection_has_no_say_in_which_bytes_are_deployed(lie: Lie):
    world, arn = validated(lie)
    honest, same = validated(lambda _: None)
    assert evidence(world, arn)["subject"] == evidence(honest, same)["subject"]
    assert evidence(world, arn)["artifacts"] == evidence(honest, same)["artifacts"]


@pytest.mark.parametrize("sha256", ["0" * 64, None])
def test_an_inspection_of_other_bytes_is_none(sha256: str | None):
    """Not even if they are the bytes that the submitter signed: what is in the vault is what counts."""
    world, arn = validated(lambda found: found.update(sha256=sha256))
    status, reason = errors(world, arn)["inspection:InferenceSpecification.Containers[0].ModelDataUrl"]
    assert (status, world.status(arn)) == ("errored", "PendingManualApproval")
    assert "other bytes were inspected" in reason


def test_an_inspection_that_names_no_digest_is_none():
    world, arn = validated(lambda found: found.pop("sha256"))
    assert world.state(arn).status == "ValidationErrored"


@pytest.mark.parametrize("uri", ["s3://elsewhere/findings/1.json", "s3://vault/evidence/1.json", "", None])
def test_findings_are_documents_of_the_vault(uri: str | None):
    world, arn = validated(lambda found: found.update(findings=uri))
    assert world.state(arn).status == "ValidationErrored"


def of_a_prefix() -> tuple[World, dict[str, Any]]:
    world = World()
    shape = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    for key, data in files_of(world, shape, WEIGHTS).items():
        world.upload(key, data)
    (arn,) = world.registry.described
    world.registry.events.clear()
    return world, claimed(world, arn)


def test_the_objects_under_a_prefix_are_those_that_were_kept():
    """A list of findings whose objects have the signed digests does not pass for what the vault holds."""
    world, claim = of_a_prefix()
    inspected = world.inspected(claim)
    found = next(each["found"] for each in inspected if each["kept"]["url"].endswith("/"))
    document = world.vault.read("findings", found["findings"].rpartition("/")[2].removesuffix(".json"))
    document["objects"][0]["sha256"] = "0" * 64
    found["findings"] = world.vault.write("findings", document).uri
    with pytest.raises(DocumentMissing, match="other objects"):
        world.recorder.record(claim, inspected)


def test_bytes_that_the_submitter_did_not_sign_are_found_although_the_inspection_says_they_are_signed():
    world = World()
    arn = world.submit()
    world.registry.events.clear()
    claim = claimed(world, arn)
    signed = world.inspected(claim)[0]["found"]["sha256"]
    (key,) = [key for key in world.vault_bucket.versions if key.endswith("/model.tar.gz")]
    world.vault_bucket.put(key, b"not what was signed")
    inspected = world.inspected(claim)
    inspected[0]["found"] |= {"sha256": signed, "refusals": [], "refusal_count": 0, "members": 1}
    world.recorder.record(claim, inspected)
    found = errors(world, arn)
    assert found["inspection:InferenceSpecification.Containers[0].ModelDataUrl"][0] == "errored"
    assert found["submitter:model.tar.gz"][0] == "failed"
