"""The canonical form of JSON (RFC 8785), so that hashing a document in any language gives the same digest."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(document: Any) -> bytes:
    """Return the canonical JSON of `document`, which may only contain JSON values.

    Raises `rfc8785.CanonicalizationError` for anything else (NaN, integers beyond 2**53, other types).
    """
    return rfc8785.dumps(document)


def digest(document: Any) -> str:
    """Return the SHA-256 of the canonical form, in lower-case hexadecimal digits."""
    return hashlib.sha256(canonical(document)).hexdigest()
