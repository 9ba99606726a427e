"""The registrations of packages: documents in the vault about who submitted what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from signoff.documents.patterns import compiled_on_use
from signoff.ledger.entries import Draft, Kind
from signoff.model_package.customer_metadata import own_metadata
from signoff.model_package.subject import DEPLOYED_FIELDS, adds, covers

# Customer metadata with the id of a registration. Anyone may write it, so the package must still match what is found.
REGISTRATION_HINT = "signoff:registration"
_REGISTRATION = compiled_on_use(r"[0-9a-f]{32}")
_REGISTERED_FIELDS = DEPLOYED_FIELDS | {"ModelMetrics"}


class DocumentReader(Protocol):
    """What registrations need of the vault (`signoff.aws.vault.Vault`)."""

    def key_of(self, uri: str) -> str | None: ...  # noqa: D102
    def read_named(self, key: str) -> dict[str, Any] | None: ...  # noqa: D102


def first_entry(described: Mapping[str, Any], registration: Mapping[str, Any] | None) -> Draft:
    """Return the first entry of a package's ledger, the same whichever function writes it.

    `registration` is the vault's document of the package's submission; without one the package was registered
    elsewhere, and its submitter is the creator that SageMaker reports, if any. `channel` is how the submitter is known.
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
    """Return the first entry of a package's ledger, with its registration if it has one."""
    return first_entry(described, registration_of(described, vault))


def registering_principal(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of the caller of CreateModelPackage (`CreatedBy`), or None if SageMaker does not report it."""
    created_by = described.get("CreatedBy") or {}
    arn: str | None = (created_by.get("IamIdentity") or {}).get("Arn") or created_by.get("UserProfileArn")
    return arn


def registration_key(registration: str) -> str:
    """Return the vault's key of a registration document, by the registration's id."""
    return f"registrations/{registration}.json"


def read_registration(registration: str | None, vault: DocumentReader) -> dict[str, Any] | None:
    """Return the registration document with that id, or None."""
    document: dict[str, Any] | None = vault.read_named(registration_key(registration)) if registration else None
    return document


def registration_of(described: Mapping[str, Any], vault: DocumentReader) -> dict[str, Any] | None:
    """Return the registration document of a package, or None when it was registered elsewhere.

    The package's fields must match the registration's request exactly, so that nobody can borrow a registration, and
    with it the submitter, for another package.
    """
    document = read_registration(next(_registrations(described, vault), None), vault)
    return document if document and _matches(described, document) else None


def _registrations(described: Mapping[str, Any], vault: DocumentReader) -> Iterator[str]:
    """Yield the ids of registrations that a package may come from: by its locations in the vault, then by the hint."""
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


def _matches(described: Mapping[str, Any], registration: Mapping[str, Any]) -> bool:
    request = registration["request"]
    same = (
        covers(described.get(field), request[field]) and not adds(described.get(field), request[field])
        if request.get(field)
        else not described.get(field)
        for field in _REGISTERED_FIELDS
    )
    # SageMaker keeps the spelling of the group's creator, which may have been another submission.
    return described["ModelPackageGroupName"].lower() == registration["group"].lower() and all(same)
