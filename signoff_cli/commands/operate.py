"""`signoff doctor` and `signoff redrive`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff_cli.operations.letters import Letter
    from signoff_cli.operations.redrive import Redriven, Redriver

QueueName = Annotated[
    str, typer.Argument(metavar="QUEUE", help="A dead-letter queue, as `signoff doctor` names it: RegisterDeadLetters.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what is in the queue and where it would go.")]
Limit = Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Move no more than so many messages.")]
Drop = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Delete the message of that id instead, and print it: nothing else will."),
]


def doctor(json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Show what is stuck, why, and the commands that mend it.

    Looks at dead letters, validations without a verdict, claims that died, steps that nobody takes, models that should
    be gone, policies in force, the last deployment, rules, readers of queues, the sweep, and alarms. Changes nothing:
    what it reads in a queue it gives back at once.

    Exits 1 when there is something to do, or when something could not be looked at; what Signoff will mend by itself,
    and when, is shown and does not count. Needs the managed policy SignoffOperator-<region>, the stack's output
    OperatorPolicyArn.
    """
    from signoff_cli.operations.findings import diagnose
    from signoff_cli.output import console, health
    from signoff_cli.stack import Stack

    diagnosis = diagnose(Stack.find(stack).doctor().checks())
    if json:
        console.print_json(diagnosis.document())
    else:
        for line in health.lines(diagnosis):
            console.print_line(line)
    if diagnosis.to_do:
        raise typer.Exit(1)


def redrive(
    queue: QueueName,
    dry_run: DryRun = False,
    limit: Limit = None,
    drop: Drop = None,
    timeout: Timeout = 900,
    stack: StackName = "Signoff",
) -> None:
    """Return the messages of a dead-letter queue to where they belong.

    Mend the cause first: what fails again is in the dead-letter queue again after some hours. Messages of a
    function's queue go back to that queue, those of the validation rules start the workflow, those of Announce are
    announced from the ledger's stream (for a day), and those for other accounts go to their buses. Every step may be
    repeated safely.
    """
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.stack import Stack

    if drop and (dry_run or limit):
        raise typer.BadParameter("--drop deletes one message: it goes with neither --dry-run nor --limit")
    deadline = Deadline(timeout)
    redriver = Stack.find(stack).redriver(queue, lambda: deadline.pause("SQS goes on moving; `signoff doctor` tells"))
    if drop:
        _print_letter(redriver.drop(drop), whole=True)
    elif dry_run:
        _show(redriver)
    else:
        _move(redriver, limit)


def _show(redriver: Redriver) -> None:
    from signoff.documents.text import counted
    from signoff_cli.output import console

    waiting, letters = redriver.queue.waiting(), redriver.queue.peek()
    for letter in letters:
        _print_letter(letter)
    if waiting > len(letters):
        console.print_line(f"and {waiting - len(letters)} more")
    console.print_line(f"{counted(waiting, 'message')} would go to {redriver.destination.name}.")


def _print_letter(letter: Letter, whole: bool = False) -> None:
    from signoff.documents.text import clean
    from signoff_cli.output import console

    error = f": {letter.error}" if letter.error else ""
    console.print_line(clean(f"{letter.since or '?'}  {letter.id}  {letter.about}{error}"))
    if whole:
        console.print_line(clean(letter.body))


def _move(redriver: Redriver, limit: int | None) -> None:
    from signoff.documents.text import counted
    from signoff_cli.output import console

    done: Redriven = redriver.redrive(limit, lambda text: console.print_line(f"signoff: {text}", sys.stderr))
    left = redriver.queue.waiting()
    console.print_line(
        f"{counted(done.moved, 'message')} moved to {redriver.destination.name}; {redriver.queue.name} holds {left}. "
        "`signoff doctor` tells what comes of them."
    )
    if done.failed:
        raise CommandFailed("\n".join(f"not moved: {which}: {why}" for which, why in done.failed.items()))
