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

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Approve alone, if the policy lets you. Everybody is told.")
]
To = Annotated[
    int | None, typer.Option("--to", metavar="VERSION", min=1, help="To this version, not the champion before.")
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

    You approve as whoever your AWS credentials stand for, and sign the evidence that you are shown. Where the policy
    asks for more approvals than yours, yours is recorded.
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
    """Revoke an approval, and say who is the group's champion then.

    The package's model is retired, unless an endpoint uses it: then it stays, and `signoff show` says so.
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
    """Let a rejected or revoked package await its approval again."""
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

    In one step: its bytes are verified once more and its model is made. Unless told otherwise with --to, it is the
    version that was champion before the present one.
    """
    from signoff_cli.packages.rollback import find_target
    from signoff_cli.stack import Stack

    found = Stack.named(stack)
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

    found = Stack.named(stack)
    decided = _decision(decision, package, reason, break_glass)
    if found.central:
        _decide_elsewhere(found, found.central, decided, yes, timeout, json)
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
    asking = PendingDecision(found.ledger, decision, policy)
    answer = asking.already()
    if answer is None:
        if not yes:
            confirm(summary(asking, policy, notes), "Nothing was decided")
        asking.send(found.post)
        answer = asking.answer(Deadline(timeout))
    _tell(answer, json, _champion(found, asking, answer))


def _champion(found: Stack, asking: PendingDecision, answer: DecisionResult) -> str | None:
    """Return who is the group's champion now that an approval was revoked, in words; None after anything else."""
    from signoff_cli.packages import champion as championing

    group = asking.state.group
    if answer.decision.decision != "revoke" or answer.outcome == "refused" or group is None:
        return None
    return championing.describe_current(found.champions, found.ledger, group, asking.before[0].package)


def _decide_elsewhere(
    found: Stack, central: RegistryLocation, decision: DecisionRequest, yes: bool, timeout: float, json: bool
) -> None:
    """Send a decision to the registry in another account, and wait until SageMaker shows it there."""
    from signoff.documents.text import clean
    from signoff_cli import workload
    from signoff_cli.output import console
    from signoff_cli.packages.progress import Deadline

    described, decision = workload.describe_for_decision(found.registry, decision, central)
    outcome = "absorbed" if workload.shows_decision(described, decision) else "recorded"
    if outcome == "recorded":
        if not yes:
            confirm([clean(line) for line in workload.decision_summary(described, decision)], "Nothing was decided")
        found.post.send(decision.type, decision.statement)
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
        raise CommandFailed(f"nobody is there to be asked: say --yes. {otherwise}")
    if not typer.confirm("Go on?", err=True):
        raise CommandFailed(otherwise)


def _tell(answer: DecisionResult, json: bool, champion: str | None) -> None:
    from signoff_cli.output import console
    from signoff_cli.output.decisions import describe_result

    if json:
        console.print_json({**answer.document, "champion": champion})
    if answer.outcome == "refused":
        raise CommandFailed(f"{answer.refusal}: {answer.because}")
    if not json:
        console.print_line(describe_result(answer))
        if champion:
            console.print_line(champion)
