"""Names and links inside an archive: which stay in the directory it is unpacked into, and which do not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote

from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import beginning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MAX_NAME = 4096  # Linux's PATH_MAX; a longer path cannot be unpacked
MAX_PART = 255  # bytes: Linux's NAME_MAX, and what SageMaker allows
MAX_FOLDED = 128 * 1024 * 1024  # characters of all names folded: some become many times as long
MAX_HOPS = 40  # links followed one after the other, as Linux does
SHOWN = 1024  # characters of a name that a report shows

DRIVE = compiled_on_use(r"[A-Za-z]:")
CONTROL = compiled_on_use(r"[\x00-\x1f\x7f-\x9f]")
# Invisible, but in no category that shows it: the Hangul fillers and the combining grapheme joiner.
INVISIBLE = "\u115f\u1160\u3164\uffa0\u034f\u2800"
NO_GLYPH = ("Cf", "Zl", "Zp")  # bidirectional controls, joiners, tags, byte order mark; line and paragraph separators
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = compiled_on_use(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])(\.|$)", re.IGNORECASE)
# What programs leave in a folder that people pack: copyfile(3) of macOS, its Finder, and Jupyter.
LEFT_OVER = compiled_on_use(r"(?:^|/)(?:\._|(\.DS_Store)$|(__MACOSX)(?:/|$)|(\.ipynb_checkpoints)(?:/|$))")
LEFT_BY = (
    "Holds macOS's attributes of another file (AppleDouble), and is no model",
    "Holds what macOS's Finder knows of a folder",
    "Holds macOS's attributes of other files",
    "Is or holds copies of files that Jupyter keeps, which nobody edits",
)
SEPARATOR = compiled_on_use(r"[/\\]")
# Characters that some file systems and libraries fold into dots and slashes.
LOOKALIKES = str.maketrans({"\u2024": ".", "\u2025": "..", "\ufe52": ".", "\uff0e": ".", "\uff0f": "/", "\uff3c": "\\"})


def normalised(name: str) -> str:
    """Return `name` without leading `./`, doubled slashes and a trailing slash; empty for the root itself."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def shown(name: str) -> str:
    """Return `name` for display: unprintable characters are escaped, a very long name is cut."""
    text = beginning(name, SHOWN)
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
        yield "backslash", "Has a name with a backslash, which some systems treat as a slash"
    yield from _part_faults(name)
    if not name.isascii():
        yield from _unicode_faults(name)


def _part_faults(name: str) -> Iterator[tuple[str, str]]:
    if len(name) > MAX_PART // 4 and any(len(_encoded(part)) > MAX_PART for part in name.split("/")):
        yield "name-too-long", f"Has a name with a component of more than {MAX_PART} bytes, which Linux does not allow"


def _unicode_faults(name: str) -> Iterator[tuple[str, str]]:
    if any("\ud800" <= character <= "\udfff" for character in name):
        yield "not-utf-8", "Has a name that is not UTF-8: readers decode it differently"
    hidden = sorted({c for c in name if c in INVISIBLE or unicodedata.category(c) in NO_GLYPH})
    if hidden:
        called = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in hidden[:3])
        yield "invisible-character", f"Has a name with invisible characters: {called}"


def _encoded(part: str) -> bytes:
    return part.encode("utf-8", "surrogatepass")


def warnings(name: str) -> Iterator[tuple[str, str]]:
    """Yield (rule, reason) for what programs left over, and for names that some systems do not unpack."""
    if left := LEFT_OVER.search(name, 0, MAX_NAME):
        yield "left-over", LEFT_BY[left.lastindex or 0]
    parts = [part for part in name[:MAX_NAME].split("/") if part.strip(". ")]
    if any(RESERVED.match(part) for part in parts):
        yield "reserved-name", "Has a name that Windows reserves for a device"
    if any(part[-1] in ". " for part in parts):
        yield "trailing-dot", "Has a name that ends in a dot or a space, which Windows removes"


def collisions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) for names, or directories in them, that are equal under another spelling.

    `names` are normalised. Some file systems ignore case or store names in another Unicode normalisation.
    """
    length, folded = 0, []
    for name in names:
        folded.append((_folded(name), name))
        length += len(folded[-1][0])
        if length > MAX_FOLDED:
            yield name, "Is one of so many long names that they cannot be compared ignoring case"
            return
    # Sorted, all that lies below one folded directory stands together: comparing neighbours finds every spelling.
    folded.sort()
    reported = set()
    for (one, before), (other, name) in pairwise(folded):
        pair = _first_difference(one, before, other, name)
        if pair and pair not in reported:
            reported.add(pair)
            yield pair[1], f"Is the same as {shown(pair[0])} if case and Unicode normalisation are ignored"


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower() + "/"
    # A part stays a part: some characters become a slash.
    return "".join(_folded_part(part).replace("/", "\0") + "/" for part in name.split("/"))


def _folded_part(part: str) -> str:
    """Return what all spellings of a name have in common (Unicode's compatibility caseless matching)."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", part).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def _first_difference(one: str, before: str, other: str, name: str) -> tuple[str, str] | None:
    """Return the shortest paths of two names that are the same folded and differ as they are written."""
    if one == before + "/" and other == name + "/":
        return None  # both are spelled as they are folded: they differ in more than spelling
    ones, others = one.split("/"), other.split("/")
    befores, names = before.split("/"), name.split("/")
    for at in range(min(len(befores), len(names))):
        if ones[at] != others[at]:
            return None
        if befores[at] != names[at]:
            return "/".join(befores[: at + 1]), "/".join(names[: at + 1])
    return None


def climbs(name: str) -> bool:
    """Whether `..` stands in `name` in any spelling: with backslashes, blanks, percent signs or look-alikes."""
    plain = unquote(name)
    if not plain.isascii():
        plain = plain.translate(LOOKALIKES)
    return ".." in plain and any(part.strip(" ") == ".." for part in SEPARATOR.split(plain))


def leaves(location: str) -> bool:
    """Whether a location named in a file leads out of that file's own directory, in any spelling."""
    if not location or location[0] in "/\\~" or "\\" in location or "://" in location:
        return True
    return bool(DRIVE.match(location) or CONTROL.search(location) or climbs(location))


@dataclass
class Links:
    """The symbolic links of an archive, by normalised name, and where a path leads when they are followed.

    `spend` receives the number of path characters that takes, and may raise `Refused`.
    """

    targets: Mapping[str, str]
    spend: Callable[[int], None]

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
                    raise Refused("link-loop", f"Is a link that leads through more than {MAX_HOPS} links, or in a loop")
                path.pop()
                todo += self._parts(onward)
        return "/".join(path)

    def _lookup(self, path: str) -> str | None:
        self.spend(len(path))
        return self.targets.get(path)

    def _parts(self, target: str) -> list[str]:
        """Return the parts of a link's target, last one first."""
        self.spend(len(target))
        if target.startswith("/") or DRIVE.match(target):
            raise Refused("link-leaves", "Is a link that leads to an absolute path, or to another link that does")
        if "\\" in target or CONTROL.search(target):
            raise Refused("link-leaves", "Is a link whose target holds a backslash or a control character")
        return [part for part in reversed(target.split("/")) if part not in ("", ".")]


def _climb(path: list[str]) -> None:
    if not path:
        raise Refused("link-leaves", "Is a link that leads out of the archive")
    path.pop()
