"""A diagnosis: what counts, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from signoff_cli.operations.findings import Check, Diagnosis, Finding, diagnose
from signoff_cli.output import health

BROKEN = Finding("alarm", "A", "the alarm rings", "because", ("signoff doctor",), "2026-03-02T09:15:20.000Z")
WAITING = Finding("validation_error", "churn/3", "errored", "because", (), None, "2026-03-02T09:30:20.000Z")


def failing() -> Iterator[Finding]:
    yield BROKEN
    raise KeyError("Rules")


def test_without_findings_there_is_nothing_to_do() -> None:
    diagnosis = diagnose([Check("alarms", list)])
    assert diagnosis.to_do == 0
    assert [*health.lines(diagnosis)] == ["Nothing is to be done."]


def test_a_check_that_fails_counts_and_keeps_neither_its_findings_nor_other_checks_back() -> None:
    diagnosis = diagnose([Check("rules", failing), Check("alarms", lambda: [WAITING])])
    assert diagnosis.findings == [BROKEN, WAITING]
    assert [each.check for each in diagnosis.not_looked_at] == ["rules"]
    assert diagnosis.to_do == 2


def test_what_mends_itself_is_told_and_does_not_count() -> None:
    diagnosis = Diagnosis([WAITING])
    assert diagnosis.to_do == 0
    assert "by itself at 2026-03-02T09:30:20.000Z" in "\n".join(health.lines(diagnosis))


def test_the_document_has_all_fields_of_all_findings() -> None:
    document = diagnose([Check("rules", failing)]).document()
    assert document["to_do"] == 2
    assert document["findings"] == [
        {
            "kind": "alarm",
            "subject": "A",
            "what": "the alarm rings",
            "why": "because",
            "commands": ["signoff doctor"],
            "since": "2026-03-02T09:15:20.000Z",
            "by_itself": None,
        }
    ]
    assert document["not_looked_at"][0].keys() == {"check", "why"}


def test_people_read_what_since_when_why_and_the_command() -> None:
    assert [*health.lines(Diagnosis([BROKEN]))] == [
        "alarm: A: the alarm rings, since 2026-03-02T09:15:20.000Z",
        "    because",
        "    $ signoff doctor",
        "1 thing to do.",
    ]
