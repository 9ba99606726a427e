"""Reading the small files of a submission: its manifest, and submission.json."""

from __future__ import annotations

from typing import Any

from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.documents import strict_json
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused
from signoff.submission.json_objects import read


def data_of(inbox: Bucket, stored: ObjectVersion) -> bytes:
    """Return the bytes of an object. Raises `ManifestRefused` when it is larger than any JSON that is read."""
    if stored.size > strict_json.MAX_BYTES:
        raise ManifestRefused([Fault("", f"has {stored.size} bytes; at most {strict_json.MAX_BYTES} are allowed")])
    return inbox.read(stored)


def document_of(inbox: Bucket, stored: ObjectVersion, name: str) -> dict[str, Any]:
    """Return the JSON object in another file than the manifest. Raises `ManifestRefused`, which names it."""
    try:
        return read(data_of(inbox, stored))
    except ManifestRefused as refused:
        faults = [Fault(fault.path, f"{name}: {fault.message}") for fault in refused.faults]
        raise ManifestRefused(faults, about=name) from None
