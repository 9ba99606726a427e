"""Reading the JSON objects of a submission: its manifest, and submission.json."""

from __future__ import annotations

from typing import Any

from signoff.documents.faults import Fault
from signoff.documents.strict_json import parse
from signoff.errors import ManifestRefused

MAX_FAULTS = 200  # more would not be read


def read(data: bytes) -> dict[str, Any]:
    """Return the JSON object that `data` holds.

    Raises ManifestRefused, with every fault by its path, when it is not one unambiguous JSON object
    (see `signoff.documents.strict_json`). The object's fields are not checked.
    """
    document, faults = read_on(data)
    if faults:
        raise ManifestRefused(faults[:MAX_FAULTS])
    return document


def read_on(data: bytes) -> tuple[dict[str, Any], list[Fault]]:
    """Return the JSON object in `data` as far as it can be read, and everything that `read` would refuse.

    So that all faults of a manifest are reported at once.
    """
    document, faults = parse(data)
    if isinstance(document, dict):
        return dict(document), faults
    return {}, faults or [Fault("", "must be a JSON object")]
