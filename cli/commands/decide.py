"""`signoff approve`, `reject` and `revoke`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import CommandFailed
from cli.options import AsJson, Package, Reason, StackName, Timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.deciding import Answer, Decision
    from cli.reading import Ledger
    from cli.stack import Stack
    from cli.workload import Central

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def approve(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Approve a package, so that its model is created.

    You approve as whoever your AWS credentials stand for. What you sign is the evidence that `signoff show` shows.
    """
    _decide("approve", package, reason, yes, timeout, json, stack)


def reject(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Reject a package that awaits a decision."""
    _decide("reject", package, reason, yes, timeout, json, stack)


def revoke(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Revoke an approval.

    The package's model is retired, unless an endpoint uses it: then it stays, and `signoff show` says so.
    """
    _decide("revoke", package, reason, yes, timeout, json, stack)


def _decide(decision: str, package: str, reason: str, yes: bool, timeout: float, json: bool, stack: str) -> None:
    from cli.deciding import Asking, Decision
    from cli.following import Patience
    from cli.sentences import summary
    from cli.stack import Stack, caller

    found = Stack.named(stack)
    if found.central:
        _decide_elsewhere(found, found.central, Decision(package, decision, caller(), reason), yes, timeout, json)
        return
    ledger = found.ledger
    asking = Asking(ledger, Decision(arn_of(ledger, package), decision, caller(), reason))
    answer = asking.already()
    if answer is None:
        if not yes:
            confirmed(summary(asking.before[0], asking.decision), "Nothing was decided")
        asking.send(found.bus)
        answer = asking.answer(Patience(timeout))
    _tell(answer, json)


def _decide_elsewhere(
    found: Stack, central: Central, decision: Decision, yes: bool, timeout: float, json: bool
) -> None:
    """Send a decision to the registry in another account, and wait until SageMaker shows it there."""
    from dataclasses import replace

    from cli import printing, workload
    from cli.following import Patience
    from cli.sentences import clean

    decision = replace(decision, package=workload.package_named(decision.package, central))
    described = found.registry.describe(decision.package)
    outcome = "absorbed" if workload.stands_already(described, decision) else "recorded"
    if outcome == "recorded":
        if not yes:
            confirmed([clean(line) for line in workload.summary(described, decision)], "Nothing was decided")
        found.bus.put([decision.event])
        described = workload.decided(found.registry, decision, Patience(timeout))
    status, why = described["ModelApprovalStatus"], described.get("ApprovalDescription")
    if json:
        facts = {"package": decision.package, "decision": decision.decision, "approver": decision.approver}
        printing.as_json({**facts, "outcome": outcome, "status": status, "because": why})
    else:
        printing.line(clean(f"{decision.package} is {status}: {why}"))


def arn_of(ledger: Ledger, package: str) -> str:
    """Return the package's ARN. One that is unknown is sent all the same: the refusal says that it is."""
    from cli import reading

    head = reading.find(ledger, package) if package.startswith("arn:") else reading.found(ledger, package)
    return str(head["arn"]) if head else package


def confirmed(summary: Sequence[str], otherwise: str) -> None:
    """Ask whether to go on with what `summary` says. Raises `CommandFailed`, with `otherwise`, unless told to."""
    for line in summary:
        typer.echo(line, err=True)
    if not sys.stdin.isatty():
        raise CommandFailed(f"nobody is there to be asked: say --yes. {otherwise}")
    if not typer.confirm("Go on?", err=True):
        raise CommandFailed(otherwise)


def _tell(answer: Answer, json: bool) -> None:
    from cli import printing
    from cli.sentences import answered

    if json:
        printing.as_json(answer.document)
    if answer.outcome == "refused":
        raise CommandFailed(f"{answer.refusal}: {answer.because}")
    if not json:
        printing.line(answered(answer))
