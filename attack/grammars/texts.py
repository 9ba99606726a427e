"""JSON that a reader takes as the same value: encodings, blanks, escapes, keys that are long or come twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

FAR = 20_000  # characters: more than anybody looks at before they read on

Write = Callable[[dict[str, Any]], bytes]


def _plain(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _first(key: str, value: object) -> Write:
    return lambda document: _plain({key: value, **document})


def _escaped(document: dict[str, Any]) -> bytes:
    """Every letter of every key is an escape."""
    text = json.dumps(document)
    for key in ("class_name", "module", "config", "__lambda__", "Lambda", "code", "__module__", "__class__"):
        text = text.replace(f'"{key}"', '"' + "".join(f"\\u{ord(each):04x}" for each in key) + '"')
    return text.encode()


def _encoded(encoding: str) -> Write:
    return lambda document: json.dumps(document).encode(encoding)


def _twice(document: dict[str, Any]) -> bytes:
    """Every key comes twice: first with nothing, then as it is."""
    return json.dumps(document).replace('"class_name":', '"class_name": "Dense", "class_name":').encode()


TEXTS: Mapping[str, Write] = {
    "plain": _plain,
    "compact": lambda document: json.dumps(document, separators=(",", ":")).encode(),
    "indented": lambda document: json.dumps(document, indent=4).encode(),
    "blanks-first": lambda document: b" " * FAR + _plain(document),
    "lines-first": lambda document: b"\r\n" * FAR + _plain(document),
    "blanks-within": lambda document: b"{" + b"\t" * FAR + _plain(document)[1:],
    "blanks-before-colons": lambda document: _plain(document).replace(b'":', b'" \n\t:'),
    "blanks-after": lambda document: _plain(document) + b"\n" * FAR,
    "form-feed": lambda document: b"\x0c" + _plain(document),
    "junk-after": lambda document: _plain(document) + b"}",
    "nul-after": lambda document: _plain(document) + b"\0",
    "long-key-first": _first("k" * FAR, 1),
    "long-value-first": _first("comment", "v" * FAR),
    "number-first": _first("comment", 10**4000),
    "nested-first": _first("comment", [[[[{}]]]] * 2_000),
    "objects-first": _first("comment", [{"a": 1}] * 5_000),
    "nan-first": _first("comment", float("nan")),
    "infinity-first": _first("comment", float("-inf")),
    "sorted": lambda document: json.dumps(document, sort_keys=True).encode(),
    "reversed": lambda document: _plain(dict(reversed(document.items()))),
    "escaped": _escaped,
    "escaped-slashes": lambda document: _plain(document).replace(b"keras.", b"keras\\u002e"),
    "twice": _twice,
    "utf-8-bom": _encoded("utf-8-sig"),
    "utf-16": _encoded("utf-16"),
    "utf-16-le": _encoded("utf-16-le"),
    "utf-16-be": _encoded("utf-16-be"),
    "utf-32": _encoded("utf-32"),
    "utf-32-le": _encoded("utf-32-le"),
    "utf-7": _encoded("utf-7"),
    "invalid-first": lambda document: b'{"\xff": 1, ' + _plain(document)[1:],
    "surrogate-first": lambda document: b'{"\\ud800": 1, ' + _plain(document)[1:],
    "control-first": lambda document: b'{"a\tb": 1, ' + _plain(document)[1:],
    "in-a-list": lambda document: b"[" + _plain(document) + b"]",
    "in-a-string": lambda document: json.dumps(json.dumps(document)).encode(),
    "comment-first": lambda document: b"// a model\n" + _plain(document),
}
"""How a JSON document is written, by its name."""
