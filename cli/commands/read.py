"""`signoff show`, `watch` and `revalidate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import CommandFailed
from cli.options import AsJson, Package, StackName, Timeout

if TYPE_CHECKING:
    from cli.reading import Ledger
    from cli.stack import Stack
    from cli.workload import Central
    from signoff.ledger import History


def show(package: Package, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Show all that is known of a package.

    Its checks, what was found in its artifacts and what to do about it, evidence, decisions, what it takes still and
    until when, its model and ledger; with --json also all that SageMaker says of package and model.

    Verifies the ledger's hash chain, and fails when somebody changed or removed an entry. From a workload account it is
    what SageMaker says of the package.
    """
    from cli.stack import Stack

    found = Stack.named(stack)
    if found.central:
        _show_elsewhere(found, found.central, package, json)
    else:
        _show(found, package, json)


def _show(found: Stack, package: str, json: bool) -> None:
    from cli import championing, describing, printing, reading, vault_findings
    from cli.weighing import Weighing, judged

    history = history_of(found.ledger, package)
    known = {**reading.document(history), "champion": championing.is_champion(found.champions, history)}
    weighing = Weighing(found.policies)
    known |= judged(weighing.policy(history.state.group), known)
    document, notes = describing.with_sagemaker(known, found.registry)
    document["findings"], unread = vault_findings.of_evidence(known, found.vault)
    notes += [*weighing.notes, *unread]
    for note in notes:
        printing.line(f"signoff: {note}", sys.stderr)
    if json:
        printing.as_json(document)
    else:
        printing.page(history, document, printing.console())


def _show_elsewhere(found: Stack, central: Central, package: str, json: bool) -> None:
    """Show what SageMaker says in a workload account of a package in the registry of another."""
    from cli import describing, printing, workload
    from cli.sentences import clean

    described = found.registry.describe(workload.package_named(package, central))
    if json:
        printing.as_json({"package": described["ModelPackageArn"], "registry": describing.plain(described)})
    else:
        for line in workload.page(described, central):
            printing.line(clean(line))


def history_of(ledger: Ledger, package: str) -> History:
    """Return the verified ledger of the package that `package` names."""
    from cli import reading

    return ledger.history(str(reading.found(ledger, package)["package"])).verified()


def watch(package: Package, timeout: Timeout = 900, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Follow a package until it settles.

    That is until nothing more happens to it by itself.

    Prints one line for each entry, those of the past first; with --json one JSON document on each line. A package that
    awaits a decision has settled.
    """
    from cli import printing, reading
    from cli.following import Patience, follow, settled
    from cli.stack import Stack

    ledger = Stack.named(stack).ledger
    key = str(reading.found(ledger, package)["package"])
    for entry in follow(lambda: ledger.history(key), lambda history: settled(history.state), Patience(timeout)):
        printing.entry(entry, json)


def revalidate(
    package: Package,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept in the ledger.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it, and exit 1 unless it passes.")] = False,
    timeout: Timeout = 900,
    stack: StackName = "Signoff",
) -> None:
    """Validate a package once more.

    One whose validation erred or failed, or that awaits a decision.

    A package that Signoff has not seen yet can be named by its ARN.
    """
    from cli import printing, reading
    from cli.stack import Stack, caller

    found = Stack.named(stack)
    ledger = found.ledger
    head = reading.find(ledger, package) if package.startswith("arn:") else reading.found(ledger, package)
    history = ledger.history(str(head["package"])).verified() if head else None
    if history:
        _may_be_validated(history)
    arn = str(head["arn"]) if head else package
    asked = {"by": caller(), "reason": reason} if reason else {"by": caller()}
    execution = found.executions.start(arn, asked)
    printing.line(f"Started {execution}")
    if wait:
        _follow_attempt(ledger, arn, history, timeout)
    else:
        printing.line(f"Follow it with `signoff watch {package}`.")


def _may_be_validated(history: History) -> None:
    from signoff.ledger import Status

    state = history.state
    if state.attempt_open:
        raise CommandFailed(f"it is being validated already, by {state.execution}; follow it with `signoff watch`")
    if state.status in {Status.APPROVED, Status.REJECTED, Status.REVOKED, Status.DELETED}:
        raise CommandFailed(f"it is {state.status}: only a package that is not decided on is validated again")


def _follow_attempt(ledger: Ledger, arn: str, before: History | None, timeout: float) -> None:
    from cli import printing, reading
    from cli.following import Patience, awaited, follow, settled

    patience = Patience(timeout)
    key = before.package if before else awaited(ledger, arn, patience)
    attempt = before.state.attempt + 1 if before else 1

    def done(history: History) -> bool:
        return history.state.attempt >= attempt and settled(history.state)

    for entry in follow(lambda: ledger.history(key), done, patience, len(before.entries) if before else 0):
        printing.entry(entry)
    why = reading.reason(ledger.history(key))
    if why:
        raise CommandFailed(f"the package did not pass: {why}")
