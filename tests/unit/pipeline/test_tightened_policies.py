"""What a manifest chose under a looser policy, once the policy is tightened: it neither passes nor is approved."""

from typing import Any

import pytest

from signoff.ledger.entries import Status
from tests.support.auditing import audited
from tests.support.validations import checks
from tests.support.world import APPROVER, ROLE, World

OTHER = "arn:aws:iam::123456789012:role/gpu"
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}
CONFIG = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
OFFERED = {"execution_roles": [OTHER], "network_isolation": [False], "vpcs": [VPC], "tags": ["team"]}
CHOICES = [
    ("ExecutionRoleArn", OTHER, "execution_role"),
    ("EnableNetworkIsolation", False, "network_isolation"),
    ("VpcConfig", CONFIG, "vpc"),
    ("Tags", [{"Key": "team", "Value": "fraud"}], "tags"),
]


def put(world: World, **deployment: Any) -> None:
    """Deploy the group's policy with these settings."""
    world.set_policy("groups/churn", groups={"create": True}, deployment={"execution_role": ROLE, **deployment})


def chosen(field: str, value: Any) -> tuple[World, str]:
    """A package that waits for approval, whose manifest chose what its policy offered."""
    world = World()
    put(world, choices=OFFERED)
    return world, world.pending(Deployment={field: value})


@pytest.mark.parametrize(("field", "value", "setting"), CHOICES)
def test_what_a_manifest_chose_before_fails_under_a_policy_that_does_not_offer_it(field: str, value: Any, setting: str):
    world, arn = chosen(field, value)
    put(world)
    world.validate(arn, by=APPROVER)
    (name,) = (name for name, (status, _) in checks(world, arn).items() if status == "failed")
    assert (world.state(arn).status, name.startswith(f"deployment:Deployment.{field}")) == (
        Status.VALIDATION_FAILED,
        True,
    )


@pytest.mark.parametrize(("field", "value", "setting"), CHOICES)
def test_evidence_from_before_the_policy_was_tightened_cannot_be_approved(field: str, value: Any, setting: str):
    world, arn = chosen(field, value)
    put(world)
    refused = world.decide(arn, "approve")
    assert (refused.name, f"({setting}); revalidate it" in refused.reason) == ("SettingsNotAllowed", True)


@pytest.mark.parametrize(("field", "value", "setting"), CHOICES)
def test_an_approval_of_what_the_policy_did_not_allow_is_found_by_an_audit(
    monkeypatch: pytest.MonkeyPatch, field: str, value: Any, setting: str
):
    world, arn = chosen(field, value)
    put(world)
    monkeypatch.setattr("signoff.approval.apply_decision.disallowed_since_evidence", lambda *_: [])
    world.decide(arn, "approve")
    (found,) = (each for each in audited(world) if each.name == "NotAllowed")
    assert (found.entry, f"does not allow: {setting}" in found.because) == (len(world.history(arn).entries) - 1, True)


@pytest.mark.parametrize(("field", "value", "setting"), CHOICES)
def test_what_is_offered_still_is_approved_and_deployed(field: str, value: Any, setting: str):
    world, arn = chosen(field, value)
    put(world, choices=OFFERED, tags={"stage": "production"})
    world.decide(arn, "approve")
    world.deliver()
    assert world.state(arn).model


def test_what_a_policy_itself_set_before_it_was_tightened_cannot_be_approved_until_it_is_validated_again():
    world = World()
    put(world, network_isolation=False)
    arn = world.pending()
    put(world)
    assert world.decide(arn, "approve").name == "SettingsNotAllowed"
    world.validate(arn, by=APPROVER)
    world.decide(arn, "approve")
    world.deliver()
    (model,) = world.registry.models.values()
    assert model["EnableNetworkIsolation"] is True


def test_a_target_that_the_policy_no_longer_names_cannot_be_approved():
    world = World()
    put(world, targets=[{"account": "2" * 12, "region": "us-east-1", "execution_role": OTHER}])
    arn = world.pending()
    put(world)
    assert "(targets)" in world.decide(arn, "approve").reason


def test_a_policy_tightened_between_approval_and_creation_leads_to_no_model():
    world, arn = chosen("EnableNetworkIsolation", False)
    world.decide(arn, "approve")
    put(world)
    world.deliver()
    assert (world.state(arn).status, world.registry.models) == (Status.REVOKED, {})
    assert "does not allow its network_isolation any more" in world.registry.described[arn]["ApprovalDescription"]


def test_a_model_that_exists_stays_when_the_policy_is_tightened():
    world, arn = chosen("EnableNetworkIsolation", False)
    world.decide(arn, "approve")
    world.deliver()
    put(world)
    world.sweep()
    assert (world.state(arn).status, len(world.registry.models)) == (Status.APPROVED, 1)


def test_nothing_that_the_policy_forbids_now_is_rolled_back_to():
    world = World()
    put(world, choices=OFFERED)
    first = world.approved(prefix="churn/run-1", Deployment={"EnableNetworkIsolation": False})
    world.clock.forward(minutes=1)
    world.approved(prefix="churn/run-2")
    put(world)
    refused = world.decide(first, "rollback")
    assert (refused.name, "re-open and revalidate it" in refused.reason) == ("SettingsNotAllowed", True)
