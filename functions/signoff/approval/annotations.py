"""Annotations, as pure functions: metadata that is added to a package, and whether it is allowed.

Annotations are customer metadata (CustomerMetadataProperties) and further inference specifications:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from signoff.approval import decisions
from signoff.approval.decisions import UNKNOWN, Approver, Name, Refusal
from signoff.approval.signing_time import signed_before
from signoff.documents import timestamps
from signoff.documents.canonical_json import canonical, digest
from signoff.documents.faults import Fault
from signoff.documents.text import storable
from signoff.errors import EventFault
from signoff.identity.principals import account_of
from signoff.ledger.entries import Draft, Kind, Status
from signoff.model_package.customer_metadata import OWN_METADATA, is_signoffs, own_metadata
from signoff.model_package.package_rules import METADATA_KEYS, OWN_METADATA_KEYS, RULES
from signoff.model_package.registered_fields import fingerprint
from signoff.model_package.subject import adds, covers
from signoff.policy.policy import Policy
from signoff.service_model.constraints import faults as constraint_faults

VERB = "annotate"  # the decision that an entry about a refused annotation names
SPECIFICATIONS = 15
_SET, _REMOVE, _ADD = (
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "AdditionalInferenceSpecifications",
)
_PROVING = {"statement", "audience", "time", "proof"}
_DECIDED = {Status.APPROVED, Status.REJECTED, Status.REVOKED}
_SHOWN = 10  # faults that a refusal lists


class Annotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Model Annotation` of `package` (an ARN) by `by` (an ARN).

    `set` and `remove` are customer metadata; `add_specifications` are further inference specifications as
    CreateModelPackage takes them in AdditionalInferenceSpecifications. The proof of its author (`statement`,
    `audience`, `time`, `proof`) is read by `signoff.identity.proofs`.
    """

    package: Name
    by: Name | None = None
    set: dict[str, str] = {}
    remove: Annotated[tuple[str, ...], msgspec.Meta(max_length=METADATA_KEYS)] = ()
    add_specifications: tuple[dict[str, Any], ...] = ()
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    statement: Literal["annotation"] = "annotation"
    audience: Name | None = None
    time: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    proof: str | None = None

    @property
    def claimed(self) -> str | None:
        """The author that it names (an ARN)."""
        return self.by

    def __post_init__(self) -> None:
        """Refuse an annotation that is empty, contradicts itself or cannot be stored."""
        if not (self.set or self.remove or self.add_specifications):
            raise ValueError("nothing to set, remove or add")
        both = sorted(self.set.keys() & set(self.remove))
        if both:
            raise ValueError(f"`{storable(both[0])}` is both in `set` and in `remove`")
        try:
            canonical(self.document)
        except ValueError as error:  # unpaired surrogates, numbers that JSON does not have
            raise ValueError(f"it cannot be stored as JSON: {storable(str(error))}") from error

    @property
    def names(self) -> list[str]:
        """The names of the specifications to add."""
        return [str(specification.get("Name")) for specification in self.add_specifications]

    @property
    def fingerprint(self) -> dict[str, str]:
        """The digests of the specifications to add, by which what others add under their names is told from them."""
        return fingerprint({_ADD: self.add_specifications})

    @property
    def document(self) -> dict[str, Any]:
        """What is requested, and by whom, without the proof."""
        builtins: dict[str, Any] = msgspec.to_builtins(self)
        asked = {name: value for name, value in builtins.items() if name not in _PROVING}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}

    @property
    def sha256(self) -> str:
        """The digest by which an entry identifies what was requested, and by whom."""
        return digest(self.document)


def parse(detail: Any) -> Annotation:
    """Read an annotation from an event's detail. Raises `EventFault` saying what is wrong and where."""
    try:
        return msgspec.convert(detail, type=Annotation)
    except msgspec.ValidationError as error:
        raise EventFault(f"not an annotation: {error}") from error


@dataclass(frozen=True)
class PackageChange:
    """What an annotation changes in a package; nothing where the package has the same values already."""

    set: Mapping[str, str]
    remove: Sequence[str]
    add: Sequence[Mapping[str, Any]]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of UpdateModelPackage for this change; none when there is nothing to change."""
        asked = {_SET: dict(self.set), _REMOVE: list(self.remove), f"{_ADD}ToAdd": list(self.add)}
        return {field: value for field, value in asked.items() if value}


def foreign(annotation: Annotation, by: str, account: str | None, policy: Policy) -> Refusal | None:
    """Return why `annotation` by `by` (an ARN) is refused because of their account, or None.

    The rules are those for decisions. Other accounts cannot add specifications: Signoff reads for an account only
    what belongs to it, and that depends on who registered the package.
    """
    refused = decisions.foreign(annotation.package, by, account, policy)
    if refused:
        return refused
    if annotation.add_specifications and {account, account_of(by)} - {None, account_of(annotation.package)}:
        return Refusal("ForeignSpecification", "inference specifications can only be added from the registry's account")
    return None


def older_than_package(by: Approver, created: datetime) -> Refusal | None:
    """Return why an annotation of `by` is about no package that was `created` then, or None.

    A group that was deleted and made anew has packages with the ARNs of before.
    """
    if not signed_before(by.signed, created):
        return None
    because = f"it was signed at {by.signed}, and the package was registered at {timestamps.text(created)}"
    return Refusal("OlderThanPackage", f"{because}; look at the package, and sign again")


def not_an_annotator(by: Approver, submitter: str | None, policy: Policy) -> Refusal | None:
    """Return why `by` may not annotate a package of `submitter` (an ARN), or None.

    What is added to a package cannot all be removed again, and people find packages by their metadata.
    """
    approvals = policy.approvals
    own = submitter is not None and approvals.person(submitter) == by.person
    if own or approvals.annotates(by.arn):
        return None
    return Refusal(
        "NotAnAnnotator", f"{by.arn} did not submit the package, and is neither an approver nor one of its `annotators`"
    )


def evaluate(
    annotation: Annotation, described: Mapping[str, Any], status: Status | None, shape: Any
) -> PackageChange | Refusal:
    """Return what `annotation` changes of a package, or why it is refused.

    `described` is DescribeModelPackage's answer, `shape` the input shape of UpdateModelPackage.
    """
    faults = list(_faults(annotation, described, shape))
    if faults:
        message = "; ".join(map(str, faults[:_SHOWN]))
        return Refusal(
            "NotAllowed", message if len(faults) <= _SHOWN else f"{message}; and {len(faults) - _SHOWN} more"
        )
    change = _change(annotation, described)
    return (_wrong_status(status) if change.add else None) or change


def _change(annotation: Annotation, described: Mapping[str, Any]) -> PackageChange:
    metadata: Mapping[str, str] = described.get(_SET) or {}
    there = {each["Name"] for each in described.get(_ADD) or ()}
    return PackageChange(
        {key: value for key, value in annotation.set.items() if metadata.get(key) != value},
        [key for key in annotation.remove if key in metadata],
        [each for each in annotation.add_specifications if each["Name"] not in there],
    )


def _wrong_status(status: Status | None) -> Refusal | None:
    """A further specification changes the subject: it would revoke an approval, and invalidate a running validation."""
    if status in _DECIDED:
        return Refusal(
            "AlreadyDecided",
            f"the package is {status}: another inference specification was not part of that decision; "
            "submit a new version instead",
        )
    if status is None or status is Status.VALIDATING:
        return Refusal("BeingValidated", "the package is being validated; add the specification when that is done")
    return None


def _faults(annotation: Annotation, described: Mapping[str, Any], shape: Any) -> Iterator[Fault]:
    yield from _own_keys(annotation)
    given = {
        _SET: annotation.set,
        _REMOVE: list(annotation.remove),
        f"{_ADD}ToAdd": list(annotation.add_specifications),
    }
    found = [
        fault
        for field, value in given.items()
        if value
        for fault in constraint_faults(shape.members[field], value, field)
    ]
    yield from found
    yield from _room(annotation, described)
    if not found:
        yield from _specification_faults(annotation, described)


def _own_keys(annotation: Annotation) -> Iterator[Fault]:
    for field, keys in ((_SET, annotation.set), (_REMOVE, annotation.remove)):
        for key in filter(is_signoffs, keys):
            yield Fault(f"{field}.{key}", f"begins with {OWN_METADATA}, which is reserved for Signoff")


def _room(annotation: Annotation, described: Mapping[str, Any]) -> Iterator[Fault]:
    before = own_metadata(described)
    after = ({*before} - {*annotation.remove}) | {*annotation.set}
    most = METADATA_KEYS - OWN_METADATA_KEYS
    if len(after) > most and len(after) > len(before):
        yield Fault(_SET, f"would have {len(after)} entries; at most {most} are allowed, because Signoff adds its own")


def _specification_faults(annotation: Annotation, described: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults of the added specifications together with the present ones, by the rules for manifests."""
    there = list(described.get(_ADD) or ())
    for position, added in enumerate(annotation.add_specifications):
        same_name = [
            each for each in [*there, *annotation.add_specifications[:position]] if each["Name"] == added["Name"]
        ]
        if any(not covers(each, added) or adds(each, added) for each in same_name):
            yield Fault(f"{_ADD}ToAdd[{position}].Name", f"{added['Name']} already exists with different content")
    names = {each["Name"] for each in [*there, *annotation.add_specifications]}
    if len(names) > SPECIFICATIONS:
        yield Fault(
            f"{_ADD}ToAdd", f"would make {len(names)} additional specifications; SageMaker allows {SPECIFICATIONS}"
        )
    document = {
        "InferenceSpecification": described.get("InferenceSpecification"),
        _ADD: list(annotation.add_specifications),
    }
    for rule in RULES:
        yield from (fault for fault in rule(document) if fault.path.startswith(_ADD))


def annotated(annotation: Annotation, by: Approver) -> Draft:
    """Return the ledger's entry about an accepted annotation."""
    details = {
        "set": dict(annotation.set),
        "removed": list(annotation.remove),
        "added": annotation.names,
        **({"fingerprint": annotation.fingerprint} if annotation.add_specifications else {}),
        "reason": annotation.reason,
        "annotation": annotation.sha256,
        **by.details,
    }
    return Draft(Kind.ANNOTATED, by.arn, details)


def repeated(annotation: Annotation, by: Approver) -> Draft:
    """Return the ledger's entry about an annotation that had been made already and changed nothing."""
    said = {"decision": VERB, "reason": annotation.reason, "annotation": annotation.sha256}
    return Draft(Kind.STATEMENT_REPEATED, by.arn, {**said, **by.details})


def refused(annotation: Annotation, refusal: Refusal, by: Approver | None = None) -> Draft:
    """Return the ledger's entry about a refused annotation, in the same form as a refused decision's."""
    details: dict[str, Any] = {
        "decision": VERB,
        "reason": annotation.reason,
        **refusal.details,
        "annotation": annotation.sha256,
    }
    if by is not None:
        return Draft(Kind.DECISION_REFUSED, by.arn, {**details, **by.details})
    claimed = {"claimed": annotation.by} if annotation.by else {}
    return Draft(Kind.DECISION_REFUSED, UNKNOWN, {**details, **claimed})
