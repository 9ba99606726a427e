"""The other accounts that the groups are open to by their policy files: the source of all grants and rules."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.policy_files import PolicyFile


@dataclass(frozen=True)
class RemoteTarget:
    """Another account or region where a group's models are created."""

    account: str | None
    region: str
    execution_role: str


@dataclass(frozen=True)
class SharedGroup:
    """A group whose own policy names other accounts (12 digits), or other targets for its models."""

    name: str
    submit: tuple[str, ...]
    deploy: tuple[str, ...]
    targets: tuple[RemoteTarget, ...]

    @property
    def accounts(self) -> list[str]:
        """Every other account that the group's policy names."""
        return sorted({*self.submit, *self.deploy, *(target.account for target in self.targets if target.account)})

    @property
    def slug(self) -> str:
        """The name in lower case, as in SageMaker's ARNs."""
        return self.name.lower()


@dataclass(frozen=True)
class Families:
    """The groups with a policy of their own, and the prefixes (`fraud-`) whose groups are opened as one family.

    AWS limits the size of policies: the names of hundreds of groups do not fit into one, a prefix does.
    """

    groups: Sequence[str] = ()
    prefixes: Sequence[str] = ()

    def patterns(self, names: Iterable[str]) -> list[str]:
        """The patterns, sorted, that match all of `names`: `fraud-*` if a whole family is among them, else the name.

        A group of the family that is not among them keeps the prefix from being opened.
        """
        left, found = set(names), []
        for prefix in self.prefixes:
            family = {group for group in self.groups if group.startswith(prefix)}
            if family and family <= left:
                left -= family
                found.append(f"{prefix}*")
        return sorted([*found, *left])


@dataclass(frozen=True)
class OtherAccounts:
    """All groups that are shared, and with whom."""

    groups: Sequence[SharedGroup]
    families: Families = Families()

    @property
    def everyone(self) -> list[str]:
        """Every other account that any group is open to."""
        return sorted({account for group in self.groups for account in group.accounts})

    @property
    def targets(self) -> list[RemoteTarget]:
        """Every target besides the registry's own account and region."""
        return [target for group in self.groups for target in group.targets]

    @property
    def targeted(self) -> list[str]:
        """Every other account in which models are made."""
        return sorted({target.account for target in self.targets if target.account})

    def names_for(self, account: str) -> list[str]:
        """The names, or patterns of names, of the groups whose policies name an account."""
        return self.families.patterns(group.name for group in self.groups if account in group.accounts)

    def opened(self, to: Callable[[SharedGroup], Hashable]) -> Iterator[tuple[Any, list[str]]]:
        """Yield each that groups are open `to` (the same for several groups), with the patterns of their names."""
        together: dict[Hashable, list[str]] = {}
        for group in self.groups:
            together.setdefault(to(group), []).append(group.name)
        for whom, names in together.items():
            if whom:
                yield whom, self.families.patterns(names)


def shared(policies: Iterable[PolicyFile], prefixes: Sequence[str] = ()) -> OtherAccounts:
    """What the policy files say of other accounts and regions; `prefixes` are those of `-c sharedPrefixes`."""
    files = list(policies)
    return OtherAccounts(list(_groups(files)), families(files, prefixes))


def families(policies: Iterable[PolicyFile], prefixes: Sequence[str]) -> Families:
    """The groups with a file of their own, and the prefixes of their families."""
    return Families([policy.group for policy in policies if policy.group], prefixes)


def _groups(policies: Iterable[PolicyFile]) -> Iterator[SharedGroup]:
    for policy in policies:
        group = policy.group
        if group is None:
            continue
        accounts, targets = policy.policy.accounts, policy.policy.deployment.targets
        found = SharedGroup(
            name=group,
            submit=accounts.submit,
            deploy=accounts.deploy,
            targets=tuple(RemoteTarget(each.account, each.region, each.execution_role) for each in targets),
        )
        if found.accounts or found.targets:
            yield found


def roots(partition: str, accounts: Iterable[str]) -> list[str]:
    """The ARNs by which resource policies name whole accounts."""
    return [f"arn:{partition}:iam::{account}:root" for account in accounts]
