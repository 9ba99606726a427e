"""Verifying a ledger against what SageMaker shows: the package's status, specification and metadata, and its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.governance.registrations import REGISTRATION_HINT
from signoff.ledger import checkpoints
from signoff.ledger.entries import Entry, Kind, Status, package_of
from signoff.ledger.state import State
from signoff.model_package.customer_metadata import is_signoffs
from signoff.model_package.model_comparison import differences
from signoff.model_package.model_request import model_name, model_request
from signoff.model_package.subject import as_signed, specification_names
from signoff.validation.evidence import outdated, signed_subject
from signoff_cli.audit.facts import AuditedLedger, Discrepancy, evidence_of, last_evidence

_SIGNED = {Status.PENDING_APPROVAL, Status.APPROVED}
_LIVE = {Status.VALIDATING, Status.VALIDATION_ERRORED, *_SIGNED}
_ADMITTING = {"approve", "rollback"}


def findings(audited: AuditedLedger, before: Sequence[State]) -> Iterator[Discrepancy]:
    """Yield what SageMaker shows otherwise than the ledger says; the last of `before` is the final state."""
    state = before[-1]
    if package_of(audited.history.package)[0] is None or state.status is None:
        return
    yield from _package(audited, state)
    yield from _model(audited, state)


def _package(audited: AuditedLedger, state: State) -> Iterator[Discrepancy]:
    described = audited.described
    if described is None:
        # Of those that nothing more happens to nobody records that they are gone.
        if state.status in _LIVE or state.model:
            yield audited.finding(
                "PackageMissing", "SageMaker has no such package, and no entry says that it was deleted"
            )
        return
    if state.status is Status.DELETED:
        entry = audited.history.last(Kind.PACKAGE_DELETED)
        because = "SageMaker has the package that is said to be deleted"
        yield audited.finding("PackageThere", because, entry.sequence if entry else None)
        return
    yield from _status(audited, state, described)
    yield from _specification(audited, state, described)
    yield from _metadata(audited, described)


def _status(audited: AuditedLedger, state: State, described: Mapping[str, Any]) -> Iterator[Discrepancy]:
    # Signoff may be on its way to the one, from the other; where a policy only reports, the status is anybody's.
    found, explained = described["ModelApprovalStatus"], {state.registry_status, state.projected}
    held = state.enforced or state.by_person
    if found not in explained and held:
        because = f"SageMaker shows {found}, and no entry explains that: the ledger says {state.registry_status}"
        yield audited.finding("StatusDiffers", because)


def _specification(audited: AuditedLedger, state: State, described: Mapping[str, Any]) -> Iterator[Discrepancy]:
    evidence = last_evidence(audited)
    if state.status not in _SIGNED or state.evidence is None or evidence is None:
        return
    added = {*specification_names(described)} - {*specification_names(as_signed(described, signed_subject(evidence)))}
    for name in sorted(added - {*state.specifications}):
        because = f"the specification {name} was added to the package, and no evidence covers it: deploy it nowhere"
        yield audited.finding("SpecificationAdded", because)
    changed = outdated(evidence, described, state.specifications)
    if changed:
        because = f"the package in SageMaker is not as its evidence says: {', '.join(changed)}"
        yield audited.finding("SpecificationDiffers", because)


def _metadata(audited: AuditedLedger, described: Mapping[str, Any]) -> Iterator[Discrepancy]:
    """Yield what stands under `signoff:` otherwise than Signoff wrote it; the head is compared with all others."""
    found: Mapping[str, str] = described.get("CustomerMetadataProperties") or {}
    expected = checkpoints.of_evidence(audited.history) if checkpoints.has_room(audited.history) else {}
    own = {key: value for key, value in found.items() if is_signoffs(key)}
    first = audited.history.last(Kind.REGISTERED)
    registration = first.details.get("registration") if first else None
    # Anybody may hint at a registration, and who registers a copy of a submission by hand need not.
    if registration and REGISTRATION_HINT in own:
        expected[REGISTRATION_HINT] = registration
    for key in sorted({*expected, *own} - {checkpoints.METADATA, *([] if registration else [REGISTRATION_HINT])}):
        if own.get(key) != expected.get(key):
            because = f"its metadata {key} is {_shown(own.get(key))}, and the ledger says {_shown(expected.get(key))}"
            yield audited.finding("MetadataDiffers", because)
    written = own.get(checkpoints.METADATA)
    if written is None and audited.history.last(Kind.EVIDENCE_RECORDED) and checkpoints.has_room(audited.history):
        yield audited.finding("HeadMissing", f"its metadata {checkpoints.METADATA} was removed")
    elif written is not None and checkpoints.parse(written) is None:
        yield audited.finding("HeadMissing", f"its metadata {checkpoints.METADATA} is no head: {written}")


def _shown(value: str | None) -> str:
    return "missing" if value is None else value


def model_names(state: State) -> list[str]:
    """Return the names of the models that a package may have: the one that its ledger names, and the one it would."""
    names = [str(state.model.get("name"))] if isinstance(state.model, dict) else []
    subject = (state.decision or {}).get("subject")
    if isinstance(subject, str) and isinstance(state.group, str):
        names.append(model_name(state.group, state.version, subject))
    return list(dict.fromkeys(names))


def _model(audited: AuditedLedger, state: State) -> Iterator[Discrepancy]:
    created = audited.history.last(Kind.MODEL_CREATED)
    entry = created.sequence if created else None
    if state.model is None:
        if state.status is not Status.APPROVED and not state.next_step:
            yield from _unsigned(audited, state)
        return
    name = state.model["name"]
    described = audited.models.get(name)
    if described is None:
        if state.status is Status.APPROVED:
            yield audited.finding("ModelMissing", f"SageMaker has no model {name}", entry)
        return
    different = _not_as_signed(audited, state, described)
    if different:
        because = f"model {name} is not what was signed: {', '.join(different)}"
        yield audited.finding("ModelDiffers", because, entry)


def _unsigned(audited: AuditedLedger, state: State) -> Iterator[Discrepancy]:
    for name in model_names(state):
        if audited.models.get(name) is not None and name.lower() not in audited.others:
            because = f"SageMaker has model {name}, and nothing that stands says so: the package is {state.status}"
            yield audited.finding("ModelWithoutApproval", because)


def _not_as_signed(audited: AuditedLedger, state: State, model: Mapping[str, Any]) -> list[str]:
    """Return what a model shows otherwise than the request that follows from what was signed."""
    different = [] if model.get("ModelArn") == (state.model or {}).get("arn") else ["ModelArn"]
    named = next((entry.details.get("evidence") for entry in reversed(audited.entries) if _admits(entry)), None)
    evidence = evidence_of(audited, named)
    package, described = package_of(audited.history.package)[0], audited.described
    if evidence is None or described is None or outdated(evidence, described):
        return different  # what it was made of is not there to be compared, which is a finding of its own
    home = _home(audited)
    request = model_request(package, described, signed_subject(evidence), lambda key: f"{home}{key}", str(named))
    return [*different, *differences(request, model)]


def _admits(entry: Entry) -> bool:
    return entry.kind is Kind.DECISION_RECORDED and entry.details.get("decision") in _ADMITTING


def _home(audited: AuditedLedger) -> str:
    """Return the vault's URI, which every entry about evidence names."""
    entry = audited.history.last(Kind.EVIDENCE_RECORDED)
    uri = str(entry.details.get("uri")) if entry else ""
    return uri.partition("evidence/")[0]
