"""Container images by digest: a tag can be moved to another image after the approval."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message
from signoff.errors import ObjectMissing
from signoff.model_package.images import image_reference


class ImageResolver:
    """Resolves the images of model packages in Amazon ECR."""

    def __init__(self, ecr: Any) -> None:
        self._ecr = ecr

    def pinned(self, image: str) -> str:
        """Return `image` with its `@sha256:` digest. Raises `ObjectMissing` when it cannot be resolved."""
        if "@sha256:" in image:
            return image
        reference = image_reference(image)
        if reference is None:
            raise ObjectMissing(f"{image} is not a private Amazon ECR image; name it by its digest (@sha256:...)")
        try:
            answer = self._ecr.batch_get_image(
                registryId=reference.account,
                repositoryName=reference.repository,
                imageIds=[{"imageTag": reference.tag or "latest"}],
            )
        except ClientError as error:
            if error_code(error) not in {
                "RepositoryNotFoundException",
                "AccessDeniedException",
                "ImageNotFoundException",
            }:
                raise
            raise ObjectMissing(f"{image} cannot be resolved to a digest: {error_message(error)}") from error
        found = [answered["imageId"]["imageDigest"] for answered in answer["images"]]
        if not found:
            raise ObjectMissing(f"{image} is not in its repository: push it, or correct the tag")
        return reference.at(found[0])
