"""`make load`: a burst of uploads, decisions and validations, while AWS throttles; exits 1 if anything gets lost."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load import conditions, parts
from benchmarks.load.deployed import LoadedPipeline, Stalled
from benchmarks.machine import machine
from local.deploy import LOCAL_CONTEXT, deploy
from local.engine.process import Engine
from local.engine.seed import seed
from local.patches.quotas import Quotas

_STARTED = time.monotonic()


def main() -> None:
    """Load what the command line asks for, print a table, and write the figures as JSON."""
    options = _options()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.with_suffix(".log").unlink(missing_ok=True)
    figures: dict[str, Any] = {"machine": machine(), "rate": options.rate, "concurrency": options.concurrency}
    try:
        for part, found in _measured(options):
            figures[part] = found
            options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        figures["unmet"] = conditions.unmet(figures)
    except Stalled as stalled:
        figures["unmet"] = [str(stalled)]
    options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    _show(figures, Console(width=max(110, Console().width)))
    sys.exit(bool(figures["unmet"]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--small", type=int, default=100, help="uploads of the small burst (100)")
    parser.add_argument("--large", type=int, default=1000, help="uploads of the large burst (1000)")
    parser.add_argument("--packages", type=int, default=500, help="packages that are approved (500)")
    parser.add_argument("--approvers", type=int, default=20, help="people who approve them (20)")
    parser.add_argument("--minute", type=float, default=60, help="seconds in which they do (60)")
    parser.add_argument("--validations", type=int, default=200, help="packages of one group validated at once (200)")
    parser.add_argument("--rate", type=float, default=5, help="CreateModelPackage and UpdateModelPackage a second (5)")
    parser.add_argument("--concurrency", type=int, default=10, help="Lambda's concurrent executions (10)")
    parser.add_argument("--patience", type=float, default=3600, help="seconds that a part may take (3600)")
    parser.add_argument("--output", type=Path, default=Path("build/load.json"), help="where the figures go")
    return parser.parse_args()


def _measured(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    throttled = dict.fromkeys(("CreateModelPackage", "UpdateModelPackage"), options.rate)
    # As docs/operations.md says for an account of so few executions.
    context = {**LOCAL_CONTEXT, "queueConcurrency": str(max(2, options.concurrency // 5))}
    _say("Starting an engine and deploying to it")
    with Engine.start(log=options.output.with_suffix(".log")) as engine:
        image = seed(engine)
        deploy(engine, context=context)
        pipeline = LoadedPipeline(engine, _say)
        engine.limit(Quotas(throttled, options.concurrency))
        # What comes first starts Lambda's processes, which are no part of either burst.
        parts.burst(pipeline, image, "warm", 2 * options.concurrency, options.patience)
        yield "small", parts.burst(pipeline, image, "small", options.small, options.patience)
        large = parts.burst(pipeline, image, "large", options.large, options.patience)
        yield "large", large
        approving = (options.packages, options.approvers, options.minute, options.patience)
        yield "votes", parts.votes(pipeline, large["groups"], *approving)
        yield "validations", parts.validations(pipeline, image, options.validations, options.patience)


def _show(figures: dict[str, Any], console: Console) -> None:
    on = figures["machine"]
    where = f"{on['cores']} cores ({on['processor']}), {on['memory']} GiB, Python {on['python']}, load {on['load']}"
    console.print(f"\n{where}", highlight=False)
    table = Table("Load", "what came of it", "dead letters", "seconds")
    for part, tell in _TOLD.items():
        if part in figures:
            row = figures[part]
            table.add_row(*tell(row), str(sum(row["dead_letters"].values())), f"{row['seconds']:.0f}")
    console.print(table)
    if "large" in figures:
        times = f"{conditions.ratio(figures):.2f} times"
        console.print(f"An upload of the large burst took {times} as long as one of the small.", highlight=False)
    for sentence in figures["unmet"]:
        console.print(f"NOT MET: {sentence}", markup=False)


def _told_burst(row: dict[str, Any]) -> tuple[str, str]:
    found = f"{row['packages']:,} packages, {row['pending']:,} await approval"
    worked = row["processor_seconds_each"]
    each = f"{row['seconds_each']:.2f} s each" + (f" ({worked:.2f} of processors)" if worked else "")
    return f"{row['uploads']:,} uploads at once", f"{found}, {each}"


def _told_votes(row: dict[str, Any]) -> tuple[str, str]:
    sent = f"{row['approvers']} approvers, {row['votes']:,} votes in {row['seconds_to_send']:.0f} s"
    counted = f"{row['counted']:,} counted, {row['doubled']} twice"
    return sent, f"{counted}, {row['decided']} approved, {row['models']} models"


def _told_validations(row: dict[str, Any]) -> tuple[str, str]:
    found = f"{row['evidence']} evidence, {len(row['wrong'])} wrong, {row['successions']} succession"
    return f"{row['packages']} packages of one group validated at once", found


_TOLD = {"small": _told_burst, "large": _told_burst, "votes": _told_votes, "validations": _told_validations}


def _say(line: str) -> None:
    print(f"{time.monotonic() - _STARTED:6.0f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
