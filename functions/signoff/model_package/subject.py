"""The subject: exactly what would be deployed, as one canonical document with a digest.

Evidence opens with the subject, a decision names the evidence, and `create_model` makes the subject again from what
SageMaker and S3 say then, so that what is signed is what is deployed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.canonical_json import digest
from signoff.model_package import data_sources
from signoff.service_model.shapes import objects

ADDITIONAL = "AdditionalInferenceSpecifications"
_DESCRIBED = {
    "InferenceSpecification": "inference_specification",
    ADDITIONAL: "additional_inference_specifications",
    "SourceAlgorithmSpecification": "source_algorithms",
    "SourceUri": "source_uri",
    "ManagedStorageType": "managed_storage",
}
# What SageMaker adds to a description: digests of the bytes it read, and a default.
_DIGESTS = frozenset({"ImageDigest", "ModelDataETag", "ETag", "ManifestEtag"})
_DEFAULTS = {"CompressionType": "None"}
_EMPTY: tuple[Any, ...] = ("", {}, [])
# Maps of people's own names and values, to which SageMaker adds nothing: even an empty value is one.
_MAPS = frozenset({"Environment"})
DEPLOYED_FIELDS = frozenset(_DESCRIBED)


def subject(
    described: Mapping[str, Any],
    deployment: Mapping[str, Any],
    images: Mapping[str, str],
    artifacts: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the subject of a described package.

    `described` is DescribeModelPackage's answer; `deployment` the policy's settings and the manifest's `Deployment`;
    `images` each image as described to the same image by digest; `artifacts` each with `url`, `key`, `version_id` and
    `sha256` of the vault's copy (of a prefix: what `artifacts.inventory` makes of all its objects).
    """
    document: dict[str, Any] = {ours: described.get(theirs) for theirs, ours in _DESCRIBED.items()}
    document["deployment"] = dict(deployment)
    document["images"] = dict(images)
    pinned = [{field: artifact[field] for field in ("url", "key", "version_id", "sha256")} for artifact in artifacts]
    document["artifacts"] = sorted(pinned, key=lambda artifact: str(artifact["url"]))
    return document


def described_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a subject says of the package itself, by SageMaker's names."""
    return {theirs: document.get(ours) for theirs, ours in _DESCRIBED.items()}


def subject_digest(document: Mapping[str, Any]) -> str:
    """Return the digest by which decisions and models name a subject."""
    return digest(document)


def specification_names(described: Mapping[str, Any]) -> list[str]:
    """Return the names of a described package's additional inference specifications, in their order."""
    return [str(each.get("Name")) for each in described.get(ADDITIONAL) or ()]


def with_specifications(described: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """Return a description with only those additional inference specifications whose names are among `names`."""
    others = {field: value for field, value in described.items() if field != ADDITIONAL}
    found = described.get(ADDITIONAL) or ()
    kept = [each for each in found if str(each.get("Name")) in names]
    return {**others, ADDITIONAL: kept} if kept else dict(others) if found else dict(described)


def as_signed(described: Mapping[str, Any], signed: Mapping[str, Any], known: Iterable[str] = ()) -> dict[str, Any]:
    """Return a description without the specifications that were added since it was `signed`, but for those `known`.

    Nobody can remove what others add, and no deployment can choose it: its name is not among what was signed.
    """
    there = signed.get(_DESCRIBED[ADDITIONAL]) or ()
    return with_specifications(described, {*known, *(str(each.get("Name")) for each in there)})


def changes(signed: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return the names of the parts of a subject that are not as they were signed."""
    return sorted(part for part in {*signed, *found} if signed.get(part) != found.get(part))


def covers(found: Any, asked: Any) -> bool:
    """Return whether `found` says all that `asked` says; SageMaker adds fields (digests, ETags) but changes none."""
    if isinstance(asked, Mapping):
        return isinstance(found, Mapping) and all(covers(found.get(field), asked[field]) for field in asked)
    if isinstance(asked, list | tuple):
        same_length = isinstance(found, list | tuple) and len(found) == len(asked)
        return same_length and all(covers(*pair) for pair in zip(found, asked, strict=True))
    return bool(found == asked)


def adds(found: Any, asked: Any) -> bool:
    """Return whether `found`, which covers `asked`, says more than SageMaker adds of itself: digests and ETags.

    An unrequested variable, channel or data source would be used, and is not part of what was registered.
    """
    if isinstance(asked, Mapping):
        more = found.keys() - asked.keys()
        if any(not _is_sagemakers(found, field) for field in more):
            return True
        return any(found[f] != asked[f] if f in _MAPS else adds(found[f], asked[f]) for f in asked)
    if isinstance(asked, list | tuple):
        return any(adds(*pair) for pair in zip(found, asked, strict=True))
    return False


def as_asked(value: Any) -> Any:
    """Return what somebody asked for of `value`, part of a description or of a request, without what SageMaker adds."""
    if isinstance(value, Mapping):
        kept = {field: item for field, item in value.items() if not _is_sagemakers(value, field)}
        return {field: item if field in _MAPS else as_asked(item) for field, item in kept.items()}
    return [as_asked(item) for item in value] if isinstance(value, list | tuple) else value


def _is_sagemakers(found: Mapping[str, Any], field: str) -> bool:
    """Return whether a field of a description may stand there although nobody asked for it."""
    value = found[field]
    repeated = field == "ModelDataSource" and data_sources.shown_twice(found)
    empty = value is None or value is False or value in _EMPTY
    return repeated or field in _DIGESTS or empty or _DEFAULTS.get(field) == value


def containers(described: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each container that a described package can run, with the path it stands at."""
    return objects(dict(described), *data_sources.CONTAINERS)


def unpinned(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return kind and path of each reference of a package to code or weights outside the vault."""
    found = [("algorithm", path) for path, _ in objects(dict(described), "SourceAlgorithmSpecification")]
    if described.get("SourceUri") and not described.get("InferenceSpecification"):
        found.append(("source_uri", "SourceUri"))
    if described.get("ManagedStorageType"):
        found.append(("managed_storage", "ManagedStorageType"))
    found += [
        ("marketplace", f"{path}.ProductId") for path, container in containers(described) if "ProductId" in container
    ]
    for path, source in objects(dict(described), *data_sources.SOURCES):
        if data_sources.from_hub(source):
            found.append(("hub", f"{path}.HubAccessConfig"))
        if "ManifestS3Uri" in source:
            found.append(("manifest_file", f"{path}.ManifestS3Uri"))
    return found


def images(described: Mapping[str, Any]) -> list[str]:
    """Return each image that a described package names, once, in order of appearance."""
    return list(dict.fromkeys(container["Image"] for _, container in containers(described) if container.get("Image")))
