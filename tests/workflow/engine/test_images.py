"""The registry of images holds what the examples run in."""

from local.engine.process import Engine
from local.engine.seed import REPOSITORY, TAG, seed
from tests.support.aws import client


def test_the_seeded_image_is_found_by_its_tag_and_has_a_digest(engine: Engine) -> None:
    uri = seed(engine)
    again = seed(engine)

    found = client(engine, "ecr").batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])

    assert uri == again == f"{engine.account}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:{TAG}"
    assert found["images"][0]["imageId"]["imageDigest"].startswith("sha256:")
    assert found.get("failures", []) == []


def test_a_tag_that_is_not_there_is_a_failure(engine: Engine) -> None:
    seed(engine)

    found = client(engine, "ecr").batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "none"}])

    assert [failure["failureCode"] for failure in found["failures"]] == ["ImageNotFound"]
