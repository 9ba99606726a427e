"""`signoff compare`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from signoff_cli.commands.completion import COMPLETE_PACKAGE
from signoff_cli.commands.options import AsJson, Package, StackName, package_name

Other = Annotated[
    str,
    typer.Argument(
        metavar="PACKAGE", help="The package to compare it with.", callback=package_name, **COMPLETE_PACKAGE
    ),
]


def compare(package: Package, other: Other, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Compare two packages, of the same group or not, by their newest evidence.

    Shows how each was judged, their metrics beside each other, and what changed from the first to the second.

    It does not say which is better: a group's policy says which differences matter, and `signoff show` what follows of
    that for a package and its champion.
    """
    from signoff_cli.commands.show import history_of
    from signoff_cli.output import console
    from signoff_cli.output.side_by_side import lines
    from signoff_cli.packages.side_by_side import side, side_by_side
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    vault = found.vault
    one, two = (side(history_of(found.ledger, each), vault) for each in (package, other))
    document = side_by_side(one, two, vault)
    if json:
        console.print_json(document)
        return
    to = console.console()
    for line in lines(document, to.width if sys.stdout.isatty() else None):
        console.print_line(line)
