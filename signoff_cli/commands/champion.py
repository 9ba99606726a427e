"""`signoff champion`."""

from __future__ import annotations

from signoff_cli.commands.options import AsJson, GroupName, StackName


def champion(
    group: GroupName,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Show the champion of a group.

    The champion is the package that was approved last and whose model exists, or else the group's baseline. Also shows
    whether it is the one that is published for other stacks to deploy.

    Fails when the group has no champion.
    """
    from signoff_cli.output import console
    from signoff_cli.packages import champion as championing
    from signoff_cli.packages.lookup import spelling
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    named = spelling(found.ledger, found.registry, group)
    document = championing.document(found.champions, found.ledger, named)
    if json:
        console.print_json(document)
    else:
        console.print_line(championing.describe(document))
