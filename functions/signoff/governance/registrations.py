"""The registrations of packages: the documents in the vault that say who submitted what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from signoff.ledger.entries import Draft, Kind
from signoff.model_package.customer_metadata import own_metadata
from signoff.model_package.subject import DEPLOYED_FIELDS, adds, covers

# Customer metadata that says which registration to look up. Anyone may write it: what is found there must still fulfil.
REGISTRATION_HINT = "signoff:registration"
_REGISTRATION = re.compile(r"[0-9a-f]{32}")
_REGISTERED_FIELDS = DEPLOYED_FIELDS | {"ModelMetrics"}


class DocumentReader(Protocol):
    """What is read of the vault (`signoff.aws.vault.Vault`)."""

    def key_of(self, uri: str) -> str | None: ...  # noqa: D102
    def read_named(self, key: str) -> dict[str, Any] | None: ...  # noqa: D102


def first_entry(described: Mapping[str, Any], registration: Mapping[str, Any] | None) -> Draft:
    """Return the first entry of a package's ledger, the same whichever function comes to write it.

    `registration` is the vault's document of the submission that the package comes from; without one the package was
    registered elsewhere, and who submitted it is what SageMaker says, if it does. `channel` says how that is known.
    """
    submitter = registration["submitter"] if registration else registering_principal(described)
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


def opening_entry(described: Mapping[str, Any], vault: DocumentReader) -> Draft:
    """Return the first entry of a package's ledger, by the registration that it comes from, if it comes from one."""
    return first_entry(described, registration_of(described, vault))


def registering_principal(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of who called CreateModelPackage, as SageMaker tells it (`CreatedBy`); None where it does not."""
    created_by = described.get("CreatedBy") or {}
    arn: str | None = (created_by.get("IamIdentity") or {}).get("Arn") or created_by.get("UserProfileArn")
    return arn


def registration_key(registration: str) -> str:
    """Return the vault's key of a registration document, by the registration's id."""
    return f"registrations/{registration}.json"


def read_registration(registration: str | None, vault: DocumentReader) -> dict[str, Any] | None:
    """Return the registration document of that id, or None when there is none, or no id."""
    document: dict[str, Any] | None = vault.read_named(registration_key(registration)) if registration else None
    return document


def registration_of(described: Mapping[str, Any], vault: DocumentReader) -> dict[str, Any] | None:
    """Return the registration document that a package comes from, or None when it was registered elsewhere.

    The package's model data lies where its registration put it, and what it runs and is judged by is what was asked
    for then, no less and no more: so nobody can borrow a registration, and with it the submitter, for another package.
    """
    document = read_registration(next(_registrations(described, vault), None), vault)
    return document if document and _fulfils(described, document) else None


def _registrations(described: Mapping[str, Any], vault: DocumentReader) -> Iterator[str]:
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
