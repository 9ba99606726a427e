"""Rolling a group back: a version that was approved before is champion again, its bytes verified."""

import pytest

from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package
from tests.support.waiting import eventually


def champion(group: Group) -> str | None:
    """The model that is published as the group's champion."""
    ssm, name = group.pipeline.aws("ssm"), f"{group.pipeline.outputs['ChampionPath']}/{group.name.lower()}"
    found = ssm.get_parameters(Names=[name])["Parameters"]
    return str(found[0]["Value"]) if found else None


def two(group: Group) -> tuple[Package, Package]:
    """A former champion of the group and the present one."""
    first, second = group.pending(), group.pending()
    first.approve()
    model = second.approve()["ModelArn"]
    eventually(lambda: champion(group) == model, what="the second to be champion")
    eventually(lambda: first.entries(Kind.SUPERSEDED), what="the first to be followed")
    return first, second


def size(package: Package) -> dict[str, int]:
    """How much there is to verify, by the evidence."""
    artifacts = package.evidence()["artifacts"]
    return {"artifacts": len(artifacts), "bytes": sum(artifact["size"] for artifact in artifacts)}


def test_a_former_champion_is_champion_again_in_one_step(group: Group) -> None:
    first, second = two(group)
    before = first.models()

    first.decide("rollback", reason="The new one drifts")
    eventually(lambda: first.entries(Kind.REINSTATED), what="the first to be champion again")
    eventually(lambda: second.entries(Kind.SUPERSEDED), what="the second to be followed")
    group.pipeline.quiet()

    assert champion(group) == before[0]["ModelArn"]
    assert first.models() == before
    assert len(second.models()) == 1
    assert (first.registry[0], second.registry[0]) == ("Approved", "Approved")
    assert first.entries(Kind.MODEL_CREATED)[-1]["verified"] == size(first)
    assert all("s3_sha256" in artifact for artifact in first.evidence()["artifacts"])
    assert [said["by"] for said in first.entries(Kind.SUPERSEDED)] == [second.arn]
    assert [said["after"] for said in first.entries(Kind.REINSTATED)] == [second.arn]
    assert [said["by"] for said in second.entries(Kind.SUPERSEDED)] == [first.arn]


@pytest.mark.deep
def test_a_revoked_version_is_approved_again_and_its_model_is_made_anew(group: Group) -> None:
    first, _ = two(group)
    first.decide("revoke", reason="Drifts on the new cohort")
    assert first.models() == []

    first.decide("rollback", reason="It was the data")
    model = first.until("Approved").model()

    eventually(lambda: champion(group) == model["ModelArn"], what="the first to be champion again")
    assert first.registry[0] == "Approved"
    assert first.entries(Kind.MODEL_CREATED)[-1]["verified"] == size(first)


@pytest.mark.deep
def test_what_two_revoked_takes_two_again(group: Group) -> None:
    group.policy(approvals={"needed": 2})
    package = group.pending()
    for user in ("approver", "reviewer"):
        package.decide("approve", by=user)
    package.model()
    package.decide("revoke")

    package.decide("rollback")

    (vote,) = [said for said in package.entries(Kind.VOTED) if said["decision"] == "rollback"]
    assert (package.status, package.models(), vote["outstanding"]) == ("Revoked", [], "1 more approval")
    package.decide("rollback", by="reviewer", reason="It was the data indeed")
    assert package.until("Approved").model()


@pytest.mark.deep
def test_a_version_that_was_never_approved_cannot_be_rolled_back_to(group: Group) -> None:
    package = group.pending()

    package.decide("rollback", reason="Just try")

    (refusal,) = package.entries(Kind.DECISION_REFUSED)
    assert refusal["refusal"] == "AlreadyDecided"
    assert (package.status, package.models()) == ("PendingApproval", [])
