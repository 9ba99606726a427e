"""Verifying what a ledger names in the vault: its evidence, its policies, its registration, and the bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.governance.kept_signatures import unproven
from signoff.governance.registrations import registration_key, subject_differences
from signoff.ledger.entries import Entry, Kind
from signoff.ledger.state import State
from signoff.model_package.subject import subject_digest
from signoff.notification.comparison import brief
from signoff.validation.evidence import signed_subject
from signoff_cli.audit.facts import (
    AuditedLedger,
    Discrepancy,
    document_fault,
    evidence_key,
    evidence_of,
    last_evidence,
    policy_key,
)


def findings(audited: AuditedLedger, before: Sequence[State]) -> Iterator[Discrepancy]:
    """Yield what does not fit of the documents that the entries name; `before` are the states before each entry."""
    for entry, state in zip(audited.entries, before, strict=False):
        for name, because in (*_evidence(audited, entry, state), *_policy(audited, entry)):
            yield audited.finding(name, because, entry.sequence)
    yield from _registration(audited)
    yield from _subjects(audited, before)
    yield from _bytes(audited)


def policies_named(entry: Entry) -> list[str]:
    """Return the digests of the policies that an entry names."""
    named = entry.details.get("policy")
    return [named] if isinstance(named, str) else []


def evidence_named(entry: Entry) -> str | None:
    """Return the digest of the evidence that an entry records, or None when it records none."""
    if entry.kind not in {Kind.EVIDENCE_RECORDED, Kind.VALIDATION_ERRORED}:
        return None
    return entry.details.get("sha256")


def _policy(audited: AuditedLedger, entry: Entry) -> Iterator[tuple[str, str]]:
    for sha256 in policies_named(entry):
        fault = document_fault(audited, policy_key(sha256), sha256)
        if fault:
            yield f"Policy{fault[0]}", f"the policy that the {entry.kind} was made under: {fault[1]}"


def _evidence(audited: AuditedLedger, entry: Entry, state: State) -> Iterator[tuple[str, str]]:
    sha256 = evidence_named(entry)
    if sha256 is None:
        if entry.kind is Kind.EVIDENCE_RECORDED:
            yield "EvidenceMissing", "it names no evidence"
        return
    fault = document_fault(audited, evidence_key(sha256), sha256)
    if fault:
        yield f"Evidence{fault[0]}", fault[1]
        return
    different = different_facts(audited.document(evidence_key(sha256)), entry, state)
    if different:
        yield "EvidenceOfAnother", f"{evidence_key(sha256)} is not evidence of this: its {', '.join(different)} differ"


def different_facts(document: Any, entry: Entry, state: State) -> list[str]:
    """Return which facts of a piece of evidence are not those of the entry that names it and of the ledger before."""
    if not isinstance(document, dict):
        return ["form"]
    details, subject = entry.details, document.get("subject") or {}
    facts: dict[str, tuple[Any, Any]] = {
        "package": (document.get("package"), entry.package),
        "group": (str(document.get("group")).lower(), str(state.group).lower()),
        "version": (document.get("version"), state.version),
        "attempt": (document.get("attempt"), details.get("attempt")),
        "number of the attempt": (details.get("attempt"), state.attempt),
        "execution": (document.get("execution"), state.execution),
        "verdict": (document.get("verdict"), details.get("verdict")),
        "checks": (document.get("checks"), details.get("checks")),
        "comparison": (brief(document) if "comparison" in document else None, details.get("comparison")),
        "policy": (document.get("policy"), state.policy),
        "submitter": (document.get("submitter"), state.submitter),
        "registration": (document.get("registration"), state.registration),
        "subject": (subject.get("sha256"), details.get("subject")),
        "subject's own digest": (subject.get("sha256"), subject_digest(signed_subject({"subject": subject}))),
    }
    return [name for name, (one, other) in facts.items() if one != other]


def _registration(audited: AuditedLedger) -> Iterator[Discrepancy]:
    """Yield whether the registration document is not the one that the first entry is about."""
    first = next((entry for entry in audited.entries if entry.kind is Kind.REGISTERED), None)
    named = first.details.get("registration") if first else None
    if first is None or named is None:
        return
    key = registration_key(str(named))
    document = audited.document(key)
    if document is None:
        yield audited.finding("RegistrationMissing", f"{key} is not in the vault", first.sequence)
        return
    said = {"id": named, "submitter": first.details.get("submitter")}
    different = [name for name, value in said.items() if document.get(name) != value]
    if str(document.get("group")).lower() != str(first.details.get("group")).lower():
        different.append("group")
    if key in audited.rewritten:
        different.append("versions")
    if different:
        because = f"{key} is not as it was when the package was registered: {', '.join(different)}"
        yield audited.finding("RegistrationChanged", because, first.sequence)
    forged = unproven(document, audited.document)
    if forged:
        yield audited.finding("SubmitterUnproven", forged, first.sequence)


def _subjects(audited: AuditedLedger, before: Sequence[State]) -> Iterator[Discrepancy]:
    """Yield which evidence passed a package that is not as its registration asked for."""
    for entry, state in zip(audited.entries, before, strict=False):
        if entry.kind is not Kind.EVIDENCE_RECORDED or entry.details.get("verdict") != "passed":
            continue
        if state.unmatched:
            yield audited.finding("SubjectDiffers", f"passed although {state.unmatched}", entry.sequence)
        registration = audited.document(registration_key(str(state.registration))) if state.registration else None
        evidence = evidence_of(audited, entry.details.get("sha256"))
        if registration is None or evidence is None:
            continue  # findings of their own
        different = subject_differences(signed_subject(evidence), registration, state.fingerprint)
        if different:
            because = f"its evidence is not about what was submitted: {', '.join(different)} differ"
            yield audited.finding("SubjectDiffers", because, entry.sequence)


def artifacts(audited: AuditedLedger) -> list[Mapping[str, Any]]:
    """Return all that was inspected for the newest evidence: what is deployed, and the documents that speak for it."""
    listed = (last_evidence(audited) or {}).get("artifacts")
    whole = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [each for each in whole if {"key", "version_id", "sha256"} <= each.keys()]


def _bytes(audited: AuditedLedger) -> Iterator[Discrepancy]:
    """Yield which artifacts a reader would not get as they were judged; what was never approved may have expired."""
    named = audited.history.last(Kind.EVIDENCE_RECORDED)
    if named is None:
        return
    may_be_gone = not any(entry.details.get("decision") in {"approve", "rollback"} for entry in audited.entries)
    for artifact in artifacts(audited):
        gone = audited.versions.get(artifact["key"], artifact["version_id"]) is None
        because = None if gone and may_be_gone else _not_as_judged(audited, artifact)
        if because:
            yield audited.finding("VaultChanged", because, named.sequence)


def _not_as_judged(audited: AuditedLedger, artifact: Mapping[str, Any]) -> str | None:
    key = artifact["key"]
    if key in audited.versions and audited.versions[key] != artifact["version_id"]:
        found = audited.versions[key]
        what = f"another version ({found})" if found else "nothing"
        return f"who reads {key} in the vault gets {what}, not what the evidence is about ({artifact['version_id']})"
    if key in audited.digests and audited.digests[key] != artifact["sha256"]:
        return f"{key} in the vault holds other bytes than the evidence says (SHA-256 {audited.digests[key]})"
    return None
