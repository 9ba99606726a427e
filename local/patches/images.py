"""ECR: a request is about the registry that it names, and SageMaker finds an image in any account's registry.

Policies of repositories are not evaluated: any account of the engine may pull any image of any other.
"""

import re
from collections.abc import Callable
from typing import Any

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[^/]+/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


def install() -> None:
    """Patch ECR in the running emulator."""
    from ministack.services import ecr

    ecr._batch_get_image = _of_its_registry(ecr._batch_get_image)


def pulls(image: str) -> bool:
    """Whether an image of ECR is in the repository that its name says."""
    from ministack.core.responses import request_scope
    from ministack.services import ecr

    found = _IMAGE.fullmatch(image)
    if found is None:
        return False
    which = {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}
    with request_scope(found["account"], found["region"]):
        return ecr._find_image(found["repository"], which) is not None


def _of_its_registry(get: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def batch_get_image(request: dict[str, Any]) -> Any:
        from ministack.core.responses import get_account_id, get_region, request_scope

        with request_scope(request.get("registryId") or get_account_id(), get_region()):
            return get(request)

    return batch_get_image
