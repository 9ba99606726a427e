"""A policy's JSON Schema, for editors: from the structures that Signoff reads policies into.

What a schema refuses, `signoff policy check` refuses too, or it is an odd spelling; the check knows more.
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from signoff.policy.policy import Policy

Schema = dict[str, Any]

_EXAMPLE = {
    "description": "Two people decide, one of them from risk",
    "approvals": {
        "needed": 2,
        "approvers": ["arn:aws:identitycenter:::user/*@example.com"],
        "roles": {"risk": {"members": ["arn:aws:iam::123456789012:role/AWSReservedSSO_Risk_*"], "needed": 1}},
        "expiry": {"after": "P14D", "action": "reject", "reminders": ["P7D"]},
    },
    "metrics": [{"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.92}],
}


def policy_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of policy files, JSON-ready."""
    defined = _lean(msgspec.json.schema(Policy)["$defs"])
    for schema in defined.values():
        del schema["description"]  # the docstring, which is for who reads the code
    policy, deployment = defined.pop("Policy"), defined["Deployment"]
    # The CDK app fills the role in where a policy file leaves it out.
    for schema in (policy, deployment):
        del schema["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:signoff:policy",
        **policy,
        "title": "Signoff policy",
        "examples": [_EXAMPLE],
        "$defs": dict(sorted(defined.items())),
    }


def fields() -> Iterator[tuple[str, str, str, str]]:
    """Yield path, type, default and meaning of every field of a policy file, as docs/policy.md has them."""
    schema = policy_schema()
    yield from _fields({**schema["$defs"], "Policy": schema}, "Policy", "")


def _fields(made: Schema, name: str, above: str) -> Iterator[tuple[str, str, str, str]]:
    for field, schema in made[name]["properties"].items():
        path = f"{above}{field}"
        default = "required" if field in made[name].get("required", ()) else _default(schema)
        yield path, _kind(schema), default, schema["description"]
        inner, suffix = _inner(schema)
        if inner:
            yield from _fields(made, inner, f"{path}{suffix}.")


def _inner(schema: Schema) -> tuple[str | None, str]:
    """Return the structure that a field holds, if it holds any, and how its path goes on."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], ""
    if "anyOf" in schema:
        return _inner(schema["anyOf"][0])
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict) and "$ref" in schema[key]:
            return _inner(schema[key])[0], suffix
    return None, ""


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return f"`{msgspec.json.encode(default).decode()}`" if default or default is False else ""


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return _kind(schema["anyOf"][0])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("format") == "duration":
        return "duration"
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_kind(schema['additionalProperties'])}"
    return str(schema["type"])


def _lean(schema: Any) -> Any:
    """Return a schema without the defaults of whole structures, which say nothing."""
    if isinstance(schema, list | tuple):
        return [_lean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _lean(value) for key, value in schema.items() if not (key == "default" and "$ref" in schema)}
