"""Limits on an archive's expansion and members, beyond which it is read no further, and the budget to track them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from signoff.artifact.streams.refusal import Refused

GIB = 1024**3  # bytes


class Limits(NamedTuple):
    """How far an archive may expand (bytes), and how many members it may hold, before reading stops.

    The ratio of expanded to compressed bytes counts only once more than `ratio_from` bytes have come out: a small
    file of zeros is no bomb. `nested` is how many levels deep archives may lie in archives.
    """

    expanded_size: int = 200 * GIB
    ratio: int = 1000
    ratio_from: int = GIB
    members: int = 100_000
    nested: int = 5


@dataclass
class Budget:
    """Limits on all nested content of one artifact together; content is refused once they are used up."""

    expanded: int = 200 * GIB
    members: int = 100_000
    depth: int = 5
    names: int = 64 * 1024 * 1024  # characters of the names in tar archives, which are remembered to find duplicates
    followed: int = 20_000_000  # characters of paths looked at to follow their links: a bound on time

    def spend(self, size: int) -> None:
        """Count `size` more expanded bytes. Raises `Refused` (`expansion-limit`)."""
        self.expanded -= size
        if self.expanded < 0:
            raise Refused("expansion-limit", "Its contents expand to more than the limit for all of them together")

    def spend_member(self) -> None:
        """Count one more member of a nested archive. Raises `Refused` (`too-many-members`)."""
        self.members -= 1
        if self.members < 0:
            raise Refused(
                "too-many-members", "The nested archives hold more members than the limit for all of them together"
            )

    def spend_name(self, size: int) -> None:
        """Count `size` more characters of names in tar archives. Raises `Refused` (`too-many-members`)."""
        self.names -= size
        if self.names < 0:
            raise Refused("too-many-members", "The members' names are longer than the limit for all of them together")

    def follow(self, size: int) -> None:
        """Count `size` more characters looked at to follow a link. Raises `Refused` (`link-loop`)."""
        self.followed -= size
        if self.followed < 0:
            raise Refused("link-loop", "Is one of too many or too long links to follow")
