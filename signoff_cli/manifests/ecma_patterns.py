"""AWS service models carry Java patterns; JSON Schema wants ECMA-262's, as read with the `u` flag.

What is written here means the same to other engines too (`\\d` is written as `0-9`), for not every reader of a schema
is written in JavaScript.
"""

from __future__ import annotations

import re
from functools import lru_cache

from signoff.service_model.java_patterns import CHARACTERS, DOT

_ANYTHING = (r"[\s\S]", r"[\S\s]")
_CONTROLS = frozenset("tnrf")
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")  # what ECMA-262 lets a backslash stand before
_ESCAPE = re.compile(r"\\(?P<category>[pP]\{[A-Z][a-z]?\})|\\(?P<escaped>.)", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<class>\[\^?(?:\\.|&(?!&)|[^\[\]\\&])+\])"
    rf"|(?P<escape>{_ESCAPE.pattern.replace('P<', 'P<token_')})"
    r"|(?P<group>\(\?(?:[:=!]|<[=!]))"
    r"|(?P<unsayable>\(\?|[*+?}]\+|\$(?!\Z)[^{]|[\[\]^])"
    r"|(?P<end>\$(?:\{[1-9][0-9]*(?:,[0-9]*)?\})?\Z)"
    r"|(?P<quantifier>\{[0-9]+(?:,[0-9]*)?\}(?!\+))"
    r"|(?P<brace>[{}$])"
    r"|(?P<plain>.)",
    re.DOTALL,
)


class _NotExpressible(Exception):
    """Raised when a pattern holds what ECMA-262 has no exact word for."""


@lru_cache(maxsize=1024)
def ecma_pattern(pattern: str) -> str | None:
    """Return `pattern`, a service model's, as the `pattern` of a JSON Schema.

    It takes what `signoff.service_model.java_patterns` takes, anchored where that matches the whole value. Returns
    None when that cannot be said: possessive quantifiers, flags, classes within classes.
    """
    only_the_beginning = pattern.startswith("^") and "$" not in pattern
    try:
        inner = "".join(_written(found) for found in _TOKEN.finditer(pattern.removeprefix("^")))
    except _NotExpressible:
        return None
    return f"^(?:{inner}){'' if only_the_beginning else '$'}"


def _written(found: re.Match[str]) -> str:
    text = found[0]
    if text in _ANYTHING:
        return text
    if text == ".":
        return DOT
    if found["class"]:
        return _ESCAPE.sub(lambda escape: _escaped(escape[0], in_class=True), text)
    if found["escape"]:
        return _escaped(text, in_class=False)
    if found["end"]:
        return ""  # the schema's own `$` follows; that two patterns count an end (`${1,128}`) says nothing more
    if found["unsayable"] or found["brace"]:
        raise _NotExpressible(text)
    return text


def _escaped(escape: str, *, in_class: bool) -> str:
    character = escape[1]
    if len(escape) > 2 or character in _CONTROLS:
        return escape
    if character in CHARACTERS:
        return CHARACTERS[character] if in_class else f"[{CHARACTERS[character]}]"
    if character.isalnum():
        raise _NotExpressible(escape)
    return escape if character in _SYNTAX or (in_class and character == "-") else character
