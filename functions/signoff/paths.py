"""Names and links inside an archive: which stay in the directory it is unpacked into, and which do not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from signoff.inflate import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_NAME = 4096  # Linux's PATH_MAX; a longer path cannot be unpacked
MAX_HOPS = 40  # links followed one after the other, as Linux does
MAX_FOLLOWED = 20_000_000  # characters of paths looked at for all links together: a bound on time
SHOWN = 1024  # characters of a name that a report shows

DRIVE = re.compile(r"[A-Za-z]:")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SEPARATOR = re.compile(r"[/\\]")
# Characters that some file systems and libraries fold into dots and slashes.
LOOKALIKES = str.maketrans({"\u2024": ".", "\u2025": "..", "\ufe52": ".", "\uff0e": ".", "\uff0f": "/", "\uff3c": "\\"})


def normalised(name: str) -> str:
    """Return `name` without leading `./`, doubled slashes and a trailing slash; empty for the root itself."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def shown(name: str) -> str:
    """Return `name` fit for a report: what does not print is escaped, what is very long is cut."""
    text = name if len(name) <= SHOWN else name[:SHOWN] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def faults(name: str) -> Iterator[tuple[str, str]]:
    """Yield (rule, reason) for everything in a member's name that makes it unsafe to unpack."""
    if len(name) > MAX_NAME:
        yield "name-too-long", f"Has a name of {len(name)} characters; a path may have {MAX_NAME}"
        return
    if name.startswith("/"):
        yield "absolute-name", "Has an absolute name: it would be unpacked outside the model's directory"
    if DRIVE.match(normalised(name)):
        yield "drive-letter", "Has a name with a drive letter"
    if climbs(name):
        yield "parent-directory", "Has a name with `..`: it would climb out of the model's directory"
    if CONTROL.search(name):
        yield "control-character", "Has a name with NUL or another control character"
    if "\\" in name:
        yield "backslash", "Has a name with a backslash, which some systems take for a slash"


def climbs(name: str) -> bool:
    """Whether `..` stands in `name` in any spelling: with backslashes, blanks, percent signs or look-alikes."""
    plain = unquote(name).translate(LOOKALIKES)
    return ".." in plain and any(part.strip(" ") == ".." for part in SEPARATOR.split(plain))


@dataclass
class Links:
    """The symbolic links of an archive, by normalised name, and where a path leads when they are followed."""

    targets: dict[str, str] = field(default_factory=dict)
    _followed: int = 0

    def from_symbolic(self, name: str, target: str) -> str:
        """Return the normalised path that a symbolic link of this normalised name leads to."""
        return self._resolve(name.split("/")[:-1], target)

    def from_hard(self, target: str) -> str:
        """Return the normalised path that a hard link leads to; its target counts from the archive's root."""
        return self._resolve([], target)

    def _resolve(self, start: Sequence[str], target: str) -> str:
        path, todo, hops = list(start), self._parts(target), 0
        while todo:
            if (part := todo.pop()) == "..":
                _climb(path)
                continue
            path.append(part)
            onward = self._lookup("/".join(path))
            if onward is not None:
                hops += 1
                if hops > MAX_HOPS:
                    raise Refused("link-loop", f"Is a link that leads to more than {MAX_HOPS} links, or in a circle")
                path.pop()
                todo += self._parts(onward)
        return "/".join(path)

    def _lookup(self, path: str) -> str | None:
        self._spend(len(path))
        return self.targets.get(path)

    def _parts(self, target: str) -> list[str]:
        """Return the parts of a link's target, last one first."""
        self._spend(len(target))
        if target.startswith("/") or DRIVE.match(target):
            raise Refused("link-leaves", "Is a link that leads to an absolute path, or to another link that does")
        if "\\" in target or CONTROL.search(target):
            raise Refused("link-leaves", "Is a link whose target holds a backslash or a control character")
        return [part for part in reversed(target.split("/")) if part not in ("", ".")]

    def _spend(self, characters: int) -> None:
        self._followed += characters
        if self._followed > MAX_FOLLOWED:
            raise Refused("link-loop", "Is one of so many or such long links that they cannot be followed")


def _climb(path: list[str]) -> None:
    if not path:
        raise Refused("link-leaves", "Is a link that leads out of the archive")
    path.pop()
