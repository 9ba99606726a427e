"""How many artifacts a package may have: the validation workflow hands on what is known of all of them at once.

A state of the workflow holds 256 KiB. Of each artifact it holds the name and the URL three times (as claimed, as kept,
and by the vault's key), digests, and the reasons for which it is refused.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from signoff.documents.text import cut

_STATE = 256 * 1024
_TIMES, _MORE = 3, 900  # how often it has what names an artifact, and bytes of what else is known of it
_REFUSALS = 40_000  # bytes of the reasons of all
_CLAIM = 6_000  # bytes of the claim, but for its artifacts
_ESCAPED = 12  # bytes of one character, as JSON may have it
_SHORTEST = 20  # characters of a reason


def beyond_room(artifacts: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why there are too many `artifacts` to be validated at once, as `artifacts_of` names them, or None."""
    size = sum(_TIMES * _size(artifact) + _MORE for artifact in artifacts)
    if size <= _STATE - _REFUSALS - _CLAIM:
        return None
    return (
        f"the {len(artifacts)} artifacts that it loads are too many to be validated at once, with names as long as "
        "theirs: load fewer, give them shorter names, or register several packages"
    )


def refusals_in_room(refusals: Sequence[str], artifacts: int) -> list[str]:
    """Return those first `refusals` of one artifact, of so many, for which there is room; of the first at least a part.

    What is refused is never without a refusal.
    """
    room = _REFUSALS // max(artifacts, 1)
    sizes = accumulate(map(_size, refusals))
    found = [refusal for refusal, size in zip(refusals, sizes, strict=True) if size <= room]
    return found or [cut(refusal, max(room // _ESCAPED, _SHORTEST)) for refusal in refusals[:1]]


def _size(value: Any) -> int:
    return len(json.dumps(value)) + 1
