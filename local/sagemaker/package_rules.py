"""The API's rules on a model package: which fields go together, and what its data sources may be.

The rules are those of the API reference: CreateModelPackage, UpdateModelPackage, S3ModelDataSource,
InferenceSpecification and AdditionalInferenceSpecificationDefinition.

They are written down here once more and on purpose: had the engine Signoff's own rules (`signoff.model_package`), a
mistake in those would be one in its judge as well.
"""

from collections.abc import Iterator

from local.sagemaker.account import Document, RequestRefused

_MOST_ADDITIONAL = 15
_MOST_METADATA = 50


def check_new(request: Document) -> None:
    """Raise RequestRefused for a CreateModelPackage request of neither a version nor an unversioned package."""
    versioned = bool(request.get("ModelPackageGroupName"))
    if versioned and request.get("ModelPackageName"):
        raise RequestRefused(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if not versioned and not request.get("ModelPackageName"):
        raise RequestRefused("Missing ARN.")
    (_check_versioned if versioned else _check_unversioned)(request)
    check_specifications(request)


def check_specifications(request: Document) -> None:
    """Raise RequestRefused when a specification of a request, or one of its data sources, contradicts itself."""
    for path, container in _containers(request):
        check_data(container, path)
    check_additional(request.get("AdditionalInferenceSpecifications") or [])


def check_additional(specifications: list[Document]) -> None:
    """Raise RequestRefused when two additional specifications have one name, or there are too many."""
    names = [each["Name"] for each in specifications]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise RequestRefused(f"AdditionalInferenceSpecifications must have unique names, and {double} is there twice")
    if len(names) > _MOST_ADDITIONAL:
        raise RequestRefused(
            f"AdditionalInferenceSpecifications cannot exceed {_MOST_ADDITIONAL} in all, and these are {len(names)}"
        )


def check_metadata(metadata: dict[str, str]) -> None:
    """Raise RequestRefused when a package would have too many customer metadata properties."""
    if len(metadata) > _MOST_METADATA:
        raise RequestRefused(
            f"CustomerMetadataProperties cannot exceed {_MOST_METADATA} entries in all, and these are {len(metadata)}"
        )


def check_data(container: Document, path: str) -> None:
    """Raise RequestRefused when the model data of a container or algorithm is ambiguous or invalid."""
    if container.get("ModelDataUrl") and container.get("ModelDataSource"):
        raise RequestRefused(f"{path}: ModelDataUrl and ModelDataSource cannot both be specified")
    sources = [container.get("ModelDataSource") or {}, *(container.get("AdditionalModelDataSources") or [])]
    for source in sources:
        _check_source(source.get("S3DataSource") or {}, path)
    channels = [source["ChannelName"] for source in sources[1:]]
    if len(set(channels)) < len(channels):
        raise RequestRefused(f"{path}: each of AdditionalModelDataSources must have a ChannelName of its own")


def _check_source(source: Document, path: str) -> None:
    if source.get("S3DataType") != "S3Prefix":
        return
    if not source["S3Uri"].endswith("/"):
        raise RequestRefused(f"{path}: an S3Prefix must end with a forward slash, and {source['S3Uri']} does not")
    if source["CompressionType"] == "Gzip":
        raise RequestRefused(f"{path}: CompressionType Gzip takes an S3Object, not an S3Prefix")


def _check_versioned(request: Document) -> None:
    if request.get("Tags"):
        raise RequestRefused("Tags cannot be given for a model package in a group: tag the model package group")
    if request.get("CertifyForMarketplace"):
        raise RequestRefused("CertifyForMarketplace does not apply to versioned model packages")


def _check_unversioned(request: Document) -> None:
    if request.get("ModelApprovalStatus"):
        raise RequestRefused("ModelApprovalStatus does not apply to unversioned model packages")
    specification = request.get("InferenceSpecification")
    if not specification and not request.get("SourceAlgorithmSpecification"):
        raise RequestRefused(
            "An unversioned model package needs an InferenceSpecification or a SourceAlgorithmSpecification"
        )
    for name in ("SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes"):
        if specification and not specification.get(name):
            raise RequestRefused(f"InferenceSpecification.{name} is required for unversioned model packages")


def _containers(request: Document) -> Iterator[tuple[str, Document]]:
    specifications = [("InferenceSpecification", request.get("InferenceSpecification") or {})]
    for name in ("AdditionalInferenceSpecifications", "AdditionalInferenceSpecificationsToAdd"):
        specifications += [(f"{name}[{i}]", each) for i, each in enumerate(request.get(name) or [])]
    for path, specification in specifications:
        for index, container in enumerate(specification.get("Containers") or []):
            yield f"{path}.Containers[{index}]", container
    algorithms = (request.get("SourceAlgorithmSpecification") or {}).get("SourceAlgorithms") or []
    for index, algorithm in enumerate(algorithms):
        yield f"SourceAlgorithmSpecification.SourceAlgorithms[{index}]", algorithm
