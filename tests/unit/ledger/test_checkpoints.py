"""Heads: how far a ledger has come, beside its package and once a day in the vault."""

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.ledger import checkpoints
from signoff.ledger.checkpoints import Head
from signoff.model_package.customer_metadata import is_signoffs
from signoff.model_package.package_rules import OWN_METADATA_KEYS
from signoff.service_model.sagemaker import sagemaker_shape
from tests.support.entries import APPROVED, PENDING, history, registered, started
from tests.support.world import ACCURATE, APPROVER, World


def metadata(world: World, arn: str) -> dict[str, str]:
    found: dict[str, str] = world.registry.described[arn]["CustomerMetadataProperties"]
    return found


def head(world: World, arn: str) -> Head:
    found = checkpoints.parse(metadata(world, arn)[checkpoints.METADATA])
    assert found is not None
    return found


# Beside the package


def test_the_head_names_the_newest_entry_that_was_known():
    world = World()
    arn = world.pending()
    assert head(world, arn) == Head(3, world.history(arn).head)
    world.decide(arn, "approve")
    found = head(world, arn)
    assert world.history(arn).entries[found.sequence - 1].kind == "DecisionRecorded"
    assert world.history(arn).entries[found.sequence - 1].hash == found.hash


def test_a_status_and_its_head_are_one_call():
    world = World()
    arn = world.pending()
    before = len(world.registry.writes)
    world.decide(arn, "approve")
    assert world.registry.writes[before:] == [("update_package", arn)]


def test_whichever_of_two_crossing_writes_comes_last_the_chain_holds_its_entry():
    world = World()
    arn = world.approved()
    older = metadata(world, arn)[checkpoints.METADATA]
    world.decide(arn, "revoke")
    world.registry.update_package(arn, CustomerMetadataProperties={checkpoints.METADATA: older})
    found = head(world, arn)
    assert world.history(arn).entries[found.sequence - 1].hash == found.hash


def test_signoff_has_no_more_entries_of_metadata_than_it_says():
    world = World(metrics=ACCURATE)
    arn = world.approved()
    own = [key for key in metadata(world, arn) if is_signoffs(key)]
    assert sorted(own) == [f"signoff:{name}" for name in ("evidence", "head", "registration", "subject", "verdict")]
    assert len(own) <= OWN_METADATA_KEYS


def test_a_package_whose_metadata_is_full_gets_its_status_all_the_same():
    world = World()
    arn = world.pending()
    update = world.registry.update_package

    def full(arn: str, **fields: object) -> None:
        from signoff.errors import RegistryRefused

        if "CustomerMetadataProperties" in fields:
            raise RegistryRefused("CustomerMetadataProperties has more than 50 entries")
        update(arn, **fields)

    world.registry.update_package = full  # type: ignore[method-assign]
    world.decide(arn, "approve", APPROVER)
    assert world.status(arn) == "Approved"


@given(sequence=st.integers(1, 10**9), digest=st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_head_is_read_as_it_was_written_in_letters_that_sagemaker_takes(sequence: int, digest: str):
    written = str(Head(sequence, digest))
    value = sagemaker_shape("UpdateModelPackage").members["CustomerMetadataProperties"].value
    assert checkpoints.parse(written) == Head(sequence, digest)
    assert len(written) <= value.metadata["max"]
    assert re.fullmatch(r"[\w .:/=+@-]*", written)


@pytest.mark.parametrize("written", ["", "3", "3.", f"0.{'a' * 64}", f"3.{'A' * 64}", f"3.{'a' * 63}", f"٣.{'a' * 64}"])
def test_what_is_no_head_is_none(written: str):
    assert checkpoints.parse(written) is None


def test_a_ledger_without_evidence_says_its_head_alone_and_an_empty_one_nothing():
    assert checkpoints.metadata(history()) == {}
    assert list(checkpoints.metadata(history(registered(), started()))) == [checkpoints.METADATA]
    assert len(checkpoints.metadata(history(*PENDING))) == len(checkpoints.metadata(history(*APPROVED))) == 4


# Once a day in the vault


def days(world: World) -> dict[str, dict[str, Any]]:
    return {key: json.loads(world.vault_bucket.get(key) or b"") for key in world.vault.keys("heads/")}


def test_the_heads_of_all_ledgers_are_kept_whatever_they_are_about():
    world = World()
    arn = world.approved()
    world.upload("churn/run-9/manifest.json", {"InferenceSpecification": "no"})
    world.decide(f"{arn}9", "approve")
    assert world.daily_checkpoint.write_once()
    (document,) = days(world).values()
    kept = checkpoints.of_document(document)
    assert kept == {key: Head(len(h.entries), h.head) for key, h in world.ledger.histories.items()}
    assert {key.partition(":")[0] for key in kept} == {"arn", "submission", "unknown"}


def test_they_are_written_once_a_day_and_the_first_of_the_day_stays():
    world = World()
    world.pending()
    assert [world.daily_checkpoint.write_once() for _ in range(3)] == [True, False, False]
    written = days(world)
    world.clock.forward(minutes=20)
    world.submit("churn/run-8")
    assert not world.daily_checkpoint.write_once()
    assert days(world) == written


def test_each_day_names_the_one_before_although_the_sweep_may_have_been_away():
    world = World()
    world.pending()
    world.daily_checkpoint.write_once()
    for away in (1, 1, 5):
        world.clock.forward(days=away)
        world.daily_checkpoint.write_once()
    documents = list(days(world).values())
    assert documents[0]["previous"] is None
    digests = [hashlib.sha256(world.vault_bucket.get(key) or b"").hexdigest() for key in days(world)]
    assert [each["previous"] for each in documents[1:]] == digests[:-1]


def test_what_else_lies_there_is_no_day():
    world = World()
    world.vault_bucket.put("heads/notes.txt", b"?")
    assert world.daily_checkpoint.write_once()
    assert days_of(world)["previous"] is None


def days_of(world: World) -> dict[str, Any]:
    newest: dict[str, Any] = json.loads(world.vault_bucket.get(max(k for k in world.vault.keys("heads/2"))) or b"")
    return newest


def test_they_are_locked_as_long_as_what_is_approved_from_the_first_moment():
    world = World()
    world.daily_checkpoint.write_once()
    (versions,) = (found for key, found in world.vault_bucket.versions.items() if key.startswith("heads/"))
    assert [each.retained_until for each in versions] == [world.clock() + timedelta(days=365)]


def test_of_two_that_write_at_once_the_first_wins():
    world = World()
    world.pending()
    first, current = world.daily_checkpoint, world.vault_bucket.current
    world.vault_bucket.current = lambda key: None  # type: ignore[method-assign]
    assert first.write_once()
    written = days(world)
    assert not first.write_once()
    world.vault_bucket.current = current  # type: ignore[method-assign]
    assert days(world) == written


@pytest.mark.parametrize("document", [{}, {"heads": 5}, {"heads": [["k"]]}, {"heads": [["k", "x", "h"]]}])
def test_what_is_no_document_of_heads_says_so(document: dict[str, Any]):
    with pytest.raises(ValueError, match="not a document of heads"):
        checkpoints.of_document(document)
