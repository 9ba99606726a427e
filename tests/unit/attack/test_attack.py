"""The quick part of `make attack`: every choice of the grammars alone, and what was found before."""

from __future__ import annotations

import pytest

from attack.campaign import Campaign
from attack.finds import SEEDS
from attack.grammar import Case, ImpossibleDisguise
from attack.grammars import GRAMMARS
from attack.grammars.padding import COSTLY
from attack.judgement import errors, inspected, inspected_archive
from attack.sandbox.client import Sandbox
from tests.support.depth import deep
from tests.unit.attack.known import DEAD

DISGUISES = [grammar for grammar in GRAMMARS if not grammar.kinds]
CASES = [grammar.case(odd) for grammar in DISGUISES for odd in grammar.values()]
LOADED = 3  # cases of each grammar in a quick run
DIMENSIONS = [(grammar.name, dimension) for grammar in DISGUISES for dimension in grammar.dimensions]


def costs_little(case: Case) -> bool:
    return deep() or not any(name in COSTLY for _, name in case.odd)


def of(grammar: str, dimension: str) -> list[Case]:
    """The cases with one odd choice, of that dimension."""
    return [case for case in CASES if case.grammar.name == grammar and [each for each, _ in case.odd] == [dimension]]


def passes(case: Case) -> bool:
    try:
        return not errors(inspected(case.files()))
    except ImpossibleDisguise:
        return False


def run(cases: list[Case]) -> list[str]:
    """The names of those that a loader runs."""
    if not cases:
        return []
    with Sandbox(wanted=cases[0].grammar.loaders) as sandbox:
        campaign = Campaign([sandbox])
        return [case.name for case in cases if campaign.attempt(case)]


@pytest.mark.parametrize(("grammar", "dimension"), DIMENSIONS)
def test_what_loaders_run_is_refused_whatever_is_chosen(grammar: str, dimension: str) -> None:
    cases = [case for case in of(grammar, dimension) if costs_little(case)]
    passing = [case for case in cases if passes(case)]

    assert {case.name for case in passing} <= DEAD
    assert not deep() or run(passing) == []


def test_disguises_are_live() -> None:
    with Sandbox(wanted=sorted({name for grammar in DISGUISES for name in grammar.loaders})) as sandbox:
        campaign = Campaign([sandbox])
        for grammar in DISGUISES:
            if set(grammar.loaders) & set(sandbox.loaders):  # others have theirs in an environment of their own
                of_it = [case for case in CASES if case.grammar is grammar and costs_little(case)]
                for case in of_it if deep() else of_it[:: len(of_it) // LOADED]:
                    campaign.attempt(case, load=True)

    assert campaign.figures.live > campaign.figures.loaded * 0.8


@pytest.mark.parametrize("seed", sorted(path.relative_to(SEEDS).as_posix() for path in SEEDS.rglob("*.tar.gz")))
def test_what_was_found_before_is_refused(seed: str) -> None:
    assert errors(inspected_archive((SEEDS / seed).read_bytes())) != []
