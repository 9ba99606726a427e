"""`signoff approve`, `reject`, `revoke`, `reopen` and `rollback`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from signoff_cli.commands.options import AsJson, GroupName, Package, Reason, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signoff_cli.packages.lookup import LedgerReader
    from signoff_cli.stack import Stack
    from signoff_cli.statements.decision import DecisionRequest, DecisionResult, PendingDecision
    from signoff_cli.workload import RegistryLocation

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Approve alone, if the policy allows it. Everybody is notified.")
]
To = Annotated[
    int | None,
    typer.Option("--to", metavar="VERSION", min=1, help="Roll back to this version, not to the champion before."),
]


def approve(
    package: Package,
    reason: Reason,
    break_glass: BreakGlass = False,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Approve a package, so that its model is created.

    You approve as the identity of your AWS credentials, and sign the evidence that you are shown. If the policy
    requires more approvals, yours is recorded.
    """
    _decide("approve", package, reason, yes, timeout, json, stack, break_glass)


def reject(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Reject a package that is waiting for a decision."""
    _decide("reject", package, reason, yes, timeout, json, stack)


def revoke(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Revoke an approval, and show the group's champion afterwards.

    The package's model is retired, unless an endpoint uses it: then it is kept, and `signoff show` reports it.
    """
    _decide("revoke", package, reason, yes, timeout, json, stack)


def reopen(
    package: Package,
    reason: Reason,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Return a rejected or revoked package to waiting for approval."""
    _decide("reopen", package, reason, yes, timeout, json, stack)


def rollback(
    group: GroupName,
    reason: Reason,
    to: To = None,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Make a former champion of a group its champion again.

    In one step: its artifacts are verified again and its model is created. By default it is the version that was
    champion before the current one; --to chooses another.
    """
    from signoff_cli.packages.rollback import find_target
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    former = find_target(found.ledger, found.champions, group, to)
    _decide_here(found, _decision("rollback", former.package, reason), yes, timeout, json, (former.why,))


def _decide(
    decision: str,
    package: str,
    reason: str,
    yes: bool,
    timeout: float,
    json: bool,
    stack: str,
    break_glass: bool = False,
) -> None:
    from dataclasses import replace

    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    decided = _decision(decision, package, reason, break_glass)
    if found.registry_location:
        _decide_elsewhere(found, found.registry_location, decided, yes, timeout, json)
    else:
        named = replace(decided, package=resolve_arn(found.ledger, package))
        _decide_here(found, named, yes, timeout, json)


def _decision(decision: str, package: str, reason: str, break_glass: bool = False) -> DecisionRequest:
    from signoff_cli.stack import caller
    from signoff_cli.statements.decision import DecisionRequest

    return DecisionRequest(package, decision, caller(), reason, break_glass=break_glass)


def _decide_here(
    found: Stack, decision: DecisionRequest, yes: bool, timeout: float, json: bool, notes: tuple[str, ...] = ()
) -> None:
    """Send a decision to the registry in this account, and wait for the ledger's answer."""
    from signoff_cli.output.decisions import summary
    from signoff_cli.packages.lookup import find
    from signoff_cli.packages.policy_view import GroupPolicies
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.statements.decision import PendingDecision

    head = find(found.ledger, decision.package)
    policy = GroupPolicies(found.policies).policy(str(head["group"])) if head and head.get("group") else None
    pending = PendingDecision(found.ledger, decision, policy)
    result = pending.existing_result()
    if result is None:
        if not yes:
            confirm(summary(pending, policy, notes), "Nothing was decided")
        pending.send(found.statement_bus)
        result = pending.wait_for_result(Deadline(timeout))
    _print_result(result, json, _champion(found, pending, result))


def _champion(found: Stack, pending: PendingDecision, result: DecisionResult) -> str | None:
    """Return who is the group's champion now that an approval was revoked, in words; None after anything else."""
    from signoff_cli.packages import champion as championing

    group = pending.state.group
    if result.decision.decision != "revoke" or result.outcome == "refused" or group is None:
        return None
    return championing.describe_current(found.champions, found.ledger, group, pending.before[0].package)


def _decide_elsewhere(
    found: Stack, location: RegistryLocation, decision: DecisionRequest, yes: bool, timeout: float, json: bool
) -> None:
    """Send a decision to the registry in another account, and wait until SageMaker shows it there."""
    from signoff.documents.text import clean
    from signoff_cli import workload
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline

    described, decision = workload.describe_for_decision(found.registry, decision, location)
    outcome = "absorbed" if workload.shows_decision(described, decision) else "recorded"
    if outcome == "recorded":
        if not yes:
            confirm([clean(line) for line in workload.decision_summary(described, decision)], "Nothing was decided")
        found.statement_bus.send(decision.type, decision.statement)
        described = workload.wait_until_decided(found.registry, decision, Deadline(timeout))
    status, why = described["ModelApprovalStatus"], described.get("ApprovalDescription")
    if json:
        facts = {"package": decision.package, "decision": decision.decision, "approver": decision.approver}
        console.print_json({**facts, "outcome": outcome, "status": status, "because": why})
    else:
        console.print_line(clean(f"{decision.package} is {status}: {why}"))


def resolve_arn(ledger: LedgerReader, package: str) -> str:
    """Return the package's ARN. One that is unknown is sent all the same: the refusal says that it is."""
    from signoff_cli.packages import lookup

    head = lookup.find(ledger, package) if package.startswith("arn:") else lookup.find_or_fail(ledger, package)
    return str(head["arn"]) if head else package


def confirm(summary: Sequence[str], otherwise: str) -> None:
    """Show `summary` and ask whether to continue. Raises `CommandFailed` with `otherwise` unless the answer is yes."""
    for line in summary:
        typer.echo(line, err=True)
    if not sys.stdin.isatty():
        raise CommandFailed(f"there is no terminal to ask for confirmation: give --yes. {otherwise}")
    if not typer.confirm("Continue?", err=True):
        raise CommandFailed(otherwise)


def _print_result(result: DecisionResult, json: bool, champion: str | None) -> None:
    from signoff_cli.output import console
    from signoff_cli.output.decisions import describe_result

    if json:
        console.print_json({**result.document, "champion": champion})
    if result.outcome == "refused":
        raise CommandFailed(f"{result.refusal}: {result.because}")
    if not json:
        console.print_line(describe_result(result))
        if champion:
            console.print_line(champion)
