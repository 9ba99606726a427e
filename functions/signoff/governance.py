"""Which packages are Signoff's business, and what its ledger says of them: where every function begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.errors import UnknownPackage
from signoff.identity import account_of
from signoff.ledger import Draft, Kind, package_key
from signoff.metadata import own_metadata
from signoff.policies import Policies
from signoff.policy import Policy
from signoff.registry import Registry
from signoff.subject import DEPLOYED_FIELDS, adds, covers
from signoff.vault import Vault

# Customer metadata that says which registration to look up. Anyone may write it: what is found there must still fulfil.
REGISTRATION_HINT = "signoff:registration"
_REGISTRATION = re.compile(r"[0-9a-f]{32}")
_REGISTERED_FIELDS = DEPLOYED_FIELDS | {"ModelMetrics"}


@dataclass(frozen=True)
class Candidate:
    """A governed package: as SageMaker describes it, under which policy, and with its ledger's key."""

    arn: str
    key: str
    group: str
    version: int | None
    described: Mapping[str, Any]
    policy: Policy
    group_tags: Mapping[str, str]


class Governance:
    """Finds the candidate that an ARN names, in the one registry whose ARNs begin with `where`."""

    def __init__(self, registry: Registry, policies: Policies, where: str) -> None:
        self._registry = registry
        self._policies = policies
        self._where = where

    def candidate(self, arn: str) -> Candidate | None:
        """Return the package of that ARN, or None when Signoff does not govern its group.

        Raises `UnknownPackage` when SageMaker has no such package, and `PolicyFault` when its policy cannot be read.
        """
        described = self._described(arn)
        group = described.get("ModelPackageGroupName")
        if group is None:
            return None
        tags = self._registry.group_tags(group) or {}
        policy = self._policies.governing(group, tags)
        if policy is None:
            return None
        return Candidate(
            arn=described["ModelPackageArn"],
            key=package_key(described["ModelPackageArn"], described["CreationTime"]),
            group=group,
            version=described.get("ModelPackageVersion"),
            described=described,
            policy=policy,
            group_tags=tags,
        )

    def _described(self, arn: str) -> dict[str, Any]:
        """Describe a package; its ARN has the group's name in lower case, which not everybody knows who writes one.

        One of another account is none, even if that account lets Signoff describe it: its group has but the name.
        """
        if not arn.startswith(f"{self._where}:"):
            raise UnknownPackage(f"{arn} is no package of the registry {self._where}")
        try:
            return self._registry.describe(arn)
        except UnknownPackage:
            if arn == arn.lower():
                raise
            return self._registry.describe(arn.lower())


def first_entry(described: Mapping[str, Any], registration: Mapping[str, Any] | None) -> Draft:
    """Return the first entry of a package's ledger, the same whichever function comes to write it.

    `registration` is the vault's document of the submission that the package comes from; without one the package was
    registered elsewhere, and who submitted it is what SageMaker says, if it does. `channel` says how that is known.
    """
    submitter = registration["submitter"] if registration else _creator(described)
    channel = "registry" if registration is None else "proof" if registration.get("signed") else None
    return Draft(
        Kind.REGISTERED,
        "signoff",
        {
            "group": described["ModelPackageGroupName"],
            "version": described.get("ModelPackageVersion"),
            "submitter": submitter,
            **({"channel": channel} if submitter and channel else {}),
            "registration": registration["id"] if registration else None,
            "registry_status": described["ModelApprovalStatus"],
            "metadata": own_metadata(described),
        },
    )


def _creator(described: Mapping[str, Any]) -> str | None:
    created_by = described.get("CreatedBy") or {}
    arn: str | None = (created_by.get("IamIdentity") or {}).get("Arn") or created_by.get("UserProfileArn")
    return arn


UNKNOWN_OWNER = "unknown"


def source_owner(candidate: Candidate) -> str | None:
    """Return the account whose buckets a package may load from, as far as Signoff may read them; None for any.

    Signoff reads with its own rights what another account may not: so what an account registers must lie in a bucket of
    its own. In a group that is open to others, a package of which nobody says who registered it loads from nowhere.
    """
    creator = _creator(candidate.described)
    if creator is None:
        return UNKNOWN_OWNER if candidate.policy.accounts.submit else None
    return None if account_of(creator) == account_of(candidate.arn) else account_of(creator)


def registration_key(registration: str) -> str:
    """Return the vault's key of a registration document, by the registration's id."""
    return f"registrations/{registration}.json"


def registration_of(described: Mapping[str, Any], vault: Vault) -> dict[str, Any] | None:
    """Return the registration document that a package comes from, or None when it was registered elsewhere.

    The package's model data lies where its registration put it, and what it runs and is judged by is what was asked
    for then, no less and no more: so nobody can borrow a registration, and with it the submitter, for another package.
    """
    registration = next(_registrations(described, vault), None)
    document = vault.read_named(registration_key(registration)) if registration else None
    return document if document and _fulfils(described, document) else None


def _registrations(described: Mapping[str, Any], vault: Vault) -> Iterator[str]:
    """Yield the ids of registrations that a package may come from: of whatever it names in the vault, else the hint."""
    for value in _texts(described):
        key = vault.key_of(value) or ""
        if key.startswith("models/") and key.count("/") >= 3:
            yield key.split("/")[2]
    hint = (described.get("CustomerMetadataProperties") or {}).get(REGISTRATION_HINT, "")
    if _REGISTRATION.fullmatch(hint):
        yield hint


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _fulfils(described: Mapping[str, Any], registration: Mapping[str, Any]) -> bool:
    request = registration["request"]
    same = (
        covers(described.get(field), request[field]) and not adds(described.get(field), request[field])
        if request.get(field)
        else not described.get(field)
        for field in _REGISTERED_FIELDS
    )
    # SageMaker spells a group's name as whoever created it did, which may have been another submission just now.
    return described["ModelPackageGroupName"].lower() == registration["group"].lower() and all(same)
