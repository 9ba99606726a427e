"""A campaign tells what passes and is run, in its simplest form, and counts what it tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attack import campaign as campaigns
from attack.campaign import Campaign, Find
from attack.finds import keep
from attack.grammars import GRAMMARS
from attack.grammars.pickles import PICKLES
from attack.judgement import inspected_archive
from attack.mutation import Mutant, try_of
from attack.sandbox.client import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(wanted=["pickle", "picklescan"]) as started:
        yield started


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything pass but what is compressed, as an inspection would that sees nothing."""
    monkeypatch.setattr(campaigns, "errors", lambda found: ["compressed"] if "gzip" in found.kinds else [])


def run(sandbox: Sandbox, *names: str) -> tuple[Campaign, list[Find]]:
    campaign, found = Campaign([sandbox]), list[Find]()
    campaign.run([try_of(name, GRAMMARS) for name in names], lambda: False, found.append)
    return campaign, found


def test_what_is_refused_is_no_find(sandbox: Sandbox) -> None:
    campaign, found = run(sandbox, "pickle: header=none", "pickle: form=inst call=system")

    assert found == []
    assert campaign.figures.refused == campaign.figures.tried == 2


@pytest.mark.usefixtures("blind")
def test_a_find_is_told_in_its_simplest_form_with_who_runs_and_who_refuses_it(sandbox: Sandbox) -> None:
    _, found = run(sandbox, "pickle: form=inst header=none place=notes.txt")

    assert [(find.case.name, find.by) for find in found] == [("pickle:", ("pickle", "picklescan"))]


def test_what_has_the_choices_of_a_find_is_not_tried_again(sandbox: Sandbox) -> None:
    campaign, junk = Campaign([sandbox]), PICKLES.case([("tail", "junk")])
    campaign.finds = {junk.name: Find(junk, {}, ("pickle",))}

    campaign.run([PICKLES.case([("tail", "junk"), ("form", "inst")])], lambda: False, lambda _: None)

    assert campaign.figures.known == 1
    assert campaign.figures.tried == 0


def test_an_inspection_that_raises_is_a_find(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_files: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(campaigns, "inspected", broken)

    _, (find,) = run(sandbox, "pickle:")

    assert "IndexError" in find.by[0]


def test_choices_and_pairs_are_counted(sandbox: Sandbox) -> None:
    campaign, _ = run(sandbox, "pickle: form=inst", "pickle: form=inst header=none", "pickle: header=none ~3")

    tried = {dimension: number for _, dimension, _, number, _ in campaign.figures.coverage([PICKLES])}
    assert {dimension: number for dimension, number in tried.items() if number} == {"form": 1, "header": 1}
    assert campaign.figures.pairs([PICKLES])[1] == 1
    assert campaign.figures.mutants == 1


def test_a_find_is_kept_as_the_artifact_that_would_be_submitted(tmp_path: Path) -> None:
    case = PICKLES.case([("form", "inst")])

    path = keep(Find(Mutant(case, 3), case.files(), ("pickle",)), tmp_path)

    assert path == tmp_path / "pickle" / "form" / "form-inst-~3.tar.gz"
    assert inspected_archive(path.read_bytes()).members == 1


def test_a_find_that_is_large_is_not_kept(tmp_path: Path) -> None:
    case = PICKLES.case([])

    assert keep(Find(case, {"model": bytes(range(256)) * 100_000}, ("pickle",)), tmp_path) is None
