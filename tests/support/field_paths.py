"""Fields by their paths in a botocore shape: `Containers[].Environment{}` for each value of a map in each of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

_TOKEN = re.compile(r"\[\]|\{\}|[^.\[\]{}]+")
_VALUES: dict[str, Any] = {
    "boolean": True,
    "integer": 7,
    "long": 7,
    "float": 0.5,
    "double": 0.5,
    "timestamp": datetime(2026, 3, 2, 12, tzinfo=UTC),
}


@cache
def service_model() -> ServiceModel:
    """SageMaker's service model, as the installed botocore has it."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def paths(shape: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every field that holds no others, of a structure that has none the structure's own."""
    if shape is None:
        return
    if shape.type_name == "structure" and shape.members:
        for name, member in shape.members.items():
            yield from paths(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from paths(shape.member, f"{path}[]")
    elif shape.type_name == "map":
        yield from paths(shape.value, f"{path}{{}}")
    elif path:
        yield path


def at(document: Any, path: str) -> list[Any]:
    """Every value that stands at a path in a document; none where a part of the path is missing."""
    found = [document]
    for token in _TOKEN.findall(path):
        found = [value for each in found for value in _step(each, token)]
    return found


def _step(value: Any, token: str) -> list[Any]:
    if token == "[]":
        return list(value) if isinstance(value, list | tuple) else []
    if not isinstance(value, Mapping):
        return []
    if token == "{}":
        return list(value.values())
    return [value[token]] if token in value else []


def filled(shape: Any, path: str = "") -> Any:
    """A value of a shape in which every field is there, each string with its own path for a value."""
    if shape.type_name == "structure":
        return {name: filled(member, f"{path}.{name}" if path else name) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [filled(shape.member, f"{path}[]")]
    if shape.type_name == "map":
        return {"key": filled(shape.value, f"{path}{{}}")}
    if shape.type_name == "string":
        return (shape.metadata.get("enum") or [path])[0]
    return _VALUES[shape.type_name]
