"""Verifying that what was decided was allowed: each decision and vote once more, under the policy that it names.

The policy is read from the vault by its digest, the votes from the ledger; nothing that an entry says of itself is
believed where it can be worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from signoff.approval import deadlines
from signoff.approval.decisions import Approver, others
from signoff.documents import timestamps
from signoff.errors import PolicyFault
from signoff.ledger.entries import DECIDED_STATUS, Entry, Kind, Status
from signoff.ledger.recorded_checks import unaccepted
from signoff.ledger.state import State
from signoff.ledger.witnessed import SINCE, unwitnessed
from signoff.policy.policy import Policy, of_document
from signoff.submission.policy_choices import not_allowed_any_more
from signoff.validation.evidence import signed_subject
from signoff_cli.audit.evidence import policies_named
from signoff_cli.audit.facts import AuditedLedger, Discrepancy, decision_key, document_fault, evidence_of, policy_key

_ADMITTING = {"approve", "reopen", "rollback"}
_FROM: Mapping[str, set[Status | None]] = {
    "approve": {Status.PENDING_APPROVAL},
    "reject": {Status.PENDING_APPROVAL},
    "revoke": {Status.APPROVED},
    "reopen": {Status.REJECTED, Status.REVOKED},
    "rollback": {Status.APPROVED, Status.REVOKED},
}
# Between evaluating a decision and recording it passes no more time than a function may run.
_WRITING = timedelta(minutes=15)


def findings(audited: AuditedLedger, before: Sequence[State]) -> Iterator[Discrepancy]:
    """Yield what was recorded and could not have been; `before` are the states before each entry."""
    yield from _unwitnessed(audited)
    used: dict[str, int] = {}
    for entry, state in zip(audited.entries, before, strict=False):
        yield from _used_twice(audited, entry, used)
        check = _CHECKS.get(entry.kind)
        if check is None:
            continue
        try:
            policy = _policy(audited, entry)
        except PolicyFault as fault:
            yield audited.finding("PolicyUnreadable", str(fault), entry.sequence)
            continue
        for because in (*check(entry, state, policy), *_settings(audited, entry, policy)):
            yield audited.finding("NotAllowed", f"{entry.kind} {because}", entry.sequence)


def _unwitnessed(audited: AuditedLedger) -> Iterator[Discrepancy]:
    """Yield the votes and decisions that the function which decides has not kept in the vault."""

    def kept(entry: Entry) -> bool:
        return document_fault(audited, decision_key(entry.hash), entry.hash) is None

    since = (audited.document(SINCE) or {}).get("since")
    for entry in unwitnessed(audited.entries, since, kept):
        because = f"{decision_key(entry.hash)} in the vault is not about it: whoever wrote it is not ApplyDecision"
        yield audited.finding("DecisionUnwitnessed", because, entry.sequence)


def _policy(audited: AuditedLedger, entry: Entry) -> Policy | None:
    """Return the policy that an entry names; None when it names none, or one that is not there (another finding)."""
    for sha256 in policies_named(entry):
        if document_fault(audited, policy_key(sha256), sha256) is None:
            return of_document(audited.document(policy_key(sha256)) or {})
    return None


def _settings(audited: AuditedLedger, entry: Entry, policy: Policy | None) -> Iterator[str]:
    """Yield whether an approval, a rollback or a vote for one is for settings that its policy does not allow."""
    evidence = evidence_of(audited, entry.details.get("evidence"))
    if policy is None or evidence is None or entry.details.get("decision") not in _ADMITTING - {"reopen"}:
        return
    settings = not_allowed_any_more(signed_subject(evidence)["deployment"]["policy"], policy.deployment)
    if settings:
        yield f"of a model that would run with settings that the policy does not allow: {', '.join(settings)}"


def _used_twice(audited: AuditedLedger, entry: Entry, used: dict[str, int]) -> Iterator[Discrepancy]:
    """Yield whether a proof, or what it proves, was answered by an entry before."""
    for field in ("id", "proof"):
        value = entry.details.get(field)
        if isinstance(value, str):
            first = used.setdefault(f"{field} {value}", entry.sequence)
            if first != entry.sequence:
                because = f"its {field} is that of entry {first}: nobody proves two things by the same"
                yield audited.finding("ProofUsedTwice", because, entry.sequence)


def _decided(entry: Entry, state: State, policy: Policy | None) -> Iterator[str]:
    verb = str(entry.details.get("decision"))
    if state.status not in _FROM.get(verb, ()):
        yield f"({verb}) of a package that was {state.status or 'not registered'}"
        return
    yield from _on_the_evidence(entry, state)
    yield from _on_the_questions(entry, state)
    yield from _on_the_status(entry, state)
    if policy is None:
        yield from _without_policy(entry)
    elif entry.details.get("channel") == "policy":
        yield from _due(entry, state, policy)
    else:
        yield from _by_somebody(entry, state, policy, verb)
        if DECIDED_STATUS[verb] is Status.APPROVED:
            yield from _approved(entry, state, policy)


def _voted(entry: Entry, state: State, policy: Policy | None) -> Iterator[str]:
    verb, joins = str(entry.details.get("decision")), bool(entry.details.get("joins"))
    stands = {DECIDED_STATUS.get(verb)} if joins else _FROM.get(verb, set())
    if state.status not in stands or (verb not in {"approve", "rollback"} and not joins):
        yield f"({verb}) on a package that was {state.status or 'not registered'}"
        return
    yield from _on_the_evidence(entry, state)
    if not joins:
        yield from _on_the_questions(entry, state)
        yield from _on_the_status(entry, state)
    if policy is None:
        yield from _without_policy(entry)
        return
    yield from _by_somebody(entry, state, policy, verb)
    before = [*(state.deciders if joins else _standing(entry, state))]
    if _others(before, entry, state, policy) != before:
        yield f"by {entry.actor}, who had voted already"
    if not joins:
        yield from _counted_anew(entry, state, policy)


def _standing(entry: Entry, state: State) -> tuple[str, ...]:
    return () if entry.details.get("anew") else state.votes


def _counted_anew(entry: Entry, state: State, policy: Policy) -> Iterator[str]:
    """Yield why a vote or decision could not have been counted with those of before, or only with those after it.

    Of an approval that lapsed before a rollback, nothing counts.
    """
    written, anew = timestamps.parse(entry.time), bool(entry.details.get("anew"))
    lapsed = [deadlines.lapsed(state, policy, moment) for moment in (written - _WRITING, written)]
    if anew not in lapsed if entry.details.get("decision") == "rollback" else anew:
        yield f"counts {'no' if anew else 'the'} approvals of before, which had {'not ' if anew else ''}lapsed"


def _others(arns: Iterable[str], entry: Entry, state: State, policy: Policy) -> list[str]:
    """Return those of `arns` that do not stand for the author of an entry."""
    by = Approver(entry.actor, policy.approvals.person(entry.actor), user_id=entry.details.get("user_id"))
    return others(arns, state, by, policy)


def _without_policy(entry: Entry) -> Iterator[str]:
    if not policies_named(entry):
        yield "names no policy that it was made under"


def _on_the_evidence(entry: Entry, state: State) -> Iterator[str]:
    evidence = state.evidence or {}
    for field, expected in (("evidence", evidence.get("sha256")), ("subject", evidence.get("subject"))):
        if entry.details.get(field) != expected:
            yield f"names {field} {entry.details.get(field)}, and what was recorded before it is {expected}"
    if evidence and evidence.get("verdict") != "passed":
        yield f"on evidence that {evidence.get('verdict')}"


def _on_the_questions(entry: Entry, state: State) -> Iterator[str]:
    """Yield which checks asked for a person's word that an approval does not give."""
    missing = unaccepted(state.evidence, entry.details.get("decision"), entry.details.get("accepts") or ())
    if missing:
        yield f"does not accept what its evidence asks about: {', '.join(missing)}"


def _on_the_status(entry: Entry, state: State) -> Iterator[str]:
    standing = entry.details.get("standing")
    if standing is not None and (state.moved is None or state.moved.hash != standing):
        yield f"was signed for the status since the entry {standing}, and another one gave the package its status"


def _by_somebody(entry: Entry, state: State, policy: Policy, verb: str) -> Iterator[str]:
    """Yield why its author could not have decided under that policy, in that way."""
    approvals, details = policy.approvals, entry.details
    withdraws = verb not in _ADMITTING and approvals.submitter_may_withdraw
    own = [each for each in state.authors if each and not _others([each], entry, state, policy)]
    if own and not approvals.submitter_may_approve and not withdraws:
        yield f"by {entry.actor}, who {'submitted' if own[0] == state.submitter else 'may have changed'} the model"
    if details.get("break_glass"):
        if not approvals.breaks_glass(entry.actor):
            yield f"by {entry.actor}, who may not approve alone"
    elif not policy.lists(entry.actor):
        yield f"by {entry.actor}, who is not among the approvers"
    if details.get("person") != approvals.person(entry.actor):
        yield "gives another person than the policy"
    # In whichever order the policy named them: it is kept in the order of their names.
    if sorted(details.get("roles") or ()) != sorted(approvals.roles_of(entry.actor)):
        yield "gives other roles than the policy"
    yield from _how_identified(details, policy)


def _how_identified(details: Mapping[str, Any], policy: Policy) -> Iterator[str]:
    channel, approvals = details.get("channel"), policy.approvals
    believed = {
        "proof": bool(details.get("id") and details.get("proof")),
        "publisher": approvals.identity == "asserted" and details.get("publisher") in approvals.publishers,
        "registry": approvals.registry_edits == "count",
    }
    if not believed.get(str(channel)):
        yield f"is said to come by {channel}, which the policy does not believe"


def _approved(entry: Entry, state: State, policy: Policy) -> Iterator[str]:
    approvals = policy.approvals
    yield from _counted_anew(entry, state, policy)
    votes = [*_others(_standing(entry, state), entry, state, policy), entry.actor]
    if list(entry.details.get("votes") or ()) != votes:
        yield f"counts the votes of {entry.details.get('votes')}, and the ledger has those of {votes}"
    unknown = not approvals.know_all(state.authors)
    if unknown and approvals.unknown_submitter == "refuse":
        yield "of a model that nobody knows the submitter of"
    outstanding = approvals.outstanding(votes, unknown_submitter=unknown)
    if not outstanding.satisfied and not entry.details.get("break_glass"):
        yield f"without what the policy asks for: {outstanding} were missing"
    end = deadlines.expires(state, policy)
    expires = approvals.expiry is not None and approvals.expiry.action == "reject"
    if end is not None and expires and timestamps.parse(entry.time) > end + _WRITING:
        yield f"after the time for it was over, at {timestamps.text(end)}"


def _due(entry: Entry, state: State, policy: Policy | None) -> Iterator[str]:
    """Yield whether what Signoff did by itself was not due."""
    if policy is None:
        yield from _without_policy(entry)
        return
    due = deadlines.due(state, policy, timestamps.parse(entry.time))
    if entry.kind not in {draft.kind for draft in due} or entry.actor != "signoff":
        yield "was not due under the policy that it names"
    why = entry.details.get("revoked_for")  # older entries do not say it, and count as decisions
    if why is not None and why not in {draft.details.get("revoked_for") for draft in due}:
        yield f"says that the approval {why}, which was not why it was due"


def _enforcement(entry: Entry, state: State, policy: Policy | None) -> Iterator[str]:
    enforced = entry.details.get("enforced", True)
    if policy is None:
        yield from _without_policy(entry)
    elif policy.enforced != enforced:
        yield f"says that refusals are {'' if enforced else 'not '}held, and the policy that it names says otherwise"


def _observed(_: Entry, state: State, _policy: Policy | None) -> Iterator[str]:
    if state.enforced:
        yield "of a group whose refusals are held: a status set by hand is set back there"


def _made(_: Entry, state: State, _policy: Policy | None) -> Iterator[str]:
    if state.status is not Status.APPROVED:
        yield f"for a package that was {state.status or 'not registered'}"


_CHECKS: Mapping[Kind, Callable[[Entry, State, Policy | None], Iterator[str]]] = {
    Kind.DECISION_RECORDED: _decided,
    Kind.VOTED: _voted,
    Kind.EXPIRED: _due,
    Kind.REMINDED: _due,
    Kind.VALIDATION_STARTED: _enforcement,
    Kind.ENFORCEMENT_CHANGED: _enforcement,
    Kind.REGISTRY_OBSERVED: _observed,
    Kind.MODEL_CREATED: _made,
    Kind.IMAGE_FINDINGS_CHANGED: _made,
}
