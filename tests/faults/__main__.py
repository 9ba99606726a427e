"""`make sweep`: lets each fault become of each call to AWS, from upload to retirement, and tells what does not recover.

A faultless run is branched at each call: killed before or after it, timed out after its effect, throttled, a server
error, denied once, and in the workflow stopped. Each branch must end as the faultless run does, and nobody may have to
do anything.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter

from rich.console import Console
from rich.table import Table

from tests.faults import page
from tests.faults.every_case import every
from tests.faults.faults import Fault
from tests.faults.journey import Case, Result, cases, first, travelled

EVERY = 10.0  # seconds between two lines of progress


def chosen(options: argparse.Namespace) -> list[Case]:
    """Return the cases that the command line asks for."""
    found = [
        case
        for case in cases(travelled())
        if options.only in (None, case.function) and options.fault in (None, case.fault.name.lower())
    ]
    return first(found) if options.first else found


def main() -> None:
    """Run what the command line says; exit 1 when a fault needs somebody."""
    parser = argparse.ArgumentParser(prog="make sweep", description=__doc__)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="processes (one for each processor)")
    parser.add_argument("--first", action="store_true", help="only the first time that a function makes a call")
    parser.add_argument("--only", metavar="FUNCTION", help="only calls of this function, such as RegisterModel")
    parser.add_argument("--fault", choices=[fault.name.lower() for fault in Fault], help="only this fault")
    parser.add_argument("--write", action="store_true", help="write the table to docs/reliability.md")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # each fault is logged, as it should be
    console, todo, results = Console(), chosen(options), list[Result]()
    console.print(f"{len(todo)} faults, {options.at_once} at once")
    last = time.monotonic()

    def report(result: Result) -> None:
        nonlocal last
        results.append(result)
        if result.wrong:
            console.print(f"{described(result.case)}: {result.wrong}", markup=False, soft_wrap=True)
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            wrong = sum(bool(each.wrong) for each in results)
            console.print(f"{len(results)} of {len(todo)}, {wrong} wrong")

    seconds = every(todo, options.at_once, report)
    console.print(summary(results))
    console.print(f"{len(results)} faults in {seconds / 60:.1f} minutes")
    if options.write:
        told = set(first(todo))
        page.write(page.table_of(result for result in results if result.case in told))
    sys.exit(any(result.wrong for result in results))


def described(case: Case) -> str:
    """Return a case in words."""
    return f"{case.function}, call {case.number}, {page.OPERATIONS[case.operation]}, {case.fault}"


def summary(results: list[Result]) -> Table:
    """Return by what means the runs went on, for each function."""
    table = Table("function", "faults", *MEANS)
    for function in sorted({result.case.function for result in results}):
        of = [result for result in results if result.case.function == function]
        means = Counter(each for result in of for each in page.means(result))
        table.add_row(function, str(len(of)), *(str(means[each]) for each in MEANS))
    return table


MEANS = (page.AT_ONCE, "queue", "stream", "workflow", "sweep", page.WRONG)

if __name__ == "__main__":
    main()
