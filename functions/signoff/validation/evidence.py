"""Evidence: subject, checks and policy of one validation, as one JSON document with a digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from signoff.model_package.subject import as_signed, changes, subject_digest
from signoff.model_package.subject import subject as subject_of
from signoff.validation.checks import Check, verdict

VERSION = 2


DESCRIPTION = {"description": "ModelPackageDescription", "task": "Task", "domain": "Domain"}


@dataclass(frozen=True)
class Attempt:
    """One attempt at validating a package: its number, the workflow's execution, and when it was claimed."""

    package: str
    group: str
    version: int | None
    number: int
    execution: str
    started: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a person decides on, beside the checks: each part as JSON-ready data, empty where there is nothing.

    `description` and `provenance` are what the package says of itself, `metrics` the claimed and the measured ones,
    `comparison` is with the champion at the time, `images` what is known of each image.
    """

    description: Mapping[str, str | None]
    provenance: Mapping[str, str]
    metrics: Mapping[str, Any] = field(default_factory=lambda: {"claimed": None, "measured": None})
    comparison: Mapping[str, Any]
    images: Sequence[Mapping[str, Any]] = ()
    bias: Sequence[Mapping[str, Any]] = ()
    evaluation: Mapping[str, Any] | None = None
    smoke: Mapping[str, Any] | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The facts as they stand in an evidence document."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        return {part: list(value) if isinstance(value, tuple) else value for part, value in parts.items()}


def said_of_itself(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `description` and the `provenance` (its MetadataProperties) of a package as SageMaker describes it."""
    return {
        "description": {ours: described.get(theirs) for ours, theirs in DESCRIPTION.items()},
        "provenance": dict(described.get("MetadataProperties") or {}),
    }


def document(
    attempt: Attempt,
    subject: Mapping[str, Any],
    checks: Sequence[Check],
    artifacts: Sequence[Mapping[str, Any]],
    facts: Facts,
    *,
    policy: str,
    submitter: str | None,
    registration: str | None,
) -> dict[str, Any]:
    """Return the evidence. The same facts give the same document, so recording it twice is harmless."""
    return {
        "evidence_version": VERSION,
        "subject": {"sha256": subject_digest(subject), **subject},
        "package": attempt.package,
        "group": attempt.group,
        "version": attempt.version,
        "attempt": attempt.number,
        "execution": attempt.execution,
        "started": attempt.started,
        "verdict": verdict(checks),
        "checks": [check.document for check in checks],
        "artifacts": [dict(artifact) for artifact in artifacts],
        "policy": policy,
        "submitter": submitter,
        "registration": registration,
        **facts.document,
    }


def signed_subject(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return the subject of an evidence document, without its digest."""
    return {part: value for part, value in evidence["subject"].items() if part != "sha256"}


def outdated(evidence: Mapping[str, Any], described: Mapping[str, Any], known: Iterable[str] = ()) -> list[str]:
    """Return the names of the subject's parts that differ between `described` and this evidence.

    Of additional inference specifications that the evidence does not have, only those that are `known` count. The
    vault's copies are not compared; that is done before deployment.
    """
    signed = signed_subject(evidence)
    found = as_signed(described, signed, known)
    return changes(signed, subject_of(found, signed["deployment"], signed["images"], signed["artifacts"]))
