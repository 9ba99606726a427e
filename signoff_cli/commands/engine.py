"""`signoff local`: AWS on this machine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from local.engine.process import Engine


class User(StrEnum):
    """The users of the local engine, beside its administrator."""

    SUBMITTER = "submitter"
    APPROVER = "approver"
    REVIEWER = "reviewer"


Port = Annotated[int, typer.Option(min=1, max=65535, help="The port it listens on.")]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="The address it listens on; loopback unless told otherwise.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what the deployment says.")]
As = Annotated[User | None, typer.Option("--as", help="Whose settings; the administrator's when not given.")]


def up(port: Port = 4566, host: Host = "127.0.0.1", verbose: Verbose = False) -> None:
    """Start AWS on this machine, deploy Signoff to it, and stay until interrupted.

    It is the template that goes to AWS, and all state ends with the engine.
    """
    from local import commands
    from signoff_cli.output import console

    console.line("Starting the local engine and deploying Signoff to it; this takes about half a minute.")
    commands.up(
        port=port,
        host=host,
        on_ready=lambda engine, outputs: _ready(engine, port),
        progress=console.line if verbose else lambda _: None,
    )
    console.line("Stopped.")


def _ready(engine: Engine, port: int) -> None:
    from signoff_cli.output import console

    console.line(f"\nSignoff runs at {engine.url}. In another shell:\n")
    for name, value in engine.environment().items():
        console.line(_export(name, value))
    option = "" if port == 4566 else f" --port {port}"
    console.line(
        f'\nor, as somebody who may submit or approve:\n\n  eval "$(signoff local env{option} --as submitter)"'
    )
    console.line(f"\nIts log is {engine.log}. Ctrl-C stops it.")


def env(port: Port = 4566, host: Host = "127.0.0.1", user: As = None) -> None:
    """Print the settings of the local engine as shell exports.

    Asks nothing of the engine. Its IAM users `submitter` and `approver` are there to try separation of duties.
    """
    from local import commands
    from signoff_cli.output import console

    for name, value in commands.environment(port, user and str(user), host).items():
        console.line(_export(name, value))


def _export(name: str, value: str) -> str:
    import shlex

    return f"export {name}={shlex.quote(value)}"
