"""What of a package was registered: the fields that say what it is, their digests, and how two packages differ in them.

Whoever may call UpdateModelPackage can change most of these after registration.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.documents.canonical_json import digest
from signoff.model_package.subject import ADDITIONAL, DEPLOYED_FIELDS, adds, as_asked, covers

REGISTERED_FIELDS = tuple(sorted(DEPLOYED_FIELDS | {"ModelMetrics"}))


def fingerprint(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each registered field that a package or a request has.

    Each additional specification has one of its own, under `AdditionalInferenceSpecifications.<Name>`. What SageMaker
    adds to a description of itself is left out, so that a request has the digests of what becomes of it.
    """
    parts = {field: document.get(field) for field in REGISTERED_FIELDS if field != ADDITIONAL}
    for specification in document.get(ADDITIONAL) or ():
        name = f"{ADDITIONAL}.{specification.get('Name')}"
        parts[name] = [*(parts.get(name) or ()), specification]  # nothing hides behind another of its name
    return {name: digest(as_asked(value)) for name, value in parts.items() if value}


def differing(found: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """Return the names of the parts in which two fingerprints differ, sorted."""
    return sorted(part for part in {*found, *known} if found.get(part) != known.get(part))


def changed_fields(
    described: Mapping[str, Any], request: Mapping[str, Any], added: Mapping[str, str] = {}
) -> list[str]:
    """Return the registered fields in which a described package is not what `request` asked for, sorted.

    `added` are the fingerprints of additional specifications that it may have besides.
    """
    requested = {specification.get("Name") for specification in request.get(ADDITIONAL) or ()}
    others = [each for each in described.get(ADDITIONAL) or () if not _is_added(each, requested, added)]
    shown = {**described, ADDITIONAL: others}
    return [field for field in REGISTERED_FIELDS if not _same(shown.get(field), request.get(field))]


def _is_added(specification: Mapping[str, Any], requested: set[Any], added: Mapping[str, str]) -> bool:
    ((part, sha256),) = fingerprint({ADDITIONAL: [specification]}).items()
    return specification.get("Name") not in requested and added.get(part) == sha256


def _same(found: Any, asked: Any) -> bool:
    return covers(found, asked) and not adds(found, asked) if asked else not found
