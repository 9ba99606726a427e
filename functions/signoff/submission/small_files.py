"""Reading the small files of a submission: its manifest, and submission.json."""

from __future__ import annotations

from typing import Any

from signoff.aws.s3 import OpenedObject
from signoff.documents import strict_json
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused
from signoff.submission.json_objects import read


def data_of(opened: OpenedObject) -> bytes:
    """Return the bytes of an object. Raises `ManifestRefused` when it is larger than any JSON that is read."""
    size = opened.stored.size
    if size > strict_json.MAX_BYTES:
        raise ManifestRefused([Fault("", f"has {size} bytes; at most {strict_json.MAX_BYTES} are allowed")])
    return b"".join(opened.chunks)


def document_of(opened: OpenedObject, name: str) -> dict[str, Any]:
    """Return the JSON object in another file than the manifest. Raises `ManifestRefused`, which names it."""
    try:
        return read(data_of(opened))
    except ManifestRefused as refused:
        faults = [Fault(fault.path, f"{name}: {fault.message}") for fault in refused.faults]
        raise ManifestRefused(faults, about=name) from None
