"""What the vault keeps: copies expire unless they are approved."""

import pytest

from signoff.approval.decisions import Recorded
from tests.support.world import World


def kept_tags(world: World) -> set[str | None]:
    """What the tags of the vault's copies say to the bucket's life cycle."""
    copies = [found[-1] for key, found in world.vault_bucket.versions.items() if key.startswith("models/")]
    return {copy.tags.get("signoff:kept") for copy in copies}


def test_only_an_approval_keeps_copies_from_expiring():
    world = World()
    arn = world.pending()
    pending = kept_tags(world)
    world.decide(arn, "approve")
    assert (pending, kept_tags(world)) == ({"until-decided"}, {"approved"})
    rejected = World()
    rejected.decide(rejected.pending(), "reject")
    assert kept_tags(rejected) == {"until-decided"}


def test_where_a_policy_only_reports_no_copy_expires_because_others_deploy_it():
    world = World(mode="report")
    world.pending()
    assert kept_tags(world) == {None}


@pytest.mark.parametrize("decision", ["approve", "reopen"])
def test_what_has_expired_in_the_vault_is_not_admitted_and_may_be_rejected(decision: str):
    world = World()
    arn = world.pending()
    if decision == "reopen":
        world.decide(arn, "reject")
    for key in [key for key in world.vault_bucket.versions if key.startswith("models/")]:
        del world.vault_bucket.versions[key]
    outcome = world.decide(arn, decision)
    assert (outcome.name, "submit it again" in outcome.reason) == ("ArtifactExpired", True)
    if decision == "approve":
        assert isinstance(world.decide(arn, "reject"), Recorded)
