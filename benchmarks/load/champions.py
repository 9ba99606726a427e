"""Whether a group has one champion history: what its evidence says, beside what its ledgers say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.ledger.entries import Entry, Kind


@dataclass(frozen=True)
class Reign:
    """From when on (ISO 8601) a package of some version is its group's champion; None: the group has none yet."""

    since: str
    version: int | None


def reigns(entries: Iterable[Entry]) -> list[Reign]:
    """The champions of a group by its ledgers, in which nothing is revoked: the deployed package approved last."""
    found, approved, live = [Reign("", None)], dict[str, str](), dict[str, int]()
    for entry in sorted(entries, key=lambda entry: (entry.time, entry.package, entry.sequence)):
        package = entry.package
        if entry.kind == Kind.DECISION_RECORDED and entry.details["decision"] == "approve":
            approved[package] = entry.time
        elif entry.kind == Kind.MODEL_CREATED:
            live[package] = int(entry.version or 0)
            champion = max(live, key=lambda each: (approved[each], live[each]))
            found.append(Reign(entry.time, live[champion]))
    return found


def possible(history: Sequence[Reign], since: str, until: str) -> set[int | None]:
    """The versions that were champion at any time between two (ISO 8601, inclusive)."""
    ends = [reign.since for reign in history[1:]] + ["9999"]
    return {reign.version for reign, end in zip(history, ends, strict=True) if reign.since <= until and end >= since}


def compared(entries: Sequence[Entry], evidence: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    """Compare each document of evidence of a group's packages with the champions by its ledgers.

    `evidence` returns a document by its digest. One that names a champion which was none while it was made is `wrong`.
    """
    history, started, judged = reigns(entries), dict[str, str](), 0
    wrong: list[str] = []
    for entry in entries:
        if entry.kind == Kind.VALIDATION_STARTED:
            started[entry.package] = entry.time
        elif entry.kind == Kind.EVIDENCE_RECORDED:
            champion = evidence(entry.details["sha256"])["comparison"]["champion"]
            named = int(champion["version"]) if champion else None
            judged += 1
            if named not in possible(history, started[entry.package], entry.time):
                wrong.append(f"version {entry.version} at {entry.time}: {named}")
    kinds = [entry.kind for entry in entries]
    return {
        "evidence": judged,
        "wrong": wrong,
        "champions": [reign.version for reign in history[1:]],
        "successions": kinds.count(Kind.SUPERSEDED),
        "reinstated": kinds.count(Kind.REINSTATED),
    }
