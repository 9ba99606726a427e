"""The list of a submission's objects (`objects` of submission.json), which tells when a prefix is complete."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused
from signoff.submission.layout import MANIFEST, SUBMISSION
from signoff.submission.locations import relative_name

# All are copied and inspected in one run of a function.
MAX_OBJECTS = 1000
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
MAX_PART_BYTES = 255
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXPECTED = "must list the names of the submission's objects, or map each name to its SHA-256 (64 hexadecimal digits)"
_SHOWN = 100  # characters of a name that is wrong


def objects(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names that `document`, a submission.json, lists, without the manifest; None when it has no list.

    `objects` is a list of them, or the SHA-256 of each by its name. Raises ManifestRefused when it is neither.
    """
    listed = document.get("objects")
    if listed is None:
        return None
    if isinstance(listed, dict):
        listed = [name for name in digests(document) if name != MANIFEST]
        paths = [f"objects.{name[:_SHOWN]}" for name in listed]
    elif isinstance(listed, list) and all(isinstance(name, str) for name in listed):
        paths = [f"objects[{position}]" for position in range(len(listed))]
    else:
        raise ManifestRefused([Fault("objects", f"{SUBMISSION} {_EXPECTED}")])
    if len(listed) > MAX_OBJECTS:
        raise ManifestRefused(
            [Fault("objects", f"{SUBMISSION} lists {len(listed)} objects; at most {MAX_OBJECTS} are allowed")]
        )
    found = [fault for path, name in zip(paths, listed, strict=True) for fault in _name_faults(path, name)]
    if found:
        raise ManifestRefused(found)
    return tuple(dict.fromkeys(listed))


def digests(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 (hexadecimal) of each object by its name, the manifest's among them.

    Raises ManifestRefused when `document`, a submission.json, does not give those.
    """
    listed = document.get("objects")
    if not isinstance(listed, dict) or not all(
        isinstance(each, str) and _SHA256.fullmatch(each) for each in listed.values()
    ):
        raise ManifestRefused(
            [Fault("objects", f"{SUBMISSION} {_EXPECTED}; a signed submission needs the SHA-256 of each")]
        )
    return dict(listed)


def _name_faults(path: str, name: str) -> list[Fault]:
    try:
        relative_name(path, name, "", "")
    except ManifestRefused as refused:
        return [Fault(path, f"{SUBMISSION} lists {name[:_SHOWN]!r}, which {fault.message}") for fault in refused.faults]
    return []


def faults(listed: Sequence[str], prefixes: Collection[str]) -> list[Fault]:
    """Return why SageMaker could not lay out the objects listed under `prefixes` as files of a model."""
    found = []
    for prefix in sorted(prefixes):
        names = [name.removeprefix(prefix) for name in listed if name.startswith(prefix)]
        if not names:
            found.append(Fault("objects", f"{SUBMISSION} lists no object under {prefix}, which the manifest names"))
        found += [Fault("objects", f"{prefix}{name}: {reason}") for name, _, reason in file_faults(names)]
    return found


def file_faults(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the names, relative to a prefix, that cannot be files in one folder, each with its rule and reason.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
    """
    files = set(names)
    found = []
    for name in sorted(files):
        parts = name.split("/")
        folders = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            found.append(
                (name, "impossible-name", "no file can have this name: a part of it is empty, . or .., or contains NUL")
            )
        elif any(len(part.encode()) > MAX_PART_BYTES for part in parts):
            found.append((name, "impossible-name", f"a part of its name is longer than {MAX_PART_BYTES} bytes"))
        elif folders & files:
            reason = f"{min(folders & files)} is also a file, so it cannot be a folder"
            found.append((name, "file-and-folder", reason))
    return found
