"""`make load`: what its figures must show, and how a group's evidence is compared with its ledgers."""

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import champions, conditions
from benchmarks.load.champions import Reign
from benchmarks.load.processors import processor_seconds
from signoff.ledger.entries import Entry, Kind


def figures(**changed: Any) -> dict[str, Any]:
    """Figures of which nothing is wrong, but for what is changed by its path (`large.pending`)."""
    burst = {"uploads": 10, "packages": 10, "pending": 10, "dead_letters": {}, "seconds_each": 1.0}
    votes = {"packages": 5, "votes": 10, "counted": 10, "doubled": 0, "refused": 0, "decided": 5, "models": 5}
    found = {
        "validations": 18,
        "evidence": 18,
        "wrong": [],
        "champions": [1, 2],
        "successions": 1,
        "reinstated": 0,
        "dead_letters": {},
    }
    parts = {"small": dict(burst), "large": dict(burst), "votes": {**votes, "dead_letters": {}}, "validations": found}
    for path, value in changed.items():
        part, _, name = path.partition("__")
        parts[part][name] = value
    return parts


def test_figures_of_a_run_in_which_nothing_was_lost_meet_every_condition() -> None:
    assert conditions.unmet(figures()) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("large__packages", 9, "10 uploads ended with 9 (packages)"),
        ("large__packages", 11, "10 uploads ended with 11 (packages)"),
        ("small__pending", 9, "10 uploads ended with 9 (pending)"),
        ("large__dead_letters", {"Register": 1}, "there are dead letters: {'Register': 1}"),
        ("large__seconds_each", 1.6, "took 1.60 times as long"),
        ("votes__counted", 9, "of 10 votes 9 were counted"),
        ("votes__doubled", 1, "1 twice"),
        ("votes__refused", 1, "1 refused"),
        ("votes__decided", 4, "there are 4 decided"),
        ("votes__models", 6, "there are 6 models"),
        ("votes__dead_letters", {"Decision": 2}, "there are dead letters: {'Decision': 2}"),
        ("validations__evidence", 17, "of 18 validations 17 ended with evidence"),
        ("validations__wrong", ["version 7 at noon: 1"], "another champion than the ledger: version 7 at noon: 1"),
        ("validations__champions", [1], "two champions were to follow each other once: [1]"),
        ("validations__champions", [1, 2, 1], "[1, 2, 1]"),
        ("validations__successions", 2, "2 superseded"),
        ("validations__reinstated", 1, "1 reinstated"),
        ("validations__dead_letters", {"Announce": 1}, "{'Announce': 1}"),
    ],
)
def test_whatever_is_lost_doubled_or_slower_is_told(path: str, value: Any, told: str) -> None:
    (sentence,) = conditions.unmet(figures(**{path: value}))
    assert told in sentence


def entry(kind: Kind, version: int, time: str, **details: Any) -> Entry:
    return Entry(f"churn/{version}", int(time), time, kind, "signoff", "churn", version, details, "", "")


def deployed(version: int, approved: str, model: str) -> list[Entry]:
    return [
        entry(Kind.DECISION_RECORDED, version, approved, decision="approve"),
        entry(Kind.MODEL_CREATED, version, model),
    ]


def validated(version: int, started: str, recorded: str, champion: int | None) -> list[Entry]:
    return [
        entry(Kind.VALIDATION_STARTED, version, started),
        entry(Kind.EVIDENCE_RECORDED, version, recorded, sha256=str(champion)),
    ]


def evidence(digest: str) -> dict[str, Any]:
    return {"comparison": {"champion": None if digest == "None" else {"version": int(digest)}}}


LEDGER = [*deployed(1, "2010", "2012"), *deployed(2, "2020", "2025")]


def stat(session: int, *ticks: int, name: str = "python") -> str:
    """A process's line as Linux tells it: its time and that of its children, each as user and in the kernel."""
    return f"7 ({name}) S 1 7 {session} 0 -1 0 0 0 0 0 {' '.join(map(str, ticks))} 20 0 1 0 0"


def test_the_work_of_an_engine_is_that_of_its_session_and_of_its_children_that_ended(tmp_path: Path) -> None:
    second = os.sysconf("SC_CLK_TCK")
    lines = [stat(7, second, 0, second, second), stat(7, 0, second, 0, 0, name="a) b"), stat(8, second, 0, 0, 0)]
    for number, line in enumerate(lines):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "stat").write_text(line)

    assert processor_seconds(7, tmp_path) == 4
    assert processor_seconds(7, tmp_path / "nowhere") is None


def test_who_was_approved_last_and_has_a_model_is_champion_from_its_model_on() -> None:
    assert champions.reigns(LEDGER) == [Reign("", None), Reign("2012", 1), Reign("2025", 2)]


def test_who_was_approved_earlier_does_not_become_champion_by_a_late_model() -> None:
    late = [*deployed(1, "2010", "2030"), *deployed(2, "2020", "2025")]
    assert [reign.version for reign in champions.reigns(late)] == [None, 2, 2]


@pytest.mark.parametrize(
    ("started", "recorded", "named", "right"),
    [
        ("2002", "2005", None, True),
        ("2002", "2005", 1, False),
        ("2013", "2020", 1, True),
        ("2013", "2020", 2, False),
        ("2013", "2020", None, False),
        ("2013", "2028", 1, True),
        ("2013", "2028", 2, True),
        ("2026", "2028", 1, False),
        ("2026", "2028", 2, True),
    ],
)
def test_evidence_names_who_was_champion_while_it_was_made(
    started: str, recorded: str, named: int | None, right: bool
) -> None:
    found = champions.compared([*LEDGER, *validated(7, started, recorded, named)], evidence)
    assert (found["evidence"], not found["wrong"]) == (1, right)
