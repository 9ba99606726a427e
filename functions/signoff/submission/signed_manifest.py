"""Whether a registration asks SageMaker for what the signed manifest says, and for nothing else.

RegisterModel reads manifests, which may be hostile, and writes the registration. Here the two are only compared, field
by field: nothing of SageMaker's model is needed for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from signoff.documents import strict_json
from signoff.documents.faults import below
from signoff.governance.registrations import REGISTRATION_HINT
from signoff.model_package.content_digests import DIGEST, metrics_source, metrics_sources
from signoff.model_package.content_digests import written as digest_written
from signoff.model_package.images import image_reference
from signoff.submission.layout import MANIFEST
from signoff.submission.manifest import with_defaults

# What Signoff sets of itself beside the manifest; a project's group adds its id.
_OWN = frozenset({"ModelPackageGroupName", "ModelApprovalStatus", "ClientToken"})
_PROPERTIES, _PROJECT = "MetadataProperties", "MetadataProperties.ProjectId"

Same = Callable[[str, Any, Any], bool]


def unlike_manifest(
    registration: Mapping[str, Any], defaults: Mapping[str, Any] | None, home: str, manifest: bytes | None
) -> list[str]:
    """Return the fields in which a signed `registration` is not what its manifest and a policy's `defaults` ask for.

    `home` is the URI of the registration's copies, and `manifest` the bytes of that among them (None: there is none).
    A manifest that is not the signed one counts as a field.
    """
    signed = registration["digests"].get(MANIFEST)
    written: Any = {}
    if signed or manifest is not None:
        data = manifest or b""
        written, faults = strict_json.parse(data)
        if hashlib.sha256(data).hexdigest() != signed or faults or not isinstance(written, dict):
            return [MANIFEST]
    asked = with_defaults(written, defaults)
    made = _without_added_digests(_made(registration), asked, registration["digests"], home)
    return sorted(_different(asked, made, "", _same(registration, home)))


def _without_added_digests(
    made: dict[str, Any], asked: Mapping[str, Any], digests: Mapping[str, str], home: str
) -> dict[str, Any]:
    """Return what was made without the digests of metrics that nobody asked for, if they are those that were signed."""
    made = deepcopy(made)
    for part, report, source in metrics_sources(made):
        signed = digests.get(source["S3Uri"].removeprefix(home), "")
        if DIGEST not in metrics_source(asked, part, report) and source.get(DIGEST) == digest_written(signed):
            del source[DIGEST]
    return made


def _made(registration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was made of the manifest, in its form."""
    request = {name: value for name, value in registration["request"].items() if name not in _OWN}
    metadata = dict(request.pop("CustomerMetadataProperties", {}))
    metadata.pop(REGISTRATION_HINT, None)
    parts = {"CustomerMetadataProperties": metadata, "Deployment": registration["deployment"]}
    parts["EvaluationData"] = registration.get("evaluation_data")
    return {**request, **{name: value for name, value in parts.items() if value}}


def _same(registration: Mapping[str, Any], home: str) -> Same:
    """Return what compares a text as it was asked for, at a path, with what was made of it.

    Names of objects are replaced by their copies' URIs, tags of images by digests, and ETags by those of the copies.
    """

    def same(path: str, asked: Any, made: Any) -> bool:
        if asked == made or not (isinstance(asked, str) and isinstance(made, str)):
            return bool(asked == made)
        if path.endswith(".Image"):
            image = image_reference(asked)
            return image is not None and made == image.at(made.rpartition("@")[2])
        name = made.removeprefix(home)
        uploaded = asked.startswith("s3://") and asked.endswith(f"/{registration['submission']}/{name}")
        return path.endswith("ETag") or (made.startswith(home) and (asked == name or uploaded))

    return same


def _different(asked: Any, made: Any, path: str, same: Same) -> Iterator[str]:
    if isinstance(asked, Mapping) and isinstance(made, Mapping):
        yield from _different_members(asked, made, path, same)
    elif isinstance(asked, list) and isinstance(made, list) and len(asked) == len(made):
        for index, (one, other) in enumerate(zip(asked, made, strict=True)):
            yield from _different(one, other, f"{path}[{index}]", same)
    elif not same(path, asked, made):
        yield path


def _different_members(asked: Mapping[str, Any], made: Mapping[str, Any], path: str, same: Same) -> Iterator[str]:
    for name in asked.keys() | made.keys():
        here = below(path, name)
        if name in asked and name in made:
            yield from _different(asked[name], made[name], here, same)
        elif name in made and here == _PROPERTIES:
            yield from _different({}, made[name], here, same)
        elif here != _PROJECT and asked.get(name) != {}:
            yield here
