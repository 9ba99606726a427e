"""What a JSON Schema can say simply of Signoff's own rules about manifests, by the names of SageMaker's shapes.

The rules themselves, and those that no schema can say, are `package_rules`, `data_rules` and
`deployment_rules` of `signoff.model_package`, and `signoff.submission.locations`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.model_package.customer_metadata import OWN_METADATA
from signoff.model_package.package_rules import METADATA_KEYS, OWN_METADATA_KEYS

Schema = dict[str, Any]

# One part of an object's name: not `.` or `..`, and without what `signoff.submission.locations` refuses in names.
_PART = r"(?!\.{1,2}(?:/|$))[^/\\?#\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+"
LOCATION: Schema = {
    "type": "string",
    "pattern": rf"^(?!.*%[0-9A-Fa-f]{{2}})(?:s3://[^/]+/)?{_PART}(?:/{_PART})*/?$",
    # VS Code shows this instead of the pattern.
    "patternErrorMessage": "Give the name of an object as it stands under the submission: no .. and no URL.",
    "description": "The name of an object of the submission, or of a prefix that ends in /; or its S3 URI.",
}
# A schema's patterns have no flag for it.
_OWN_IN_ANY_CASE = "^" + "".join(f"[{each.lower()}{each.upper()}]" if each.isalpha() else each for each in OWN_METADATA)
_A_LOCATION: Schema = {"$ref": "#/$defs/Location"}
_OUTPUT = "S3OutputPath"  # where SageMaker writes, and so no part of a submission


def _not_both(*fields: str) -> Schema:
    return {"not": {"required": list(fields)}}


def _one_of(*fields: str) -> Schema:
    return {"anyOf": [{"required": [field]} for field in fields]}


def _is(field: str, value: str) -> Schema:
    return {"properties": {field: {"const": value}}, "required": [field]}


def _then(condition: Schema, **fields: Schema) -> Schema:
    return {"if": condition, "then": {"properties": fields}}


# Where one container of a pipeline has a host name, all of them have.
_HOSTNAMES: Schema = {
    "properties": {
        "Containers": {
            "anyOf": [
                {"items": {"required": ["ContainerHostname"]}},
                {"items": {"not": {"required": ["ContainerHostname"]}}},
            ]
        }
    }
}
_PREFIXES = (
    _then(_is("S3DataType", "S3Prefix"), S3Uri={"pattern": "/$"}, CompressionType={"not": {"const": "Gzip"}}),
    _then(_is("S3DataType", "S3Object"), S3Uri={"not": {"pattern": "/$"}}),
    {"dependentRequired": {"ETag": ["S3Uri"]}},
)
# Hub content stays where it is: with access to the hub, any S3 URI may stand here.
_HUB: Schema = {
    **_then({"required": ["HubAccessConfig"]}, S3Uri={"anyOf": [_A_LOCATION, {"pattern": "^s3://"}]}),
    "else": {"properties": {"S3Uri": _A_LOCATION}},
}
_ONE_FORM = (_not_both("ModelDataUrl", "ModelDataSource"), {"dependentRequired": {"ModelDataETag": ["ModelDataUrl"]}})
_METADATA: Schema = {
    "maxProperties": METADATA_KEYS - OWN_METADATA_KEYS,
    "propertyNames": {"not": {"pattern": _OWN_IN_ANY_CASE}},
}

RULES: Mapping[str, tuple[Schema, ...]] = {
    "Manifest": (
        _one_of("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri"),
        {"properties": {"CertifyForMarketplace": {"const": False}}},
    ),
    "ModelPackageContainerDefinition": (_one_of("Image", "ProductId"), *_ONE_FORM),
    "SourceAlgorithm": _ONE_FORM,
    "S3ModelDataSource": (*_PREFIXES, _HUB, {"dependentRequired": {"ManifestEtag": ["ManifestS3Uri"]}}),
    "AdditionalS3DataSource": _PREFIXES,
    "InferenceSpecification": (_HOSTNAMES,),
    "AdditionalInferenceSpecificationDefinition": (_HOSTNAMES,),
    "Deployment": (_not_both("PrimaryContainer", "Containers"), _HOSTNAMES),
    "ContainerDefinition": ({"if": {"required": ["MultiModelConfig"]}, "then": _is("Mode", "MultiModel")},),
    "ImageConfig": ({"if": {"required": ["RepositoryAuthConfig"]}, "then": _is("RepositoryAccessMode", "Vpc")},),
    "CustomerMetadataMap": (_METADATA,),
}


def location(shape: Any, field: str, bounds: Schema) -> Schema | None:
    """Return the schema of a field of `shape` that takes an S3 URI; None where that is no part of a submission.

    `bounds` are those of the URI: a name that is relative to its submission is no longer than what it resolves to.
    """
    if field == _OUTPUT:
        return None
    maybe_in_a_hub = field == "S3Uri" and "HubAccessConfig" in shape.members
    most = {word: bound for word, bound in bounds.items() if word == "maxLength"}
    return {**({"type": "string"} if maybe_in_a_hub else _A_LOCATION), **most}
