"""Contents as streams: read forward once, a bounded part of them in memory, whatever lies within whatever.

Nothing is extracted, imported or run. What cannot be read raises `Refused`, as an archive's own bytes do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from signoff.inflate import GIB, Refused

Severity = Literal["error", "warning"]
Report = Callable[[str, str, str, Severity], None]

PEEK = 4096  # bytes that may be looked at before they are read
BLOCK = 256 * 1024  # bytes that are read at once, and so held


class Reader(Protocol):
    """Bytes that are read forward once."""

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end. May raise `Refused`."""


class Truncated(Refused):
    """Raised when content ends where more was announced."""

    def __init__(self, offset: int) -> None:
        super().__init__("truncated-content", f"Ends at byte {offset}, in the middle of what it announced")


@dataclass
class Budget:
    """What all that lies within one artifact may come to, together; each part is refused once it is spent."""

    expanded: int = 200 * GIB
    members: int = 100_000
    depth: int = 5
    names: int = 64 * 1024 * 1024  # characters of the names in tar archives, which are remembered to find duplicates
    followed: int = 20_000_000  # characters of paths looked at to follow their links: a bound on time

    def spend(self, size: int) -> None:
        """Count `size` more expanded bytes. Raises `Refused` (`expansion-limit`)."""
        self.expanded -= size
        if self.expanded < 0:
            raise Refused("expansion-limit", "What lies within expands to more than all of it together may")

    def spend_member(self) -> None:
        """Count one more member of a nested archive. Raises `Refused` (`too-many-members`)."""
        self.members -= 1
        if self.members < 0:
            raise Refused("too-many-members", "The archives within hold more members than all of them together may")

    def spend_name(self, size: int) -> None:
        """Count `size` more characters of names in tar archives. Raises `Refused` (`too-many-members`)."""
        self.names -= size
        if self.names < 0:
            raise Refused("too-many-members", "The members' names take more characters than all of them together may")

    def follow(self, size: int) -> None:
        """Count `size` more characters looked at to follow a link. Raises `Refused` (`link-loop`)."""
        self.followed -= size
        if self.followed < 0:
            raise Refused("link-loop", "Is one of so many or such long links that they cannot be followed")


@dataclass
class Seen:
    """What content turned out to be: its kind (`names`), its first bytes, and the first of each kind within it.

    What lies in the folder `code` of an archive is told apart from what lies elsewhere.
    """

    kind: str | None = None
    head: bytes = b""
    within: dict[tuple[str, bool], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Where:
    """What is being looked at: a member's name, those of what it lies in before it, and how deep that is."""

    member: str
    _report: Report
    budget: Budget = field(default_factory=Budget)
    depth: int = 0
    outer: Where | None = None
    name: str = ""
    seen: Seen = field(default_factory=Seen)

    def report(self, rule: str, reason: str, severity: Severity = "error") -> None:
        """Tell a finding about it."""
        self._report(self.member, rule, reason, severity)

    def report_of(self, name: str, rule: str, reason: str, severity: Severity) -> None:
        """Tell a finding about something of that name that lies in it."""
        self._report(f"{self.member} > {name}", rule, reason, severity)

    def inner(self, name: str) -> Where:
        """Return where something of that name lies in it. Raises `Refused` (`nested-too-deep`)."""
        if self.depth >= self.budget.depth:
            raise Refused("nested-too-deep", f"Holds something more than {self.budget.depth} levels deep")
        member = f"{self.member} > {name}"
        return replace(self, member=member, depth=self.depth + 1, outer=self, name=name, seen=Seen())


class Peekable:
    """A reader whose next bytes can be looked at first, and that knows how far it has come."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ahead = b""
        self.offset = 0

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes (at most `PEEK`), fewer at the end, and leave them where they are."""
        if size > PEEK:
            raise ValueError(f"{size} bytes are more than may be looked at: {PEEK}")
        while len(self._ahead) < size and (more := self._reader.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        if self._ahead:
            part, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            part = self._reader.read(size)
        self.offset += len(part)
        return part

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes; ask for few, for they are held. Raises `Truncated` when there are fewer."""
        parts = []
        while size:
            part = self.read(min(size, BLOCK))
            if not part:
                raise Truncated(self.offset)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Pass over `size` bytes, or what is left of them; return how many that were."""
        before = self.offset
        while size and (part := self.read(min(size, BLOCK))):
            size -= len(part)
        return self.offset - before

    def drain(self) -> int:
        """Pass over all that is left; return how many bytes that were."""
        before = self.offset
        while self.read(BLOCK):
            pass
        return self.offset - before


class Part:
    """The next `size` bytes of a reader as a reader of their own. Raises `Truncated` when there are fewer."""

    def __init__(self, whole: Peekable, size: int) -> None:
        self._whole = whole
        self.left = size

    def read(self, size: int) -> bytes:
        """Return at most `size` of the part's next bytes, and none only at its end."""
        wanted = min(size, self.left)
        if not wanted:
            return b""
        part = self._whole.read(wanted)
        if not part:
            raise Truncated(self._whole.offset)
        self.left -= len(part)
        return part

    def drain(self) -> None:
        """Pass over what is left of it."""
        while self.read(BLOCK):
            pass


class Again:
    """Bytes that were read already, and then what follows them."""

    def __init__(self, before: bytes, following: Reader) -> None:
        self._before = memoryview(before)
        self._following = following

    def read(self, size: int) -> bytes:
        """Return at most `size` of the next bytes, and none only at the end."""
        part, self._before = bytes(self._before[:size]), self._before[size:]
        return part or self._following.read(size)


Scan = Callable[[Reader, Where], None]
