"""Which former version a group is rolled back to."""

from typing import Any

import pytest

from signoff.deployment.champions import Champions
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.rollback import find_target
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger, FakeParameters

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn"
EVE = "arn:aws:iam::123456789012:user/eve"


def pending(version: int) -> list[Draft]:
    return [entries.registered(version=version), entries.started(), entries.evidence()]


def approved(version: int) -> list[Draft]:
    return [*pending(version), entries.decided("approve"), entries.updated("Approved"), _model(version)]


def revoked(version: int) -> list[Draft]:
    return [*approved(version), entries.decided("revoke"), entries.updated("Rejected"), entries.model_retired()]


def _model(version: int) -> Draft:
    return entries.model_created(f"churn-v{version}")


def rolled_back(*versions: list[Draft], group: str = "Churn", to: int | None = None) -> tuple[str, str]:
    """Return where a group of these versions, approved one after the other, is rolled back to, and why."""
    clock = Clock()
    ledger = FakeLedger(clock)
    for number, drafts in enumerate(versions, 1):
        clock.forward(hours=1)
        ledger.append(History(f"{ARN}/{number}@2026-03-02T09:15:20.000Z"), drafts)
    store: Any = ledger
    found = find_target(ledger, Champions(FakeParameters(clock), "/signoff/champions", store), group, to)
    return found.package.removeprefix(f"{ARN}/"), found.why


def test_it_is_the_version_that_was_champion_before_the_present_one():
    package, why = rolled_back(approved(1), approved(2), approved(3))
    assert package == "2"
    assert why == "version 2, Approved at 2026-03-02T11:15:20.000Z, was champion before version 3"


def test_one_that_is_approved_still_is_preferred_to_a_later_one_that_was_revoked():
    assert rolled_back(approved(1), revoked(2), approved(3))[0] == "1"


def test_one_approved_since_whose_model_is_still_to_come_is_no_former_version():
    assert rolled_back(approved(1), approved(2), approved(3)[:-1])[0] == "1"
    with pytest.raises(CommandFailed, match="no other version of group Churn was approved before"):
        rolled_back(approved(1), approved(2)[:-1])


def test_where_none_is_approved_beside_the_champion_it_is_the_last_that_was():
    package, why = rolled_back(revoked(1), revoked(2), approved(3))
    assert (package, "Revoked at" in why) == ("2", True)


def test_what_never_was_approved_is_not_rolled_back_to():
    rejected = [*pending(2), entries.decided("reject")]
    vote = Draft(Kind.VOTED, EVE, {**entries.decided("approve", EVE).details, "outstanding": "1 more approval"})
    with pytest.raises(CommandFailed, match="no other version of group Churn was approved before"):
        rolled_back([*pending(1), vote], rejected, approved(3))


def test_without_a_champion_one_says_to_which_version():
    with pytest.raises(CommandFailed, match="no champion to roll back from; choose the version with --to"):
        rolled_back(revoked(1), revoked(2))
    assert rolled_back(revoked(1), revoked(2), to=1) == ("1", "version 1, chosen with --to")


def test_a_group_or_a_version_that_nobody_knows_is_told():
    with pytest.raises(CommandFailed, match="no group fraud"):
        rolled_back(approved(1), group="fraud")
    with pytest.raises(CommandFailed, match="no version 7 of group Churn"):
        rolled_back(approved(1), to=7)
