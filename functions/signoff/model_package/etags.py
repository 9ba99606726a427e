"""ETags in a manifest: checked against the uploaded object, then replaced by that of the vault's copy.

A multipart ETag is not a digest and differs between copies, so SageMaker must be given the copy's own.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from signoff.documents.faults import Fault
from signoff.model_package import data_sources


def faults(document: Mapping[str, Any], etag_of: Callable[[str], str]) -> list[Fault]:
    """Return a fault for each ETag in `document` that is not that of its object; `etag_of` takes the location."""
    found = []
    for path, item, field, location in data_sources.etags(document):
        if not data_sources.stays_in_hub(item, location):
            actual = etag_of(item[location])
            if _bare(item[field]) != actual:
                found.append(Fault(path, f"is not the ETag of {item[location]} as it was uploaded, which is {actual}"))
    return found


def replaced(document: Mapping[str, Any], etag_of: Callable[[str], str]) -> dict[str, Any]:
    """Return `document` with each ETag as `etag_of` its location says, in quotes where it was."""
    copy = deepcopy(dict(document))
    for _, item, field, location in data_sources.etags(copy):
        if not data_sources.stays_in_hub(item, location):
            quote = '"' if item[field].startswith('"') else ""
            item[field] = f"{quote}{etag_of(item[location])}{quote}"
    return copy


def _bare(etag: str) -> str:
    return etag.strip('"')
