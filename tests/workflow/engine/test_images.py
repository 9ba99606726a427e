"""The registry of images holds what the examples run in."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

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


# Scans

FOUND = [{"name": f"CVE-{number}", "severity": "HIGH"} for number in range(3)]


def pushed(engine: Engine, media_type: str = "application/vnd.oci.image.manifest.v1+json", **config: bool) -> Any:
    """Push an image with findings to a repository of its own; return what names it in requests."""
    ecr, name = client(engine, "ecr"), f"scanned-{uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name, imageScanningConfiguration=config)
    manifest = {"mediaType": media_type, "annotations": {"signoff.local/findings": json.dumps(FOUND)}}
    put = ecr.put_image(
        repositoryName=name, imageManifest=json.dumps(manifest), imageManifestMediaType=media_type, imageTag="1"
    )
    return {"repositoryName": name, "imageId": {"imageDigest": put["image"]["imageId"]["imageDigest"]}}


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_an_image_has_findings_once_it_is_scanned(engine: Engine) -> None:
    image, ecr = pushed(engine), client(engine, "ecr")

    before = refused(ecr.describe_image_scan_findings, **image)
    started = ecr.start_image_scan(**image)
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(**image, PaginationConfig={"PageSize": 2})
    answers = list(pages)

    assert (before, started["imageScanStatus"]["status"]) == ("ScanNotFoundException", "IN_PROGRESS")
    assert [len(page["imageScanFindings"]["findings"]) for page in answers] == [2, 1]
    assert answers[0]["imageScanStatus"]["status"] == "COMPLETE"
    assert answers[0]["imageScanFindings"]["findingSeverityCounts"] == {"HIGH": 3}
    assert isinstance(answers[0]["imageScanFindings"]["imageScanCompletedAt"], datetime)


def test_what_is_pushed_is_scanned_where_the_repository_says_so(engine: Engine) -> None:
    image, ecr = pushed(engine, scanOnPush=True), client(engine, "ecr")

    assert ecr.describe_image_scan_findings(**image)["imageScanStatus"]["status"] == "COMPLETE"


def test_a_list_of_images_is_not_scanned(engine: Engine) -> None:
    image, ecr = pushed(engine, "application/vnd.oci.image.index.v1+json", scanOnPush=True), client(engine, "ecr")

    assert refused(ecr.describe_image_scan_findings, **image) == "ScanNotFoundException"
    assert refused(ecr.start_image_scan, **image) == "UnsupportedImageTypeException"


def test_an_image_that_is_not_there_has_neither_scan_nor_signature(engine: Engine) -> None:
    image, ecr = pushed(engine), client(engine, "ecr")
    nowhere = {**image, "imageId": {"imageDigest": f"sha256:{'0' * 64}"}}

    assert refused(ecr.describe_image_scan_findings, **nowhere) == "ImageNotFoundException"
    assert refused(ecr.describe_image_signing_status, **nowhere) == "ImageNotFoundException"
    assert (
        refused(ecr.start_image_scan, repositoryName="none", imageId=image["imageId"]) == "RepositoryNotFoundException"
    )
    assert ecr.describe_image_signing_status(**image)["signingStatuses"] == []
