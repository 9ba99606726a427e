"""The sweep: submissions whose events were lost, refused ones, and uploads that are none."""

import pytest

from signoff.submission.layout import Submission
from tests.support.interruptions import Died
from tests.support.lost_events import PREFIX, died
from tests.support.world import World


def test_a_submission_whose_last_upload_event_was_lost_is_registered():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    assert world.sweep(minutes=10) == {"submission": 1}
    assert world.submissions.get(PREFIX)["state"] == "registered"


def test_a_submission_of_which_every_event_was_lost_for_too_long_is_to_be_signed_again():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    assert world.sweep(minutes=20) == {"submission": 1}
    ((fault,),) = [refused["faults"] for refused in world.refusals(f"submission:{PREFIX}")]
    assert (fault["path"], "ProofExpired" in fault["message"], "sign again" in fault["message"]) == (
        "submission.json", True, True,
    )  # fmt: skip


def test_a_submission_whose_signature_was_seen_in_time_is_registered_however_late_the_rest_comes():
    world = World()
    *others, (last, signed) = world.files(PREFIX).items()
    world.upload(last, signed)
    world.clock.forward(hours=3)
    for key, data in others:
        world.put(key, data)
    assert world.sweep() == {"submission": 1}
    assert world.submissions.get(PREFIX)["state"] == "registered"


def test_a_registration_that_died_is_finished_once_its_claim_has_run_out():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    world.interruptions.before["FakeRegistry.create_package"] = died
    with pytest.raises(Died):
        world.registrar.uploaded(f"{PREFIX}/submission.json")
    assert world.sweep(minutes=10) == {}
    assert world.sweep(minutes=10) == {"submission": 1}
    assert len(world.registry.described) == 1


def test_a_correction_whose_event_was_lost_is_taken_up():
    world = World()
    for key, data in world.files(PREFIX, Nonsense=1).items():
        world.upload(key, data)
    world.clock.forward(minutes=1)
    corrected = world.files(PREFIX)
    for key in (f"{PREFIX}/manifest.json", f"{PREFIX}/submission.json"):
        world.put(key, corrected[key])
    assert world.sweep(minutes=10) == {"submission": 1}
    assert world.submissions.get(PREFIX)["state"] == "registered"


def test_an_upload_under_no_submission_is_none_of_the_sweeps():
    world = World()
    world.put("stray.txt", b"?")
    assert Submission.of("stray.txt") is None
    assert world.sweep() == {}
