"""Matches the Java patterns of AWS service models as Java would."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from signoff.documents.patterns import compiled_on_use

TIMEOUT_SECONDS = 1.0
_TOKEN = compiled_on_use(r"\\(?P<escaped>.)|(?P<bracket>[\[\]])|(?P<dot>\.)", re.DOTALL)
# Java's `.` stops at these ends of lines, which are neither Python's nor JavaScript's.
DOT = r"[^\n\r\u0085\u2028\u2029]"
# In Java these stand for ASCII only. Each ends in a range, after which a hyphen is literal: `[\w-]` keeps its meaning.
CHARACTERS = {
    "d": "0-9",
    "w": "0-9A-Z_a-z",
    "s": " \\t-\\r",
    "D": "\\0-/:-\U0010ffff",
    "S": "\\0-\\x08\\x0e-\\x1f!-\U0010ffff",
}
# Java reads a surrogate pair as the one character it encodes.
_ASTRAL = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")


def matches(pattern: str, value: str) -> bool:
    """Whether `value` matches a service model's `pattern`.

    SageMaker matches the whole value. So do other services, except where a pattern is anchored at its start only (as
    `^(range|count|sum)` of Systems Manager): such a pattern applies to the value's beginning.

    A pattern that cannot be compiled matches everything: only the service can check it then.
    Raises TimeoutError when matching takes longer than TIMEOUT_SECONDS.
    """
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    matcher = compiled.match if _says_only_the_beginning(pattern) else compiled.fullmatch
    return matcher(value, timeout=TIMEOUT_SECONDS) is not None


def _says_only_the_beginning(pattern: str) -> bool:
    return pattern.startswith("^") and "$" not in pattern


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import regex  # takes as long to import as a third of boto3, and most invocations check nothing against patterns

    for candidate in (_translated(pattern), pattern):
        try:
            return regex.compile(candidate)
        except regex.error:
            continue
    return None


def _translated(pattern: str) -> str:
    in_class = False

    def token(found: Any) -> str:
        nonlocal in_class
        if found["bracket"]:
            in_class = found["bracket"] == "["
            return str(found[0])
        if found["dot"]:
            return "." if in_class else DOT
        ascii_range = CHARACTERS.get(found["escaped"])
        if ascii_range is None:
            return str(found[0])
        return ascii_range if in_class else f"[{ascii_range}]"

    return str(_TOKEN.sub(token, pattern.replace(*_ASTRAL)))
