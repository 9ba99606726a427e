"""Arguments and options that several commands share, and how their help shows examples."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from signoff.ledger.entries import Status
from signoff_cli.commands.completion import COMPLETE_GROUP, COMPLETE_PACKAGE
from signoff_cli.packages.lookup import is_package_name

# Plain help: it loads nothing, and reads the same on a terminal and in a file.
PLAIN: dict[str, Any] = {
    "no_args_is_help": True,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def examples(*lines: str) -> str:
    """Return an epilog for a command's help that shows `lines` as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def package_name(text: str) -> str:
    """Return `text` if it can name a package. Raises `typer.BadParameter` otherwise."""
    if not is_package_name(text):
        raise typer.BadParameter(f"{text} is neither an ARN nor group/version")
    return text


def _reason(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("it must not be empty: give the reason for the decision")
    if len(text) > 2000:
        raise typer.BadParameter("it must not be longer than 2,000 characters")
    return text


Package = Annotated[
    str,
    typer.Argument(
        metavar="PACKAGE", help="The package's ARN, or group/version.", callback=package_name, **COMPLETE_PACKAGE
    ),
]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="A model package group.", **COMPLETE_GROUP)]
Reason = Annotated[
    str, typer.Option(metavar="TEXT", help="The reason, which is recorded in the ledger.", callback=_reason)
]
StackName = Annotated[
    str, typer.Option("--stack", envvar="SIGNOFF_STACK", metavar="NAME", help="Signoff's CloudFormation stack.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="The longest time to wait.")]
StatusFilter = Annotated[Status | None, typer.Option(help="Only packages with this status.")]
