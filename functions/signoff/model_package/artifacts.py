"""The artifacts of a package: what it loads, in which form, and the inventory digest of many objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.canonical_json import digest
from signoff.documents.patterns import compiled_on_use
from signoff.model_package import data_sources
from signoff.model_package.data_sources import is_prefix
from signoff.service_model.shapes import objects

_THE_MODEL = compiled_on_use(r"Containers\[[0-9]+\]\.(ModelDataUrl$|ModelDataSource\.S3DataSource\.S3Uri$)")
# Documents that a package names, which no container loads.
QUALITY = "ModelMetrics.ModelQuality.Statistics"
BIAS = tuple(f"ModelMetrics.Bias.{name}" for name in ("Report", "PreTrainingReport", "PostTrainingReport"))
QUALITY_BASELINE = "DriftCheckBaselines.ModelQuality.Constraints"
BIAS_BASELINES = tuple(f"DriftCheckBaselines.Bias.{name}Constraints" for name in ("PreTraining", "PostTraining"))
ARCHIVE, OBJECT, DOCUMENT = "archive", "object", "document"
# All objects under a prefix: of a multi-model container each an archive, of uncompressed model data each a file.
ARCHIVES, FILES = "archives", "files"


def artifacts_of(described: Mapping[str, Any], documents: Sequence[str] = (QUALITY,)) -> list[dict[str, str]]:
    """Return the artifacts that a described package loads, and those `documents` that it names, by their paths.

    Each has a `name` (the path in the description), the `url` (`s3://...`) and a `kind`, one of the constants here.
    Hub content is not included: Signoff may not read it.
    """
    document = dict(described)
    found = [
        _artifact(f"{path}.ModelDataUrl", item["ModelDataUrl"], ARCHIVES, ARCHIVE)
        for path, item in objects(document, *data_sources.CONTAINERS, data_sources.ALGORITHMS)
        if item.get("ModelDataUrl")
    ]
    repeated = {
        f"{path}.ModelDataSource.S3DataSource"
        for path, item in objects(document, *data_sources.CONTAINERS, data_sources.ALGORITHMS)
        if data_sources.shown_twice(item)
    }
    for path, source in objects(document, *data_sources.SOURCES, *data_sources.OTHER_SOURCES):
        if path not in repeated:
            found += _of_source(path, source)
    named = ((name, document_named(described, name)) for name in documents)
    return [*found, *(_artifact(name, url, DOCUMENT, DOCUMENT) for name, url in named if url)]


def image_only(described: Mapping[str, Any]) -> list[str]:
    """Return the path of each container of a described package that loads no model: all it serves is its image.

    A model that is said to be elsewhere (of a product, in SageMaker's managed storage, in the hub) is not missing; see
    `signoff.model_package.subject.unpinned`.
    """
    return [] if described.get("ManagedStorageType") else without_model(described, *data_sources.CONTAINERS)


def without_model(document: Mapping[str, Any], *patterns: str) -> list[str]:
    """Return the path of each container or algorithm at `patterns` that names no model data and no product."""
    return [path for path, item in objects(dict(document), *patterns) if not _has_model(item)]


def _has_model(item: Mapping[str, Any]) -> bool:
    sources = objects(item, "ModelDataSource.S3DataSource")
    return bool(item.get("ModelDataUrl") or item.get("ProductId") or any(it.get("S3Uri") for _, it in sources))


def is_the_model(name: str) -> bool:
    """Whether an artifact, by its `name`, is the model that a container serves, and not an additional one."""
    return _THE_MODEL.search(name) is not None


def _of_source(path: str, source: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if source.get("S3Uri") and not data_sources.from_hub(source):
        kind = ARCHIVE if source.get("CompressionType") == "Gzip" else OBJECT
        yield _artifact(f"{path}.S3Uri", source["S3Uri"], FILES, kind)
    if source.get("ManifestS3Uri"):
        yield _artifact(f"{path}.ManifestS3Uri", source["ManifestS3Uri"], OBJECT, OBJECT)


def _artifact(name: str, url: str, several: str, one: str) -> dict[str, str]:
    return {"name": name, "url": url, "kind": several if is_prefix(url) else one}


def document_named(described: Mapping[str, Any], name: str) -> str | None:
    """Return the `s3://` URI of the document that a package names at that path, such as `QUALITY`, or None."""
    found: Any = described
    for field in (*name.split("."), "S3Uri"):
        found = (found or {}).get(field)
    return str(found) if found else None


def inventory(objects: Sequence[Mapping[str, Any]], fact: str) -> str:
    """Return a digest over one `fact` (`version_id`, `sha256`) of each of `objects`, with its `name`, in any order."""
    return digest(sorted([each["name"], each[fact]] for each in objects))


def content(artifacts: Sequence[Mapping[str, Any]]) -> str | None:
    """Return a digest over the bytes that a package loads, whatever they are called; None if it loads none."""
    return digest(sorted(str(each["sha256"]) for each in artifacts)) if artifacts else None
