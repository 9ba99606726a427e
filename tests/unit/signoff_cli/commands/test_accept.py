"""A person's word for the checks that ask for one: given by name, asked for in a terminal, and never assumed."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import typer

from signoff.ledger.history import History
from signoff_cli.commands.accept import accept_all, unaccepted
from signoff_cli.commands.decide import confirm
from signoff_cli.errors import CommandFailed
from signoff_cli.output.decisions import summary
from signoff_cli.statements.decision import DecisionRequest, PendingDecision
from tests.support import compared, entries
from tests.support.clock import START, Clock
from tests.support.fakes import FakeLedger

SUSPICIOUS = {"name": "suspicious:auc", "status": "passed", "reason": "better by\n0.3", "asks": True}


def pending(*accepts: str, decision: str = "approve", **said: Any) -> PendingDecision:
    """Return a decision about a package of which two checks ask for a person's word."""
    ledger = FakeLedger(Clock())
    checks = [*compared.CHECKS[:3], SUSPICIOUS]
    drafts = (entries.registered(), entries.started(), entries.evidence(checks=checks))
    ledger.append(History(entries.PACKAGE), drafts)
    asked = DecisionRequest(entries.ARN, decision, entries.APPROVER, "it's fine", accepts=accepts, **said)
    return PendingDecision(ledger, asked, None, lambda: START)


def test_what_is_signed_names_every_check_that_asked():
    decision = pending("champion:auc")
    assert accept_all(decision) == ["suspicious:auc: better by 0.3. Accept it?"]
    assert decision.decision.statement["accepts"] == ["champion:auc", "suspicious:auc"]


def test_a_package_without_such_checks_is_approved_in_the_same_words_as_ever():
    ledger = FakeLedger(Clock())
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    decision = PendingDecision(ledger, DecisionRequest(entries.ARN, "approve", entries.APPROVER, "because"))
    assert accept_all(decision) == []
    assert "accepts" not in decision.decision.statement


def test_a_rejection_accepts_nothing():
    assert accept_all(pending(decision="reject")) == []


@pytest.mark.parametrize("name", ["metric:auc", "champion:AUC", "nothing"])
def test_only_checks_that_ask_can_be_accepted(name: str):
    with pytest.raises(CommandFailed, match=f"no check {name} asks .* these ask: champion:auc, suspicious:auc"):
        accept_all(pending(name))


def test_a_script_is_told_the_exact_command():
    decision = pending("champion:auc", break_glass=True)
    said = f"--reason 'it'\"'\"'s fine' --evidence {'e' * 64}"
    command = f"signoff approve churn/3 {said} --accept champion:auc --accept suspicious:auc --break-glass --yes"
    questions = accept_all(decision)
    assert str(unaccepted(decision, "churn/3", questions)).splitlines() == [
        "a person has to give their word for these checks:",
        "  suspicious:auc: better by 0.3.",
        f"Nothing was decided. To accept them: {command}",
    ]


def answered(monkeypatch: pytest.MonkeyPatch, *answers: bool) -> list[str]:
    """Have a terminal answer the questions like this; return the questions as they come."""
    asked: list[str] = []
    given = iter(answers)

    def answer(question: str, **_: Any) -> bool:
        asked.append(question)
        return next(given)

    monkeypatch.setattr(typer, "confirm", answer)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    return asked


def test_a_person_is_asked_about_each_check_and_then_whether_to_continue(monkeypatch: pytest.MonkeyPatch):
    asked = answered(monkeypatch, True, True, True)
    confirm(["approve churn/3"], "Nothing was decided", accept_all(pending()))
    assert asked == [
        "champion:auc: it cannot be told apart. Accept it?",
        "suspicious:auc: better by 0.3. Accept it?",
        "Continue?",
    ]


def test_a_single_no_ends_it(monkeypatch: pytest.MonkeyPatch):
    asked = answered(monkeypatch, True, False)
    with pytest.raises(CommandFailed, match="Nothing was decided"):
        confirm([], "Nothing was decided", accept_all(pending()))
    assert len(asked) == 2


def test_the_prompt_shows_the_comparison_before_the_checks_and_those_that_ask_first():
    lines = summary(pending(), None, (), compared.EVIDENCE, 104)
    parts = ["model      Tumours", "Metrics", "Changed since churn/2", "Images", "verdict", "asks", "passed"]
    at = [next(number for number, line in enumerate(lines) if line.strip().startswith(part)) for part in parts]
    assert at == sorted(at)
    assert (
        "    auc               0.991     0.987  +0.004 [-0.002, +0.01]  no worse ...5; >= 0.9  inconclusive, asks"
        in lines
    )
