"""`signoff report`."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from signoff_cli.commands.options import Package, StackName
from signoff_cli.errors import CommandFailed

Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file that needs nothing else.")
]
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Print Markdown for a job summary or a pull request; the default.")
]
Open = Annotated[bool, typer.Option("--open", help="Show it in the browser, from a file that only you can read.")]


def report(
    package: Package, html: Html = None, markdown: Markdown = False, open_: Open = False, stack: StackName = "Signoff"
) -> None:
    """Write a report: all that is known of a package, for whoever decides on it or asks about it later.

    Its verdict and what is asked of whom, its metrics beside the champion's and over the versions of its group, what
    changed, its checks and findings, images, artifacts, decisions and ledger. The HTML runs no script, loads nothing
    and prints as it looks; what others wrote is text in it. The same facts make the same bytes.
    """
    from signoff.report import page
    from signoff.report.read import ReportReader
    from signoff_cli.commands.show import history_of
    from signoff_cli.output import console
    from signoff_cli.packages.policy_view import GroupPolicies
    from signoff_cli.stack import Stack

    if markdown and (html or open_):
        raise CommandFailed("--markdown is printed, --html and --open make a page: ask for one of them")
    found = Stack.find(stack)
    history = history_of(found.ledger, package)
    policies = GroupPolicies(found.policies)
    facts = ReportReader(found.ledger, found.vault).facts(history, policies.policy(history.state.group))
    for note in [*policies.notes, *facts.notes]:
        console.print_line(f"signoff: {note}", sys.stderr)
    if not (html or open_):
        sys.stdout.write(page.markdown(facts))
        return
    path = html or Path(mkdtemp(prefix="signoff-")) / "report.html"
    _write(path, page.html(facts))
    console.print_line(f"Wrote {path}")
    if open_ and not webbrowser.open(path.resolve().as_uri()):
        raise CommandFailed(f"no browser was found; open {path} yourself")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error
