"""`signoff list` and `signoff queue`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.completion import COMPLETE_GROUP
from signoff_cli.commands.options import AsJson, StackName, StatusFilter

if TYPE_CHECKING:
    from signoff_cli.stack import Stack


class Verdict(StrEnum):
    """How a validation came out."""

    PASSED = "passed"
    FAILED = "failed"


def _since(text: str | None) -> str | None:
    """Return a time as the ledger writes it, of a date, a time, or how long ago it is."""
    if text is None:
        return None
    from signoff.documents import timestamps

    try:
        return timestamps.text(_moment(text))
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text} is neither a date or time (2026-03-02) nor how long ago (P7D, PT12H)"
        ) from None


def _moment(text: str) -> datetime:
    if text.startswith("P"):
        from msgspec import convert

        from signoff.runtime.clock import utc_now

        return utc_now() - convert(text, timedelta)
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.astimezone()


Group = Annotated[str | None, typer.Option(metavar="GROUP", help="Only packages of this group.", **COMPLETE_GROUP)]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY[=VALUE]", help="Only packages with this customer metadata, as the ledger has it. Repeatable."
    ),
]
Submitter = Annotated[
    str | None,
    typer.Option(metavar="WHO", help="Only packages of this submitter: an ARN, a pattern of ARNs, or user/alice."),
]
VerdictFilter = Annotated[Verdict | None, typer.Option(help="Only packages whose validation had this verdict.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Only packages that have had their status since this time or later: 2026-03-02, or how long ago, P7D.",
        callback=_since,
    ),
]
ChampionsOnly = Annotated[bool, typer.Option("--champion", help="Only the groups' champions.")]
Everybody = Annotated[bool, typer.Option("--all", help="Packages waiting for anybody's decision, not only yours.")]
Role = Annotated[
    str | None, typer.Option(metavar="ROLE", help="Only packages that still need an approval in this role.")
]
NoRegistry = Annotated[
    bool, typer.Option("--no-registry", help="Do not query SageMaker; show only the ledger's index.")
]
Row = Mapping[str, Any]


def list_packages(
    group: Group = None,
    status: StatusFilter = None,
    submitter: Submitter = None,
    verdict: VerdictFilter = None,
    since: Since = None,
    champion: ChampionsOnly = False,
    metadata: Metadata = None,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List packages and their status.

    Reads the ledger's index, and SageMaker's own summaries of up to 100 packages at once; `signoff show`
    reads a package's ledger itself and verifies it. A package must match all filters.
    """
    from signoff_cli.packages.index import Filter, list_packages
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    rows = list_packages(found.ledger, Filter(group, status, metadata or (), submitter, verdict, since, champion))
    _print(found, rows, no_registry, json, _LIST, "No packages.")


def queue(
    everybody: Everybody = False,
    group: Group = None,
    role: Role = None,
    submitter: Submitter = None,
    metadata: Metadata = None,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List the packages that are waiting for your decision, the longest waiting first.

    These are the packages that their group's policy lets you decide on, that you did not submit, and that you have not
    approved yet; also former versions to which a rollback waits for more votes. Shows which approvals each still needs,
    and when it expires.

    Decide with `signoff approve`, `signoff reject` and `signoff rollback`, after `signoff show`.
    """
    from signoff_cli.packages.index import Filter, list_pending
    from signoff_cli.packages.policy_view import GroupPolicies
    from signoff_cli.packages.queue import evaluate_all, select
    from signoff_cli.stack import Stack, caller

    found = Stack.find(stack)
    policies = GroupPolicies(found.policies)
    rows = list_pending(found.ledger, Filter(group, None, metadata or (), submitter))
    mine = select(evaluate_all(rows, policies, caller()), role, everybody=everybody)
    columns = {**_QUEUE, "yours": _yours} if everybody else _QUEUE
    otherwise = "No package is waiting for a decision." if everybody else "No package is waiting for your decision."
    _print(found, mine, no_registry, json, columns, otherwise, policies.notes)


def _print(
    found: Stack,
    rows: Sequence[dict[str, Any]],
    no_registry: bool,
    json: bool,
    columns: Columns,
    otherwise: str,
    earlier_notes: Sequence[str] = (),
) -> None:
    from signoff_cli.output import console
    from signoff_cli.packages.index import with_sagemaker

    joined, notes = with_sagemaker(rows, None if no_registry else found.registry)
    for note in (*earlier_notes, *notes):
        console.print_line(f"signoff: {note}", sys.stderr)
    if json:
        console.print_json(joined)
    elif joined:
        cells = [tuple(cell(row) for cell in columns.values()) for row in joined]
        console.print_table(tuple(columns), cells, console.console())
    else:
        console.print_line(otherwise)


def _submitter(row: Row) -> str:
    from signoff.documents.text import short

    return short(row["submitter"])


def _needs(row: Row) -> str:
    return f"{'rollback: ' if row['rollback'] else ''}{row['outstanding'] or ''}"


def _expires(row: Row) -> str:
    return str(row["expires"]["at"]) if row["expires"] else ""


def _yours(row: Row) -> str:
    return {True: "yes", False: "no", None: "?"}[row["mine"]]


def _description(row: Row) -> str:
    if row["error"]:
        return f"({row['error']['ErrorCode']}: {row['error']['ErrorResponse']})"
    return str((row["registry"] or {}).get("ModelPackageDescription") or "")


def _metadata(row: Row) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(row["metadata"].items()))


Columns = dict[str, Callable[[Row], object]]
_LIST: Columns = {
    "package": lambda row: f"{row['group']}/{row['version']}",
    "status": lambda row: row["status"],
    "submitted by": _submitter,
    "since": lambda row: row["since"],
    "description": _description,
}
_QUEUE: Columns = {
    "package": _LIST["package"],
    "submitted by": _submitter,
    "since": lambda row: row["rollback"] or row["asked"] or row["since"],
    "evidence": lambda row: row["verdict"],
    "needs": _needs,
    "expires": _expires,
    "description": _description,
    "metadata": _metadata,
}
