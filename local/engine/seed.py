"""Seeds an account with what the examples need: a container image, and held-out rows to measure models by."""

import hashlib
import json
from typing import Any

import boto3

from local.engine.process import Engine

HELD_OUT_KEY = "breast-cancer/rows.csv"
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
    region = region or engine.region
    ecr = _client(engine, "ecr", region)
    _create_repository(ecr)
    _put_image(ecr)
    return f"{engine.account}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{TAG}"


def seed_held_out(engine: Engine, rows: bytes) -> dict[str, str]:
    """Put held-out rows into a versioned bucket that the engine's submitter may not read.

    Returns the `uri`, `version` and `sha256` by which a policy's evaluation names them.
    """
    s3, bucket = _client(engine, "s3", engine.region), f"held-out-{engine.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{engine.account}:user/submitter"},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    version = s3.put_object(Bucket=bucket, Key=HELD_OUT_KEY, Body=rows)["VersionId"]
    uri = f"s3://{bucket}/{HELD_OUT_KEY}"
    return {"uri": uri, "version": version, "sha256": hashlib.sha256(rows).hexdigest()}


def _client(engine: Engine, service: str, region: str) -> Any:
    settings = engine.environment()
    return boto3.client(
        service,
        endpoint_url=engine.url,
        region_name=region,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )


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
