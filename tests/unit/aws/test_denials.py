"""A denial is believed once it lasts: what comes of it is a refusal, which somebody has to answer."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.aws.ecr import ImageResolver
from signoff.errors import ObjectMissing

REPOSITORY, DIGEST = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn", f"sha256:{'a' * 64}"


class Denying:
    """Amazon ECR, which denies an image `times`, and then shows it."""

    def __init__(self, times: int) -> None:
        self.times = times

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        self.times -= 1
        if self.times >= 0:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchGetImage")
        return {"images": [{"imageId": {"imageDigest": DIGEST}}]}


def test_an_image_that_is_denied_once_is_asked_for_again():
    waited: list[float] = []
    ecr = Denying(times=2)
    images = ImageResolver(lambda _: ecr, "us-east-1", pause=waited.append)
    assert images.pinned(f"{REPOSITORY}:1.2") == f"{REPOSITORY}@{DIGEST}"
    assert waited == [2.0, 2.0]


def test_a_denial_that_lasts_is_a_missing_image():
    ecr = Denying(times=9)
    with pytest.raises(ObjectMissing, match="cannot be resolved to a digest: no"):
        ImageResolver(lambda _: ecr, "us-east-1", pause=lambda _: None).pinned(f"{REPOSITORY}:1.2")
