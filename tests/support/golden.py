"""Golden documents: what the code made once of a certain input, kept as files, and compared line by line.

Sentences for people are behaviour too where they are hashed, but they are reworded more often than anything else
changes. So a document is kept in two files: one without its sentences and without the digests that depend on them, and
one of those sentences and digests alone. A reworded sentence changes the second and nothing else.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

WRITE = "GOLDEN_WRITE"
SENTENCE = "<sentence>"
_SENTENCES = {"reason", "because", "remedy", "cause", "message", "outstanding", "refusals", "ApprovalDescription"}
_SENTENCES |= {"ModelCardContent"}
_HEX = re.compile(r"[0-9a-f]{64}")
_WIDTH = 120
_LINES = 150  # of a difference: more of it says no more


@dataclass
class Redaction:
    """Puts `<sentence>` and `<digest n>` for what people are told and for what depends on that, and remembers both.

    `given` are sentences of the tests' own, which stay.
    """

    given: frozenset[str] = frozenset()
    sentences: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def hide(self, digest: str) -> None:
        """Have a digest shown by its number from now on."""
        self.digests.setdefault(digest, f"<digest {len(self.digests) + 1:02}>")

    def of(self, document: Any, name: str = "") -> Any:
        """Return `document` without its sentences, and with the digests that are hidden as their numbers."""
        if isinstance(document, dict):
            return {self._digests(key): self.of(value, key) for key, value in sorted(document.items())}
        if isinstance(document, list):
            return [self.of(each, name) for each in document]
        if not isinstance(document, str):
            return document
        return self._sentence(document) if name in _SENTENCES else self._digests(document)

    @property
    def hidden(self) -> dict[str, Any]:
        """All that was hidden: each sentence once, and the digests by their numbers."""
        return {"sentences": self.sentences, "digests": {name: value for value, name in self.digests.items()}}

    def _sentence(self, text: str) -> str:
        if text in self.given or not text:
            return text
        if text not in self.sentences:
            self.sentences.append(text)
        return SENTENCE

    def _digests(self, text: str) -> str:
        return _HEX.sub(lambda found: self.digests.get(found[0], found[0]), text)


def depends_on_sentences(redacted: Any) -> bool:
    """Return whether something was hidden in a document, so that its own digest has to be hidden as well."""
    return any(mark in json.dumps(redacted) for mark in (SENTENCE, "<digest "))


def as_json(document: Any) -> Any:
    """Return a document as it reads once it was written as JSON: nothing but JSON's own types, in one order."""
    return json.loads(json.dumps(document, sort_keys=True, default=str))


def compare(path: Path, found: Any) -> None:
    """Fail with the difference between the golden document at `path` and what was `found`.

    With GOLDEN_WRITE=1 in the environment what was found is written there, and the test fails to say so.
    """
    text = _written(as_json(found)) + "\n"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if text == kept:
        return
    if os.environ.get(WRITE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path.name} was written anew: look at its difference, then run again without {WRITE}")
    pytest.fail("\n".join(_difference(path, kept, text)), pytrace=False)


def _written(document: Any, margin: str = "") -> str:
    """Return a document as JSON: what fits into a line stands in one, so that a difference shows what it is in."""
    short = json.dumps(document, ensure_ascii=False)
    if len(margin) + len(short) <= _WIDTH or not isinstance(document, dict | list):
        return short
    inner = margin + " "
    if isinstance(document, list):
        parts, opened, closed = [_written(each, inner) for each in document], "[", "]"
    else:
        pairs = [(json.dumps(key, ensure_ascii=False), value) for key, value in document.items()]
        parts, opened, closed = [f"{key}: {_written(value, inner)}" for key, value in pairs], "{", "}"
    return f"{opened}\n" + ",\n".join(inner + part for part in parts) + f"\n{margin}{closed}"


def _difference(path: Path, kept: str, found: str) -> Iterator[str]:
    yield f"{path.parent.name}/{path.name} is not what the code makes any more:"
    lines = list(difflib.unified_diff(kept.splitlines(), found.splitlines(), "golden", "found", lineterm="", n=4))
    yield from lines[:_LINES]
    if len(lines) > _LINES:
        yield f"... and {len(lines) - _LINES} more lines"
