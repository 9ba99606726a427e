"""Approvals show in SageMaker's lineage: one action for a package, and nothing hangs on that."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.world import APPROVER, World


def only_action(world: World) -> tuple[str, dict[str, Any]]:
    (found,) = world.lineage.actions.items()
    return found


def test_an_approval_is_an_action_that_contributed_to_the_package() -> None:
    world = World()
    arn = world.approved()

    name, action = only_action(world)

    assert name.startswith("signoff-churn-1-")
    assert (action["ActionType"], action["Status"], action["Source"]["SourceUri"]) == ("Approval", "Completed", arn)
    assert action["Properties"]["approver"] == APPROVER
    assert action["Properties"]["evidence"] == world.evidence(arn)
    assert action["Properties"]["model"] in [model["ModelArn"] for model in world.registry.models.values()]
    ((source, destination, kind),) = world.lineage.associations
    assert (source.endswith(f"action/{name}"), kind) == (True, "ContributedTo")
    assert world.lineage.artifact(arn, "Model") == destination


def test_what_nobody_approved_is_not_in_the_lineage() -> None:
    world = World()
    arn = world.pending()
    world.decide(arn, "reject")
    world.deliver()

    assert (world.lineage.actions, world.lineage.artifacts) == ({}, {})


def test_a_revoked_approval_is_stopped() -> None:
    world = World()
    arn = world.approved()
    world.decide(arn, "revoke")
    world.deliver()

    _, action = only_action(world)

    assert (action["Status"], action["Properties"]["status"]) == ("Stopped", "Revoked")


def test_a_package_that_is_approved_again_keeps_its_one_action() -> None:
    world = World()
    arn = world.approved()
    for decision in ("revoke", "reopen", "approve"):
        world.decide(arn, decision)
        world.deliver()

    _, action = only_action(world)

    assert (action["Status"], len(world.lineage.associations)) == ("Completed", 1)


def test_a_package_of_the_same_name_has_an_action_of_its_own() -> None:
    world = World()
    world.approved()
    world.registry.delete_group("churn")
    world.clock.forward(hours=1)
    world.sweep()
    world.approved(prefix="churn/run-8")

    assert len(world.lineage.actions) == 2


def test_a_lineage_without_room_stops_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> str:
        raise ClientError({"Error": {"Code": "ResourceLimitExceeded", "Message": "3000"}}, "CreateAction")

    world = World()
    monkeypatch.setattr(world.lineage, "create_action", full)
    arn = world.approved()

    assert (world.status(arn), len(world.registry.models), world.published().keys()) == ("Approved", 1, {"churn"})


def test_a_policy_may_leave_the_lineage_alone() -> None:
    world = World(write_back=False)
    arn = world.approved()

    assert (world.status(arn), world.lineage.actions) == ("Approved", {})
