"""What a group's policy makes of a package, and of a decision about it before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from signoff.approval import deadlines, decisions
from signoff.aws.clients import error_code, error_message
from signoff.documents import timestamps
from signoff.errors import PolicyFault
from signoff.identity.principals import listed, same_person
from signoff.ledger.entries import Status
from signoff.policy.policy import Policy

if TYPE_CHECKING:
    from signoff.ledger.state import State
    from signoff.policy.approvals import Outstanding
    from signoff.policy.parameter import GroupPolicy

NOT_PERMITTED = {"AccessDenied", "AccessDeniedException"}


class PolicyStore(Protocol):
    """What is asked of the policies in force (`signoff.aws.ssm.Policies`)."""

    def for_new_group(self, group: str) -> GroupPolicy: ...  # noqa: D102


class GroupPolicies:
    """The policies of the groups at hand, each read once, and `notes` of those that cannot be read."""

    def __init__(self, policies: PolicyStore) -> None:
        self._policies = policies
        self._known: dict[str, GroupPolicy | None] = {}
        self.notes: list[str] = []

    def policy(self, group: str | None) -> Policy | None:
        """Return the policy of `group`, or None, and a note, when the caller may not read it or nobody can."""
        found = self.governing(group)
        return found.policy if found else None

    def governing(self, group: str | None) -> GroupPolicy | None:
        """Return the policy of `group` with its name, or None, and a note, as `policy` does."""
        if group is None:
            return None
        if group not in self._known:
            self._known[group] = self._read(group)
        return self._known[group]

    def _read(self, group: str) -> GroupPolicy | None:
        try:
            return self._policies.for_new_group(group)
        except PolicyFault as fault:
            self._note(f"the policy of group {group} cannot be read: {fault}")
        except ClientError as error:
            if error_code(error) not in NOT_PERMITTED:
                raise
            self._note(f"the policies are left out: {error_message(error)}")
        return None

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def outstanding(policy: Policy, authors: Iterable[str | None], votes: Iterable[str]) -> Outstanding:
    """Return which approvals a package of `authors` (`State.authors`) still needs beside `votes` (ARNs)."""
    approvals = policy.approvals
    return approvals.outstanding(votes, unknown_submitter=not approvals.know_all(authors))


def _authors(row: Mapping[str, Any]) -> tuple[str | None, ...]:
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
    needs = outstanding(policy, _authors(standing), standing["votes"]) if _pending(standing) else None
    return {
        "outstanding": str(needs) if needs else None,
        "needs": {"people": needs.people, "roles": dict(needs.roles)} if needs else None,
        "may_approve": may_approve(policy, needs, _authors(standing), standing["votes"]) if needs else None,
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


def may_decide(policy: Policy, row: Mapping[str, Any], me: str) -> bool:
    """Return whether `me` (an ARN) may decide on a package and has not done so yet.

    `row` is the list's: it names who submitted the package, and whose approvals it has.
    """
    approvals = policy.approvals
    if decisions.foreign(row["package"], me, None, policy) or not policy.lists(me):
        return False
    own = any(same_person(me, each, approvals.trusted_sessions) for each in _authors(row))
    voted = approvals.person(me) in {approvals.person(each) for each in row["votes"]}
    return not (own and not approvals.submitter_may_approve) and not voted
