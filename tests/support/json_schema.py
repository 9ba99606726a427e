"""As much of JSON Schema (draft 2020-12) as the schema of a manifest uses; any other keyword is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import regex

_ANNOTATIONS = {
    *("$schema", "$id", "$defs", "title", "description", "doNotSuggest", "patternErrorMessage"),
    *("then", "else"),  # read beside `if`
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: _TYPES["number"](value) and value == int(value),
}


class Schema:
    """A schema, and what in a document it refuses."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def accepts(self, value: Any) -> bool:
        return next(self.faults(value), None) is None

    def faults(self, value: Any) -> Iterator[str]:
        """Yield path and keyword of everything that is refused."""
        yield from self._faults(self._document, value, "")

    def _faults(self, schema: Any, value: Any, path: str) -> Iterator[str]:
        if isinstance(schema, bool):
            yield from () if schema else (f"{path} false",)
            return
        for word, argument in schema.items():
            if word in _ANNOTATIONS:
                continue
            for at, refused in self._refused(word, argument, schema, value):
                yield f"{path}{at} {refused}"

    def _refused(self, word: str, argument: Any, schema: dict[str, Any], value: Any) -> Iterator[tuple[str, str]]:
        if word in _TESTS:
            kind, test = _TESTS[word]
            if (kind is None or _TYPES[kind](value)) and not test(argument, value):
                yield "", word
        elif word == "$ref":
            yield from self._below(self._document["$defs"][argument.removeprefix("#/$defs/")], value)
        elif word in {"allOf", "anyOf", "not", "if"}:
            yield from self._combined(word, argument, schema, value)
        elif word in {"properties", "additionalProperties", "propertyNames", "items"}:
            yield from self._children(word, argument, schema, value)
        else:
            raise AssertionError(f"the schema uses {word}, which this reader does not know")

    def _children(self, word: str, argument: Any, schema: dict[str, Any], value: Any) -> Iterator[tuple[str, str]]:
        if word == "items":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from self._below(argument, item, f"[{index}]")
            return
        known = schema.get("properties", {})
        for name, item in value.items() if isinstance(value, dict) else ():
            if word == "properties" and name in argument:
                yield from self._below(argument[name], item, f".{name}")
            elif word == "additionalProperties" and name not in known:
                yield from self._below(argument, item, f".{name}")
            elif word == "propertyNames":
                yield from self._below(argument, name, f".{name}")

    def _combined(self, word: str, argument: Any, schema: dict[str, Any], value: Any) -> Iterator[tuple[str, str]]:
        if word == "allOf":
            for each in argument:
                yield from self._below(each, value)
        elif word == "anyOf":
            if all(any(self._faults(each, value, "")) for each in argument):
                yield "", word
        elif word == "not":
            if not any(self._faults(argument, value, "")):
                yield "", word
        else:
            chosen = "else" if any(self._faults(argument, value, "")) else "then"
            yield from self._below(schema.get(chosen, True), value)

    def _below(self, schema: Any, value: Any, at: str = "") -> Iterator[tuple[str, str]]:
        for fault in self._faults(schema, value, ""):
            deeper, _, word = fault.rpartition(" ")
            yield at + deeper, word


def _has_type(wanted: str | list[str], value: Any) -> bool:
    return any(_TYPES[each](value) for each in ([wanted] if isinstance(wanted, str) else wanted))


def _same(wanted: Any, value: Any) -> bool:
    return bool(wanted == value) and isinstance(wanted, bool) == isinstance(value, bool)


def _has_dependents(wanted: dict[str, list[str]], value: dict[str, Any]) -> bool:
    return all(name not in value or value.keys() >= set(names) for name, names in wanted.items())


@lru_cache
def _ecma(pattern: str) -> Any:
    # ECMA-262's end is the very end.
    return regex.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


_TESTS: dict[str, tuple[str | None, Callable[[Any, Any], bool]]] = {
    "type": (None, _has_type),
    "const": (None, _same),
    "enum": (None, lambda wanted, value: any(_same(each, value) for each in wanted)),
    "minimum": ("number", lambda least, value: value >= least),
    "maximum": ("number", lambda most, value: value <= most),
    "minLength": ("string", lambda least, value: len(value) >= least),
    "maxLength": ("string", lambda most, value: len(value) <= most),
    "pattern": ("string", lambda pattern, value: _ecma(pattern).search(value) is not None),
    "minItems": ("array", lambda least, value: len(value) >= least),
    "maxItems": ("array", lambda most, value: len(value) <= most),
    "minProperties": ("object", lambda least, value: len(value) >= least),
    "maxProperties": ("object", lambda most, value: len(value) <= most),
    "required": ("object", lambda names, value: value.keys() >= set(names)),
    "dependentRequired": ("object", _has_dependents),
}
