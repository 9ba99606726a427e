"""`signoff list` and `signoff queue`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import AsJson, StackName, StatusFilter

if TYPE_CHECKING:
    from cli.stack import Stack

Group = Annotated[str | None, typer.Option(metavar="GROUP", help="Only packages of this group.")]
Metadata = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY[=VALUE]", help="Only packages whose customer metadata says so, as the ledger knows it. Repeatable."
    ),
]
NoRegistry = Annotated[bool, typer.Option("--no-registry", help="Do not ask SageMaker; show the ledger's index alone.")]
Row = Mapping[str, Any]


def list_packages(
    group: Group = None,
    status: StatusFilter = None,
    metadata: Metadata = None,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List packages and where they stand.

    Reads the index that follows the ledger, and SageMaker's own summaries of up to 100 packages at once; `signoff show`
    reads a package's ledger itself and verifies it.
    """
    from cli.listing import indexed
    from cli.stack import Stack

    found = Stack.named(stack)
    rows = indexed(found.ledger, group, status, metadata or ())
    _print(found, rows, no_registry, json, _LIST, "No packages.")


def queue(
    group: Group = None,
    metadata: Metadata = None,
    no_registry: NoRegistry = False,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """List what awaits a decision, the longest waiting first.

    Decide with `signoff approve` and `signoff reject`, after `signoff show`.
    """
    from cli.listing import awaiting
    from cli.stack import Stack

    found = Stack.named(stack)
    rows = awaiting(found.ledger, group, metadata or ())
    _print(found, rows, no_registry, json, _QUEUE, "Nothing awaits a decision.")


def _print(
    found: Stack, rows: Sequence[dict[str, Any]], no_registry: bool, json: bool, columns: Columns, otherwise: str
) -> None:
    from cli import printing
    from cli.listing import with_sagemaker

    joined, notes = with_sagemaker(rows, None if no_registry else found.registry)
    for note in notes:
        printing.line(f"signoff: {note}", sys.stderr)
    if json:
        printing.as_json(joined)
    elif joined:
        cells = [tuple(cell(row) for cell in columns.values()) for row in joined]
        printing.table(tuple(columns), cells, printing.console())
    else:
        printing.line(otherwise)


def _submitter(row: Row) -> str:
    from cli.sentences import short

    return short(row["submitter"])


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
    "since": _LIST["since"],
    "evidence": lambda row: row["verdict"],
    "description": _description,
    "metadata": _metadata,
}
