"""The API's rules on model data that its service model lacks: exclusive forms, and what a prefix may be.

From the API reference of S3ModelDataSource, ModelPackageContainerDefinition and AdditionalModelDataSource:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackageContainerDefinition.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from signoff.documents.faults import Fault, below
from signoff.model_package.data_sources import ALGORITHMS, CONTAINERS, OTHER_SOURCES, SOURCES, etags, is_prefix
from signoff.service_model.shapes import objects


def one_form(document: dict[str, Any]) -> Iterator[Fault]:
    """A container's model data has one form."""
    for path, item in objects(document, *CONTAINERS, ALGORITHMS):
        if "ModelDataUrl" in item and "ModelDataSource" in item:
            yield Fault(path, "has both ModelDataUrl and ModelDataSource; give one of them")


def prefixes(document: dict[str, Any]) -> Iterator[Fault]:
    """An S3Prefix ends in a slash and an S3Object does not; only what is not compressed is a prefix."""
    for path, source in objects(document, *SOURCES, *OTHER_SOURCES):
        uri, kind = source.get("S3Uri"), source.get("S3DataType")
        if isinstance(uri, str) and kind == "S3Prefix" and not is_prefix(uri):
            yield Fault(below(path, "S3Uri"), "must end in / where S3DataType is S3Prefix")
        if isinstance(uri, str) and kind == "S3Object" and is_prefix(uri):
            yield Fault(below(path, "S3Uri"), "must not end in / where S3DataType is S3Object")
        if kind == "S3Prefix" and source.get("CompressionType") == "Gzip":
            yield Fault(
                below(path, "CompressionType"), "must be None where S3DataType is S3Prefix: Gzip is for one object"
            )


def algorithms_load_one_object(document: dict[str, Any]) -> Iterator[Fault]:
    """An algorithm's ModelDataUrl is one archive: no container could run in another mode."""
    for path, algorithm in objects(document, ALGORITHMS):
        if is_prefix(str(algorithm.get("ModelDataUrl", ""))):
            yield Fault(below(path, "ModelDataUrl"), "must be one object, and not a prefix (it ends in /)")


def etags_are_of_objects(document: dict[str, Any]) -> Iterator[Fault]:
    """An ETag belongs to one object, whose location is beside it."""
    for path, item, _, location in etags(document):
        if location not in item:
            yield Fault(path, f"is the ETag of {location}, which is missing beside it")
        elif is_prefix(str(item[location])):
            yield Fault(path, f"is the ETag of one object, and {location} is a prefix; leave it out")


def channels_differ(document: dict[str, Any]) -> Iterator[Fault]:
    """Each additional source has its own channel, which is its folder in the container."""
    for path, container in objects(document, *CONTAINERS):
        sources = [source for _, source in objects(container, "AdditionalModelDataSources[]")]
        names = Counter(str(source.get("ChannelName")) for source in sources)
        if any(count > 1 for count in names.values()):
            yield Fault(below(path, "AdditionalModelDataSources"), "must each have a ChannelName of its own")


RULES = (one_form, prefixes, algorithms_load_one_object, etags_are_of_objects, channels_differ)
