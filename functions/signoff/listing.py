"""What a submission lists of itself (`objects` of submission.json), so that it is known when a prefix is complete."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from signoff.errors import ManifestRefused
from signoff.faults import Fault
from signoff.locations import relative_name
from signoff.submission import SUBMISSION

# Each is copied and looked into by one run of a function.
MAX_OBJECTS = 1000
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
MAX_PART_BYTES = 255
_SHOWN = 100  # characters of a name that is wrong


def objects(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names that `document`, a submission.json, lists; None when it lists none at all.

    Raises ManifestRefused when what it lists is no list of plain names.
    """
    listed = document.get("objects")
    if listed is None:
        return None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ManifestRefused([Fault("objects", f"{SUBMISSION} must list the names of the submission's objects")])
    if len(listed) > MAX_OBJECTS:
        raise ManifestRefused(
            [Fault("objects", f"{SUBMISSION} lists {len(listed)} objects; {MAX_OBJECTS} are allowed")]
        )
    found = [fault for position, name in enumerate(listed) for fault in _name_faults(f"objects[{position}]", name)]
    if found:
        raise ManifestRefused(found)
    return tuple(dict.fromkeys(listed))


def _name_faults(path: str, name: str) -> list[Fault]:
    try:
        relative_name(path, name, "", "")
    except ManifestRefused as refused:
        return [Fault(path, f"{SUBMISSION} lists {name[:_SHOWN]!r}, which {fault.message}") for fault in refused.faults]
    return []


def faults(listed: Sequence[str], prefixes: Collection[str]) -> list[Fault]:
    """Return what keeps SageMaker from laying out the objects listed under `prefixes` as the files of a model."""
    found = []
    for prefix in sorted(prefixes):
        names = [name.removeprefix(prefix) for name in listed if name.startswith(prefix)]
        if not names:
            found.append(Fault("objects", f"{SUBMISSION} lists no object under {prefix}, which the manifest names"))
        found += [Fault("objects", f"{prefix}{name}: {reason}") for name, reason in file_faults(names)]
    return found


def file_faults(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return names, relative to a prefix, that cannot be files of one folder, and why.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
    """
    files = set(names)
    found = []
    for name in sorted(files):
        parts = name.split("/")
        folders = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            found.append((name, "no file can have this name: a part of it is empty, . or .., or holds NUL"))
        elif any(len(part.encode()) > MAX_PART_BYTES for part in parts):
            found.append((name, f"a part of its name is longer than {MAX_PART_BYTES} bytes"))
        elif folders & files:
            found.append((name, f"{min(folders & files)} is a file already and cannot be its folder too"))
    return found
