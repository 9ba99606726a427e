"""Evidence: subject, checks and policy of one validation, as one JSON document with a digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.model_package.subject import as_signed, changes, subject_digest
from signoff.model_package.subject import subject as subject_of
from signoff.validation.checks import Check, verdict

VERSION = 1


@dataclass(frozen=True)
class Attempt:
    """One attempt at validating a package: its number, the workflow's execution, and when it was claimed."""

    package: str
    group: str
    version: int | None
    number: int
    execution: str
    started: str


def document(
    attempt: Attempt,
    subject: Mapping[str, Any],
    checks: Sequence[Check],
    artifacts: Sequence[Mapping[str, Any]],
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
