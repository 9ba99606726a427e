"""What the command takes to read registries of several sizes, against the time for a small one, all in memory."""

from __future__ import annotations

import os
import statistics
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.readers import BenchmarkFailed
from benchmarks.reading_account import Size, account
from signoff_cli.main import run

SMALL = Size(groups=50, versions=100, entries=10)
LARGE = {
    "10,000 versions": Size(groups=50, versions=10_000, entries=10),
    "5,000 groups": Size(groups=5_000, versions=100, entries=10),
    "1,000 entries": Size(groups=50, versions=100, entries=1_000),
}
COMMANDS = (
    "list",
    "list --group churn",
    "queue --all",
    "show {newest}",
    "show {newest} --json",
    "audit {newest}",
    "audit --since 2026-03-02 --until 2026-03-03 --csv",
)


def measure(runs: int) -> list[dict[str, Any]]:
    """Return, for each command, the median CPU seconds and the calls at `SMALL` and at each larger size."""
    small, larger = _measured(SMALL, runs), {name: _measured(size, runs) for name, size in LARGE.items()}
    return [
        {
            "command": command.replace("{newest}", "churn/N"),
            "seconds": small[command][0],
            "calls": small[command][1],
            "larger": {
                name: {"seconds": found[command][0], "calls": found[command][1]} for name, found in larger.items()
            },
        }
        for command in COMMANDS
    ]


def _measured(size: Size, runs: int) -> dict[str, tuple[float, int]]:
    """Return the median CPU seconds and the calls of each command."""
    found = {}
    with account(size) as read:
        for command in COMMANDS:
            arguments = command.format(newest=size.newest).split()
            _seconds(arguments)  # imports and first connections
            read.calls.clear()
            seconds = [_seconds(arguments) for _ in range(runs)]
            found[command] = statistics.median(seconds), read.calls.total() // runs
    return found


def _seconds(arguments: list[str]) -> float:
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        began = time.process_time()
        try:
            run(arguments)
        except SystemExit as ended:
            if ended.code:
                raise BenchmarkFailed(f"signoff {' '.join(arguments)} exits with {ended.code}") from None
        return time.process_time() - began
