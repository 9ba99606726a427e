"""`signoff champion`."""

from __future__ import annotations

from signoff_cli.commands.options import AsJson, GroupName, StackName


def champion(
    group: GroupName,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Show the champion of a group.

    That is its package approved last whose model exists, or the group's baseline; and whether it is the one that is
    published for other stacks to deploy.

    Fails when the group has none.
    """
    from signoff_cli.output import console
    from signoff_cli.packages import champion as championing
    from signoff_cli.stack import Stack

    found = Stack.named(stack)
    document = championing.document(found.champions, found.ledger, group)
    if json:
        console.print_json(document)
    else:
        console.print_line(championing.describe(document))
