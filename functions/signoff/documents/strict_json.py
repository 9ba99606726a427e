"""Reads JSON that means one thing only (RFC 8259, the interoperable part of it).

Python's own reader keeps the last of two equal keys, takes NaN for a number and a byte order mark for an accident;
two readers of such a document may see two different documents, of which only one is signed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from signoff.documents.faults import Fault, below

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
_MAX_DIGITS = 300


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, with every key it has."""


@dataclass(frozen=True)
class _NotJson:
    text: str


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> tuple[Any, list[Fault]]:
    """Return the value in `data` and all its faults, by path.

    With faults, the value is only useful to find more of them. Refused are: more than `max_bytes`, other encodings
    than UTF-8, a byte order mark, what is not JSON (with line and column), nesting deeper than MAX_DEPTH, keys given
    twice, NaN and Infinity, numbers too large for a double, and halves of surrogate pairs.
    """
    text, fault = _text(data, max_bytes)
    if fault:
        return None, [Fault("", fault)]
    try:
        raw = json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_constant=_NotJson,
            parse_int=_whole_number,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        return None, [Fault("", f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}")]
    except RecursionError:
        return None, [Fault("", f"is nested deeper than {MAX_DEPTH} levels")]
    reading = _Converter()
    value = reading.plain(raw, "", 1)
    return value, reading.faults


def _text(data: bytes, max_bytes: int) -> tuple[str, str | None]:
    if len(data) > max_bytes:
        return "", f"is {len(data):,} bytes long; at most {max_bytes:,} are allowed"
    if data.startswith(b"\xef\xbb\xbf"):
        return "", "begins with a byte order mark (BOM); save it as UTF-8 without one"
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", f"is not UTF-8: byte {error.start + 1} ({error.reason})"


def _whole_number(digits: str) -> int | _NotJson:
    return int(digits) if len(digits) <= _MAX_DIGITS else _NotJson(f"{digits[:20]}...")


def _number(digits: str) -> float | _NotJson:
    number = float(digits)
    return number if math.isfinite(number) else _NotJson(digits[:40])


@dataclass
class _Converter:
    """Converts the parser's output to plain values, and records each fault with its path."""

    faults: list[Fault] = field(default_factory=list)

    def plain(self, raw: Any, path: str, depth: int) -> Any:
        if isinstance(raw, _Pairs | list) and depth > MAX_DEPTH:
            self.faults.append(Fault(path, f"is nested deeper than {MAX_DEPTH} levels"))
            return None
        if isinstance(raw, _Pairs):
            return self._object(raw, path, depth)
        if isinstance(raw, list):
            return [self.plain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(raw)]
        if isinstance(raw, _NotJson):
            self.faults.append(Fault(path, f"is {raw.text}, which is not a valid JSON number"))
        elif isinstance(raw, str):
            self._whole_characters(raw, path)
        return raw

    def _object(self, pairs: _Pairs, path: str, depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, raw in pairs:
            here = below(path, key)
            if key in plain:
                self.faults.append(Fault(here, "is given more than once"))
            self._whole_characters(key, here)
            plain[key] = self.plain(raw, here, depth + 1)
        return plain

    def _whole_characters(self, text: str, path: str) -> None:
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.faults.append(Fault(path, "contains an unpaired surrogate, which cannot be encoded"))
