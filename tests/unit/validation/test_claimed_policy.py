"""The policy of an attempt: what the workflow hands on counts if it has the digest that was claimed."""

import pytest

from signoff.errors import DocumentMissing
from signoff.validation.claimed_policy import claimed_policy
from signoff.validation.open_validation import ValidationRequest
from tests.support.validations import claimed
from tests.support.world import ACCURATE, World


def test_the_policy_that_is_handed_on_is_not_read_again():
    world = World(metrics=ACCURATE)
    claim = claimed(world, world.submit())
    world.vault_bucket.versions.clear()
    policy = claimed_policy(claim, world.vault)
    assert policy.digest == claim["policy"]
    assert [metric.name for metric in policy.metrics] == ["accuracy"]


def test_a_policy_that_was_changed_on_the_way_is_not_believed():
    world = World(metrics=ACCURATE)
    claim = claimed(world, world.submit())
    changed = {**claim, "policy_document": {**claim["policy_document"], "metrics": []}}
    assert claimed_policy(changed, world.vault).digest == claim["policy"]
    world.vault_bucket.versions.clear()
    with pytest.raises(DocumentMissing):
        claimed_policy(changed, world.vault)


def test_an_execution_that_is_redriven_after_its_policy_changed_is_judged_by_the_one_that_it_claimed():
    world = World(metrics=ACCURATE)
    arn = world.submit()
    claim = claimed(world, arn)
    world.set_policy("default", groups={"create": True})
    again = world.opener.open(ValidationRequest(arn, claim["execution"]))
    assert again["policy"] == claim["policy"]
    assert not again["policy_document"]["metrics"]
    assert [metric.name for metric in claimed_policy(again, world.vault).metrics] == ["accuracy"]
