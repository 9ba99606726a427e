"""The registrations of packages: documents in the vault about who submitted what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from signoff.documents.patterns import compiled_on_use
from signoff.governance import kept_signatures
from signoff.identity.principals import role_of
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.state import State
from signoff.model_package.customer_metadata import own_metadata
from signoff.model_package.registered_fields import REGISTERED_FIELDS, changed_fields, differing, fingerprint
from signoff.model_package.subject import described_fields, specification_names, with_specifications

# Customer metadata with the id of a registration. Anyone may write it, so the package must still match what is found.
REGISTRATION_HINT = "signoff:registration"
_REGISTRATION = compiled_on_use(r"[0-9a-f]{32}")
_MOST_NAMED = 16  # registrations that a package may name: what Signoff registered names one


class DocumentReader(Protocol):
    """What registrations need of the vault (`signoff.aws.vault.Vault`)."""

    def key_of(self, uri: str) -> str | None: ...  # noqa: D102
    def read_named(self, key: str) -> dict[str, Any] | None: ...  # noqa: D102


@dataclass(frozen=True)
class Registrations:
    """The registrations in the vault; `registrar` is the role (an ARN without its path) that makes packages of them."""

    vault: DocumentReader
    registrar: str

    def opening_entry(self, described: Mapping[str, Any]) -> Draft:
        """Return the first entry of a package's ledger, with its registration if it has one."""
        named = list(dict.fromkeys(_named(described, self.vault)))
        read = (read_registration(each, self.vault) for each in named[:_MOST_NAMED])
        found = [document for document in read if document]
        matching = next((document for document in found if _matches(described, document)), None)
        if matching:
            return first_entry(described, matching)
        creator, modifier = registering_principal(described), last_modifier(described)
        own = role_of(creator or "") == self.registrar
        unmatched = _unmatched(described, named, found) if own or (found and creator is None) else None
        return _first_entry(
            described,
            {
                **_known(None if own else creator, "registry", _users_id(described.get("CreatedBy"))),
                "registration": None,
                "fingerprint": fingerprint(described),
                **({"unmatched": unmatched} if unmatched else {}),
                **(_changer(described) if modifier not in {None, creator} else {}),
            },
            specification_names(described),
        )

    def unproven(
        self, submitter: str | None, registration: Mapping[str, Any] | None, described: Mapping[str, Any]
    ) -> str | None:
        """Return why it is not proven that `submitter`, as the ledger says, submitted a package, or None.

        Most functions could have written the ledger's first entry, and RegisterModel the registration.
        """
        if registration:
            known = registration["submitter"]
            because = kept_signatures.unproven(registration, self.vault.read_named)
        else:
            known, because = self._creator(described), None
        named = f"the ledger names {submitter or 'nobody'} as the submitter, who is {known or 'not known'}"
        return because or (named if submitter != known else None)

    def _creator(self, described: Mapping[str, Any]) -> str | None:
        """Return who registered a package without Signoff, or None if that is not known."""
        creator = registering_principal(described)
        return None if role_of(creator or "") == self.registrar else creator


def _matches(described: Mapping[str, Any], registration: Mapping[str, Any]) -> bool:
    """Return whether a package is what was registered, apart from specifications that others have added since."""
    names = specification_names(registration["request"])
    return not differences(with_specifications(described, names), registration)


def _unmatched(described: Mapping[str, Any], named: Sequence[str], found: Sequence[Mapping[str, Any]]) -> str:
    """Return why a package that Signoff made of a registration is like none of those that it names."""
    if found:
        fields = ", ".join(differences(described, found[0]))
        return f"it names registration {found[0]['id']} and differs from it in {fields}"
    return f"Signoff registered it, and it names {len(named)} registrations, of which none is known"


def first_entry(described: Mapping[str, Any], registration: Mapping[str, Any]) -> Draft:
    """Return the first entry of the ledger of a package with a registration, the same whichever function writes it.

    `channel` is how the submitter is known.
    """
    signed = registration.get("signed")
    known = _known(registration["submitter"], "proof" if signed else None, (signed or {}).get("user_id"))
    names = specification_names(registration["request"])
    return _first_entry(described, {**known, "registration": registration["id"]}, names)


def _known(submitter: str | None, channel: str | None, user_id: str | None) -> dict[str, Any]:
    how = {"channel": channel, "user_id": user_id} if submitter else {}
    return {"submitter": submitter, **{name: value for name, value in how.items() if value}}


def _first_entry(described: Mapping[str, Any], registered: Mapping[str, Any], specifications: list[str]) -> Draft:
    return Draft(
        Kind.REGISTERED,
        "signoff",
        {
            "group": described["ModelPackageGroupName"],
            "version": described.get("ModelPackageVersion"),
            **registered,
            "registry_status": described["ModelApprovalStatus"],
            "metadata": own_metadata(described),
            **({"specifications": specifications} if specifications else {}),
        },
    )


def changes_since(state: State, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says of a package registered elsewhere that is not as the ledger says; empty if it is.

    SageMaker names the last modifier only, whatever they changed: `changed_by` may have changed it, as may others.
    """
    found = fingerprint(described)
    changed = [] if state.registration else differing(found, state.fingerprint)
    return {"fingerprint": found, "changed": changed, **_changer(described)} if changed else {}


def _changer(described: Mapping[str, Any]) -> dict[str, Any]:
    user_id = _users_id(described.get("LastModifiedBy"))
    return {"changed_by": last_modifier(described), **({"changed_by_id": user_id} if user_id else {})}


def registering_principal(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of the caller of CreateModelPackage (`CreatedBy`), or None if SageMaker does not report it."""
    return _principal(described.get("CreatedBy") or {})


def last_modifier(described: Mapping[str, Any]) -> str | None:
    """Return the ARN of the package's last modifier, whatever they changed, as SageMaker reports it.

    Nobody else can be told: events name no author, and are to the second.
    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserContext.html
    """
    return _principal(described.get("LastModifiedBy") or {})


def _principal(user: Mapping[str, Any]) -> str | None:
    arn: str | None = (user.get("IamIdentity") or {}).get("Arn") or user.get("UserProfileArn")
    return arn


def _users_id(user: Mapping[str, Any] | None) -> str | None:
    """Return the id that IAM gives to this user of SageMaker alone, if SageMaker reports it.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_IamIdentity.html
    """
    user_id: str | None = ((user or {}).get("IamIdentity") or {}).get("PrincipalId")
    return user_id


def registration_key(registration: str) -> str:
    """Return the vault's key of a registration document, by the registration's id."""
    return f"registrations/{registration}.json"


def read_registration(registration: str | None, vault: DocumentReader) -> dict[str, Any] | None:
    """Return the registration document with that id, or None."""
    document: dict[str, Any] | None = vault.read_named(registration_key(registration)) if registration else None
    return document


def differences(
    described: Mapping[str, Any], registration: Mapping[str, Any], added: Mapping[str, str] = {}
) -> list[str]:
    """Return the fields in which a package is not what its registration asked for, sorted.

    `added` are the fingerprints of additional specifications that the ledger says were added since.
    """
    # SageMaker keeps the spelling of the group's creator, which may have been another submission.
    same_group = described["ModelPackageGroupName"].lower() == registration["group"].lower()
    changed = changed_fields(described, registration["request"], added)
    return changed if same_group else ["ModelPackageGroupName", *changed]


def subject_differences(
    subject: Mapping[str, Any], registration: Mapping[str, Any], added: Mapping[str, str]
) -> list[str]:
    """Return the fields in which a subject is not what its registration asked for; `added` is as in `differences`."""
    request = registration["request"]
    shown = {**described_fields(subject), "ModelMetrics": request.get("ModelMetrics")}  # no part of a subject
    manifest = (subject.get("deployment") or {}).get("manifest")
    deployment = [] if manifest == registration["deployment"] else ["Deployment"]
    return [*changed_fields(shown, request, added), *deployment]


def _named(described: Mapping[str, Any], vault: DocumentReader) -> Iterator[str]:
    """Yield the ids of registrations that a package may come from: by its locations in the vault, then by the hint."""
    keys = (vault.key_of(value) or "" for value in _texts([described.get(field) for field in REGISTERED_FIELDS]))
    places = [key.split("/")[2] for key in keys if key.startswith("models/") and key.count("/") >= 3]
    hint = (described.get("CustomerMetadataProperties") or {}).get(REGISTRATION_HINT, "")
    yield from (each for each in (*places, hint) if _REGISTRATION.fullmatch(each))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
