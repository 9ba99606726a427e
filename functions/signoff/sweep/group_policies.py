"""The policies of groups as one run of the sweep needs them: each read once, ten with a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.errors import PolicyFault, SignoffError
from signoff.policy.parameter import GroupPolicy
from signoff.policy.policy import Policy
from signoff.sweep.acts import Moves
from signoff.sweep.budget import Budget

T = TypeVar("T")


class GroupPolicies:
    """Which policy a group is likely to have, and, by one more look at its tags, which it has.

    A policy that cannot be read is one problem of the run, and the group is left alone.
    """

    def __init__(self, policies: Policies, registry: Registry, moves: Moves, budget: Budget) -> None:
        self._policies = policies
        self._registry = registry
        self._moves = moves
        self._budget = budget
        self._own: dict[str, GroupPolicy | PolicyFault | None] = {}
        self._faulty: set[str] = set()
        self._governing: dict[str, Policy | None] = {}
        self._default: list[Policy | None] = []

    def cost(self, groups: Iterable[str]) -> int:
        """Return how many calls it takes to read the policies of `groups`."""
        names = {spelled for group in groups if group not in self._own for spelled in (group, group.lower())}
        return -(-len(names) // 10) + (not self._default)

    def read(self, groups: Iterable[str]) -> None:
        """Read the policies of `groups`, as far as they have not been read."""
        unread = [group for group in dict.fromkeys(groups) if group not in self._own]
        self._budget.spend(self.cost(unread))
        if unread:
            self._own |= self._policies.own_all(unread)
        if not self._default:
            self._default.append(self._tried("default", self._policies.default))

    def likely(self, group: str) -> Policy | None:
        """Return the policy that a group has if Signoff governs it; None where it cannot be read."""
        self.read([group])
        own = self._own[group]
        if isinstance(own, PolicyFault):
            self._fault(group, own)
            return None
        return own.policy if own else self._default[0]

    def governing(self, group: str) -> Policy | None:
        """Return the policy that governs a group, or None where none does or it cannot be read."""
        if group not in self._governing:
            self._governing[group] = self._tried(group, lambda: self._found(group))
        return self._governing[group]

    def _found(self, group: str) -> Policy | None:
        likely = self.likely(group)
        own = self._own[group]
        if likely is None or isinstance(own, PolicyFault) or own:
            return likely
        self._budget.spend(3)
        governing = self._policies.governing(group, self._registry.group_tags(group) or {})
        return governing.policy if governing else None

    def _tried(self, what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except PolicyFault as fault:
            self._fault(what, fault)
        except (SignoffError, ClientError, BotoCoreError) as error:
            self._moves.problem("policy", error)
        return None

    def _fault(self, group: str, fault: PolicyFault) -> None:
        if group not in self._faulty:
            self._faulty.add(group)
            self._moves.problem("policy", fault)
