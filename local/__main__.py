"""`python -m local up|env`: AWS on this machine. `signoff local` runs it, and so its help calls it that."""

import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from local import commands
from local.engine.process import Engine
from local.patches.quotas import Quotas
from signoff_cli import errors
from signoff_cli.commands.options import PLAIN, examples
from signoff_cli.output import console

app = typer.Typer(
    help="Run AWS on this machine, to try Signoff.", add_completion=False, pretty_exceptions_enable=False, **PLAIN
)


class User(StrEnum):
    """The users of the local engine. The administrator's key id is an account's number, with which nobody can sign."""

    ADMINISTRATOR = "administrator"
    SUBMITTER = "submitter"
    APPROVER = "approver"
    REVIEWER = "reviewer"


Port = Annotated[int, typer.Option(min=1, max=65535, help="The port it listens on.")]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address it listens on; loopback by default.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what the deployment says.")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="At the end tell what AWS would not have taken or allowed, and exit 1 if there was any."
    ),
]
As = Annotated[
    User, typer.Option("--as", help="Whose settings. The administrator may do anything, but cannot submit or decide.")
]


Throttle = Annotated[
    list[str] | None,
    typer.Option(metavar="OPERATION=RATE", help="Answer so many requests a second, and throttle others; repeatable."),
]
Concurrency = Annotated[int | None, typer.Option(min=1, help="How many executions Lambda runs at once.")]


@app.command(
    epilog=examples(
        "signoff local up",
        "signoff local up --port 4600",
        "signoff local up --strict",
        "signoff local up --throttle CreateModelPackage=5 --concurrency 10",
    )
)
def up(
    port: Port = commands.DEFAULT_PORT,
    host: Host = "127.0.0.1",
    verbose: Verbose = False,
    throttle: Throttle = None,
    concurrency: Concurrency = None,
    strict: Strict = False,
) -> None:
    """Start AWS on this machine, deploy Signoff to it, and stay until interrupted.

    It is the template that goes to AWS, and all state ends with the engine. Functions, builds, rules, the workflow and
    its jobs act under their roles, whose policies are evaluated. AWS's quotas are in force as far as you
    ask for them, once Signoff is deployed: `--throttle` for operations of SageMaker, DynamoDB, Step Functions and
    Systems Manager, `--concurrency` for Lambda.
    """
    quotas = Quotas(dict(_rate(each) for each in throttle or ()), concurrency)
    console.print_line("Starting the local engine and deploying Signoff to it; this takes about half a minute.")
    with tempfile.TemporaryDirectory(prefix="signoff-strict-") as folder:
        commands.up(
            port=port,
            host=host,
            on_ready=lambda engine, outputs: _ready(engine, port),
            progress=console.print_line if verbose else lambda _: None,
            quotas=quotas,
            notes=Path(folder) if strict else None,
        )
        found = commands.refused(Path(folder))
    console.print_line("Stopped.")
    if found:
        raise errors.CommandFailed("\n".join(found))


def _rate(text: str) -> tuple[str, float]:
    """The operation and the requests a second that `text` names."""
    found = re.fullmatch(r"([A-Za-z]+)=([0-9]+(?:\.[0-9]+)?)", text)
    if not found or not float(found[2]):
        message = f"{text!r} is not an operation and a rate above 0, such as CreateModelPackage=5"
        raise typer.BadParameter(message, param_hint="--throttle")
    return found[1], float(found[2])


def _ready(engine: Engine, port: int) -> None:
    console.print_line(f"\nSignoff runs at {engine.url}. In another shell:\n")
    for name, value in engine.environment(User.SUBMITTER).items():
        console.print_line(_export(name, value))
    option = "" if port == commands.DEFAULT_PORT else f" --port {port}"
    for user in (User.SUBMITTER, User.APPROVER):
        console.print_line(f'  eval "$(signoff local env{option} --as {user})"')
    console.print_line("\nThe first settings are the submitter's. Nobody decides about what they submitted.")
    console.print_line(f"\nIts log is {engine.log}. Ctrl-C stops it.")


@app.command(epilog=examples('eval "$(signoff local env)"', 'eval "$(signoff local env --port 4600 --as approver)"'))
def env(port: Port = commands.DEFAULT_PORT, host: Host = "127.0.0.1", user: As = User.SUBMITTER) -> None:
    """Print the settings of the local engine as shell exports.

    Asks nothing of the engine. Its IAM users `submitter` and `approver` are there to try separation of duties.
    """
    who = None if user is User.ADMINISTRATOR else str(user)
    for name, value in commands.environment(port, who, host).items():
        console.print_line(_export(name, value))


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def run(arguments: Sequence[str]) -> None:
    """Run the command with `arguments`, and exit as `signoff` does."""
    errors.run(lambda: app(arguments, prog_name="signoff local"))


if __name__ == "__main__":
    run(sys.argv[1:])
