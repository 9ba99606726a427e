"""The API's rules on a whole manifest that its service model lacks.

From the API reference of CreateModelPackage; rules on model data and containers are in modules of their own.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from signoff.documents.faults import Fault, below
from signoff.model_package import data_rules, deployment_rules
from signoff.model_package.customer_metadata import OWN_METADATA, is_signoffs
from signoff.model_package.data_sources import CONTAINERS
from signoff.service_model.shapes import objects

OWN_METADATA_KEYS = 8
METADATA_KEYS = 50
_TRANSFORM = "ValidationSpecification.ValidationProfiles[].TransformJobDefinition"


def _something_to_deploy(document: dict[str, Any]) -> Iterator[Fault]:
    sources = ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri")
    if not any(source in document for source in sources):
        yield Fault("", "names nothing to deploy: give InferenceSpecification (or SourceAlgorithmSpecification)")


def _containers_have_images(document: dict[str, Any]) -> Iterator[Fault]:
    for path, container in objects(document, *CONTAINERS):
        # A container of a product from the marketplace has the product's image.
        if "Image" not in container and "ProductId" not in container:
            yield Fault(below(path, "Image"), "is required and missing: a container needs an image to run")


def _metadata_keys(document: dict[str, Any]) -> Iterator[Fault]:
    for path, metadata in objects(document, "CustomerMetadataProperties"):
        for key in metadata:
            if is_signoffs(key):
                yield Fault(below(path, key), f"begins with {OWN_METADATA}, which is reserved for Signoff")
        if METADATA_KEYS - OWN_METADATA_KEYS < len(metadata) <= METADATA_KEYS:
            yield Fault(path, f"must have at most {METADATA_KEYS - OWN_METADATA_KEYS} entries: Signoff adds its own")


def _not_for_the_marketplace(document: dict[str, Any]) -> Iterator[Fault]:
    if document.get("CertifyForMarketplace") is True:
        yield Fault("CertifyForMarketplace", "is for unversioned packages, and a submission becomes a version")


def _validated_on_what_was_submitted(document: dict[str, Any]) -> Iterator[Fault]:
    for path, source in objects(document, f"{_TRANSFORM}.TransformInput.DataSource.S3DataSource"):
        if source.get("S3DataType") in ("ManifestFile", "AugmentedManifestFile"):
            message = "must be S3Prefix: a manifest file leads to objects outside the submission"
            yield Fault(below(path, "S3DataType"), message)


RULES: tuple[Callable[[dict[str, Any]], Iterator[Fault]], ...] = (
    _something_to_deploy,
    _containers_have_images,
    _metadata_keys,
    _not_for_the_marketplace,
    _validated_on_what_was_submitted,
    *data_rules.RULES,
    *deployment_rules.RULES,
)
