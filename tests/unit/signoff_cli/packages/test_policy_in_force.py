"""Which policy a group is under, for whoever asks what it demands."""

from __future__ import annotations

import pytest

from signoff.policy.parameter import GroupPolicy
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.policy_view import in_force
from tests.support.world import World


def asked(world: World, group: str) -> tuple[GroupPolicy, bool]:
    return in_force(group, world.registry, world.registrar.intake.policies)  # type: ignore[arg-type] # a fake that behaves the same


def test_a_group_that_does_not_exist_would_be_under_the_default() -> None:
    governing, exists = asked(World(), "churn")
    assert (governing.name, exists) == ("default", False)


def test_a_group_is_under_its_own_policy_whatever_the_case_of_its_letters() -> None:
    world = World()
    world.submit("churn/run-7")
    world.set_policy("groups/churn")
    governing, exists = asked(world, "Churn")
    assert (governing.name, exists) == ("groups/churn", True)


def test_a_group_that_signoff_does_not_govern_has_none() -> None:
    world = World()
    world.registry.tags["other"] = {}
    with pytest.raises(CommandFailed, match="does not govern"):
        asked(world, "other")


def test_a_policy_that_nobody_can_read_is_told() -> None:
    world = World()
    world.parameters.values["/signoff/policies/groups/churn"] = "{"
    with pytest.raises(CommandFailed, match="the policy of churn cannot be read"):
        asked(world, "churn")
