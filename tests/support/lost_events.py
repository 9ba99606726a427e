"""Worlds in which events were lost."""

from tests.support.interruptions import Died
from tests.support.world import World

PREFIX = "churn/run-7"


def lose_everything(world: World) -> None:
    for queue, _ in world.waiting():
        queue.clear()


def died() -> None:
    """Die, as a function does between two calls."""
    raise Died
