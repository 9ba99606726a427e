"""From upload to retirement, one call to AWS fails, or is the last of its function: the run ends as without, by itself.

Here a share of all that `make sweep` tries, the same each time. docs/reliability.md tells what comes of every call.
"""

from functools import cache

import pytest

from tests.faults import page
from tests.faults.every_case import every
from tests.faults.faults import INVOKE, Fault
from tests.faults.faulty_world import HIDDEN, FaultyWorld
from tests.faults.journey import Case, Result, cases, first, judged, run, travelled
from tests.support.depth import deep

TRIED = 100 if deep() else 10


@cache
def faultless() -> FaultyWorld:
    return travelled()


@cache
def every_case() -> list[Case]:
    return cases(faultless())


@pytest.mark.parametrize("share", range(TRIED))
def test_a_fault_of_one_call_needs_nobody(share: int):
    told = first(every_case())
    case = told[share * len(told) // TRIED + share % 7]
    result = run(case, faultless())
    assert not result.wrong, case
    assert page.means(result) <= page.read()[page.row_of(case)][case.fault]


def test_the_page_has_every_call_and_every_fault_of_it_and_nothing_wrong():
    told = {(row, fault) for row, cells in page.read().items() for fault in cells}
    assert told == {(page.row_of(case), case.fault) for case in every_case()}
    assert page.WRONG not in {means for cells in page.read().values() for found in cells.values() for means in found}


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_the_sweep_branches_off_the_same_journey():
    results: list[Result] = []
    every(list(every_case())[:1], 1, results.append)
    assert [result.wrong for result in results] == [""]


def test_a_run_that_ends_otherwise_is_told_from_one_that_does_not():
    world = travelled()
    world.registry.models["left-over"] = {}
    (case, *_) = every_case()
    assert judged(case, lambda: world, faultless()).wrong.startswith(".models.left-over")


def test_a_run_that_does_not_come_to_rest_is_wrong():
    def stuck() -> FaultyWorld:
        world = FaultyWorld()
        world.elsewhere()
        world.parameters.values["/signoff/policies/groups/churn"] = "{"
        world.settle()
        return world

    (case, *_) = every_case()
    assert "no rest" in judged(case, stuck, faultless()).wrong


def test_each_function_on_the_way_is_part_of_the_journey():
    invoked = {case.function for case in every_case() if case.operation == INVOKE}
    assert invoked == {*HIDDEN, "OpenValidation", "KeepArtifact", "InspectArtifact", "RecordEvidence"}


def test_an_execution_is_stopped_at_each_of_its_invocations():
    stopped = {case.function for case in every_case() if case.fault is Fault.ABORTED}
    assert stopped == {"OpenValidation", "KeepArtifact", "InspectArtifact", "RecordEvidence"}
