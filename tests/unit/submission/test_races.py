"""Two functions that handle one submission at once: what they tell of it is what became of it, in whatever order."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from tests.support.deliveries import GRACE
from tests.support.depth import some
from tests.support.turns import by_turns
from tests.support.world import MANIFEST, World
from tests.unit.submission.test_register_model import KEY, PREFIX, SIGNED, report

Acts = tuple[Callable[[], Any], Callable[[], Any]]


def a_wrong_signature_is_replaced(world: World) -> Acts:
    files = world.files(PREFIX)
    for key, data in files.items():
        world.put(key, data)
    world.put(SIGNED, world.submission("churn/run-8", {}))
    return lambda: world.registrar.uploaded(SIGNED), lambda: world.upload(SIGNED, files[SIGNED])


def an_image_is_pushed_late(world: World) -> Acts:
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    pushed = dict(world.images.digests)
    world.images.digests.clear()

    def pushes() -> None:
        world.images.digests.update(pushed)
        world.registrar.look_again(f"{PREFIX}/model.tar.gz")

    return lambda: world.registrar.uploaded(SIGNED), pushes


@pytest.mark.parametrize(
    "race", [a_wrong_signature_is_replaced, an_image_is_pushed_late], ids=lambda race: race.__name__
)
def test_whoever_comes_late_tells_of_a_submission_what_became_of_it(race: Callable[[World], Acts]):
    first, second = (calls(race, which) for which in (0, 1))
    for before, between in some(product(range(first + 1), range(second + 1))):
        world = World()
        by_turns(world.interruptions, *race(world), before, between)
        became = "registered" if world.registry.described else "refused"
        told = (world.submissions.get(PREFIX)["state"], report(world)["outcome"], *tags(world))
        assert set(told) == {became}, f"after {before} calls and {between}"


def test_what_is_uploaded_during_an_attempt_that_is_refused_is_looked_at_by_the_sweep():
    world = World()
    for key, data in world.files(PREFIX).items():
        world.put(key, data)
    world.images.digests.clear()

    def uploads_another_manifest() -> None:
        world.clock.forward(seconds=1)
        assert world.upload(KEY, {**MANIFEST, "Domain": "COMPUTER_VISION"}) == "being registered already"
        world.clock.forward(seconds=1)

    world.interruptions.before["FakeImageResolver.pinned"] = uploads_another_manifest
    world.registrar.uploaded(SIGNED)

    assert report(world)["outcome"] == "refused"
    world.clock.forward(hours=1)
    world.sweeper.run(GRACE)
    assert [each["detail"]["object"]["key"] for each in world.queues["registrations"].messages] == [KEY]


def calls(race: Callable[[World], Acts], which: int) -> int:
    """Return how many calls one of the two makes, where it comes alone."""
    world = World()
    act = race(world)[which]
    world.interruptions.arm(None)
    act()
    return world.interruptions.calls


def tags(world: World) -> list[str]:
    """Return what the objects are tagged as that were registered, if they were."""
    registration = world.vault.read_named(f"registrations/{world.submissions.get(PREFIX)['attempt']}.json")
    names = [*(each["name"] for each in registration["objects"]), "submission.json"] if registration else []
    keys = [f"{PREFIX}/{name}" for name in names]
    return [world.inbox.tags(key).get("signoff:registration", "none") for key in keys]
