"""Customer metadata of model packages: which entries are people's, and which are Signoff's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN_METADATA = "signoff:"


def is_signoffs(key: str) -> bool:
    """Whether a key of customer metadata is one that Signoff alone sets, in whichever case it is written."""
    return key.casefold().startswith(OWN_METADATA)


def own_metadata(described: Mapping[str, Any]) -> dict[str, str]:
    """Return the customer metadata that a described package carries, without the entries that Signoff puts there."""
    metadata: Mapping[str, str] = described.get("CustomerMetadataProperties") or {}
    return {key: value for key, value in metadata.items() if not is_signoffs(key)}
