"""What the command prints: JSON for programs; for people, lines and pages, with colour on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import indent
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from signoff.documents.text import clean
from signoff.report.sentences import describe_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from signoff.ledger.entries import Entry

# Wide enough for ARNs where there is no terminal whose width would say.
_WIDTH_OF_A_FILE = 200
_MANY = 100  # after so many of anything it is said how far it has come
T = TypeVar("T")
COLOURS = {
    "Approved": "green",
    "PendingApproval": "yellow",
    "Validating": "cyan",
    "ValidationErrored": "magenta",
    "ValidationFailed": "red",
    "Rejected": "red",
    "Revoked": "red",
    "passed": "green",
    "failed": "red",
    "errored": "magenta",
    "skipped": "dim",
    "asks": "bold yellow",
    "recorded": "green",
    "voted": "yellow",
    "refused": "red",
}


def console(file: TextIO | None = None) -> Console:
    """Return a console for `file`, standard output by default."""
    from rich.console import Console

    file = file or sys.stdout
    width = None if file.isatty() else _WIDTH_OF_A_FILE
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def print_json(document: Any) -> None:
    """Print `document` as JSON. Whatever is not ASCII is escaped, and so commands no terminal."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def print_json_list(documents: Iterable[Any]) -> None:
    """Print a list as `print_json` does, each of `documents` as it comes: they may be too many to keep."""
    end = "[]"
    for position, document in enumerate(documents):
        sys.stdout.write(("," if position else "[") + "\n" + indent(json.dumps(document, indent=2), "  "))
        end = "\n]"
    sys.stdout.write(end + "\n")


def print_line(text: str, file: TextIO | None = None) -> None:
    """Print one line, at once."""
    print(text, file=file or sys.stdout, flush=True)


def entry(what: Entry, json_line: bool = False) -> None:
    """Print an entry of a ledger on one line, for people or as JSON."""
    print_line(json.dumps({**what.content, "hash": what.hash}) if json_line else entry_line(what))


def entry_line(entry: Entry) -> str:
    """Return an entry with its time, as `watch` and `submit --wait` print it."""
    return f"{entry.time[11:19]}  {describe_entry(entry)}"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], to: Console) -> None:
    """Print `rows` under the heads `columns`; cells that name an outcome in its colour."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        cells = [clean("" if cell is None else cell) for cell in row]
        made.add_row(*(Text(cell, COLOURS.get(cell, "")) for cell in cells))
    to.print(made)


def section(title: str, to: Console) -> None:
    """Print the title of a part of a page."""
    to.print()
    to.print(title, style="bold", soft_wrap=True)


def outcome(outcome: str, text: str, to: Console) -> None:
    """Print how something came out, in its colour, and what that is."""
    from rich.text import Text

    to.print(Text.assemble((f"{outcome:<10}", COLOURS.get(outcome, "")), clean(text)), soft_wrap=True)


@contextmanager
def progress(total: int, doing: str = "uploading") -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal, while the block runs; what is yielded takes bytes done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(doing, *columns, console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda done: bar.advance(task, done)


def count_progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield `items` and say on standard error how many there were, now and then, where they are many."""
    of = total if total is not None else len(items) if isinstance(items, Sequence) else 0
    for number, item in enumerate(items, start=1):
        yield item
        if number % _MANY == 0:
            print_line(f"signoff: {number} of {of} {what}", sys.stderr)
