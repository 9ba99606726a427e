"""What changed from one package to another of its group, as their evidence says: by path, with before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.faults import below
from signoff.documents.text import beginning
from signoff.model_package.subject import described_fields

MOST_CHANGES = 200  # that evidence lists; what follows them is counted
_LONGEST = 200  # characters of a value
# Where a package's copies lie in the vault differs from one submission to the next, whatever they hold.
_LOCATIONS = frozenset({"ModelDataUrl", "S3Uri", "ModelDataETag", "ETag", "ManifestEtag", "ImageDigest"})

Evidence = Mapping[str, Any]
Inventory = Iterable[Mapping[str, Any]]


def differences(
    before: Evidence, after: Evidence, files: tuple[Mapping[str, Inventory], Mapping[str, Inventory]] = ({}, {})
) -> list[dict[str, Any]]:
    """Return what changed from one evidence document to another, each change with `part`, `before` and `after`.

    Both documents need `subject`, `artifacts`, and what there is of `policy`, `description` and `provenance`; `files`
    are the inventories of their artifacts, by the artifacts' names. Without a value in one of the two, it is None
    there.
    """
    changes = list(_changes({**_facts(before), **_files(files[0])}, {**_facts(after), **_files(files[1])}))
    listed = changes[:MOST_CHANGES]
    if len(changes) > len(listed):
        listed.append({"part": "further changes", "before": None, "after": str(len(changes) - len(listed))})
    return listed


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for part in dict.fromkeys([*after, *before]):
        if before.get(part) != after.get(part):
            yield {"part": part, "before": _shown(before.get(part)), "after": _shown(after.get(part))}


def _shown(value: str | None) -> str | None:
    return None if value is None else beginning(value, _LONGEST)


def _facts(evidence: Evidence) -> dict[str, str]:
    subject = evidence["subject"]
    parts = {**(evidence.get("description") or {}), "deployment": subject["deployment"]}
    parts |= {part: evidence.get(part) for part in ("policy", "provenance")}
    found = _leaves({**parts, **described_fields(subject)}, "", subject["images"])
    return {**dict(_artifacts(evidence["artifacts"])), **dict(found)}


def _artifacts(artifacts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for artifact in artifacts:
        for fact in ("kind", "size", "members", "sha256"):
            if artifact.get(fact) is not None:
                yield f"{artifact['name']}: {fact}", str(artifact[fact])


def _files(inventories: Mapping[str, Inventory]) -> dict[str, str]:
    """Return format, size and, if known, digest of each file of an archive, by the archive's and its own name."""
    found = {}
    for artifact, inventory in inventories.items():
        for entry in inventory:
            digest = f", sha256 {entry['sha256']}" if entry.get("sha256") else ""
            found[f"{artifact}: {entry['name']}"] = f"{entry.get('kind') or 'unknown'}, {entry['size']:,} bytes{digest}"
    return found


def _leaves(value: Any, path: str, images: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of each value in a document, its images by digest, without the locations of copies."""
    if isinstance(value, Mapping):
        for field, item in value.items():
            if field not in _LOCATIONS:
                yield from _leaves(item, below(path, field), images)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]", images)
    elif value is not None:
        yield path, images.get(value, value) if isinstance(value, str) else str(value)
