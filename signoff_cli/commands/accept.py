"""`signoff approve --accept`: a person's word for the checks that ask for one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from signoff.documents.text import clean
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.statements.decision import PendingDecision

Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="CHECK",
        help="The name of a check that asks for a person's word, to give it yours; may be repeated.",
    ),
]


def accept_all(pending: PendingDecision) -> list[str]:
    """Have `pending` accept every check that asks; return the questions about those it did not name before.

    They have to be asked before it is sent. Raises `CommandFailed` if it names what is no such check.
    """
    asking = {str(check["name"]): str(check["reason"]) for check in pending.asking}
    named = pending.decision.accepts
    unknown = [name for name in named if name not in asking]
    if unknown:
        ask = f"these ask: {', '.join(asking)}" if asking else "none asks"
        raise CommandFailed(f"no check {', '.join(unknown)} asks for a person's word; {ask}. Nothing was decided")
    pending.accept(asking)
    return [clean(f"{name}: {reason}. Accept it?") for name, reason in asking.items() if name not in named]


def unaccepted(pending: PendingDecision, package: str, questions: Sequence[str]) -> CommandFailed:
    """Return the error about checks that nobody can be asked about, with the command that gives one's word."""
    decision = pending.decision
    told = [question.removesuffix(" Accept it?") for question in questions]
    command = ["signoff", "approve", package, "--reason", decision.reason, "--evidence", str(decision.evidence)]
    command += [part for name in decision.accepts for part in ("--accept", name)]
    command += [*(["--break-glass"] if decision.break_glass else []), "--yes"]
    lines = ["a person has to give their word for these checks:", *(f"  {each}" for each in told)]
    return CommandFailed("\n".join([*lines, f"Nothing was decided. To accept them: {shlex.join(command)}"]))
