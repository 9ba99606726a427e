"""JSON models, read to their end: a file that was cut off, or is no JSON at all, is no model.

Only what a cut or a mix-up changes is checked: how the text begins, and that its strings and brackets are closed. What
else Python's reader would refuse harms nobody: the framework refuses it too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras_words import KerasWords
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import OtherFormat, Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MOST_DEEP = 1000  # Python's own reader nests about as deep
_BEGIN = compiled_on_use(rb'[ \t\r\n]*(?:[\[{"0-9]|-[0-9I]|true\b|false\b|null\b|NaN\b|Infinity\b)')
_BLANK = compiled_on_use(rb"[ \t\r\n]*")
_STRING = compiled_on_use(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def is_json_text(head: bytes) -> bool:
    """Whether JSON text may begin with `head`: RFC 8259, and the numbers that Python's `json` has besides."""
    return _BEGIN.match(head) is not None


def json_text(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Read JSON text to its end, and look for layers of Keras in it.

    Reports what `keras_words` does; raises `Refused` (`unreadable-json`) where it is cut off or nested too deep, and
    `OtherFormat` where it does not begin as JSON does.
    """
    head = content.peek(4096)
    if not is_json_text(head) and _BLANK.fullmatch(head) is None:
        raise OtherFormat("does not begin as JSON in UTF-8 does")
    brackets, open_string, words = b"", b"", KerasWords(FindingCollector(context))
    while part := content.read(BLOCK):
        words.look(part)
        outside, open_string = _outside_strings(open_string + part)
        brackets = _unclosed(brackets + outside.translate(None, _NOT_BRACKETS))
    words.report()
    if open_string or brackets:
        where = "within a string" if open_string else f"with {len(brackets)} brackets that do not match"
        raise Refused("unreadable-json", f"Is JSON that is cut off or damaged: it ends {where}")


def _outside_strings(text: bytes) -> tuple[bytes, bytes]:
    """Return what lies outside of strings, and of a string that is still open what its end depends on."""
    if b"\\" not in text:  # most have no escapes, and this is many times faster
        parts = text.split(b'"')
        return b"".join(parts[::2]), b"" if len(parts) % 2 else b'"'
    outside = _STRING.sub(b"", text)
    begin = outside.find(b'"')
    if begin < 0:
        return outside, b""
    escapes = len(outside) - len(outside.rstrip(b"\\"))
    return outside[:begin], b'"\\' if escapes % 2 else b'"'


def _unclosed(brackets: bytes) -> bytes:
    """Return the brackets without all pairs. Raises `Refused` (`unreadable-json`) where they nest too deep."""
    for _ in range(MOST_DEEP):
        fewer = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    if len(brackets) > MOST_DEEP:
        raise Refused("unreadable-json", f"Is JSON that nests more than {MOST_DEEP} levels deep")
    return brackets
