"""Displays untrusted text so that it cannot be mistaken for Signoff's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice

# Control and format characters, halves of surrogate pairs, line and paragraph separators, and what is no character.
_NOT_SHOWN = {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}
_SHA256 = re.compile(r"(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")


def clean(text: object) -> str:
    """Return `text` on one line, without characters that would command the terminal or the mail it is shown in.

    Names in archives, reasons and faults contain text of those who submit or decide.
    """
    said = str(text)
    if said.isprintable():  # as almost everything is
        return said
    return "".join(" " if character in "\n\t" else _visible(character) for character in said)


def _visible(character: str) -> str:
    commands = unicodedata.category(character) in _NOT_SHOWN
    return f"\\u{ord(character):04x}" if commands else character


def short(arn: str | None) -> str:
    """Return the readable part of an ARN (`user/alice`), or `unknown`."""
    return clean(arn.split(":", 5)[-1] if arn else "unknown")


def brief_digests(text: object) -> str:
    """Return `text` with each SHA-256 in it by its first 12 digits, which is what people compare."""
    return _SHA256.sub(r"\1...", str(text))


def cut(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, ending in dots where something is left out."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def beginning(text: str, limit: int) -> str:
    """Return the first `limit` characters of `text`, with dots behind them where there are more."""
    return text if len(text) <= limit else f"{text[:limit]}..."


def cut_within(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, with dots in its middle: both ends of a path are informative."""
    half = (limit - 3) // 2
    return text if len(text) <= limit else f"{text[:half]}...{text[-half:]}"


def joined(items: Iterable[str], word: str) -> str:
    """Return at least one text as a list in a sentence, with `word` (and, or) before the last."""
    *others, last = items
    return f"{', '.join(others)} {word} {last}" if others else last


def counted(number: int, noun: str) -> str:
    """Return `number` of what `noun` names, such as `1 check` and `2 checks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fitting(sentences: Sequence[str], limit: int) -> list[str]:
    """Return those first of `sentences` that fit into `limit` characters together, with a space between them."""
    ends = accumulate((len(sentence) + 1 for sentence in sentences), initial=-1)
    return [sentence for sentence, end in zip(sentences, islice(ends, 1, None), strict=True) if end <= limit]


def one_line(text: object, limit: int) -> str:
    """Return `text` cleaned, its runs of white space as one space each, in at most `limit` characters.

    A long run of spaces would wrap where messages are shown, and what follows it would look like a line of ours.
    """
    return cut(" ".join(clean(text).split()), limit)


def storable(text: str) -> str:
    """Return `text` with unpaired surrogates, which JSON may contain, replaced by question marks."""
    return text.encode("utf-8", "replace").decode()
