"""`signoff local`: AWS on this machine, for those who have the repository; it comes with no installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_ROOT = Path(__file__).resolve().parents[2]
# Whatever follows `signoff local` is for the program that it becomes, its help too.
PASSED_ON: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {"ignore_unknown_options": True, "help_option_names": []},
}


def _commands(ctx: typer.Context, incomplete: str) -> list[str]:
    named = ctx.params.get("arguments")
    return [] if named else [name for name in ("up", "env") if name.startswith(incomplete)]


Arguments = Annotated[
    list[str] | None, typer.Argument(metavar="up|env", help="The command, and its options.", autocompletion=_commands)
]


def local(arguments: Arguments = None) -> None:
    """Run AWS on this machine, to try Signoff."""
    import os
    import sys

    from signoff_cli.errors import CommandFailed

    # What the engine deploys is the CDK app that this file names.
    if not (_ROOT / "cdk.json").is_file():
        raise CommandFailed(
            "AWS on this machine is part of Signoff's repository, and this `signoff` is installed without it: "
            "in a clone of the repository run `make setup`, and there `.venv/bin/signoff local up`"
        )
    os.chdir(_ROOT)
    # In place of this process, so that an interrupt reaches the engine and its exit code whoever waits.
    os.execv(sys.executable, [sys.executable, "-m", "local", *(arguments or ())])  # noqa: S606 - our own module
