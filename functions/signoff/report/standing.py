"""What a group's policy makes of a package: which approvals it needs still, of whom, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from signoff.approval import deadlines
from signoff.documents import timestamps
from signoff.identity.principals import listed
from signoff.ledger.entries import Status
from signoff.policy.policy import Policy

if TYPE_CHECKING:
    from signoff.ledger.state import State
    from signoff.policy.approvals import Outstanding


def outstanding(policy: Policy, authors: Iterable[str | None], votes: Iterable[str]) -> Outstanding:
    """Return which approvals a package of `authors` (`State.authors`) still needs beside `votes` (ARNs)."""
    approvals = policy.approvals
    return approvals.outstanding(votes, unknown_submitter=not approvals.know_all(authors))


def authors_of(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Return who submitted a package and who changed it since, of a row or a document."""
    return (row["submitter"], *row["changed_by"])


def expiry(policy: Policy, standing: State | Mapping[str, Any]) -> dict[str, str] | None:
    """Return when waiting for a decision ends (`at`), and what happens then (`action`); None where it never does.

    `standing` is a package's state, or the head that the index has of it.
    """
    ends, expiry = deadlines.expires(standing, policy), policy.approvals.expiry
    return {"at": timestamps.text(ends), "action": expiry.action} if ends and expiry else None


def evaluate(policy: Policy | None, standing: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the policy says of a package, of which `standing` is a row or a document: all None without a policy.

    `outstanding` are the approvals that it needs still, in words, and `needs` in numbers, in all (`people`) and in
    `roles`; `may_approve` is as `may_approve`; `expires` is as `expiry`, and `lapses` is when its approval does.
    """
    if policy is None:
        return dict.fromkeys(("outstanding", "needs", "may_approve", "expires", "lapses"))
    lapses = deadlines.lapses(standing, policy)
    needs = outstanding(policy, authors_of(standing), standing["votes"]) if _pending(standing) else None
    return {
        "outstanding": str(needs) if needs else None,
        "needs": {"people": needs.people, "roles": dict(needs.roles)} if needs else None,
        "may_approve": may_approve(policy, needs, authors_of(standing), standing["votes"]) if needs else None,
        "expires": expiry(policy, standing),
        "lapses": timestamps.text(lapses) if lapses else None,
    }


def may_approve(
    policy: Policy, needs: Outstanding, authors: Iterable[str | None], votes: Iterable[str]
) -> list[dict[str, Any]]:
    """Return who may give the approvals that a package `needs`, by `role`, and beside the roles (`role` None).

    Each has how many are `needed` and `people`, patterns of persons, without those who approved already or may not
    because they are `authors`; None is every known person, where the policy lists nobody. `but` are those persons whom
    a pattern includes all the same.
    """
    approvals = policy.approvals
    out = {approvals.person(arn) for arn in votes}
    if not approvals.submitter_may_approve:
        out |= {approvals.person(arn) for arn in authors if arn}
    roles = [_seats(policy, name, count, approvals.roles[name].members, out) for name, count in needs.roles.items()]
    others = needs.people - sum(needs.roles.values())
    all_listed = [*approvals.approvers, *(member for role in approvals.roles.values() for member in role.members)]
    return [*roles, *([_seats(policy, None, others, all_listed, out)] if others > 0 else [])]


def _seats(policy: Policy, role: str | None, needed: int, patterns: Iterable[str], out: set[str]) -> dict[str, Any]:
    every = list(dict.fromkeys(patterns))
    people = [each for each in every if each not in out] if every else None
    but = sorted(out) if people is None else [each for each in sorted(out) if _included(each, people, policy)]
    return {"role": role, "needed": needed, "people": people, "but": but}


def _included(person: str, patterns: Sequence[str], policy: Policy) -> bool:
    return bool(patterns) and listed(person, patterns, policy.approvals.trusted_sessions)


def _pending(standing: Mapping[str, Any]) -> bool:
    return bool(standing["status"] == Status.PENDING_APPROVAL or standing["rollback"])
