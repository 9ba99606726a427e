"""What a policy asks of images, on the engine: findings refuse a package, and a scan that is missing is waited for."""

import json
from typing import Any

from local.patches.image_scans import FINDINGS
from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package
from tests.support.submissions import Files, honest, specification
from tests.support.waiting import eventually

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
ESCAPE = {"name": "CVE-2026-1", "severity": "CRITICAL", "attributes": [{"key": "package_name", "value": "runc"}]}


def pushed(group: Group, *findings: dict[str, Any], scanned: bool) -> str:
    """Push an image with findings to a repository of the group's own, and return its name by digest."""
    ecr = group.pipeline.aws("ecr")
    ecr.create_repository(repositoryName=group.name, imageScanningConfiguration={"scanOnPush": scanned})
    manifest = {"mediaType": MEDIA_TYPE, "annotations": {FINDINGS: json.dumps(findings)}}
    answer = ecr.put_image(
        repositoryName=group.name, imageManifest=json.dumps(manifest), imageManifestMediaType=MEDIA_TYPE
    )
    return f"{REGISTRY}/{group.name}@{answer['image']['imageId']['imageDigest']}"


def running(image: str) -> Files:
    return honest(InferenceSpecification=specification(image=image))


def waited(package: Package) -> list[str]:
    """Why the newest execution of a package's validation asked again, if it did."""
    history = package.pipeline.aws("stepfunctions").get_paginator("get_execution_history")
    pages = history.paginate(executionArn=package.state.execution)
    details = [value for page in pages for event in page["events"] for value in event.values() if type(value) is dict]
    return [detail["cause"] for detail in details if detail.get("error") == "ScanPending"]


def test_a_package_is_rejected_for_what_a_scan_found_in_its_image(group: Group) -> None:
    group.policy(images={"block_at": "HIGH"})
    image = pushed(group, ESCAPE, scanned=True)

    package = group.submit(running(image)).package().until("ValidationFailed")

    status, why = package.registry
    (told,) = package.evidence()["images"]
    assert status == "Rejected"
    assert f"scan:{image}: 1 finding at HIGH or above: CVE-2026-1 CRITICAL in runc" in why
    assert (told["image"], told["scan"]["kind"], told["scan"]["counts"]) == (image, "basic", {"CRITICAL": 1})


def test_an_image_that_is_not_scanned_yet_is_waited_for_within_the_validation(group: Group) -> None:
    group.policy(images={"block_at": "HIGH"})
    image = pushed(group, {**ESCAPE, "severity": "LOW"}, scanned=False)
    package = group.submit(running(image)).package()
    eventually(lambda: package.state.execution and waited(package), what="the validation to wait for a scan")

    group.pipeline.aws("ecr").start_image_scan(
        repositoryName=group.name, imageId={"imageDigest": image.partition("@")[2]}
    )

    evidence = package.until("PendingApproval").evidence()
    assert evidence["images"][0]["scan"]["counts"] == {"LOW": 1}
    assert len(package.entries(Kind.VALIDATION_STARTED)) == 1
