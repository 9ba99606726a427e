"""`signoff champion`."""

from __future__ import annotations

from typing import Annotated

import typer

from signoff_cli.commands.moments import moment
from signoff_cli.commands.options import AsJson, GroupName, StackName

At = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Who it was at that time: 2026-03-15, or how long ago: 7d.", callback=moment),
]


def champion(
    group: GroupName,
    at: At = None,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Show the champion of a group.

    The champion is the package that was approved last and whose model exists, or else the group's baseline. Also shows
    whether it is the one that is published for other stacks to deploy. With --at it is who was the champion then, who
    had submitted and approved it, and on which evidence.

    Fails when the group has no champion, or had none.
    """
    from signoff_cli.output import console
    from signoff_cli.packages import champion as championing
    from signoff_cli.packages.lookup import spelling
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    named = spelling(found.ledger, found.registry, group)
    document = (
        championing.document_at(found.ledger, named, at)
        if at
        else championing.document(found.champions, found.ledger, named)
    )
    if json:
        console.print_json(document)
    else:
        console.print_line(championing.describe(document))
