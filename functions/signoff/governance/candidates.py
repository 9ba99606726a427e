"""The packages that Signoff governs: every function starts by finding one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.sagemaker import ModelPackageGroup, Registry
from signoff.aws.ssm import Policies
from signoff.errors import UnknownPackage
from signoff.governance.registrations import registering_principal
from signoff.identity.principals import UNKNOWN_OWNER, account_of
from signoff.ledger.history import package_key
from signoff.policy.policy import Policy


@dataclass(frozen=True)
class Candidate:
    """A governed package: SageMaker's description of it, its policy and the policy's name, and its ledger's key.

    `group_tags` are the tags of its group, None where nobody had to look at them; `has_own_policy` says that the policy
    is its group's own, and not the default.
    """

    arn: str
    key: str
    group: str
    version: int | None
    described: Mapping[str, Any]
    policy: Policy
    policy_name: str
    group_tags: Mapping[str, str] | None
    has_own_policy: bool


class Governance:
    """Finds the candidate with an ARN, in the registry whose ARNs begin with `where`."""

    def __init__(self, registry: Registry, policies: Policies, where: str) -> None:
        self._registry = registry
        self._policies = policies
        self._where = where

    def candidate(self, arn: str) -> Candidate | None:
        """Return the package of that ARN, or None when Signoff does not govern its group.

        Raises `UnknownPackage` when SageMaker has no such package, and `PolicyFault` when its policy cannot be read.
        """
        return self.governed(self.describe(arn))

    def governed(self, described: Mapping[str, Any]) -> Candidate | None:
        """Return the package that SageMaker described, or None when Signoff does not govern its group.

        The group is only looked at where the platform has no policy of its own for it. Raises `PolicyFault` when the
        policy cannot be read.
        """
        group = described.get("ModelPackageGroupName")
        if group is None:
            return None

        def look() -> tuple[str, Mapping[str, str]]:
            found = self._registry.group(group) or ModelPackageGroup(group, {})
            return found.name, found.tags

        governing, tags = self._policies.governing_of(group, look)
        if governing is None:
            return None
        return Candidate(
            arn=described["ModelPackageArn"],
            key=key_of(described),
            group=group,
            version=described.get("ModelPackageVersion"),
            described=described,
            policy=governing.policy,
            policy_name=governing.name,
            group_tags=tags,
            has_own_policy=not governing.is_default,
        )

    def describe(self, arn: str) -> dict[str, Any]:
        """Describe a package; its real ARN has the group's name in lower case, which callers may not know.

        A package of another account is unknown, even if Signoff may describe it. Raises `UnknownPackage`.
        """
        if not arn.startswith(f"{self._where}:"):
            raise UnknownPackage(f"{arn} is not a package of the registry {self._where}")
        try:
            return self._registry.describe(arn)
        except UnknownPackage:
            if arn == arn.lower():
                raise
            return self._registry.describe(arn.lower())


def key_of(described: Mapping[str, Any]) -> str:
    """Return the key of the ledger of a package that SageMaker described."""
    return package_key(described["ModelPackageArn"], described["CreationTime"])


def source_owner(candidate: Candidate) -> str | None:
    """Return the account whose buckets a package may load from; None for any that Signoff may read.

    Signoff can read buckets that another account cannot: so what an account registers must be in a bucket of its own.
    In a group that is open to other accounts, a package whose creator is unknown can load from no bucket.
    """
    creator = registering_principal(candidate.described)
    if creator is None:
        return UNKNOWN_OWNER if candidate.policy.accounts.submit else None
    return None if account_of(creator) == account_of(candidate.arn) else account_of(creator)
