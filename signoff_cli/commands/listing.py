"""`signoff list` and `signoff queue`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.completion import COMPLETE_GROUP
from signoff_cli.commands.moments import moment
from signoff_cli.commands.options import AsJson, StackName, StatusFilter

if TYPE_CHECKING:
    from signoff_cli.packages.index import Listing
    from signoff_cli.stack import Stack


class Verdict(StrEnum):
    """How a validation came out."""

    PASSED = "passed"
    FAILED = "failed"


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
        help="Only packages that have had their status since this time or later: 2026-03-02, or how long ago, 7d.",
        callback=moment,
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
Limit = Annotated[
    int, typer.Option(metavar="NUMBER", min=0, help="The most packages to show; 0 for all.", show_default=True)
]
All = Annotated[bool, typer.Option("--all", help="Show all packages, however many.")]
Row = Mapping[str, Any]
_LIMIT = 100  # packages that are shown unless more are asked for: as many as SageMaker describes with one call


def list_packages(
    group: Group = None,
    status: StatusFilter = None,
    submitter: Submitter = None,
    verdict: VerdictFilter = None,
    since: Since = None,
    champion: ChampionsOnly = False,
    metadata: Metadata = None,
    limit: Limit = _LIMIT,
    everything: All = False,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List packages and their status, the newest first.

    Those of a group come by version, those of all groups by since when they have had their status. The first 100 are
    shown, and standard error says whether there are more.

    Reads the ledger's index, and SageMaker's own summaries of up to 100 packages at once; `signoff show`
    reads a package's ledger itself and verifies it. A package must match all filters.
    """
    from signoff_cli.packages.index import Filter, list_packages
    from signoff_cli.packages.lookup import spelling
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    named = spelling(found.ledger, found.registry, group) if group else None
    only = Filter(named, status, metadata or (), submitter, verdict, since, champion)
    listing = list_packages(found.ledger, only, None if everything else limit or None)
    _print(found, listing, no_registry, json, _LIST, "No packages.")


def queue(
    everybody: Everybody = False,
    group: Group = None,
    role: Role = None,
    submitter: Submitter = None,
    metadata: Metadata = None,
    limit: Limit = _LIMIT,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List the packages that are waiting for your decision, the longest waiting first.

    These are the packages that their group's policy lets you decide on, that you did not submit, and that you have not
    approved yet; also former versions to which a rollback waits for more votes. Shows which approvals each still needs,
    and when it expires. The first 100 are shown, and standard error says whether there are more.

    Decide with `signoff approve`, `signoff reject` and `signoff rollback`, after `signoff show`.
    """
    from signoff_cli.packages.index import Filter, first, list_pending
    from signoff_cli.packages.policy_view import GroupPolicies
    from signoff_cli.packages.queue import evaluate_all, select
    from signoff_cli.stack import Stack, caller

    found = Stack.find(stack)
    policies = GroupPolicies(found.policies)
    only = Filter(group, None, metadata or (), submitter)
    searched = not everybody or role or group or only.searches
    page = None if searched or not limit else limit + 1
    rows = evaluate_all(list_pending(found.ledger, only, page), policies, caller(), page or _LIMIT)
    listing = first(select(rows, role, everybody=everybody), limit or None)
    columns = {**_QUEUE, "yours": _yours} if everybody else _QUEUE
    otherwise = "No package is waiting for a decision." if everybody else "No package is waiting for your decision."
    _print(found, listing, no_registry, json, columns, otherwise, policies.notes)


def _print(
    found: Stack,
    listing: Listing,
    no_registry: bool,
    json: bool,
    columns: Columns,
    otherwise: str,
    earlier_notes: Sequence[str] = (),
) -> None:
    from signoff_cli.output import console
    from signoff_cli.packages.index import ListedChampions, with_sagemaker

    rows = ListedChampions(found.ledger).marked(listing.rows) if json else listing.rows
    joined, notes = with_sagemaker(rows, None if no_registry else found.registry)
    if listing.more:
        notes = [*notes, f"there are more than these {len(rows)}; --limit 0 shows all"]
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
