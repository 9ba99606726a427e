"""What a group's policy makes of a decision about it before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from signoff.approval import decisions
from signoff.aws.clients import error_code, error_message
from signoff.errors import PolicyFault
from signoff.identity.principals import same_person
from signoff.policy.policy import Policy
from signoff.report.standing import authors_of
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.sagemaker import Registry
    from signoff.aws.ssm import Policies
    from signoff.policy.parameter import GroupPolicy

NOT_PERMITTED = {"AccessDenied", "AccessDeniedException"}


class PolicyStore(Protocol):
    """What is asked of the policies in force (`signoff.aws.ssm.Policies`)."""

    def for_new_groups(self, groups: Iterable[str]) -> dict[str, GroupPolicy | PolicyFault]: ...  # noqa: D102


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
        self.read_ahead((group,))
        return self._known[group]

    def read_ahead(self, groups: Iterable[str | None]) -> None:
        """Read the policies of `groups` that are not known yet, together."""
        unknown = [group for group in dict.fromkeys(groups) if group is not None and group not in self._known]
        if unknown:
            self._known |= self._read(unknown)

    def _read(self, groups: Sequence[str]) -> dict[str, GroupPolicy | None]:
        try:
            found = self._policies.for_new_groups(groups)
        except ClientError as error:
            if error_code(error) not in NOT_PERMITTED:
                raise
            if len(groups) > 1:  # of some of them one may be permitted to
                return {group: each for name in groups for group, each in self._read([name]).items()}
            self._note(f"the policies are left out: {error_message(error)}")
            return dict.fromkeys(groups)
        return {group: self._read_or_noted(group, each) for group, each in found.items()}

    def _read_or_noted(self, group: str, found: GroupPolicy | PolicyFault) -> GroupPolicy | None:
        if isinstance(found, PolicyFault):
            self._note(f"the policy of group {group} cannot be read: {found}")
            return None
        return found

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def in_force(group: str, registry: Registry, policies: Policies) -> tuple[GroupPolicy, bool]:
    """Return the policy that governs `group`, or would if it were created, and whether the group exists.

    Raises `CommandFailed` when Signoff does not govern it, or its policy cannot be read.
    """
    try:
        found = registry.group(group)
        governing = policies.governing(found.name, found.tags) if found else policies.for_new_group(group)
    except PolicyFault as fault:
        raise CommandFailed(f"the policy of {group} cannot be read: {fault}") from fault
    if governing is None:
        raise CommandFailed(f"group {group} exists and Signoff does not govern it: it has no policy and is not tagged")
    return governing, found is not None


def may_decide(policy: Policy, row: Mapping[str, Any], me: str) -> bool:
    """Return whether `me` (an ARN) may decide on a package and has not done so yet.

    `row` is the list's: it names who submitted the package, and whose approvals it has.
    """
    approvals = policy.approvals
    if decisions.foreign(row["package"], me, None, policy) or not policy.lists(me):
        return False
    own = any(same_person(me, each, approvals.trusted_sessions) for each in authors_of(row))
    voted = approvals.person(me) in {approvals.person(each) for each in row["votes"]}
    return not (own and not approvals.submitter_may_approve) and not voted
