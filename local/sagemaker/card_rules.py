"""The published schema of a package's model card, as far as what is written there may be refused for.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

import json
from collections.abc import Iterator
from typing import Any

from local.sagemaker.account import Document, RequestRefused

Schema = dict[str, Any]


def check_card(card: Document) -> None:
    """Raise RequestRefused when the content of a card does not follow the schema."""
    content = card.get("ModelCardContent")
    if not content:
        return
    try:
        found = json.loads(content)
    except ValueError as error:
        raise RequestRefused(f"Model card content is not valid JSON: {error}") from error
    fault = next(_faults(_CARD, found, "$"), None)
    if fault:
        raise RequestRefused(f"Model card content does not follow the schema: {fault}")


def _text(longest: int, shortest: int = 0) -> Schema:
    return {"types": (str,), "shortest": shortest, "longest": longest}


def _object(members: dict[str, Schema], *required: str) -> Schema:
    return {"types": (dict,), "members": members, "required": required}


def _list(of: Schema, longest: int | None = None, shortest: int = 0) -> Schema:
    return {"types": (list,), "of": of, "longest": longest, "shortest": shortest}


def _map(of: Schema) -> Schema:
    return {"types": (dict,), "values": of}


def _texts(longest: int, *names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, _text(longest))


def _metric(kinds: tuple[str, ...], value: Schema, x: Schema, y: Schema) -> Schema:
    kind = {"types": (str,), "among": kinds}
    said = {"name": _text(255, 1), "notes": _text(1024), "type": kind, "value": value}
    return _object({**said, "x_axis_name": x, "y_axis_name": y}, "name", "type", "value")


_ANY: Schema = {"types": (object,)}
_NUMBER: Schema = {"types": (int, float)}
_AXIS, _AXES = _text(63), _list(_text(63))
_SIMPLE = {"types": (bool, int, float, str), "longest": 63}
_METRICS = {
    **dict.fromkeys(("number", "string", "boolean"), _metric(("number", "string", "boolean"), _SIMPLE, _AXIS, _AXIS)),
    "linear_graph": _metric(("linear_graph",), _list(_list(_NUMBER, 2, 2), None, 1), _AXIS, _AXIS),
    "bar_chart": _metric(("bar_chart",), _list(_NUMBER, None, 1), _AXES, _AXIS),
    "matrix": _metric(("matrix",), _list(_list(_NUMBER, 20, 1), 20, 1), _AXES, _AXES),
}
_GROUP = {
    **_object({"name": _text(63, 1), "metric_data": _list({"metric": True})}, "name", "metric_data"),
    "open": True,  # the only object of the schema that may have other members
}
_EVALUATION = _object(
    {
        "name": _text(63, 1),
        "evaluation_observation": _text(2096),
        "evaluation_job_arn": _text(256),
        "datasets": _list(_text(1024), 10),
        "metadata": _map(_text(1024)),
        "metric_groups": _list(_GROUP),
    },
    "name",
)
_CARD = _object(
    {
        "model_overview": _object({**_texts(1024, "model_creator"), "model_artifact": _list(_text(1024))}),
        "intended_uses": _object(
            {
                **_texts(2048, "purpose_of_model", "intended_uses", "factors_affecting_model_efficiency"),
                **_texts(2048, "explanations_for_risk_rating"),
                "risk_rating": {"types": (str,), "among": ("High", "Medium", "Low", "Unknown")},
            }
        ),
        "business_details": _object(_texts(2048, "business_problem", "business_stakeholders", "line_of_business")),
        "training_details": _object(
            {"objective_function": _ANY, "training_observations": _text(1024), "training_job_details": _ANY}
        ),
        "evaluation_details": _list(_EVALUATION),
        "additional_information": _object(
            {
                **_texts(2048, "ethical_considerations", "caveats_and_recommendations"),
                "custom_details": _map(_text(1024)),
            }
        ),
    }
)


def _faults(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if schema.get("metric"):
        kind = value.get("type") if isinstance(value, dict) else None
        schema = _METRICS.get(str(kind), _METRICS["number"])
    kinds = schema["types"]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
        yield f"{path} is no {' or '.join(kind.__name__ for kind in kinds)}"
        return
    yield from _measured(schema, value, path)
    if isinstance(value, dict):
        yield from _in_object(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(schema.get("of", _ANY), item, f"{path}[{index}]")


def _measured(schema: Schema, value: Any, path: str) -> Iterator[str]:
    longest = schema.get("longest")
    if isinstance(value, str | list):
        if longest is not None and len(value) > longest:
            yield f"{path} is longer than {longest}"
        if len(value) < schema.get("shortest", 0):
            yield f"{path} is shorter than {schema['shortest']}"
    if value not in schema.get("among", (value,)):
        yield f"{path} is none of {', '.join(schema['among'])}"


def _in_object(schema: Schema, value: Document, path: str) -> Iterator[str]:
    members = schema.get("members")
    yield from (f"{path} has no {name}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        if members is not None and name not in members and not schema.get("open"):
            yield f"{path} has no member {name}"
        else:
            yield from _faults((members or {}).get(name) or schema.get("values", _ANY), item, f"{path}.{name}")
