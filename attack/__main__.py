"""`make attack`: tries disguised code on the inspection and on the real loaders, and tells what passes."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from attack.campaign import Campaign, Find, cases, deadline
from attack.figures import Figures
from attack.finds import SEEDS, keep
from attack.grammar import Grammar
from attack.grammars import GRAMMARS
from attack.mutation import try_of
from attack.permitted import PERMITTED, permitted
from attack.sandbox.client import Sandbox

EVERY = 10  # seconds between two lines of progress


def main() -> None:
    """Attack as the command line says; exit 1 when something was found."""
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long (3600)")
    chance = random.randrange(1 << 32)  # noqa: S311 - to try something else each time, not to be secret
    parser.add_argument("--seed", type=int, default=chance, help="what chance begins with; printed")
    names = [*(grammar.name for grammar in GRAMMARS), PERMITTED]
    parser.add_argument("--only", default=",".join(names), help="grammars, by commas: " + ", ".join(names))
    parser.add_argument("--case", action="append", help="try this case, by its name; may be repeated")
    parser.add_argument("--python", action="append", default=[], help="one more environment with loaders or scanners")
    parser.add_argument("--seeds", type=Path, default=SEEDS, help="where finds are kept")
    options = parser.parse_args()
    only = options.only.split(",")
    grammars = [*(each for each in GRAMMARS if each.name in only), *([permitted()] if PERMITTED in only else [])]
    with ExitStack() as stack:
        sandboxes = [stack.enter_context(Sandbox(python)) for python in (sys.executable, *options.python)]
        print(f"seed {options.seed}; loaders: " + "; ".join(" ".join(each.loaders) for each in sandboxes), flush=True)
        campaign = Campaign(sandboxes)
        found = campaign_of(options, grammars, campaign)
    show(campaign.figures, grammars, Console(width=max(100, Console().width)))
    sys.exit(bool(found))


def campaign_of(options: argparse.Namespace, grammars: list[Grammar], campaign: Campaign) -> int:
    """Run what the options say; return how much was found."""

    def found(find: Find) -> None:
        path = keep(find, options.seeds)
        print(f"FOUND {find.case.name}\n      run by {', '.join(find.by)}; kept as {path}", flush=True)

    if options.case:
        campaign.run([try_of(name, grammars) for name in options.case], lambda: False, found)
    else:
        campaign.run(cases(grammars, options.seed), _telling(campaign, options.seconds), found)
    return len(campaign.finds)


def _telling(campaign: Campaign, seconds: float) -> Callable[[], bool]:
    """Return whether the time is over, as a function that prints a line now and then."""
    over, last = deadline(seconds), time.monotonic()

    def until() -> bool:
        nonlocal last
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            print(f"{campaign.figures.line()}, {len(campaign.finds)} found", flush=True)
        return over()

    return until


def show(figures: Figures, grammars: list[Grammar], console: Console) -> None:
    """Print what was tried, by dimension of each grammar and by loader."""
    table = Table("Grammar", "dimension")
    for title in ("choices", "tried", "run"):
        table.add_column(title, justify="right")
    for grammar, dimension, *numbers in figures.coverage(grammars):
        table.add_row(grammar, dimension, *(f"{number:,}" for number in numbers))
    console.print(table)
    there, tried_together = figures.pairs(grammars)
    console.print(f"{tried_together:,} of {there:,} pairs of choices tried together")
    console.print("run by: " + ", ".join(f"{name} {number:,}" for name, number in figures.run.most_common()))
    console.print(
        "refused by peers, and loaded by nobody: "
        + ", ".join(f"{name} {number:,}" for name, number in figures.alarms.items())
    )
    console.print(figures.line())


if __name__ == "__main__":
    main()
