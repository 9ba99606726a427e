"""Heads: how far a ledger has come, beside its package and once a day in the vault."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff import heads
from signoff.heads import Head
from signoff.manifest_rules import OWN_METADATA_KEYS
from signoff.metadata import is_signoffs
from signoff.service_model import sagemaker_shape
from tests.support.entries import APPROVED, PENDING, history, registered, started
from tests.support.world import ACCURATE, APPROVER, World


def metadata(world: World, arn: str) -> dict[str, str]:
    found: dict[str, str] = world.registry.described[arn]["CustomerMetadataProperties"]
    return found


def head(world: World, arn: str) -> Head:
    found = heads.parse(metadata(world, arn)[heads.METADATA])
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
    older = metadata(world, arn)[heads.METADATA]
    world.decide(arn, "revoke")
    world.registry.update_package(arn, CustomerMetadataProperties={heads.METADATA: older})
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
    assert heads.parse(written) == Head(sequence, digest)
    assert len(written) <= value.metadata["max"]
    assert re.fullmatch(r"[\w .:/=+@-]*", written)


@pytest.mark.parametrize("written", ["", "3", "3.", f"0.{'a' * 64}", f"3.{'A' * 64}", f"3.{'a' * 63}", f"٣.{'a' * 64}"])
def test_what_is_no_head_is_none(written: str):
    assert heads.parse(written) is None


def test_a_ledger_without_evidence_says_its_head_alone_and_an_empty_one_nothing():
    assert heads.metadata(history()) == {}
    assert list(heads.metadata(history(registered(), started()))) == [heads.METADATA]
    assert len(heads.metadata(history(*PENDING))) == len(heads.metadata(history(*APPROVED))) == 4
