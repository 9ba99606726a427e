"""A decision before it is sent, and its result, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from signoff.approval.decisions import Recorded, Refusal
from signoff.documents.text import clean, short
from signoff.ledger.entries import Kind, Status
from signoff.notification.comparison import grave_first, outcome_of
from signoff.notification.wording import DONE
from signoff.report.sentences import ENDS, authors, describe_seats
from signoff.report.standing import expiry, may_approve, outstanding
from signoff_cli.output import comparison

if TYPE_CHECKING:
    from signoff.approval.decisions import Outcome as Expected
    from signoff.ledger.state import State
    from signoff.policy.policy import Policy
    from signoff_cli.statements.decision import DecisionResult, PendingDecision

_FOLLOWS = {
    "approve": "it is approved, and its model is created",
    "reject": "it is rejected",
    "revoke": "its approval is withdrawn, and its model retired, unless an endpoint uses it",
    "reopen": "it is waiting for approval again; earlier approvals do not count",
    "rollback": "its artifacts are verified again, its model is created, and it is the group's champion again",
}


def summary(
    pending: PendingDecision,
    policy: Policy | None,
    notes: tuple[str, ...] = (),
    evidence: Mapping[str, Any] | None = None,
    width: int | None = None,
) -> list[str]:
    """Return what is about to be decided, on what evidence, and what comes of it, for who is asked to confirm it.

    `notes` are put before what is known of the package; `evidence` is the whole document, where it can be read. Tables
    are at most `width` characters wide.
    """
    decision, state = pending.decision, pending.state
    name = f"{state.group}/{state.version}" if state.group else "a package that Signoff does not know"
    glass = ["  ALONE      break glass: the approvals that the policy requires are bypassed, and everybody is notified"]
    lines = [
        f"{decision.decision} {name}",
        *(glass if decision.break_glass else ()),
        f"  package    {decision.package}",
        f"  as         {decision.approver}",
        f"  reason     {decision.reason}",
        *(f"  note       {note}" for note in notes),
        f"  status     {_status(state)}, submitted by {authors(state.submitter, state.changers)}",
        *_document(evidence, width),
        *_evidence(state),
        *_votes(state, policy),
        *_then(pending.expected(), decision.decision),
    ]
    return [clean(line) for line in lines]


def _status(state: State) -> str:
    since = f" since {state.asked}" if state.status is Status.PENDING_APPROVAL and state.asked else ""
    superseded = f", superseded by {state.superseded_by}" if state.superseded_by else ""
    return f"{state.status or 'unknown'}{since}{superseded}"


def _document(evidence: Mapping[str, Any] | None, width: int | None) -> Iterator[str]:
    """Yield what the model is, how good it is beside the champion, and what changed since."""
    if evidence is None:
        return
    yield from (f"  model      {line}" for line in comparison.description(evidence))
    for title, lines in comparison.sections(evidence, None if width is None else width - 4):
        yield f"  {title}"
        yield from (f"    {line}" for line in lines)


def _evidence(state: State) -> Iterator[str]:
    evidence = state.evidence
    if not evidence:
        return
    yield f"  evidence   {evidence['sha256']}"
    yield f"  to read    {evidence['uri']}"
    yield f"  verdict    {evidence['verdict']}"
    checks = grave_first(evidence["checks"])
    yield from (f"  {outcome_of(check):<10} {check['name']}: {check['reason']}" for check in checks)


def _votes(state: State, policy: Policy | None) -> Iterator[str]:
    if state.votes:
        yield f"  approved   by {', '.join(map(short, state.votes))}"
    if policy is None or state.status is not Status.PENDING_APPROVAL:
        return
    needs = outstanding(policy, state.authors, state.votes)
    yield f"  needs      {needs}"
    yield from (
        f"  by         {line}" for line in describe_seats(may_approve(policy, needs, state.authors, state.votes))
    )
    ends = expiry(policy, state)
    if ends:
        yield f"  until      {ends['at']}; then {ENDS[ends['action']]}"


def _then(expected: Expected | None, decision: str) -> Iterator[str]:
    if isinstance(expected, Refusal):
        yield f"  then       it would be refused: {expected.name}: {expected.reason}"
    elif isinstance(expected, Recorded):
        details = expected.draft.details
        if details.get("joins"):
            yield f"  then       it is {DONE[decision]} already: yours is recorded in addition"
        elif expected.draft.kind is Kind.VOTED:
            yield f"  then       it is recorded, and the package still needs {details['outstanding']}"
        else:
            yield f"  then       {_FOLLOWS[decision]}"


def describe_result(result: DecisionResult) -> str:
    """Return the result of a decision that was not refused."""
    entry, decision = result.entry, result.decision
    package = f"{entry.group}/{entry.version}" if entry and entry.group else decision.package
    done = _done(decision.decision, package)
    if result.outcome == "absorbed":
        return clean(_absorbed(result, package))
    if result.joins:
        return clean(f"{done} already. Yours is recorded in addition.")
    if result.outstanding:
        return clean(f"Your approval of {package} is recorded; it needs {result.outstanding}.")
    alone = ", by break glass" if decision.break_glass else ""
    return clean(f"{done}{alone}.{_next(decision.decision, package)}")


def _absorbed(result: DecisionResult, package: str) -> str:
    if result.outstanding:
        return f"Your approval of {package} is recorded already; it needs {result.outstanding}. Nothing was changed."
    entry = result.entry
    by = f" by {short(entry.actor)}: {entry.details['reason']}" if entry else ""
    return f"{_done(result.decision.decision, package)} already{by}. Nothing was changed."


def _done(decision: str, package: str) -> str:
    return f"the group is rolled back to {package}" if decision == "rollback" else f"{package} is {DONE[decision]}"


def _next(decision: str, package: str) -> str:
    if decision in {"reject", "reopen"}:
        return ""
    return f" Follow its model with `signoff watch {package}`."
