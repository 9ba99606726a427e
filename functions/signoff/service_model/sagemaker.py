"""botocore's own model of SageMaker: what each request may hold."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def sagemaker_shape(operation: str) -> Any:
    """Return the input shape of a SageMaker operation, such as `CreateModelPackage`.

    Needs no client, credentials or region. Raises botocore's OperationNotFoundError for an operation it does not know.
    """
    return _sagemaker().operation_model(operation).input_shape


@cache
def _sagemaker() -> Any:
    # Imported here: reading the model takes a tenth of a second that only a function that checks requests should pay.
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    loader = Loader()
    return ServiceModel(loader.load_service_model("sagemaker", "service-2"), "sagemaker")
