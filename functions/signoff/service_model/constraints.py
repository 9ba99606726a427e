"""Checks a value against a botocore shape, completely.

botocore itself checks types, required members and minimum lengths before it sends a request; patterns, enums and
maxima it leaves to the service. A submitter should read every fault at once and before anything is created, so all of
them are checked here, for any service model that botocore carries. A shape is used by its attributes only (`type_name`,
`members`, `required_members`, `metadata`, `member`, `key`, `value`), so any object with these attributes works.

The constraint traits are those of https://smithy.io/2.0/spec/constraint-traits.html.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from signoff.documents.faults import Fault, below
from signoff.documents.suggestions import closest
from signoff.documents.text import beginning
from signoff.service_model import java_patterns

_TYPE_WORDS = {
    "structure": "an object",
    "map": "an object",
    "list": "a list",
    "string": "a string",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
    "blob": "bytes",
    "timestamp": "a time (ISO 8601)",
}
_BITS = {"integer": 31, "long": 63}
_SHOWN = 100  # characters of a value or pattern that a message repeats


def faults(shape: Any, value: Any, path: str = "") -> list[Fault]:
    """Return everything in `value` that `shape` does not allow, each fault by its path below `path`.

    `shape` is a botocore shape; `value` is what one would pass to boto3 (or the JSON of it). An empty list means that
    `value` satisfies the service model.
    """
    return list(iter_faults(shape, value, path))


def iter_faults(shape: Any, value: Any, path: str = "") -> Iterator[Fault]:
    """Yield what `faults` lists, one at a time, so that a caller may stop at as many as it wants to show."""
    if getattr(shape, "is_document_type", False):
        return
    if not _is_of_type(shape.type_name, value):
        yield Fault(path, f"must be {_TYPE_WORDS[shape.type_name]}, not {_kind(value)}")
        return
    yield from _size_faults(shape, value, path)
    check = _CHECKS.get(shape.type_name)
    if check is not None:
        yield from check(shape, value, path)


def _is_of_type(type_name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return type_name == "boolean"
    if type_name == "blob":  # botocore takes text for bytes, and anything it can read from for a streaming body
        return isinstance(value, str | bytes | bytearray) or hasattr(value, "read")
    if type_name == "timestamp":
        return isinstance(value, datetime | int | float) or (isinstance(value, str) and _is_iso_time(value))
    return isinstance(value, _PYTHON_TYPES.get(type_name, object))


_PYTHON_TYPES: dict[str, Any] = {
    "structure": Mapping,
    "map": Mapping,
    "list": list | tuple,
    "string": str,
    "integer": int,
    "long": int,
    "float": int | float | Decimal,
    "double": int | float | Decimal,
    "boolean": bool,
}


def _is_iso_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _size_faults(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    """Yield faults of `min` and `max`, which count characters, items, entries or bytes, or bound a number."""
    if isinstance(value, int | float | Decimal):
        size, unit = value, ""
        if shape.type_name in _BITS and not -(2 ** _BITS[shape.type_name]) <= value < 2 ** _BITS[shape.type_name]:
            yield Fault(path, f"must fit into {_BITS[shape.type_name] + 1} bits")
            return
    elif hasattr(value, "__len__"):
        size, unit = len(value), _UNITS.get(shape.type_name, "")
    else:
        return
    least, most = _bound(shape, "min"), _bound(shape, "max")
    if least is not None and size < least:
        yield Fault(path, f"must {'have' if unit else 'be'} at least {_counted(least, unit)}, not {_short(size)}")
    if most is not None and size > most:
        yield Fault(path, f"must {'have' if unit else 'be'} at most {_counted(most, unit)}, not {_short(size)}")


_UNITS = {"string": "character", "list": "item", "map": "entry", "blob": "byte"}
_PLURALS = {"entry": "entries"}


def _bound(shape: Any, name: str) -> float | None:
    bound = shape.metadata.get(name)
    return None if bound is None or not math.isfinite(bound) else bound


def _counted(number: float, unit: str) -> str:
    if not unit:
        return f"{number:,}"
    return f"{number:,} {unit if number == 1 else _PLURALS.get(unit, unit + 's')}"


def _string_faults(shape: Any, value: str, path: str) -> Iterator[Fault]:
    secret = bool(shape.metadata.get("sensitive"))
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield Fault(path, f"must be {_choices(value, enum)}, not {_shown(value)}")
    pattern = shape.metadata.get("pattern")
    if pattern:
        yield from _pattern_faults(pattern, value, path, secret=secret)


def _choices(value: str, enum: list[str]) -> str:
    if len(enum) <= 6:
        return "one of " + ", ".join(enum) if len(enum) > 1 else enum[0]
    near = closest(value, enum, 3)
    return f"one of {len(enum)} values" + (f" (closest: {', '.join(near)})" if near else f" ({enum[0]}, ...)")


def _pattern_faults(pattern: str, value: str, path: str, *, secret: bool) -> Iterator[Fault]:
    try:
        matched = java_patterns.matches(pattern, value)
    except TimeoutError:
        yield Fault(path, f"takes too long to match against the pattern {beginning(pattern, _SHOWN)}")
        return
    if not matched:
        what = "the value" if secret else _shown(value)
        yield Fault(path, f"must match the pattern {beginning(pattern, _SHOWN)} as a whole, and {what} does not")


def _list_faults(shape: Any, value: list[Any], path: str) -> Iterator[Fault]:
    for index, item in enumerate(value):
        yield from iter_faults(shape.member, item, f"{path}[{index}]")


def _map_faults(shape: Any, value: Mapping[Any, Any], path: str) -> Iterator[Fault]:
    for key, item in value.items():
        here = below(path, str(key))
        for fault in iter_faults(shape.key, key, here):
            yield Fault(here, f"its key {fault.message}")
        yield from iter_faults(shape.value, item, here)


def _structure_faults(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for name in shape.required_members:
        if name not in value:
            yield Fault(below(path, name), "is required and missing")
    for name, item in value.items():
        here = below(path, str(name))
        if name in shape.members:
            yield from iter_faults(shape.members[name], item, here)
        else:
            yield Fault(here, _unknown(str(name), shape))
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield Fault(path, f"must have exactly one of {', '.join(shape.members)}, not {len(value)}")


def _unknown(name: str, shape: Any) -> str:
    near = closest(name, shape.members)
    if near:
        return f"is not a field here; did you mean {near[0]}?"
    known = sorted(shape.members)
    return f"is not a field here; known are {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}"


_CHECKS: dict[str, Callable[[Any, Any, str], Iterator[Fault]]] = {
    "string": _string_faults,
    "list": _list_faults,
    "map": _map_faults,
    "structure": _structure_faults,
}


def _kind(value: Any) -> str:
    """Describe `value`, in JSON's terms where there are any."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    words = {str: "string", int: "whole number", float: "number", dict: "object", list: "list", tuple: "list"}
    word = words.get(type(value), type(value).__name__)
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}{'' if not isinstance(value, str) else ' ' + _shown(value)}"


def _short(number: Any) -> str:
    """Write a number, unless it has too many digits to read (or for Python to convert)."""
    return f"{number:,}" if abs(number) < 10**18 else "a number of more than 18 digits"


def _shown(value: str) -> str:
    return json.dumps(beginning(value, _SHOWN), ensure_ascii=False)
