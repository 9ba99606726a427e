"""`signoff approve`, `reject`, `revoke`, `reopen` and `rollback`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signoff_cli.commands.accept import Accept, accept_all, unaccepted
from signoff_cli.commands.options import AsJson, GroupName, Package, Reason, StackName, Timeout
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signoff.policy.policy import Policy
    from signoff_cli.packages.lookup import LedgerReader
    from signoff_cli.stack import Stack
    from signoff_cli.statements.decision import DecisionRequest, DecisionResult, PendingDecision
    from signoff_cli.workload import RegistryLocation

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Approve alone, if the policy allows it. Everybody is notified.")
]
_ASK_FOR_IT = "name the evidence that was looked at: `.evidence.sha256` of `signoff show PACKAGE --json`"


def _sha256(text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-f]{64}", text):
        raise typer.BadParameter(f"it must be a SHA-256, 64 hexadecimal digits; {_ASK_FOR_IT}")
    return text


Evidence = Annotated[
    str | None,
    typer.Option(
        metavar="SHA256",
        help="The evidence that was looked at; if the package has other evidence by now, nothing is decided. "
        "Needed with --yes.",
        callback=_sha256,
    ),
]
To = Annotated[
    int | None,
    typer.Option("--to", metavar="VERSION", min=1, help="Roll back to this version, not to the champion before."),
]


def approve(
    package: Package,
    reason: Reason,
    break_glass: BreakGlass = False,
    evidence: Evidence = None,
    accept: Accept = None,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Approve a package, so that its model is created.

    You approve as the identity of your AWS credentials, and sign the evidence that you are shown, or that --evidence
    names. If the policy requires more approvals, yours is recorded.

    A check may ask for a person's word, such as when it is not certain that a model is better. Then you are asked about
    it, or give your word with --accept.
    """
    if yes and evidence is None:
        raise _unseen()
    said = {"break_glass": break_glass, "evidence": evidence, "accepts": tuple(accept or ())}
    _decide("approve", package, reason, yes, timeout, json, stack, **said)


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
    evidence: Evidence = None,
    yes: Yes = False,
    timeout: Timeout = 120,
    json: AsJson = False,
    stack: StackName = "Signoff",
) -> None:
    """Make a former champion of a group its champion again.

    In one step: its artifacts are verified again and its model is created. By default it is the version that was
    champion before the current one; --to chooses another. --yes needs --evidence if nobody's approval of the version's
    evidence counts any more.
    """
    from signoff_cli.packages.lookup import spelling
    from signoff_cli.packages.rollback import find_target
    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    named = spelling(found.ledger, found.registry, group)
    former = find_target(found.ledger, found.champions, named, to)
    decided = _decision("rollback", former.package, reason, evidence=evidence)
    _decide_here(found, decided, yes, timeout, json, (former.why,))


def _decide(
    decision: str,
    package: str,
    reason: str,
    yes: bool,
    timeout: float,
    json: bool,
    stack: str,
    **said: Any,
) -> None:
    from dataclasses import replace

    from signoff_cli.stack import Stack

    found = Stack.find(stack)
    decided = _decision(decision, package, reason, **said)
    if found.registry_location:
        _decide_elsewhere(found, found.registry_location, decided, yes, timeout, json)
    else:
        named = replace(decided, package=resolve_arn(found.ledger, package))
        _decide_here(found, named, yes, timeout, json)


def _decision(decision: str, package: str, reason: str, **said: Any) -> DecisionRequest:
    from signoff_cli.stack import caller
    from signoff_cli.statements.decision import DecisionRequest

    return DecisionRequest(package, decision, caller(), reason, **said)


def _unseen() -> typer.BadParameter:
    return typer.BadParameter(f"with --yes, {_ASK_FOR_IT}", param_hint="--evidence")


def _check_seen(seen: str | None, present: str | None) -> None:
    """Raise `CommandFailed` when the evidence that was looked at, if it is named, is not what would be signed."""
    if seen not in {None, present}:
        raise CommandFailed(
            f"the package's evidence is {present} now, not {seen}: look at it with `signoff show`. Nothing was decided"
        )


def _decide_here(
    found: Stack, decision: DecisionRequest, yes: bool, timeout: float, json: bool, notes: tuple[str, ...] = ()
) -> None:
    """Send a decision to the registry in this account, and wait for the ledger's answer."""
    from signoff_cli.packages.lookup import find
    from signoff_cli.packages.policy_view import GroupPolicies
    from signoff_cli.packages.progress import Deadline
    from signoff_cli.statements.decision import PendingDecision

    head = find(found.ledger, decision.package)
    policy = GroupPolicies(found.policies).policy(str(head["group"])) if head and head.get("group") else None
    pending = PendingDecision(found.ledger, decision, policy)
    _check_seen(decision.evidence, pending.decision.evidence)
    if yes and decision.evidence is None and decision.decision == "rollback" and not pending.state.votes:
        raise _unseen()
    questions = accept_all(pending)
    result = pending.existing_result()
    if result is None:
        if questions and (yes or not sys.stdin.isatty()):
            raise unaccepted(pending, decision.package, questions)
        if not yes:
            confirm(_summary(found, pending, policy, notes), "Nothing was decided", questions)
        pending.send(found.statement_bus)
        result = pending.wait_for_result(Deadline(timeout))
    _print_result(result, json, _champion(found, pending, result))


def _summary(found: Stack, pending: PendingDecision, policy: Policy | None, notes: tuple[str, ...]) -> list[str]:
    """Return what a person who is asked to confirm a decision reads first."""
    from shutil import get_terminal_size

    from signoff_cli.output.decisions import summary
    from signoff_cli.packages import champion, evidence

    document, unread = evidence.read(pending.state.evidence, found.vault)
    if pending.decision.decision == "approve":
        outdated = champion.changed_since_evidence(found.champions, pending.state, policy)
        notes = (*notes, *([outdated] if outdated else []))
    width = get_terminal_size().columns if sys.stderr.isatty() else None
    return summary(pending, policy, (*notes, *unread), document, width)


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

    seen = decision.evidence
    described, decision = workload.describe_for_decision(found.registry, decision, location)
    _check_seen(seen, decision.evidence)
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


def confirm(summary: Sequence[str], otherwise: str, questions: Sequence[str] = ()) -> None:
    """Show `summary`, ask the `questions`, and then whether to continue.

    Raises `CommandFailed` with `otherwise` unless each answer is yes.
    """
    from signoff.documents.text import clean

    for line in summary:
        typer.echo(line, err=True)
    if not sys.stdin.isatty():
        raise CommandFailed(f"there is no terminal to ask for confirmation: give --yes. {otherwise}")
    for question in (*questions, "Continue?"):
        if not typer.confirm(clean(question), err=True):
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
