"""Two attempts to validate a package, of which the older one is late: the registry shows the newer one's evidence."""

import pytest

from signoff.ledger import checkpoints
from tests.support.world import ACCURATE, SUBMITTER, World


@pytest.mark.parametrize("late", ["update_package", "set_status"])
@pytest.mark.parametrize("at_least", [0.9, 0.99])
def test_older_evidence_that_is_shown_late_does_not_stay(late: str, at_least: float):
    world = World(metrics=[{**ACCURATE[0], "at_least": at_least}])
    arn = world.submit()

    def another_attempt() -> None:
        world.set_policy("default", groups={"create": True}, metrics=[{**ACCURATE[0], "at_least": 0.98}])
        world.validate(arn, by=SUBMITTER, reason="the policy has changed")

    world.interruptions.before[f"FakeRegistry.{late}"] = another_attempt
    world.deliver()

    history = world.history(arn)
    shown = world.registry.described[arn]["CustomerMetadataProperties"]
    assert checkpoints.of_evidence(history).items() <= shown.items()
    assert world.status(arn) == history.state.registry_status
