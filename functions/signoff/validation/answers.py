"""What models answered about rows that were kept: documents in the vault, one for each model and way of asking.

A model that was asked once is not asked again: its answers are found by the digests of its subject and of the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.vault import Vault
from signoff.documents.canonical_json import digest
from signoff.metrics.predictions import Answer
from signoff.metrics.values import StoredFile

# In the vault: by model and question, and by digest.
SCORED, PREDICTIONS = "measured/scored", "measured/predictions"


@dataclass(frozen=True)
class Scored:
    """Where a model's answers are, how many there are, and the facts of the job that asked."""

    predictions: StoredFile
    rows: int
    job: Mapping[str, Any]


def question(asked: Mapping[str, Any]) -> str:
    """Return the digest of what a model is asked, by a policy's `evaluation` or `smoke`, and how its answers are read.

    What they are held against is no part of it.
    """
    data, predictions = asked["data"], asked["predictions"]
    return digest([data["sha256"], data["content_type"], data["features"], data["id"], predictions])


def scored(vault: Vault, subject: str, asked: str) -> Scored | None:
    """Return what a model, by its subject's digest, answered to a question, or None if it was never asked."""
    found = vault.read_named(_key(subject, asked))
    return Scored(StoredFile(**found["predictions"]), found["rows"], found["job"]) if found else None


def keep(vault: Vault, subject: str, asked: str, found: list[Answer], job: Mapping[str, Any]) -> Scored:
    """Keep a model's answers, unless it has given others before, and return those that are kept."""
    listed = [list(answer) if isinstance(answer, tuple) else answer for answer in found]
    stored = vault.write(PREDICTIONS, {"subject": subject, "question": asked, "answers": listed})
    predictions = {"uri": stored.uri, "sha256": stored.sha256}
    vault.write_first(_key(subject, asked), {"predictions": predictions, "rows": len(found), "job": dict(job)})
    kept = scored(vault, subject, asked)
    return kept or Scored(StoredFile(**predictions), len(found), job)


def read(vault: Vault, kept: Scored) -> list[Answer]:
    """Return answers that were kept. Raises `DocumentMissing` when they are gone or were tampered with."""
    return [_answer(each) for each in vault.read(PREDICTIONS, kept.predictions.sha256)["answers"]]


def _answer(value: Any) -> Answer:
    """Return an answer as it was: canonical JSON writes 1.0 as 1."""
    if isinstance(value, list):
        return tuple(float(each) for each in value)
    return value if isinstance(value, str) else float(value)


def _key(subject: str, asked: str) -> str:
    return f"{SCORED}/{subject}/{asked}.json"
