"""What the command prints: JSON for programs; for people, lines and pages, with colour on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from signoff.artifact.findings import listed
from signoff.documents.text import clean, short
from signoff_cli.output import findings
from signoff_cli.output.entries import ENDS, describe_entry, describe_on_page, recommendations

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from signoff.ledger.entries import Entry
    from signoff.ledger.history import History

# Wide enough for ARNs where there is no terminal whose width would say.
_WIDTH_OF_A_FILE = 200
_MANY = 100  # after so many of anything it is said how far it has come
T = TypeVar("T")
_COLOURS = {
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
        made.add_row(*(Text(cell, _COLOURS.get(cell, "")) for cell in cells))
    to.print(made)


def print_package(history: History, document: Mapping[str, Any], to: Console) -> None:
    """Print all that is known of a package."""
    from rich.text import Text

    title = f"{document['group']}/{document['version']}  "
    status = document["status"]
    to.print(Text.assemble((clean(title), "bold"), (clean(status), _COLOURS.get(status or "", ""))))
    if document["break_glass"]:
        to.print(
            Text("APPROVED ALONE BY BREAK GLASS: the approvals that the policy requires were bypassed", "bold red")
        )
    _facts(document, to)
    _checks(document["checks"], {each["artifact"]: each for each in document.get("findings", ())}, to)
    if document["decisions"]:
        _section("Decisions", to)
        for decision in document["decisions"]:
            _outcome(decision["outcome"], _decided(decision), to)
    _section("Ledger", to)
    evidence = (document["evidence"] or {}).get("sha256")
    for entry in history.entries:
        to.print(f"{entry.sequence:>3}  {entry.time}  {describe_on_page(entry, evidence)}", soft_wrap=True)
    to.print(f"     chain of {len(history.entries)} entries verified; head {history.head[:12]}", style="dim")


def _checks(checks: Sequence[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]], to: Console) -> None:
    """Print how the checks came out, and what was found of each artifact in place of its check's reason."""
    if checks:
        _section("Checks", to)
    for check in checks:
        below = check["status"] == "failed" and check["name"].removeprefix("artifact:") in found
        _outcome(check["status"], f"{check['name']}: {'see below' if below else check['reason']}", to)
    for name, each in found.items():
        _section(clean(f"Found in {name}: {findings.describe_counts(each['errors'], each['warnings'])}"), to)
        findings.print_findings(listed(each["findings"]), to)


def _facts(document: Mapping[str, Any], to: Console) -> None:
    model, evidence = document["model"], document["evidence"]
    facts = {
        "package": document["package"],
        "submitted by": document["submitter"],
        "changed by": ", ".join(document["changed_by"]),
        "policy": _judging(document["policy"]),
        "in SageMaker": document["registry_status"],
        "waits for": document["next"],
        "next attempt": document["next_attempt"] and f"by itself after {document['next_attempt']}",
        **_standing(document),
        "evidence": evidence and evidence["uri"],
        "sha256": evidence and evidence["sha256"],
        "model": model and model["name"],
        "model ARN": model and model["arn"],
        "champion": document.get("champion") and f"of {document['group']}",
        "recommended": ", ".join(recommendations(document)),
        "in use by": ", ".join(document["retirement_blocked_by"]),
    }
    for name, value in facts.items():
        if value:
            to.print(f"{name:<14}{clean(value)}", soft_wrap=True)
    for place, there in document["elsewhere"].items():
        to.print(f"{'elsewhere':<14}{clean(f'{place}: {_stands(there)}')}", soft_wrap=True)


def _judging(policy: Mapping[str, Any]) -> str | None:
    """Return by which policy a package was validated, and which one decisions about it are judged by if another."""
    validated, now = policy["name"], policy.get("in_force")
    if validated and now and now != validated:
        return f"{now}; validated by {validated}"
    return validated or now


def _standing(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts about a package's approval by their labels: by whom it is and until when."""
    expires = document.get("expires")
    asked = document["asked"] if document["status"] == "PendingApproval" else document["rollback"]
    return {
        "pending since": asked,
        "approved by": ", ".join(map(short, document["votes"])),
        "needs": document.get("outstanding"),
        "expires": expires and f"{expires['at']}: then {ENDS[expires['action']]}",
        "lapses": document.get("lapses"),
        "superseded by": document["superseded_by"],
        "report only": None if document["enforced"] else "what the policy refuses is recorded and not enforced",
    }


def _stands(there: Mapping[str, Any]) -> str:
    if there["failed"]:
        return str(there["failed"])
    in_use = f", in use by {', '.join(there['retirement_blocked_by'])}" if there["retirement_blocked_by"] else ""
    return f"{there['model']['arn']}{in_use}" if there["model"] else "no model"


def _section(title: str, to: Console) -> None:
    to.print()
    to.print(title, style="bold", soft_wrap=True)


def _outcome(outcome: str, text: str, to: Console) -> None:
    from rich.text import Text

    to.print(Text.assemble((f"{outcome:<10}", _COLOURS.get(outcome, "")), clean(text)), soft_wrap=True)


def _decided(decision: Mapping[str, Any]) -> str:
    why = decision.get("reason", "")
    if decision["outcome"] == "refused":
        why = f"{decision['refusal']}: {decision['because']}"
    return f"{decision['decision']} by {short(decision['approver'])}: {why}"


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
