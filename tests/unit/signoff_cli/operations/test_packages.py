"""Packages that are stuck: what waits for a person, and what Signoff will do by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from signoff.ledger import attempts
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff_cli.operations.findings import Finding
from signoff_cli.operations.packages import MOST, StuckPackages
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger

SWEEP = "aws lambda invoke --function-name Sweep /dev/stdout"


class Executions:
    """Step Functions, which knows these executions."""

    def __init__(self, **statuses: str) -> None:
        self._statuses = statuses

    def status(self, execution: str) -> str:
        return self._statuses.get(execution, "GONE")


class Ledger:
    """A ledger, and a look at it some hours after it was written."""

    def __init__(self, *drafts: Draft, packages: int = 1, executions: Executions | None = None) -> None:
        self._clock, self._executions = Clock(), executions or Executions()
        self._ledger = FakeLedger(self._clock)
        for number in range(packages):
            self._ledger.append(History(entries.PACKAGE.replace("/3@", f"/{number + 3}@")), drafts)

    def after(self, **time: float) -> StuckPackages:
        now = self._clock() + timedelta(**time)
        return StuckPackages(self._ledger, self._executions, now, SWEEP)


def errored(**details: object) -> Draft:
    facts = {"attempt": 1, "execution": "x1", "error": "DocumentMissing", "cause": "it is gone", **details}
    return Draft(Kind.VALIDATION_ERRORED, "signoff", facts)


def only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_validation_without_a_verdict_and_without_another_attempt_waits_for_a_person() -> None:
    ledger = Ledger(entries.registered(), entries.started(), errored())
    finding = only(ledger.after(minutes=1).validations())
    assert (finding.subject, finding.why, finding.by_itself) == ("Churn/3", "DocumentMissing: it is gone", None)
    assert finding.commands == ("signoff show Churn/3", "signoff revalidate Churn/3 --wait")


def test_another_attempt_comes_by_itself_unless_it_is_long_overdue() -> None:
    ledger = Ledger(entries.registered(), entries.started(), errored(**attempts.promise(0)))
    assert only(ledger.after(minutes=1).validations()).by_itself == "2026-03-02T09:30:20.000Z"
    assert only(ledger.after(hours=3).validations()).by_itself is None


def test_a_package_that_was_validated_as_often_as_may_be_is_not_to_be_validated_again() -> None:
    many = [entries.started(attempt=attempts.MOST), errored()]
    finding = only(Ledger(entries.registered(), *many).after(minutes=1).validations())
    assert "submit the model anew" in finding.why
    assert not any("revalidate" in command for command in finding.commands)


def test_a_claim_of_an_execution_that_is_gone_is_released_by_the_sweep() -> None:
    finding = only(Ledger(entries.registered(), entries.started()).after(hours=2).claims())
    assert (finding.kind, finding.since) == ("dead_claim", "2026-03-02T09:15:20.000Z")
    assert "x1 is GONE" in finding.why
    assert finding.commands == (SWEEP, "signoff revalidate Churn/3 --wait")


def test_a_claim_of_a_running_execution_and_a_young_one_are_none() -> None:
    assert list(Ledger(entries.registered(), entries.started()).after(minutes=5).claims()) == []
    running = Ledger(entries.registered(), entries.started(), executions=Executions(x1="RUNNING"))
    assert list(running.after(hours=2).claims()) == []


def test_a_step_that_nobody_takes_is_told_once_the_sweep_ought_to_have_taken_it() -> None:
    ledger = Ledger(*entries.PENDING, entries.decided("approve"), entries.updated("Approved"))
    assert list(ledger.after(minutes=20).steps()) == []
    finding = only(ledger.after(hours=2).steps())
    assert (finding.kind, finding.what) == ("overdue_step", "it is approved, and has no model yet")


def test_a_package_that_was_never_validated_is_told() -> None:
    assert only(Ledger(entries.registered()).after(hours=2).steps()).what == "no validation has begun"


REVOKED = (*entries.APPROVED, entries.model_created(), entries.decided("revoke"), entries.updated("Rejected"))


def test_a_model_behind_an_endpoint_is_told_at_once_with_the_endpoint_to_move() -> None:
    endpoint = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/scores"
    finding = only(Ledger(*REVOKED, entries.blocked(endpoint)).after(minutes=1).models())
    assert (finding.kind, finding.what) == ("model_in_use", "its model should be gone")
    assert "used by scores" in finding.why
    assert finding.commands[0].startswith("aws sagemaker update-endpoint --endpoint-name scores ")
    assert finding.commands[-1] == SWEEP


def test_a_model_that_is_about_to_be_deleted_is_no_finding_until_it_is_overdue() -> None:
    ledger = Ledger(*REVOKED)
    assert list(ledger.after(minutes=1).models()) == []
    assert "not deleted yet" in only(ledger.after(hours=2).models()).why


def test_what_is_settled_is_no_finding() -> None:
    ledger = Ledger(*entries.APPROVED, entries.model_created()).after(hours=9)
    looks = (ledger.validations, ledger.claims, ledger.steps, ledger.models)
    assert [finding for look in looks for finding in look()] == []


def test_of_many_only_the_first_are_looked_at_one_by_one() -> None:
    ledger = Ledger(entries.registered(), entries.started(), errored(), packages=MOST + 5)
    *told, last = ledger.after(minutes=1).validations()
    assert len(told) == MOST
    assert last.what.startswith("5 further packages")
    assert last.commands == ("signoff list --status ValidationErrored",)


@pytest.mark.parametrize("packages", [MOST + 1, 10 * MOST])
def test_what_it_costs_does_not_grow_with_what_is_stuck(packages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Ledger(entries.registered(), entries.started(), packages=packages).after(hours=2)
    read: list[str] = []
    history = FakeLedger.history

    def counted(ledger: FakeLedger, package: str) -> History:
        read.append(package)
        return history(ledger, package)

    monkeypatch.setattr(FakeLedger, "history", counted)
    assert len(list(stuck.claims())) == MOST + 1
    assert len(read) == MOST
