"""Claims: one execution validates a package at a time, whoever comes twice or too late."""

from signoff.ledger.entries import Status
from signoff.ledger.witnessed import SINCE
from tests.support.validations import claimed
from tests.support.world import World

# Claims


def test_a_repeated_event_finds_the_claim_of_another_execution_and_does_nothing():
    world = World()
    arn = world.submit()
    claimed(world, arn, "x1")
    before = world.kinds(arn)
    assert claimed(world, arn, "x2") == {"outcome": "NothingToValidate", "status": Status.VALIDATING}
    assert world.kinds(arn) == before


def test_a_redriven_execution_finds_its_own_claim_and_goes_on():
    world = World()
    arn = world.submit()
    assert claimed(world, arn, "x1") == claimed(world, arn, "x1")
    assert world.kinds(arn) == ["Registered", "ValidationStarted"]


def test_of_two_executions_that_claim_at_once_one_gets_the_package():
    world = World()
    arn = world.submit()
    world.interruptions.before["FakeLedger.append"] = lambda: claimed(world, arn, "x2")
    assert claimed(world, arn, "x1")["outcome"] == "NothingToValidate"
    assert world.state(arn).execution == "x2"


def test_a_package_that_is_gone_has_nothing_to_validate():
    assert claimed(World(), "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1")["outcome"] == "Gone"


def test_a_package_of_an_ungoverned_group_passes_by_untouched():
    world = World()
    world.elsewhere()
    written = list(world.registry.writes)
    world.deliver()
    assert (world.registry.writes, world.vault_bucket.writes[1:], world.ledger.histories) == (written, [], {})
    assert world.vault_bucket.writes[0] == ("put", SINCE)  # when the functions started


def test_an_error_does_not_disturb_the_claim_of_another_execution():
    world = World()
    arn = world.submit()
    claimed(world, arn, "x1")
    world.recorder.record_unopened(arn, "x2", {"Error": "E"})
    assert world.state(arn).status is Status.VALIDATING
