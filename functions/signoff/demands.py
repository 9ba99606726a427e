"""What an artifact is held to by whoever inspects it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signoff.inflate import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Demands:
    """What an artifact must hold, and how far it may expand.

    `required_files` are globs (`fnmatch`) on the names of its files, without a leading `./`.
    """

    required_files: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
