"""Validations show their evidence in the package's model card, and nothing hangs on that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.errors import RegistryRefused
from tests.support.world import World

OTHERS = {"name": "Offline", "metric_groups": []}
CONTENT = (
    '{"model_overview": {"model_creator": "Dana"},  "evaluation_details": [{"name": "Offline", "metric_groups": []}]}'
)


def card(world: World, arn: str) -> dict[str, Any]:
    return dict(world.registry.described[arn].get("ModelCard") or {})


def evaluations(world: World, arn: str) -> list[dict[str, Any]]:
    return list(json.loads(card(world, arn)["ModelCardContent"])["evaluation_details"])


def registered_with(content: str, status: str = "PendingReview") -> tuple[World, str]:
    """Return a world whose package was registered with a card, and validated."""
    world = World()
    return world, world.pending(ModelCard={"ModelCardContent": content, "ModelCardStatus": status})


def test_a_package_that_awaits_a_decision_shows_its_evidence_to_who_looks_in_studio() -> None:
    world = World()

    arn = world.pending()

    (ours,) = evaluations(world, arn)
    assert ours["metadata"]["evidence"] == world.evidence(arn)
    assert ours["metadata"]["verdict"] == "passed"
    assert card(world, arn)["ModelCardStatus"] == "Draft"


def test_a_card_that_was_registered_with_the_package_keeps_what_it_says_and_its_status() -> None:
    world, arn = registered_with(CONTENT)

    assert card(world, arn)["ModelCardStatus"] == "PendingReview"
    assert [each["name"] for each in evaluations(world, arn)] == ["Offline", "Signoff"]
    assert card(world, arn)["ModelCardContent"].startswith(CONTENT.removesuffix("]}"))


def test_a_card_that_a_person_changes_revokes_nothing_and_changes_no_evidence() -> None:
    world, arn = World(), ""
    arn = world.approved()
    kinds, evidence = world.kinds(arn), world.evidence(arn)

    world.registry.by_hand(arn, ModelCard={"ModelCardContent": CONTENT, "ModelCardStatus": "Approved"})
    world.deliver()
    world.sweep()

    assert (world.kinds(arn), world.evidence(arn), world.status(arn)) == (kinds, evidence, "Approved")
    assert card(world, arn)["ModelCardContent"] == CONTENT


def test_the_event_of_a_changed_card_starts_nothing() -> None:
    world = World()
    arn = world.pending()

    world.registry.update_package(arn, ModelCard={"ModelCardContent": "{}"})

    (event,) = world.registry.events
    assert event["UpdatedModelPackageFields"] == ["ModelCard"]
    assert world.step()
    assert not world.waiting()


def test_another_validation_replaces_what_the_former_said() -> None:
    world, arn = registered_with(CONTENT)
    former = world.evidence(arn)

    world.validate(arn, reason="again", actor="arn:aws:iam::123456789012:user/ann")

    offline, ours = evaluations(world, arn)
    assert offline == OTHERS
    assert ours["metadata"]["evidence"] == world.evidence(arn) != former


def test_the_same_evidence_recorded_twice_updates_a_card_once() -> None:
    world = World()
    arn = world.pending()
    before = world.registry.described[arn]["LastModifiedTime"], len(world.registry.writes)

    world.recorder.card_writer.write(
        arn, evidence_of(world, arn), world.state(arn).evidence["uri"], world.evidence(arn)
    )

    assert (world.registry.described[arn]["LastModifiedTime"], len(world.registry.writes)) == before


def evidence_of(world: World, arn: str) -> dict[str, Any]:
    return dict(world.vault.read("evidence", str(world.evidence(arn))))


@pytest.mark.parametrize(
    ("content", "status"),
    [(CONTENT, "Archived"), ("no JSON", "Draft"), ("[]", "Draft")],
    ids=["archived", "text", "list"],
)
def test_a_card_that_takes_no_evaluation_is_left_alone_and_the_validation_stands(content: str, status: str) -> None:
    world, arn = registered_with(content, status)

    assert card(world, arn) == {"ModelCardContent": content, "ModelCardStatus": status}
    assert world.state(arn).status == "PendingApproval"


@pytest.mark.parametrize(
    "error",
    [
        RegistryRefused("Model card content does not follow the schema"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateModelPackage"),
    ],
    ids=["refused", "denied"],
)
def test_a_card_that_cannot_be_written_fails_no_validation(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    world = World()
    update = world.registry.update_package

    def refusing(arn: str, **fields: Any) -> None:
        if "ModelCard" in fields:
            raise error
        update(arn, **fields)

    monkeypatch.setattr(world.registry, "update_package", refusing)
    arn = world.pending()

    assert (card(world, arn), world.state(arn).status) == ({}, "PendingApproval")
    assert world.registry.described[arn]["CustomerMetadataProperties"]["signoff:verdict"] == "passed"


def test_a_policy_may_leave_cards_alone() -> None:
    world = World(write_back=False)

    arn = world.pending()

    assert card(world, arn) == {}
    assert world.state(arn).status == "PendingApproval"


def test_another_package_of_the_same_name_does_not_get_the_evidence() -> None:
    world = World()
    arn = world.pending()
    evidence = evidence_of(world, arn)
    world.registry.described[arn]["CreationTime"] = world.clock.forward(hours=1) or world.clock()

    with pytest.raises(Exception, match="another package"):
        world.recorder.card_writer.write(arn, evidence, "s3://vault/evidence/e.json", "e" * 64)
