"""What stands where a model should be and is none: a pointer to it, or a page that says why it could not be had."""

from __future__ import annotations

import re
from collections.abc import Sequence

from signoff.documents.patterns import compiled_on_use

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
LFS_POINTER = "git-lfs pointer"
_PAGES: Sequence[tuple[str, re.Pattern[bytes]]] = (
    (LFS_POINTER, compiled_on_use(rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/")),
    ("S3 error", compiled_on_use(rb"\s*+(?:<\?xml[^>]*+>)?\s*+<Error>")),
    (
        "HTML",
        compiled_on_use(rb"\s*+(?:<\?xml[^>]*+>)?\s*+(?:<!--[^>]*+>)?\s*+<(?:!doctype\s++html|html)\b", re.IGNORECASE),
    ),
)


def absence_in(head: bytes) -> str | None:
    """Return what content that begins with `head` is instead of a model, or None."""
    return next((name for name, pattern in _PAGES if pattern.match(head)), None)
