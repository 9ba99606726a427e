"""What is known of an artifact: what it is, from KeepArtifact, and what was found in it, from InspectArtifact.

Whoever parses hostile bytes may be taken over by them, and then says what it likes. So an inspection says what it found
and nothing of which bytes they are, but for their SHA-256, which must be the one that they were kept with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.model_package.artifacts import inventory
from signoff.validation.checks import Check, errored

_FOUND = ("members", "findings", "refusals", "refusal_count")

Inspected = Mapping[str, Mapping[str, Any]]


def as_listed(inspected: Inspected) -> dict[str, Any]:
    """Return an artifact as the evidence lists it, from what was `kept` of it and what was `found` in it."""
    found = inspected["found"]
    return {**inspected["kept"], **{field: found[field] for field in _FOUND if field in found}}


def witness_checks(inspected: Sequence[Inspected], findings: str) -> Iterator[Check]:
    """Yield an errored check for each artifact of which other bytes were inspected than were kept.

    Or whose findings are not a document under `findings`, an `s3://` URI: readers of the evidence open it.
    """
    for each in inspected:
        name, found = f"inspection:{each['kept']['name']}", each["found"]
        if found.get("sha256") != each["kept"]["sha256"]:
            yield errored(name, "other bytes were inspected than are in the vault; revalidate the package")
        elif not str(found.get("findings", findings)).startswith(findings):
            yield errored(name, "its findings are not in the vault; revalidate the package")


def lists_what_was_kept(objects: Sequence[Mapping[str, Any]], kept: Mapping[str, Any]) -> bool:
    """Return whether `objects`, which an inspection listed under a prefix, are those that were kept."""
    return inventory(objects, "sha256") == str(kept["sha256"])
