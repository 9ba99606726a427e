"""What the loaders of honest formats read, also changed by chance, is told by its format or refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from attack import campaign as campaigns
from attack.campaign import Campaign
from attack.grammar import Files
from attack.grammars.honest import FILES, HONEST
from attack.judgement import inspected
from attack.mutation import Mutant
from attack.sandbox.client import Sandbox
from signoff.artifact.report import Inspection
from tests.support.depth import deep

ELSEWHERE = {
    "catboost.cbm",
    "catboost.json",
    "module.ff",
    "module.ptl",
    "script.pt",
    "state-dict.pt",
}  # their loaders are
MUTANTS = 3000 if deep() else 10


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(wanted=HONEST.loaders) as started:
        yield started


@pytest.mark.parametrize("name", FILES)
def test_honest_files_are_read_and_told_by_their_format(sandbox: Sandbox, name: str) -> None:
    campaign = Campaign([sandbox])

    assert campaign.attempt(HONEST.case([("file", name), ("place", "usual")]), load=True) is None
    assert campaign.figures.outcomes["loaded"] or name in ELSEWHERE


def test_what_is_read_after_changes_is_told_by_its_format_or_refused(sandbox: Sandbox) -> None:
    campaign, chance = Campaign([sandbox]), random.Random(0)  # noqa: S311 - to be the same again
    cases = [HONEST.case(odd) for odd in HONEST.values()]
    mutants = [Mutant(chance.choice(cases), chance.getrandbits(32)) for _ in range(MUTANTS)]

    assert [find.case.name for find in map(campaign.attempt, mutants) if find] == []


def test_what_a_loader_reads_and_inspection_takes_for_something_else_is_a_find(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_for_text(files: Files) -> Inspection:
        return replace(inspected(files), kinds={"text": inspected(files).kinds["lightgbm"]})

    monkeypatch.setattr(campaigns, "inspected", taken_for_text)

    find = Campaign([sandbox]).attempt(HONEST.case([]))

    assert find
    assert find.by == ("lightgbm, of what is taken for text",)
