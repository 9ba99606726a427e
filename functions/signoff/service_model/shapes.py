"""Walks a document beside its botocore shape, and makes shapes of our own that look like botocore's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.documents.faults import below


@dataclass(frozen=True)
class StructureShape:
    """A structure made here, with the attributes of botocore's StructureShape that a check reads."""

    name: str
    members: Mapping[str, Any]
    required_members: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    type_name: str = "structure"
    documentation: str = ""


@dataclass(frozen=True)
class ListShape:
    """A list made here, with the attributes of botocore's ListShape that a check reads."""

    name: str
    member: Any
    metadata: Mapping[str, Any] = field(default_factory=dict)
    type_name: str = "list"


@dataclass(frozen=True)
class StringShape:
    """A string made here, with the attributes of botocore's StringShape that a check reads."""

    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    type_name: str = "string"
    documentation: str = ""


def strings(shape: Any, value: Any, path: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield path, shape and value of every string in `value` that `shape` knows, in the document's order."""
    if shape is None:
        return
    if isinstance(value, str):
        if shape.type_name == "string":
            yield path, shape, value
        return
    for here, child, item in _children(shape, value, path):
        yield from strings(child, item, here)


def mapped(shape: Any, value: Any, change: Callable[[str, Any, str], str], path: str = "") -> Any:
    """Return a deep copy of `value` where each string that `shape` knows is what `change(path, shape, it)` returns."""
    if isinstance(value, str):
        return change(path, shape, value) if shape is not None and shape.type_name == "string" else value
    copies = [mapped(child, item, change, here) for here, child, item in _children(shape, value, path)]
    if isinstance(value, dict):
        return dict(zip(value, copies, strict=True))
    return copies if isinstance(value, list) else value


def select(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything at `pattern` (`AdditionalInferenceSpecifications[].Containers[]`).

    Whatever is missing or of another type on the way is passed over.
    """
    name, _, rest = pattern.partition(".")
    key = name.removesuffix("[]")
    if not isinstance(value, dict) or key not in value:
        return
    here, item = below(path, key), value[key]
    found = [(here, item)]
    if name.endswith("[]"):
        found = [(f"{here}[{i}]", it) for i, it in enumerate(item)] if isinstance(item, list) else []
    for at, it in found:
        if rest:
            yield from select(it, rest, at)
        else:
            yield at, it


def objects(value: Any, *patterns: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and value of every object at the `patterns`, as `select` finds them."""
    for pattern in patterns:
        yield from ((path, item) for path, item in select(value, pattern) if isinstance(item, dict))


def _children(shape: Any, value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    type_name = getattr(shape, "type_name", None)
    if isinstance(value, dict):
        members = shape.members if type_name == "structure" else {}
        for key, item in value.items():
            yield below(path, key), shape.value if type_name == "map" else members.get(key), item
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield f"{path}[{index}]", shape.member if type_name == "list" else None, item
