"""A policy's JSON Schema, for editors: from the structures that Signoff reads policies into.

What a schema refuses, `signoff policy check` refuses too, or it is an odd spelling; the check knows more.
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from signoff.artifact.requirements import KNOWN_FORMATS
from signoff.policy.approvals import MOST_NEEDED
from signoff.policy.policy import LIMITS, Policy
from signoff_cli.policies.fields import EXAMPLES, FIELDS, PERSONS

Schema = dict[str, Any]

# Days and shorter: months and years are of no certain length.
_DURATION = {
    "format": "duration",
    "pattern": r"^P(?=[0-9T])(N+D)?(T(?=[0-9])(N+H)?(N+M)?(N+S)?)?$".replace("N+", r"[0-9]+(\.[0-9]+)?"),
}
_NEEDED = {"minimum": 1, "maximum": MOST_NEEDED}
_ARN_PATTERN = {"pattern": r"^arn:([^:]*:){4}.+"}
# What the structures' own rules say beside their types.
_RULES: dict[str, dict[str, Schema]] = {
    "Approvals": {
        "needed": _NEEDED,
        "approvers": {"items": _ARN_PATTERN},
        "trusted_sessions": {"items": _ARN_PATTERN},
        "break_glass": {"items": _ARN_PATTERN},
        "publishers": {
            "propertyNames": {"pattern": r"^(?!aws\.|signoff)."},
            "additionalProperties": {"minItems": 1, "items": _ARN_PATTERN},
        },
    },
    "Artifact": {"formats": {"items": {"enum": list(KNOWN_FORMATS)}}},
    "ArtifactLimits": {name: {"minimum": least, "maximum": most} for name, (least, most) in LIMITS.items()},
    "Role": {"needed": _NEEDED, "members": {"minItems": 1, "items": _ARN_PATTERN}},
    "Submissions": {"submitters": {"items": _ARN_PATTERN}},
    "Validation": {"outputs": {"items": {"pattern": "^s3://.*/$"}}},
}


def policy_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of policy files, JSON-ready."""
    made = msgspec.json.schema(Policy)
    defined = {name: _structure(name, schema) for name, schema in made["$defs"].items()}
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


_EXAMPLE = {
    "description": "Two people decide, one of them from risk",
    "approvals": {
        "needed": 2,
        "approvers": ["arn:aws:identitycenter:::user/*@example.com"],
        "roles": EXAMPLES["Approvals"]["roles"][0],
        "expiry": {"after": "P14D", "action": "reject", "reminders": ["P7D"]},
    },
    "metrics": [{"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.92}],
}


def fields() -> Iterator[tuple[str, str, str, str]]:
    """Yield path, type, default and meaning of every field of a policy file, as docs/policy.md has them."""
    schema = policy_schema()
    yield from _fields({**schema["$defs"], "Policy": schema}, "Policy", "")


def _fields(made: Schema, name: str, above: str) -> Iterator[tuple[str, str, str, str]]:
    for field, schema in made[name]["properties"].items():
        path = f"{above}{field}"
        default = "required" if field in made[name].get("required", ()) else _default(schema)
        yield path, _kind(schema), default, FIELDS[name][field]
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


def _structure(name: str, schema: Schema) -> Schema:
    properties = {
        field: _described(name, field, _ruled(_lean(found), _RULES.get(name, {}).get(field, {})))
        for field, found in schema["properties"].items()
    }
    # The docstring is for who reads the code.
    return {**{key: value for key, value in schema.items() if key != "description"}, "properties": properties}


def _described(name: str, field: str, schema: Schema) -> Schema:
    told = FIELDS[name][field]
    told = f"{told} {PERSONS}" if "patterns of persons" in told else told
    examples = EXAMPLES.get(name, {}).get(field)
    return {**schema, "description": told, **({"examples": examples} if examples else {})}


def _lean(schema: Any) -> Any:
    """Return a schema without the defaults of whole structures, which say nothing, and with durations that can be."""
    if isinstance(schema, list | tuple):
        return [_lean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    lean = {key: _lean(value) for key, value in schema.items() if not (key == "default" and "$ref" in schema)}
    return {**lean, **_DURATION} if schema.get("format") == "duration" else lean


def _ruled(schema: Schema, rules: Schema) -> Schema:
    return {
        **schema,
        **{
            key: _ruled(schema[key], rule) if isinstance(schema.get(key), dict) and isinstance(rule, dict) else rule
            for key, rule in rules.items()
        },
    }
