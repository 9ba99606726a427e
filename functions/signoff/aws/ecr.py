"""Container images by digest: a tag can be moved to another image after the approval."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message, ignoring
from signoff.errors import ObjectMissing, Transient
from signoff.model_package.images import ImageReference, by_digest, image_reference, in_region

DENIED = frozenset({"AccessDeniedException"})
NOT_THERE = frozenset({"RepositoryNotFoundException", "ImageNotFoundException"})
# Before a denial is taken for one that lasts: what comes of it is a refusal. The pause is in seconds.
_ASKED, _PAUSE = 3, 2.0
# Failures beside which an image may well be there: of its key, and of the registry that a repository is a cache of.
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html
_PASSING = {"KmsError", "UpstreamTooManyRequests", "UpstreamUnavailable"}


class ImageResolver:
    """Resolves the images of model packages in Amazon ECR of `region`, where SageMaker pulls them.

    `ecr` returns the client of a region.
    """

    def __init__(self, ecr: Callable[[str], Any], region: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._ecr = ecr
        self._pause = pause
        self.region = region

    def pinned(self, image: str) -> str:
        """Return `image` with its `@sha256:` digest, as ECR has it.

        Raises `ObjectMissing` when ECR has no such image, or has it in another region, and `Transient` when ECR cannot
        tell now. Only an image in a registry that is none of ECR's passes unasked, by its digest: SageMaker pulls it
        through a VPC or not at all.
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html (Image)
        """
        reference = image_reference(image)
        if reference is None:
            return by_digest(image)
        if reference.region != self.region:
            raise ObjectMissing(
                f"{image} is in {reference.region}, and SageMaker pulls images in the model's own region only: push it "
                f"to a repository in {self.region}"
            )
        return reference.at(self._digest(image, reference))

    def replica(self, pinned: str, region: str) -> str:
        """Return an image of ECR, named by digest, as it is in another `region`. Raises `ObjectMissing` if it is not.

        A model there pulls it from that region's registry of the same account, where ECR replicates it to.
        """
        there = in_region(pinned, region)
        reference = image_reference(there)
        if reference is None:
            raise ObjectMissing(f"{pinned} is in no private registry of Amazon ECR")
        try:
            self._digest(there, reference)
        except ObjectMissing as missing:
            raise ObjectMissing(f"{missing}. Replicate it to {region}, for a model there pulls it there") from missing
        return there

    def _digest(self, image: str, reference: ImageReference) -> str:
        return str(look_up(self._ecr(reference.region), image, reference, self._pause)["imageId"]["imageDigest"])


def look_up(ecr: Any, image: str, reference: ImageReference, pause: Callable[[float], None]) -> dict[str, Any]:
    """Return what BatchGetImage answers of `image`, which is named by tag or digest.

    Raises `ObjectMissing` when ECR has no such image or denies it, and `Transient` when ECR cannot tell now.
    """
    wanted = {"imageDigest": reference.digest} if reference.digest else {"imageTag": reference.tag or "latest"}
    which = {"registryId": reference.account, "repositoryName": reference.repository, "imageIds": [wanted]}
    try:
        answer = asking_again(lambda: dict(ecr.batch_get_image(**which)), pause)
    except ClientError as error:
        if error_code(error) not in NOT_THERE | DENIED:
            raise
        raise ObjectMissing(f"{image} cannot be resolved to a digest: {error_message(error)}") from error
    passing = [each for each in answer.get("failures", ()) if each.get("failureCode") in _PASSING]
    if passing:
        raise Transient(f"{image} could not be looked up: {passing[0]['failureCode']}, try again")
    found = answer["images"]
    if not found or reference.digest not in {None, found[0]["imageId"]["imageDigest"]}:
        raise ObjectMissing(f"{image} is not in its repository: push it, or correct the tag or digest")
    return dict(found[0])


def asking_again(ask: Callable[[], dict[str, Any]], pause: Callable[[float], None]) -> dict[str, Any]:
    """Return what `ask` returns, asking again after a `pause` where ECR denies it: a permission may just be granted."""
    for _ in range(_ASKED - 1):
        with ignoring(DENIED):
            return ask()
        pause(_PAUSE)
    return ask()
