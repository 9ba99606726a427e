"""Heads and checkpoints: the state of ledgers, stored where writers of the table cannot change it.

A head is the sequence and the hash of a ledger's newest entry, at the time of writing: in a package's
metadata with every change that Signoff makes in the registry, and of all ledgers once a day in the vault. A head only
states that the chain contains that entry, so the order in which heads are written does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signoff.documents import timestamps
from signoff.documents.canonical_json import canonical
from signoff.documents.patterns import compiled_on_use
from signoff.ledger.entries import Kind
from signoff.ledger.history import History

PREFIX = "heads/"
VERSION = 1
# Customer metadata may hold letters, digits, spaces and `_.:/=+-@`:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
METADATA = "signoff:head"
# The check that fails if a package has too much other metadata for that.
ROOM = "metadata"
_METADATA = compiled_on_use(r"([1-9][0-9]{0,9})\.([0-9a-f]{64})")
_KEY = compiled_on_use(r"heads/([0-9]{4}-[0-9]{2}-[0-9]{2})\.json")

Listed = tuple[str, int, str]


@dataclass(frozen=True)
class Head:
    """States that a ledger's entry `sequence` has that `hash`."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}.{self.hash}"


def parse(written: str) -> Head | None:
    """Return the head in customer metadata, or None when it is not valid."""
    found = _METADATA.fullmatch(written)
    return Head(int(found[1]), found[2]) if found else None


def has_room(history: History) -> bool:
    """Return whether the newest evidence found room for Signoff's metadata in the registry, as it says of none."""
    evidence = history.last(Kind.EVIDENCE_RECORDED)
    checks = evidence.details["checks"] if evidence else ()
    return not any((check["name"], check["status"]) == (ROOM, "failed") for check in checks)


def metadata(history: History) -> dict[str, str]:
    """Return a package's customer metadata about its ledger: its head, and its evidence's digests and verdict."""
    if not history.entries:
        return {}
    last = history.entries[-1]
    return {**of_evidence(history), METADATA: str(Head(last.sequence, last.hash))}


def of_evidence(history: History) -> dict[str, str]:
    """Return the customer metadata about a package's newest evidence; empty while it has none.

    During a revalidation the registry still shows the former evidence.
    """
    found = history.last(Kind.EVIDENCE_RECORDED)
    if found is None:
        return {}
    names = {"evidence": "sha256", "subject": "subject", "verdict": "verdict"}
    return {f"signoff:{name}": str(found.details[field]) for name, field in names.items()}


def daily_key(date: str) -> str:
    """Return the vault's key of the heads of a day (`2026-03-02`)."""
    return f"{PREFIX}{date}.json"


def date_of(key: str) -> str | None:
    """Return the day of the heads at `key`, or None for any other key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def day(moment: datetime) -> str:
    """Return the day of a time, in UTC."""
    return timestamps.text(moment)[:10]


def day_before(date: str) -> str:
    """Return the day before."""
    return (datetime.fromisoformat(date) - timedelta(days=1)).date().isoformat()


def daily(now: datetime, previous: str | None, heads: Iterable[Listed]) -> Iterator[bytes]:
    """Yield the JSON document of all `heads` (key, sequence and hash of each ledger) on the day of `now`, in parts.

    `previous` is the SHA-256 of the newest document of an earlier day: the documents are a chain, too. The heads are in
    the order in which they come: there may be more of them than memory has room for.
    """
    said = {"heads_version": VERSION, "date": day(now), "time": timestamps.text(now), "previous": previous}
    yield canonical(said).removesuffix(b"}") + b',"heads":['
    for position, head in enumerate(heads):
        yield (b"," if position else b"") + canonical(list(head))
    yield b"]}"


def of_document(document: Mapping[str, Any]) -> dict[str, Head]:
    """Return the head of each ledger, by its key, in a day's document. Raises ValueError for any other document."""
    try:
        return {str(package): Head(int(sequence), str(found)) for package, sequence, found in document["heads"]}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a document of heads: {error!r}") from error
