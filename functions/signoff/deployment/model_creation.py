"""Making one model, wherever it is: created once, and looked at to be what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.sagemaker import Registry
from signoff.errors import LedgerConflict, ModelDiffers
from signoff.model_package.model_comparison import differences


def create_once(registry: Registry, request: Mapping[str, Any]) -> str:
    """Return the ARN of the model that a CreateModel `request` asks for, made now unless it is there already.

    Raises `RegistryRefused` in SageMaker's words, `ModelDiffers` when another model has its name, and `LedgerConflict`
    when somebody has deleted it meanwhile: then the ledger has moved, too.
    """
    registry.create_model(request)
    described = registry.describe_model(request["ModelName"])
    if described is None:
        raise LedgerConflict(f"model {request['ModelName']} was retired while it was created: look again")
    different = differences(request, described)
    if different:
        raise ModelDiffers(f"model {request['ModelName']} is not what was signed: {', '.join(different)} differ")
    return str(described["ModelArn"])
