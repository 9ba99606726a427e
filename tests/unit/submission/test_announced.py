"""Objects that are to be signed: nothing is read before the signature comes, and whatever comes last completes it."""

from itertools import product
from typing import Any

import pytest

from tests.support.depth import some
from tests.support.turns import by_turns
from tests.support.world import MODEL, World
from tests.unit.submission.test_register_model import KEY, LEDGER, PREFIX, SIGNED

MODEL_KEY, QUALITY_KEY = f"{PREFIX}/model.tar.gz", f"{PREFIX}/quality.json"


def before_the_model() -> tuple[World, dict[str, Any]]:
    """A submission whose manifest and quality document are there and were looked at, and what belongs to it."""
    world = World()
    files = world.files(PREFIX)
    for key in (KEY, QUALITY_KEY):
        world.upload(key, files[key])
    return world, files


def test_of_objects_that_are_to_be_signed_only_the_first_is_looked_at():
    world, files = before_the_model()
    world.interruptions.arm(None)
    assert world.upload(MODEL_KEY, files[MODEL_KEY]) == "waits for submission.json"
    assert world.interruptions.calls == 1
    assert world.upload(SIGNED, files[SIGNED]).startswith("registered as ")


@pytest.mark.parametrize("known", [False, True], ids=["nothing_was_heard_of_before", "announced_before"])
def test_the_signature_and_the_last_object_at_once_complete_a_submission_whichever_is_looked_at_first(known: bool):
    def made() -> tuple[World, Any, Any]:
        world = World()
        files = world.files(PREFIX)
        for key in (KEY, QUALITY_KEY):
            world.put(key, files[key])
        if known:
            world.registrar.uploaded(KEY)
        world.put(SIGNED, files[SIGNED])
        return world, lambda: world.registrar.uploaded(SIGNED), lambda: world.upload(MODEL_KEY, MODEL)

    for before, between in some(product(range(14), range(6))):
        world, signs, uploads = made()
        by_turns(world.interruptions, signs, uploads, before, between)
        assert len(world.registry.described) == 1, f"after {before} calls and {between}"
        assert world.refusals(LEDGER) == []


def test_a_submission_all_of_whose_announced_objects_were_replaced_is_nobodys_and_the_sweep_registers_it():
    world, _ = before_the_model()
    world.registry.create_group("churn")
    world.inbox.put(MODEL_KEY, MODEL)
    for key in (KEY, QUALITY_KEY):
        world.inbox.put(key, world.inbox.get(key) or b"")
        assert world.registrar.uploaded(key) == "waits for submission.json"
    world.sweep()
    (arn,) = world.registry.described
    assert world.state(arn).submitter is None


def test_an_object_that_nobody_announced_is_looked_at_with_all_others_when_the_signature_comes():
    world, files = before_the_model()
    world.inbox.put(MODEL_KEY, MODEL)
    assert world.registrar.uploaded(MODEL_KEY) == "waits for submission.json"
    assert world.upload(SIGNED, files[SIGNED]).startswith("registered as ")


def test_what_is_uploaded_to_a_registered_submission_is_refused_though_it_was_announced():
    world, files = before_the_model()
    for key in (MODEL_KEY, SIGNED):
        world.upload(key, files[key])
    assert "closed" in world.upload(MODEL_KEY, b"another")


def test_a_signature_whose_event_was_lost_is_found_by_the_sweep():
    world, files = before_the_model()
    for key in (MODEL_KEY, SIGNED):
        world.put(key, files[key])
    assert world.registrar.uploaded(MODEL_KEY) == "waits for submission.json"
    assert world.signature_verifier.uploaded(SIGNED) == "confirmed"
    assert world.sweep() == {"submission": 1}
    assert len(world.registry.described) == 1


@pytest.mark.parametrize("group", ["churn", "not_a_group"])
def test_a_signature_that_was_deleted_before_anybody_looked_leaves_nothing(group: str):
    world = World()
    assert world.registrar.uploaded(f"{group}/run-7/submission.json") == "gone"
    assert world.submissions.rows == {}
