"""The other accounts that the groups are open to by their policy files: the source of all grants and rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
class OtherAccounts:
    """All groups that are shared, and with whom."""

    groups: Sequence[SharedGroup]

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
        """The names of the groups whose policies name an account."""
        return [group.name for group in self.groups if account in group.accounts]


def shared(policies: Iterable[PolicyFile]) -> OtherAccounts:
    """What the policy files say of other accounts and regions."""
    return OtherAccounts(list(_groups(policies)))


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
