"""Manifests: what a submission says about itself, in SageMaker's own field names.

A manifest is a JSON object with any field of CreateModelPackage, and `Deployment` with those fields of CreateModel that
say how the containers run. A field that takes an S3 URI may hold a name relative to the submission instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from signoff.documents.faults import Fault, below
from signoff.documents.patterns import compiled_on_use
from signoff.errors import ManifestRefused
from signoff.model_package.data_sources import in_hub
from signoff.model_package.package_rules import RULES
from signoff.service_model.constraints import iter_faults
from signoff.service_model.shapes import mapped, strings
from signoff.submission.json_objects import MAX_FAULTS
from signoff.submission.locations import relative_name
from signoff.submission.manifest_shape import ManifestShape, takes_s3_uri

_INDEX = compiled_on_use(r"\[[0-9]+\]")
# Where SageMaker writes: the policy restricts that.
_OUTPUTS = frozenset({"S3OutputPath"})


def with_defaults(document: Mapping[str, Any], defaults: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `document` with each top-level field it lacks taken from `defaults` (a policy's registration defaults)."""
    return {**(defaults or {}), **document}


@dataclass(frozen=True)
class Manifest:
    """A manifest and the submission it belongs to: `s3://<bucket>/<prefix>/`, prefix as `<group>/<submission>`.

    `shape` is what `manifest_shape` makes of the input shapes of CreateModelPackage and CreateModel.
    """

    document: dict[str, Any]
    bucket: str
    prefix: str
    shape: ManifestShape

    def faults(self) -> list[Fault]:
        """Return everything that prevents this manifest from being registered, sorted by path.

        Accepts any JSON value. At most MAX_FAULTS are listed, and a last one says that there are more.
        """
        if not isinstance(self.document, dict):
            return [Fault("", "must be a JSON object")]
        found = list(dict.fromkeys(islice(self._iter_faults(), MAX_FAULTS + 1)))
        more = [Fault("", f"has more errors than the {MAX_FAULTS} listed")] if len(found) > MAX_FAULTS else []
        return sorted(found[:MAX_FAULTS]) + more

    def check(self) -> None:
        """Raise ManifestRefused with all `faults` when there are any."""
        faults = self.faults()
        if faults:
            raise ManifestRefused(faults)

    def locations(self) -> list[tuple[str, str]]:
        """Return path and value, as written, of every field that names what is submitted, in the document's order.

        Not those where SageMaker writes, nor hub content, which is not submitted.
        """
        in_hub_paths = in_hub(self.document)
        return [(path, value) for path, shape, value in self._strings() if _is_location(path, shape, in_hub_paths)]

    def objects(self) -> tuple[str, ...]:
        """Return the names, relative to the submission, that the manifest refers to: sorted, each once.

        A name that ends in `/` means all objects under it. Raises ManifestRefused when a location points outside.
        """
        return tuple(sorted({self._relative(path, value) for path, value in self.locations()}))

    def resolved(self, locate: Callable[[str], str]) -> dict[str, Any]:
        """Return a deep copy of the document where each location is `locate(relative name)`, an S3 URI.

        Raises ManifestRefused when a location points outside the submission.
        """
        in_hub_paths = in_hub(self.document)

        def change(path: str, shape: Any, value: str) -> str:
            return locate(self._relative(path, value)) if _is_location(path, shape, in_hub_paths) else value

        return dict(mapped(self.shape.structure, self.document, change))

    def images(self) -> list[tuple[str, str]]:
        """Return path and value of every container image, in the document's order."""
        return [(path, value) for path, shape, value in self._strings() if _is_image(shape)]

    def with_images(self, images: Mapping[str, str]) -> Manifest:
        """Return this manifest with each container image that is a key of `images` replaced by what it maps to."""

        def change(_path: str, shape: Any, value: str) -> str:
            return images.get(value, value) if _is_image(shape) else value

        return replace(self, document=mapped(self.shape.structure, self.document, change))

    def _strings(self) -> Iterator[tuple[str, Any, str]]:
        return strings(self.shape.structure, self.document)

    def relative(self, location: str) -> str:
        """Return the name, relative to the submission, that a location of model data means."""
        return self._relative("ModelDataUrl", location)

    def _relative(self, path: str, value: str) -> str:
        return relative_name(path, value, self.bucket, self.prefix)

    def _iter_faults(self) -> Iterator[Fault]:
        refused = {fault.path: fault for fault in self._refusals()}
        outside = [fault for fault in self._outside() if fault.path not in refused]
        yield from refused.values()
        yield from outside
        for rule in RULES:
            yield from rule(self.document)
        explained = refused.keys() | {fault.path for fault in outside}
        # SageMaker's constraints apply to the S3 URI that a relative name resolves to.
        for fault in iter_faults(self.shape.structure, self._absolute()):
            if fault.path not in explained:
                yield fault

    def _refusals(self) -> Iterator[Fault]:
        for path in _paths(self.document):
            reason = self.shape.refused.get(_INDEX.sub("[]", path))
            if reason:
                yield Fault(path, reason)

    def _outside(self) -> Iterator[Fault]:
        for path, value in self.locations():
            yield from self._location_faults(path, value)

    def _location_faults(self, path: str, value: str) -> Iterator[Fault]:
        try:
            self._relative(path, value)
        except ManifestRefused as refused:
            yield from refused.faults

    def _absolute(self) -> Any:
        in_hub_paths = in_hub(self.document)

        def change(path: str, shape: Any, value: str) -> str:
            if not _is_location(path, shape, in_hub_paths) or any(self._location_faults(path, value)):
                return value
            return f"s3://{self.bucket}/{self.prefix}/{self._relative(path, value)}"

        return mapped(self.shape.structure, self.document, change)


def _is_location(path: str, shape: Any, in_hub_paths: Set[str]) -> bool:
    return takes_s3_uri(shape) and path not in in_hub_paths and path.rpartition(".")[2] not in _OUTPUTS


def _is_image(shape: Any) -> bool:
    return bool(shape.name == "ContainerImage")


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            here = below(path, key)
            yield here
            yield from _paths(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{path}[{index}]")
