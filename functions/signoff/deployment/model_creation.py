"""Creating one model in any account and region, and checking that it matches the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.sagemaker import Registry
from signoff.errors import LedgerConflict, ModelDiffers
from signoff.model_package.model_comparison import differences


def create_once(registry: Registry, request: Mapping[str, Any]) -> str:
    """Return the ARN of the model of a CreateModel `request`, created now unless it exists.

    Raises `RegistryRefused` with SageMaker's message, `ModelDiffers` when another model has its name, and
    `LedgerConflict` when it was deleted meanwhile: then the ledger has changed, too.
    """
    registry.create_model(request)
    described = registry.describe_model(request["ModelName"])
    if described is None:
        raise LedgerConflict(f"model {request['ModelName']} was deleted while it was being created")
    different = differences(request, described)
    if different:
        raise ModelDiffers(
            f"model {request['ModelName']} does not match what was signed: {', '.join(different)} differ"
        )
    return str(described["ModelArn"])
