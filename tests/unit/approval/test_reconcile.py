"""Registry events: a status that nobody decided is set back, what is not as signed is revoked."""

import pytest

from signoff.errors import UnknownPackage
from signoff.ledger.entries import Status
from signoff.ledger.witnessed import SINCE
from tests.support.world import CHANGED, World

# What nobody decided

NOBODY = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/99"


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_status_set_by_hand_is_set_back_and_recorded(status: str):
    world = World()
    arn = world.pending()
    world.registry.by_hand(arn, ModelApprovalStatus=status)
    world.deliver()
    reverted = next(entry for entry in world.history(arn).entries if entry.kind == "RegistryReverted")
    assert world.status(arn) == "PendingManualApproval"
    assert reverted.details == {
        "found": status,
        "restored": "PendingManualApproval",
        "last_modified_by": "arn:aws:iam::123456789012:user/mallory",
    }
    assert world.registry.models == {}


def test_an_approved_package_set_to_pending_by_hand_is_approved_again_and_keeps_its_model():
    world = World()
    arn = world.approved()
    model = dict(world.registry.models)
    world.registry.by_hand(arn, ModelApprovalStatus="PendingManualApproval")
    world.deliver()
    assert (world.status(arn), world.registry.models) == ("Approved", model)


def test_a_status_that_signoff_is_on_its_way_to_is_not_set_back():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    event = dict(world.registry.events[-1])
    world.deliver()
    world.reconciler.reconcile(event)
    assert "RegistryReverted" not in world.kinds(arn)


def test_an_event_between_the_ledger_and_the_registry_does_not_undo_the_decision():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeRegistry.set_status"] = lambda: world.reconciler.reconcile({"ModelPackageArn": arn})
    world.decide(arn, "approve")
    assert (world.status(arn), "RegistryReverted" in world.kinds(arn)) == ("Approved", False)


def test_a_package_registered_as_approved_waits_for_its_validation_like_any_other():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere(ModelApprovalStatus="Approved")
    world.deliver()
    assert (world.status(arn), world.state(arn).status) == ("PendingManualApproval", Status.PENDING_APPROVAL)
    assert world.registry.models == {}


def test_an_approved_package_that_is_changed_is_revoked_and_says_why():
    world = World()
    arn = world.approved()
    world.registry.by_hand(arn, InferenceSpecification=CHANGED)
    world.deliver()
    assert (world.state(arn).status, world.status(arn), world.registry.models) == (Status.REVOKED, "Rejected", {})
    assert "SubjectChanged: inference_specification" in world.registry.described[arn]["ApprovalDescription"]


SPECIFICATION = "InferenceSpecification"


@pytest.mark.parametrize(
    "fields", [None, [], "ModelApprovalStatus", [{}], [SPECIFICATION], ["ModelApprovalStatus", SPECIFICATION], ["New"]]
)
def test_an_event_that_may_be_about_more_than_a_status_has_the_package_compared_with_its_evidence(fields: object):
    world = World()
    arn = world.approved()
    world.registry.by_hand(arn, InferenceSpecification=CHANGED)
    world.registry.events.clear()
    world.reconciler.reconcile({"ModelPackageArn": arn, "UpdatedModelPackageFields": fields})
    assert world.state(arn).status is Status.REVOKED


def test_an_event_about_a_status_that_signoff_has_set_is_answered_by_the_package_and_its_ledger():
    world = World()
    arn = world.approved()
    world.interruptions.arm(None)
    entries = world.kinds(arn)
    world.reconciler.reconcile({"ModelPackageArn": arn, "UpdatedModelPackageFields": ["ModelApprovalStatus"]})
    assert (world.interruptions.calls, world.kinds(arn)) == (2, entries)


def test_an_approval_whose_function_died_before_it_was_noted_is_settled_by_the_registrys_event():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    key = world.history(arn).package
    noted = world.ledger.histories[key]
    world.ledger.histories[key] = type(noted)(key, noted.entries[:-1])
    until = {each.retained_until for found in world.vault_bucket.versions.values() for each in found}
    for found in world.vault_bucket.versions.values():
        for each in found:
            each.retained_until = None
    world.deliver()
    assert {each.retained_until for found in world.vault_bucket.versions.values() for each in found} == until
    assert world.kinds(arn)[-2:] == ["RegistryUpdated", "ModelCreated"]


def test_an_event_about_a_deleted_package_is_nothing_to_answer():
    world = World()
    world.reconciler.reconcile({"ModelPackageArn": NOBODY})
    with pytest.raises(UnknownPackage):
        world.registry.describe(NOBODY)
    assert world.ledger.histories == {}


def test_groups_that_signoff_does_not_govern_stay_untouched():
    world = World()
    arn = world.elsewhere()
    world.registry.by_hand(arn, ModelApprovalStatus="Approved", InferenceSpecification=CHANGED)
    written, described = list(world.registry.writes), world.registry.describe(arn)
    world.deliver()
    world.sweep()
    assert (world.registry.writes, world.registry.describe(arn)) == (written, described)
    assert (world.vault_bucket.writes, world.ledger.histories) == ([("put", SINCE)], {})
