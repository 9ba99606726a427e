"""What an audit compares: all that is known of one ledger, and what was found not to fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.ledger.checkpoints import Head
from signoff.ledger.entries import Entry, Kind
from signoff.ledger.history import History
from signoff.ledger.state import State, fold
from signoff.ledger.witnessed import DECISIONS


@dataclass(frozen=True)
class Discrepancy:
    """That something does not fit: of which ledger (its key) or object of the vault, under a name, and why.

    `entry` is the sequence of the first entry that does not fit, where it is one.
    """

    about: str
    name: str
    because: str
    entry: int | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The finding as JSON-ready data."""
        return {"about": self.about, "finding": self.name, "entry": self.entry, "because": self.because}


@dataclass(frozen=True)
class RecordedHead:
    """A head that stands somewhere else than in the ledger, and where."""

    head: Head
    where: str


@dataclass(frozen=True)
class AuditedLedger:
    """All that is known of one ledger, as it was read and before anything of it is believed.

    `fault` says what is wrong with the first item of the table that is no entry. `row` is the index's, and `expected`
    what it should be. `documents` are the bytes of documents in the vault by key, None for those that are not there;
    `rewritten` those that were written more than once. `described` is the package as SageMaker describes it, None when
    it has none; `models` are the models that were asked for, by name; `others` the names of those that another ledger
    says are its own. `versions` says which version a reader gets of each artifact's key, and `digests` the SHA-256 of
    what that holds, where it was asked for.
    """

    history: History
    fault: str | None = None
    heads: tuple[RecordedHead, ...] = ()
    row: Mapping[str, Any] | None = None
    expected: Mapping[str, Any] | None = None
    documents: Mapping[str, bytes | None] = field(default_factory=dict)
    rewritten: frozenset[str] = frozenset()
    described: Mapping[str, Any] | None = None
    models: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    versions: Mapping[str, str | None] = field(default_factory=dict)
    digests: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The ledger's entries."""
        return self.history.entries

    def finding(self, name: str, because: str, entry: int | None = None) -> Discrepancy:
        """Return a finding about this ledger."""
        return Discrepancy(self.history.package, name, because, entry)

    def document(self, key: str) -> Any | None:
        """Return the document at `key` as far as it is one; the caller has compared its digest."""
        return parsed(self.documents.get(key))


def parsed(data: bytes | None) -> Any | None:
    """Return what `data` says as JSON, or None."""
    try:
        return None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        return None


def document_fault(audited: AuditedLedger, key: str, sha256: str) -> tuple[str, str] | None:
    """Return the end of a finding's name and why the document at `key` is not the one of that digest, or None."""
    data = audited.documents.get(key)
    if data is None:
        return "Missing", f"{key} is not in the vault"
    found = hashlib.sha256(data).hexdigest()
    return ("Changed", f"{key} in the vault has the digest {found}") if found != sha256 else None


def evidence_key(sha256: str) -> str:
    """Return the vault's key of a piece of evidence."""
    return f"evidence/{sha256}.json"


def decision_key(entry_hash: str) -> str:
    """Return the vault's key of a vote or decision, by the hash of its entry."""
    return f"{DECISIONS}/{entry_hash}.json"


def policy_key(sha256: str) -> str:
    """Return the vault's key of a policy."""
    return f"policies/{sha256}.json"


def states(history: History) -> Iterator[State]:
    """Yield the state before each entry, and that after the last. Raises whatever malformed details cause."""
    state = State()
    for entry in history.entries:
        yield state
        state = fold([entry], state)
    yield state


def evidence_of(audited: AuditedLedger, sha256: Any) -> Mapping[str, Any] | None:
    """Return the evidence of that digest as a document, if it is what is in the vault."""
    key = evidence_key(str(sha256))
    document = None if document_fault(audited, key, str(sha256)) else audited.document(key)
    return document if isinstance(document, dict) else None


def last_evidence(audited: AuditedLedger) -> Mapping[str, Any] | None:
    """Return the newest evidence that the ledger names as a document, if it is what is in the vault."""
    entry = audited.history.last(Kind.EVIDENCE_RECORDED)
    return evidence_of(audited, entry.details.get("sha256")) if entry else None
