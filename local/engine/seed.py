"""Seeds an account with what the examples need: a container image."""

import hashlib
import json
from typing import Any

import boto3

from local.engine.process import Engine

REPOSITORY = "sklearn-inference"
TAG = "1.7"
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 2,
            "digest": f"sha256:{'1' * 64}",
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": 2,
                "digest": f"sha256:{'2' * 64}",
            }
        ],
    },
    sort_keys=True,
)
# An image's digest is that of its manifest.
DIGEST = f"sha256:{hashlib.sha256(_MANIFEST.encode()).hexdigest()}"


def seed(engine: Engine, region: str | None = None) -> str:
    """Put the examples' image into the engine's registry, of another region if given; returns its URI with the tag.

    Idempotent.
    """
    settings, region = engine.environment(), region or engine.region
    ecr = boto3.client(
        "ecr",
        endpoint_url=engine.url,
        region_name=region,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
    _create_repository(ecr)
    _put_image(ecr)
    return f"{engine.account}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{TAG}"


def _create_repository(ecr: Any) -> None:
    try:
        ecr.create_repository(repositoryName=REPOSITORY)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return


def _put_image(ecr: Any) -> None:
    try:
        ecr.put_image(repositoryName=REPOSITORY, imageTag=TAG, imageManifest=_MANIFEST)
    except ecr.exceptions.ImageAlreadyExistsException:
        return
