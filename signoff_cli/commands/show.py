"""`signoff show`, `watch` and `revalidate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson, Package, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.ledger.history import History
    from signoff_cli.packages.lookup import LedgerReader
    from signoff_cli.stack import Stack
    from signoff_cli.workload import RegistryLocation


def show(package: Package, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Show everything that is known about a package.

    What it is; its metrics beside the champion's, what changed since, its images; its checks, the findings in its
    artifacts and what to do about them; who may still approve it and until when; evidence, decisions, its model and
    ledger; with --json also SageMaker's own descriptions of package and model.

    Verifies the ledger's hash chain, and fails when somebody changed or removed an entry. From a workload account it
    shows SageMaker's description of the package.
    """
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    if found.registry_location:
        _show_elsewhere(found, found.registry_location, package, json)
    else:
        _show(found, package, json)


def _show(found: Stack, package: str, json: bool) -> None:
    from signoff.report.document import document as document_of
    from signoff.report.standing import evaluate
    from signoff_cli.output import console
    from signoff_cli.output.package_page import print_package
    from signoff_cli.packages import champion, evidence, sagemaker
    from signoff_cli.packages.policy_view import GroupPolicies

    history = history_of(found.ledger, package)
    known = {**document_of(history), "champion": champion.is_champion(found.champions, history)}
    policies = GroupPolicies(found.policies)
    governing = policies.governing(history.state.group)
    judged_by = governing.policy if governing else None
    known |= evaluate(judged_by, known)
    known["policy"]["in_force"] = governing.name if governing else None
    known["champion_changed"] = champion.changed_since_evidence(found.champions, history.state, judged_by)
    document, notes = sagemaker.with_sagemaker(known, found.registry)
    document, unread = evidence.with_evidence(document, found.vault)
    notes += [*policies.notes, *unread]
    for note in notes:
        console.print_line(f"signoff: {note}", sys.stderr)
    if json:
        console.print_json(document)
    else:
        print_package(history, document, console.console())


def _show_elsewhere(found: Stack, location: RegistryLocation, package: str, json: bool) -> None:
    """Show what SageMaker says in a workload account of a package in the registry of another."""
    from signoff.documents.text import clean
    from signoff_cli import workload
    from signoff_cli.output import console
    from signoff_cli.packages import sagemaker

    described = found.registry.describe(workload.package_arn(package, location))
    if json:
        console.print_json({"package": described["ModelPackageArn"], "registry": sagemaker.to_json_data(described)})
    else:
        for line in workload.package_page(described, location):
            console.print_line(clean(line))


def history_of(ledger: LedgerReader, package: str) -> History:
    """Return the verified ledger of the package that `package` names."""
    from signoff_cli.packages import lookup

    return ledger.history(str(lookup.find_or_fail(ledger, package)["package"])).verified()


def watch(package: Package, timeout: Timeout = 900, json: AsJson = False, stack: StackName = "Signoff") -> None:
    """Follow a package until nothing more happens to it by itself.

    Prints one line for each ledger entry, past entries first; with --json one JSON document on each line. Ends when the
    package is waiting for a decision.
    """
    from signoff_cli.output import console
    from signoff_cli.packages import lookup
    from signoff_cli.packages.progress import Deadline, follow, is_settled
    from signoff_cli.stack import Stack

    ledger = Stack.find(stack).ledger
    key = str(lookup.find_or_fail(ledger, package)["package"])
    for entry in follow(lambda: ledger.history(key), lambda history: is_settled(history.state), Deadline(timeout)):
        console.entry(entry, json)


def revalidate(
    package: Package,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason, which is recorded in the ledger.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it, and exit 1 unless it passes.")] = False,
    timeout: Timeout = 900,
    stack: StackName = "Signoff",
) -> None:
    """Validate a package again.

    For a package whose validation failed or ended in an error, or that is waiting for a decision.

    A package that Signoff has not seen yet can be named by its ARN.
    """
    from signoff_cli.output import console
    from signoff_cli.packages import lookup
    from signoff_cli.stack import Stack, caller

    found = Stack.find(stack)
    ledger = found.ledger
    head = lookup.find(ledger, package) if package.startswith("arn:") else lookup.find_or_fail(ledger, package)
    history = ledger.history(str(head["package"])).verified() if head else None
    if history:
        _may_be_validated(history)
    arn = str(head["arn"]) if head else package
    asked = {"by": caller(), "reason": reason} if reason else {"by": caller()}
    execution = found.executions.start(arn, asked)
    console.print_line(f"Started {execution}")
    if wait:
        _follow_attempt(ledger, arn, history, timeout)
    else:
        console.print_line(f"Follow it with `signoff watch {package}`.")


def _may_be_validated(history: History) -> None:
    from signoff.ledger import attempts
    from signoff.ledger.entries import Status

    state = history.state
    if state.attempt_open:
        raise CommandFailed(f"it is being validated already, by {state.execution}; follow it with `signoff watch`")
    if state.status in {Status.APPROVED, Status.REJECTED, Status.REVOKED, Status.DELETED}:
        raise CommandFailed(f"it is {state.status}: only a package that was not decided on can be validated again")
    if state.attempt >= attempts.MOST:
        raise CommandFailed(f"it was validated {state.attempt} times, which is the most there may be; submit it anew")


def _follow_attempt(ledger: LedgerReader, arn: str, before: History | None, timeout: float) -> None:
    from signoff.report.document import reason
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline, follow, is_settled, wait_for_ledger

    deadline = Deadline(timeout)
    key = before.package if before else wait_for_ledger(ledger, arn, deadline)
    attempt = before.state.attempt + 1 if before else 1

    def done(history: History) -> bool:
        return history.state.attempt >= attempt and is_settled(history.state)

    for entry in follow(lambda: ledger.history(key), done, deadline, len(before.entries) if before else 0):
        console.entry(entry)
    why = reason(ledger.history(key))
    if why:
        raise CommandFailed(f"the package did not pass: {why}")
