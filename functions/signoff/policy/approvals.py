"""Who may decide about a group's packages, and how many approvals they need: a policy's `approvals`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from signoff.documents.faults import Fault, below, refuse
from signoff.identity.principals import is_known, listed, person
from signoff.policy.values import Arn, Duration, Person, Sessions, meaning

# More would be a typing error, and seats are searched one by one.
_SOME = Meta(ge=1, le=20)


class Role(Struct, frozen=True, forbid_unknown_fields=True):
    """People whose approval is required."""

    members: Annotated[tuple[Person, ...], meaning("The members of the role: patterns of persons.", min_length=1)]
    needed: Annotated[int, _SOME, meaning("How many of them have to approve, 20 at most.")] = 1


class Expiry(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a package may wait for a decision."""

    after: Annotated[
        Duration,
        meaning(
            "The time after the request for approval: an ISO 8601 duration in days or shorter units, such as `P14D`.",
            examples=["P14D"],
        ),
    ]
    action: Annotated[
        Literal["reject", "extend"],
        meaning("What happens then: the package is rejected (`reject`), or the request is renewed (`extend`)."),
    ] = "reject"
    reminders: Annotated[
        tuple[Duration, ...],
        meaning("When approvers are reminded before that, as durations after the request.", examples=[["P3D", "P7D"]]),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse times that would never come or come too late."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.after <= timedelta(0):
            yield Fault("after", "`after` must be longer than zero, such as P14D")
            return
        for index, reminder in enumerate(self.reminders):
            if not timedelta(0) < reminder < self.after:
                yield Fault(
                    f"reminders[{index}]",
                    "`reminders` must come before the expiry: each must be longer than zero and shorter than `after`",
                )


class Revocation(Struct, frozen=True, forbid_unknown_fields=True):
    """What revokes an approval automatically, besides a changed subject, which always does."""

    after: Annotated[
        Duration | None,
        meaning(
            "How long an approval is valid: an ISO 8601 duration in days or shorter units, such as `P180D`.",
            examples=["P180D"],
        ),
    ] = None
    superseded: Annotated[
        bool, meaning("Whether an approval is revoked once another package is the group's champion.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse an approval that lapses before it is made."""
        if self.after is not None and self.after <= timedelta(0):
            refuse([Fault("after", "`after` must be longer than zero, such as P180D")])


@dataclass(frozen=True)
class Outstanding:
    """How many approvals are missing in all, and how many in which roles."""

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


class Approvals(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may decide, how many have to approve, how they prove who they are, and how long it may take.

    With neither `approvers` nor `roles`, every known person may decide who belongs to the registry's account, or to one
    with access to the group. Approvals are counted by distinct people: nobody counts for two roles, and `needed` is the
    total.
    """

    needed: Annotated[
        int,
        _SOME,
        meaning(
            "How many different people have to approve in all; at least as many as the roles need together, 20 at "
            "most.",
            examples=[2],
        ),
    ] = 1
    approvers: Annotated[
        tuple[Person, ...],
        meaning(
            "Who may decide, besides the roles' members: patterns of persons. With neither, every IAM user and user of "
            "IAM Identity Center in the registry's account, but no role, federated user or root.",
            examples=[["arn:aws:identitycenter:::user/*@example.com"]],
        ),
    ] = ()
    roles: Annotated[
        dict[str, Role],
        meaning(
            "Roles whose approval is required, by name. Nobody counts for two of them.",
            examples=[{"risk": {"members": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_*"], "needed": 1}}],
        ),
    ] = {}
    submitter_may_approve: Annotated[
        bool, meaning("Whether the submitter of a model may decide about it like anyone else.")
    ] = False
    submitter_may_withdraw: Annotated[bool, meaning("Whether the submitter of a model may reject or revoke it.")] = (
        False
    )
    unknown_submitter: Annotated[
        Literal["one_more", "refuse", "accept"],
        meaning(
            "If the submitter is unknown: `one_more` approval is needed, it is refused (`refuse`), or the same "
            "number is enough (`accept`)."
        ),
    ] = "one_more"
    identity: Annotated[
        Literal["verified", "asserted"],
        meaning(
            "`verified`: a decision carries a signed request to AWS STS as proof. `asserted`: events of `publishers` "
            "are trusted without proof."
        ),
    ] = "verified"
    publishers: Annotated[
        dict[str, Annotated[tuple[Arn, ...], Meta(min_length=1)]],
        meaning(
            "By event source, who may send events as it: patterns (`*`, `?`) of the ARNs of IAM principals. Only where "
            "`identity` is `asserted`; the bus refuses events of these sources from everyone else.",
            examples=[{"acme.tickets": ["arn:aws:iam::123456789012:role/tickets"]}],
            extra_json_schema={"propertyNames": {"pattern": r"^(?!aws\.|signoff)."}},
        ),
    ] = {}
    trusted_sessions: Annotated[
        tuple[Annotated[Sessions, meaning("A pattern (`*`, `?`) of a role's ARN, without its path.")], ...],
        meaning(
            "Roles whose sessions count as one person each, because an identity provider sets their names: patterns of "
            "`arn:aws:iam::<account>:role/<name>`.",
            examples=[["arn:aws:iam::123456789012:role/federated-*"]],
        ),
    ] = ()
    registry_edits: Annotated[
        Literal["hold", "count"],
        meaning(
            "A status set in Studio, the console or by API is reverted. With `count` it was a vote: that is refused, "
            "as SageMaker does not say for certain who set it; policies in use that still have it revert, too.",
            extra_json_schema={"enum": ["hold"]},
        ),
    ] = "hold"
    expiry: Annotated[
        Expiry | None, meaning("How long a package may wait for a decision; without it, indefinitely.")
    ] = None
    revocation: Annotated[
        Revocation, meaning("What revokes an approval, besides a change of what was approved, which always does.")
    ] = Revocation()
    annotators: Annotated[
        tuple[Person, ...],
        meaning(
            "Who may annotate packages (metadata, further inference specifications), besides those who may decide and "
            "a package's submitter: patterns of persons.",
            examples=[["arn:aws:iam::123456789012:role/evaluation"]],
        ),
    ] = ()
    break_glass: Annotated[
        tuple[Person, ...],
        meaning(
            "Who may approve alone, with a reason and an alarm: patterns of persons.",
            examples=[["arn:aws:iam::123456789012:role/on-call"]],
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse publishers that would have no effect, or whose names are reserved."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.publishers and self.identity == "verified":
            yield Fault("identity", "`publishers` are only trusted where `identity` is `asserted`")
        if self.identity == "asserted" and not self.publishers:
            message = "`identity` is `asserted`, so `publishers` must name who is trusted, by event source"
            yield Fault("publishers", message)
        for source in self.publishers:
            if not source or source.startswith(("aws.", "signoff")):
                message = f"`publishers`: `{source}` is reserved for AWS or Signoff; use another name"
                yield Fault(below("publishers", source), message)

    def person(self, arn: str) -> str:
        """Return the person behind `arn`, as this policy sees it."""
        return person(arn, self.trusted_sessions)

    def knows(self, arn: str | None) -> bool:
        """Return whether `arn` identifies a human being."""
        return is_known(arn, self.trusted_sessions)

    def know_all(self, arns: Iterable[str | None]) -> bool:
        """Return whether each of `arns` identifies a human being; None is somebody unknown."""
        return all(self.knows(arn) for arn in arns)

    def lists(self, arn: str) -> bool:
        """Return whether the person behind `arn` may decide: where nobody is listed, if it is a known person."""
        patterns = [*self.approvers, *(member for role in self.roles.values() for member in role.members)]
        return self._listed(arn, patterns) if patterns else self.knows(arn)

    def annotates(self, arn: str) -> bool:
        """Return whether the person behind `arn` may annotate any of the group's packages."""
        return self.lists(arn) or self._listed(arn, self.annotators)

    def breaks_glass(self, arn: str) -> bool:
        """Return whether the person behind `arn` may approve alone."""
        return self._listed(arn, self.break_glass)

    def roles_of(self, arn: str) -> list[str]:
        """Return the names of the roles that the person behind `arn` is a member of."""
        return [name for name, role in self.roles.items() if self._listed(arn, role.members)]

    def _listed(self, arn: str, patterns: Iterable[str]) -> bool:
        return listed(arn, patterns, self.trusted_sessions)

    def outstanding(self, approvers: Iterable[str], *, unknown_submitter: bool = False) -> Outstanding:
        """Return what is missing once `approvers` (ARNs) have approved.

        Those who are not listed (any more) do not count. One more is needed where the submitter is unknown and the
        policy says so, because one of the approvers may be the submitter.
        """
        people = {self.person(arn): arn for arn in approvers if self.lists(arn)}
        seats = [name for name, role in self.roles.items() for _ in range(role.needed)]
        empty = _empty_seats(seats, {who: self.roles_of(arn) for who, arn in people.items()})
        one_more = unknown_submitter and self.unknown_submitter == "one_more"
        needed = max(self.needed, len(seats)) + one_more
        missing = {name: empty.count(name) for name in dict.fromkeys(empty)}
        return Outstanding(max(needed - len(people), len(empty)), missing)


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
