"""Who may decide about a group's packages, and how many of them it takes: what a policy says under `approvals`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import msgspec

from signoff.documents.faults import Fault, below, refuse
from signoff.identity.principals import is_known, matches, person, role_of

Patterns = tuple[str, ...]
# No release waits for more people than that; a slip of the finger does, and each seat is looked at one by one.
MOST_NEEDED = 20


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People whose say is needed as such: `members` are ARN patterns, `needed` of them have to approve."""

    members: Patterns
    needed: int = 1

    def __post_init__(self) -> None:
        """Refuse a role that nobody can fill, or that is not needed."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if not self.members:
            yield Fault("members", "`members` names nobody, so nobody could ever approve in this role")
        if self.needed < 1:
            yield Fault("needed", "`needed` is at least 1; leave out a role that does not have to approve")
        yield from _too_many(self.needed)
        yield from pattern_faults("members", self.members)


class Expiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a package awaits its decision: ISO 8601 durations of days and shorter, such as `P14D` and `PT12H`.

    Reminded at each of `reminders`, it is rejected `after` that, or people are reminded and the time starts again
    (`extend`).
    """

    after: timedelta
    action: Literal["reject", "extend"] = "reject"
    reminders: tuple[timedelta, ...] = ()

    def __post_init__(self) -> None:
        """Refuse times that would never come or come too late."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.after <= timedelta(0):
            yield Fault("after", "`after` is a time from now on, such as P14D")
            return
        for index, reminder in enumerate(self.reminders):
            if not timedelta(0) < reminder < self.after:
                yield Fault(
                    f"reminders[{index}]",
                    "`reminders` come before it expires: each is shorter than `after` and longer than nothing",
                )


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What revokes an approval by itself, beside a changed subject, which always does.

    It lapses `after` that time (an ISO 8601 duration), or once another package of the group is champion (`superseded`).
    """

    after: timedelta | None = None
    superseded: bool = False

    def __post_init__(self) -> None:
        """Refuse an approval that lapses before it is made."""
        if self.after is not None and self.after <= timedelta(0):
            refuse([Fault("after", "`after` is a time from the approval on, such as P180D")])


class Approvals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may decide, how many have to approve, how they prove who they are, and how long it may take.

    Patterns (`*` and `?`) are for persons: an IAM user, `arn:aws:identitycenter:::user/<name>`, or a role without its
    path, `arn:aws:iam::<account>:role/<name>`. With neither `approvers` nor `roles` anyone may decide who is of the
    registry's account, or of one that the group is open to. Approvals are counted over distinct people: nobody fills
    two roles, and `needed` is how many it takes in all.
    """

    needed: int = 1
    approvers: Patterns = ()
    roles: dict[str, Role] = {}
    submitter_may_approve: bool = False
    submitter_may_withdraw: bool = False
    unknown_submitter: Literal["one_more", "refuse", "accept"] = "one_more"
    identity: Literal["verified", "asserted"] = "verified"
    publishers: dict[str, Patterns] = {}
    trusted_sessions: Patterns = ()
    registry_edits: Literal["hold", "count"] = "hold"
    expiry: Expiry | None = None
    revocation: Revocation = Revocation()
    break_glass: Patterns = ()

    def __post_init__(self) -> None:
        """Refuse what nobody could fulfil, and trust that would reach nobody."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.needed < 1:
            yield Fault("needed", "`needed` is at least 1: without an approval nothing is deployed")
        yield from _too_many(self.needed)
        if self.publishers and self.identity == "verified":
            yield Fault("identity", "`publishers` are only believed where `identity` is `asserted`")
        if self.identity == "asserted" and not self.publishers:
            told = "`identity` is `asserted`, so `publishers` must name who is believed, by event source"
            yield Fault("publishers", told)
        for source, principals in self.publishers.items():
            yield from publisher_faults(source, principals)
        for field in ("approvers", "trusted_sessions", "break_glass"):
            yield from pattern_faults(field, getattr(self, field))

    def person(self, arn: str) -> str:
        """Return the person behind `arn`, as this policy sees it."""
        return person(arn, self.trusted_sessions)

    def knows(self, arn: str | None) -> bool:
        """Return whether `arn` says which human being it is."""
        return is_known(arn, self.trusted_sessions)

    def lists(self, arn: str) -> bool:
        """Return whether the person behind `arn` may decide."""
        patterns = [*self.approvers, *(member for role in self.roles.values() for member in role.members)]
        return not patterns or self._matches(arn, patterns)

    def breaks_glass(self, arn: str) -> bool:
        """Return whether the person behind `arn` may approve alone."""
        return self._matches(arn, self.break_glass)

    def roles_of(self, arn: str) -> list[str]:
        """Return the names of the roles that the person behind `arn` is a member of."""
        return [name for name, role in self.roles.items() if self._matches(arn, role.members)]

    def _matches(self, arn: str, patterns: Iterable[str]) -> bool:
        return matches_any(names_of(arn, self.trusted_sessions), patterns)

    def outstanding(self, approvers: Iterable[str], *, unknown_submitter: bool = False) -> Outstanding:
        """Return what is missing once `approvers` (ARNs) have approved.

        Those who are not listed (any more) do not count. One more is needed where the submitter is unknown and the
        policy says so: one of them may be the submitter, and then another one still is not.
        """
        people = {self.person(arn): arn for arn in approvers if self.lists(arn)}
        seats = [name for name, role in self.roles.items() for _ in range(role.needed)]
        empty = _empty_seats(seats, {who: self.roles_of(arn) for who, arn in people.items()})
        one_more = unknown_submitter and self.unknown_submitter == "one_more"
        needed = max(self.needed, len(seats)) + one_more
        missing = {name: empty.count(name) for name in dict.fromkeys(empty)}
        return Outstanding(max(needed - len(people), len(empty)), missing)


@dataclass(frozen=True)
class Outstanding:
    """How many approvals are missing in all, and how many of them in which roles."""

    people: int
    roles: Mapping[str, int]

    @property
    def satisfied(self) -> bool:
        """Whether nothing is missing."""
        return self.people == 0

    def __str__(self) -> str:
        total = "1 more approval" if self.people == 1 else f"{self.people} more approvals"
        named = ", ".join(f"{count} of {name}" for name, count in self.roles.items())
        return f"{total} ({named})" if named else total


def names_of(arn: str, trusted: Sequence[str] = ()) -> set[str]:
    """Return the names that a pattern may match `arn` by: the person's, and the role's where it is a session."""
    return {person(arn, trusted), role_of(arn)}


def matches_any(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Return whether one of `patterns` matches one of `names`."""
    known = list(names)
    return any(matches(name, pattern) for pattern in patterns for name in known)


def _empty_seats(seats: Sequence[str], roles: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the seats left empty when as many as possible are taken, each by another person (augmenting paths)."""
    taken: dict[int, str] = {}

    def sit(who: str, tried: set[int]) -> bool:
        for seat in _fitting(seats, roles[who]):
            if seat in tried:
                continue
            tried.add(seat)
            if seat not in taken or sit(taken[seat], tried):
                taken[seat] = who
                return True
        return False

    for who in roles:
        sit(who, set())
    return [name for seat, name in enumerate(seats) if seat not in taken]


def _fitting(seats: Sequence[str], roles: Sequence[str]) -> Iterator[int]:
    return (seat for seat, name in enumerate(seats) if name in roles)


def _too_many(needed: int) -> Iterator[Fault]:
    if needed > MOST_NEEDED:
        yield Fault("needed", f"`needed` is at most {MOST_NEEDED}: nobody brings {needed} people together to approve")


def publisher_faults(source: str, principals: Patterns) -> Iterator[Fault]:
    """Yield why an event source cannot be given to `principals` (patterns of their ARNs)."""
    here = below("publishers", source)
    if not source or source.startswith(("aws.", "signoff")):
        yield Fault(here, f"`publishers`: `{source}` is a source of AWS's or Signoff's own; take another name")
    if not principals:
        yield Fault(here, f"`publishers`: `{source}` names nobody who may speak as it")
    for index, each in enumerate(principals):
        if not _is_arn(each):
            yield Fault(f"{here}[{index}]", f"`publishers`: `{source}`: `{each}` is no pattern of an ARN")


def pattern_faults(field: str, patterns: Patterns) -> Iterator[Fault]:
    """Yield what is wrong with patterns of persons, in the policy's `field`: they could match nobody, or anybody."""
    for index, pattern in enumerate(patterns):
        if not _is_arn(pattern):
            yield Fault(
                f"{field}[{index}]", f"`{field}`: `{pattern}` is no pattern of an ARN, so it would match nobody"
            )
        elif ":assumed-role/" in pattern:
            yield Fault(
                f"{field}[{index}]",
                f"`{field}`: `{pattern}` names sessions, whose names callers choose; list the role "
                "(arn:aws:iam::<account>:role/<name>), and put it under `trusted_sessions` if its session names can "
                "be believed",
            )


def _is_arn(pattern: str) -> bool:
    return pattern.startswith("arn:") and pattern.count(":") >= 5
