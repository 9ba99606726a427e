"""The whole product of calls and faults: one faultless run, which branches at each call for each fault of it.

A branch is a process of its own, forked where the call is made, so that what came before it is not run again.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.faults import Fault
from tests.faults.faulty_world import FaultyWorld
from tests.faults.journey import Case, Result, begun, cases_of, judged, travel, travelled

Report = Callable[[Result], None]
_LONGEST = 600.0  # seconds of one branch
_KEPT = 4000  # characters of what is wrong


@dataclass
class Branches:
    """Branches off `chosen` cases, so many `at_once`, and reports the result of each."""

    faultless: FaultyWorld
    chosen: frozenset[tuple[int, Fault]]
    at_once: int
    report: Report
    _running: dict[int, tuple[int, Case]] = field(default_factory=dict)  # process and case, by the pipe it writes to
    _mine: tuple[int, Case] | None = None

    def go(self) -> None:
        """Run the journey, and a branch for each chosen case."""
        world = begun()
        world.interruptions.branch = lambda *call: self._branch(world, *call)
        failed: list[Exception] = []

        def travelling() -> FaultyWorld:
            if failed:
                raise failed[0]
            return world

        try:
            travel(world)
        except Exception as error:
            failed.append(error)
        if self._mine is None:
            while self._running:
                self._reap()
            return
        pipe, case = self._mine
        result = judged(case, travelling, self.faultless)
        os.write(pipe, json.dumps([result.helped, result.wrong[:_KEPT]]).encode())
        os._exit(0)

    def _branch(self, world: FaultyWorld, number: int, function: str, operation: str, workflow: bool) -> Fault | None:
        for case in cases_of(number, function, operation, workflow):
            if (number, case.fault) not in self.chosen:
                continue
            while len(self._running) >= self.at_once:
                self._reap()
            reading, writing = os.pipe()
            process = os.fork()
            if not process:
                self._mine = (writing, case)
                world.interruptions.branch = lambda *_: None
                return case.fault
            os.close(writing)
            self._running[reading] = (process, case)
        return None

    def _reap(self) -> None:
        """Wait for a branch to end, and report what came of it."""
        ready, _, _ = select.select(list(self._running), [], [], _LONGEST)
        for pipe in ready or list(self._running):
            process, case = self._running.pop(pipe)
            if not ready:
                os.kill(process, 9)
            with os.fdopen(pipe, "rb") as told:
                written = told.read()
            os.waitpid(process, 0)
            helped, wrong = json.loads(written) if written else ((), "it did not end, or ended without a word")
            self.report(Result(case, tuple(helped), wrong))


def every(cases: list[Case], at_once: int, report: Report) -> float:
    """Run all `cases` of the faultless journey, and return how many seconds that took."""
    started = time.monotonic()
    chosen = frozenset((case.number, case.fault) for case in cases)
    Branches(travelled(), chosen, at_once, report).go()
    return time.monotonic() - started
