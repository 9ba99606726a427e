"""What the command reads of large registries: no more calls and rows than of small ones, where as much is shown."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from benchmarks.reading_account import Size, account
from signoff.ledger.entries import Kind
from tests.support.command_line import run

SMALL, MANY_VERSIONS, MANY_GROUPS = Size(50, 100), Size(50, 10_000), Size(5_000, 100)
LONG_LEDGER = Size(50, 100, 1_000)
SINCE = "audit --since 2026-03-02 --until 2026-03-03 --csv"
READING = (
    "list --limit 50",
    "list --limit 20 --group churn --json",
    "list --limit 5 --status PendingApproval --since 2026-03-02",
    "list --champion --group churn",
    "queue --limit 20 --all",
    "queue --limit 20 --all --json",
    "show {newest}",
    "show {newest} --json",
    "show CHURN/7 --json",
    "champion churn",
    "audit {newest}",
    SINCE,
)


@cache
def costs(size: Size) -> dict[str, tuple[Counter[str], int]]:
    """Return the calls that each command makes, and the rows and entries that it is given."""
    found = {}
    with account(size) as read:
        for command in READING:
            read.calls.clear()
            read.tables.read.clear()
            assert run(*command.format(newest=size.newest).split()) == 0
            found[command] = Counter(read.calls), read.tables.read["items"]
    return found


@pytest.mark.parametrize("large", [MANY_VERSIONS, MANY_GROUPS], ids=["versions", "groups"])
@pytest.mark.parametrize("command", READING)
def test_reading_a_large_registry_costs_what_reading_a_small_one_does(
    command: str, large: Size, capsys: pytest.CaptureFixture[str]
) -> None:
    (few, rows_of_few), (many, rows_of_many) = costs(SMALL)[command], costs(large)[command]
    assert many == few
    # Of the small one a page may be the whole of an index.
    assert rows_of_many <= 2 * rows_of_few + 25


@pytest.mark.parametrize("command", READING)
def test_a_long_ledger_is_read_whole_and_with_no_more_calls(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    (short, entries_of_short), (long, entries_of_long) = costs(SMALL)[command], costs(LONG_LEDGER)[command]
    assert long == short
    # What happened in a time is told by the keys of its entries, and then by the ledger.
    longer = 2 * 990 if command == SINCE else 990 if "{newest}" in command else 0
    assert entries_of_long - entries_of_short == longer


@pytest.mark.parametrize("command", READING)
def test_no_reading_command_makes_more_than_a_few_calls(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Of a time each kind of entry is asked for.
    most = len(Kind) + 3 if command == SINCE else 15
    assert costs(SMALL)[command][0].total() <= most, costs(SMALL)[command]
