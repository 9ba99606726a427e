"""A manifest's JSON Schema, for editors: from SageMaker's own service model, and what of Signoff's rules it can say.

What a schema refuses, `signoff manifest check` refuses too; the check knows more
(`signoff.model_package.package_rules`).
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from signoff.submission.manifest_shape import takes_s3_uri
from signoff_cli.manifests.ecma_patterns import ecma_pattern
from signoff_cli.manifests.schema_rules import LOCATION, RULES, Schema, location

if TYPE_CHECKING:
    from signoff.submission.manifest_shape import ManifestShape

_TYPES: dict[str, Schema] = {
    "string": {"type": "string"},
    "blob": {"type": "string"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "long": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": ["string", "number"]},
}
_BOUNDS = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
    **dict.fromkeys(("integer", "long", "float", "double"), ("minimum", "maximum")),
}
# An item of a list often opens with a paragraph, which goes on the line of its hyphen.
_ITEM = re.compile(r"<li> ?(?:<p> ?)?")
_BLOCK = re.compile(r"</?(?:p|ul|ol|dl|dt|dd|br|note|important)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")


def manifest_schema(shape: ManifestShape) -> Schema:
    """Return the JSON Schema (draft 2020-12) of manifests of this shape, JSON-ready."""
    writer = _SchemaWriter()
    manifest = writer.structure(shape.structure, shape.refused)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:signoff:manifest",
        "title": "Signoff manifest",
        "description": "What a submission says about itself, in the fields of SageMaker's CreateModelPackage.",
        **manifest,
        "$defs": {name: writer.defs[name] for name in sorted(writer.defs)},
    }


class _SchemaWriter:
    """Writes a schema for each shape once, into `defs`, and refers to it everywhere else."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {"Location": LOCATION}
        self._structures: dict[Any, str] = {}

    def structure(self, shape: Any, refused: Mapping[str, str]) -> Schema:
        """Return the schema of a structure; `refused` says by path from here why a field is not for a manifest."""
        properties = {name: self._member(shape, name, refused) for name in shape.members}
        properties |= {path: _refusal(why) for path, why in refused.items() if path.isidentifier()}
        schema: Schema = {
            "type": "object",
            "properties": dict(sorted(properties.items())),
            "additionalProperties": False,
        }
        if shape.required_members:
            schema["required"] = list(shape.required_members)
        if getattr(shape, "is_tagged_union", False):
            schema |= {"minProperties": 1, "maxProperties": 1}
        return _ruled(shape, schema)

    def _member(self, shape: Any, name: str, refused: Mapping[str, str]) -> Schema:
        member = shape.members[name]
        schema = location(shape, name, _bounds(member)) if takes_s3_uri(member) else None
        description = plain_text(getattr(member, "documentation", ""))
        return {
            **(schema or self._schema(member, _below(refused, name))),
            **({"description": description} if description else {}),
        }

    def _schema(self, shape: Any, refused: Mapping[str, str]) -> Schema:
        if getattr(shape, "is_document_type", False):
            return {}
        if shape.type_name == "structure":
            return self._structure(shape, refused)
        schema = _ruled(shape, {**self._items(shape, refused), **_bounds(shape), **_words(shape)})
        return schema if schema == _TYPES.get(shape.type_name) else self._defined(shape.name, schema)

    def _items(self, shape: Any, refused: Mapping[str, str]) -> Schema:
        if shape.type_name == "list":
            return {"type": "array", "items": self._schema(shape.member, _below(refused, "[]"))}
        if shape.type_name == "map":
            keys, values = self._schema(shape.key, {}), self._schema(shape.value, {})
            return {"type": "object", "propertyNames": keys, "additionalProperties": values}
        return dict(_TYPES[shape.type_name])

    def _structure(self, shape: Any, refused: Mapping[str, str]) -> Schema:
        same = (shape.name, tuple(shape.members), tuple(sorted(refused.items())))
        name = self._structures.get(same)
        if name is None:
            # Named before it is written: a structure may hold itself.
            name = self._structures[same] = self._free_name(shape.name)
            self.defs[name] = {}
            self.defs[name] = self.structure(shape, refused)
        return {"$ref": f"#/$defs/{name}"}

    def _defined(self, name: str, schema: Schema) -> Schema:
        if self.defs.get(name) != schema:
            name = self._free_name(name)
            self.defs[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def _free_name(self, name: str) -> str:
        number, free = 1, name
        while free in self.defs:
            number += 1
            free = f"{name}{number}"
        return free


def _ruled(shape: Any, schema: Schema) -> Schema:
    rules = RULES.get(shape.name)
    return {**schema, "allOf": list(rules)} if rules else schema


def _refusal(why: str) -> Schema:
    # `doNotSuggest` is VS Code's: what may not be written is not offered; its reason is shown all the same.
    return {"not": {}, "description": why, "doNotSuggest": True}


def _below(refused: Mapping[str, str], step: str) -> dict[str, str]:
    """Return what is refused below one step of a path: the name of a member, or `[]`."""
    return {
        path[len(step) :].removeprefix("."): why
        for path, why in refused.items()
        if path.startswith((f"{step}.", f"{step}[]"))
    }


def _bounds(shape: Any) -> Schema:
    least, most = _BOUNDS.get(shape.type_name, ("", ""))
    bounds = {least: shape.metadata.get("min"), most: shape.metadata.get("max")}
    return {word: bound for word, bound in bounds.items() if word and bound is not None and math.isfinite(bound)}


def _words(shape: Any) -> Schema:
    if shape.type_name != "string":
        return {}
    words: Schema = {}
    if shape.metadata.get("enum"):
        words["enum"] = list(shape.metadata["enum"])
    pattern = ecma_pattern(shape.metadata.get("pattern") or "")
    if shape.metadata.get("pattern") and pattern:
        words["pattern"] = pattern
    return words


def plain_text(html: str) -> str:
    """Return the text of botocore's documentation: paragraphs on lines of their own, lists with hyphens."""
    marked = _TAG.sub("", _BLOCK.sub("\n", _ITEM.sub("<br>- ", " ".join(html.split()))))
    lines = (line.strip() for line in unescape(marked).split("\n"))
    return "\n".join(line for line in lines if line)
