"""JSON Schema (draft 2020-12) as an editor reads it: patterns are ECMA-262's, which Python's `re` cannot read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex
from jsonschema import Draft202012Validator, ValidationError, validators


@lru_cache
def _ecma(pattern: str) -> Any:
    # ECMA-262's end is the very end.
    return regex.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _ecma(pattern).search(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = validators.extend(Draft202012Validator, {"pattern": _pattern})


class Schema:
    """A schema, and what in a document it refuses."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._validator = _Validator(document)

    def accepts(self, value: Any) -> bool:
        return bool(self._validator.is_valid(value))

    def faults(self, value: Any) -> Iterator[str]:
        """Yield path and keyword of everything that is refused."""
        for error in self._validator.iter_errors(value):
            path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.absolute_path)
            yield f"{path} {error.validator or 'pattern'}"
