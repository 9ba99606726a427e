"""Compares a model that SageMaker describes with the one that was requested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signoff.model_package.containers import PREFIX_MODE
from signoff.model_package.model_request import ETAG_OF, MODEL_DATA


def differences(request: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
    """Return the paths where DescribeModel differs from a CreateModel request.

    Unrequested fields that change what runs, or where, are differences too: a network, another container,
    more model data, a variable of a container that is written out. SageMaker's own additions (a mode, a hostname, the
    one form of model data beside the other) are none.
    """
    fields = {*request, "VpcConfig", "PrimaryContainer", "Containers"} - {"Tags"}
    found = {path for field in fields for path in _different(field, request.get(field), described.get(field))}
    if "InferenceExecutionConfig" not in request and _at(described, "InferenceExecutionConfig.Mode") == "Direct":
        found.add("InferenceExecutionConfig")
    return sorted(found)


def _different(path: str, asked: Any, found: Any) -> Iterator[str]:
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        for field in asked:
            yield from _different(f"{path}.{field}", asked[field], found.get(field))
        yield from (f"{path}.{field}" for field in _unasked(path, asked, found))
    elif isinstance(asked, list | tuple) and isinstance(found, list | tuple) and len(asked) == len(found):
        for position, pair in enumerate(zip(asked, found, strict=True)):
            yield from _different(f"{path}[{position}]", *pair)
    elif asked != found and not _both_empty(asked, found) and not _same_etag(path, asked, found):
        yield path


def _unasked(path: str, asked: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields of an object that were not requested and change what runs."""
    if path.endswith(".Environment"):
        yield from found.keys() - asked.keys()
    if "Image" in asked:
        fields = {"Environment", "AdditionalModelDataSources"} - asked.keys()
        yield from (field for field in fields if found.get(field))
        forms = {field: _at(found, field) for field in MODEL_DATA}
        wanted = {_at(asked, field) for field in MODEL_DATA}
        yield from (field.partition(".")[0] for field, location in forms.items() if location and location not in wanted)
        if "Mode" not in asked and found.get("Mode") == PREFIX_MODE:
            yield "Mode"


def _at(value: Any, path: str) -> Any:
    for field in path.split("."):
        value = value.get(field) if isinstance(value, Mapping) else None
    return value


def _same_etag(path: str, asked: Any, found: Any) -> bool:
    """Whether an ETag is not shown again, or differs only in the quotes that S3 writes it in.

    SageMaker has compared it when it made the model; that DescribeModel must show it, no document says.
    """
    return path.rpartition(".")[2] in ETAG_OF and (found is None or str(asked).strip('"') == str(found).strip('"'))


def _both_empty(asked: Any, found: Any) -> bool:
    return asked in (None, {}, []) and found in (None, {}, [])
