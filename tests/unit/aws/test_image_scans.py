"""Scans and signatures as ECR answers: each request and answer is checked against the API's model."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from signoff.aws.image_scans import ImageScans
from signoff.errors import ScanMissing, ScanPending, Transient
from signoff.model_package.image_scans import Scan

REPOSITORY, DIGEST = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn", f"sha256:{'a' * 64}"
IMAGE = f"{REPOSITORY}@{DIGEST}"
WHERE = {"registryId": "123456789012", "repositoryName": "sklearn"}
RESOURCE = f"arn:aws:ecr:us-east-1:123456789012:repository/sklearn/{DIGEST}"
AMD, ARM = f"sha256:{'b' * 64}", f"sha256:{'c' * 64}"
RELEASE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release"
OCI = "application/vnd.oci.image.index.v1+json"
ENDED, LATER = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 8, 10, tzinfo=UTC)


@pytest.fixture
def ecr() -> Iterator[Stubber]:
    client = boto3.client("ecr", "us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def inspector() -> Iterator[Stubber]:
    client = boto3.client("inspector2", "us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def scans(ecr: Stubber, inspector: Stubber | None = None, now: datetime = LATER) -> ImageScans:
    clients = {"us-east-1": inspector.client if inspector else None}
    return ImageScans({"us-east-1": ecr.client}.__getitem__, clients.__getitem__, lambda: now, pause=lambda _: None)


def manifest(ecr: Stubber, manifest: Any = None, media_type: str | None = None) -> None:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest or {"layers": []})
    found = {"imageId": {"imageDigest": DIGEST}, "imageManifest": text}
    found |= {"imageManifestMediaType": media_type} if media_type else {}
    ecr.add_response("batch_get_image", {"images": [found]}, {**WHERE, "imageIds": [{"imageDigest": DIGEST}]})


def index(*manifests: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI, "manifests": list(manifests)}


def platform(digest: str, **more: Any) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}, **more}


def asked(digest: str = DIGEST, **page: str) -> dict[str, Any]:
    return {**WHERE, "imageId": {"imageDigest": digest}, "maxResults": 1000, **page}


def answers(ecr: Stubber, names: str, digest: str = DIGEST, after: str | None = None, more: str | None = None) -> None:
    findings = [{"name": name, "severity": "HIGH"} for name in names.split()]
    page = {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findings": findings, "imageScanCompletedAt": ENDED},
        **({"nextToken": more} if more else {}),
    }
    ecr.add_response("describe_image_scan_findings", page, asked(digest, **({"nextToken": after} if after else {})))


def ids(ecr: Stubber) -> list[str]:
    return [finding.id for finding in scans(ecr).scan(IMAGE).findings]


def test_all_pages_of_a_scan_are_read(ecr: Stubber):
    manifest(ecr)
    answers(ecr, "CVE-1 CVE-2", more="next")
    answers(ecr, "CVE-3", after="next")
    assert ids(ecr) == ["CVE-1", "CVE-2", "CVE-3"]


def test_a_scan_without_end_is_refused(ecr: Stubber):
    manifest(ecr)
    for number in range(20):
        answers(ecr, "CVE-1", after=str(number) if number else None, more=str(number + 1))
    with pytest.raises(ScanMissing, match="more than 20,000 findings"):
        scans(ecr).scan(IMAGE)


@pytest.mark.parametrize("media_type", [OCI, None])
def test_of_an_image_for_several_platforms_each_is_looked_at(ecr: Stubber, media_type: str | None):
    """What a build attests about them is no image; what only says to be an attestation is one."""
    attestation = {"digest": DIGEST, "platform": {"os": "unknown", "architecture": "unknown"}}
    annotated = platform(ARM, annotations={"vnd.docker.reference.type": "attestation-manifest"})
    manifest(ecr, index(platform(AMD), attestation, annotated), media_type)
    answers(ecr, "CVE-1", AMD)
    answers(ecr, "CVE-2", ARM)
    assert ids(ecr) == ["CVE-1", "CVE-2"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (index(), "lists images for 0 platforms"),
        (index(*[platform(f"sha256:{number:064x}") for number in range(11)]), "lists images for 11 platforms"),
        (index({"platform": {"os": "linux"}}), "cannot be read"),
        ({"manifests": 7}, "cannot be read"),
        ({**index(platform(f"sha256:{'b' * 64}")), "layers": []}, "is ambiguous"),
        ({**index(platform(f"sha256:{'b' * 64}")), "config": {}, "mediaType": "application/other"}, "is ambiguous"),
        ("no JSON", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"layers": [], "layers": []}', "cannot be read"),
        ({**index(platform(f"sha256:{'b' * 64}")), "Manifests": []}, "cannot be read"),
        (index(platform(f"sha256:{'b' * 64}", Digest=DIGEST)), "cannot be read"),
        (index("none"), "cannot be read"),
    ],
)
def test_a_list_of_images_that_cannot_be_followed_is_refused(ecr: Stubber, found: Any, why: str):
    manifest(ecr, found)
    with pytest.raises(ScanMissing, match=why):
        scans(ecr).scan(IMAGE)


def test_one_platform_that_is_not_scanned_is_waited_for(ecr: Stubber):
    manifest(ecr, index(platform(AMD), platform(ARM)))
    answers(ecr, "", AMD)
    ecr.add_client_error("describe_image_scan_findings", "ScanNotFoundException", expected_params=asked(ARM))
    with pytest.raises(ScanPending, match=f"{ARM} has not been scanned: turn on scanning"):
        scans(ecr).scan(IMAGE)


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException", "ValidationException"])
def test_what_ecr_does_not_know_is_not_waited_for(ecr: Stubber, code: str):
    manifest(ecr)
    ecr.add_client_error("describe_image_scan_findings", code, "nothing like it")
    with pytest.raises(ScanMissing, match="nothing like it"):
        scans(ecr).scan(IMAGE)


def test_an_image_that_is_gone_has_no_scan(ecr: Stubber):
    ecr.add_response("batch_get_image", {"images": [], "failures": [{"failureCode": "ImageNotFound"}]})
    with pytest.raises(ScanMissing, match="is not in its repository"):
        scans(ecr).scan(IMAGE)


def test_a_denial_that_lasts_says_what_to_allow(ecr: Stubber):
    manifest(ecr)
    for _ in range(3):
        ecr.add_client_error("describe_image_scan_findings", "AccessDeniedException", "no resource-based policy")
    with pytest.raises(ScanMissing, match=r"ecr:DescribeImageScanFindings.*policy's images\.exempt"):
        scans(ecr).scan(IMAGE)


def test_a_denial_that_passes_is_none(ecr: Stubber):
    manifest(ecr)
    ecr.add_client_error("describe_image_scan_findings", "AccessDeniedException")
    answers(ecr, "CVE-1")
    assert ids(ecr) == ["CVE-1"]


def test_what_may_pass_is_no_answer(ecr: Stubber):
    manifest(ecr)
    ecr.add_client_error("describe_image_scan_findings", "ServerException", http_status_code=500)
    with pytest.raises(ClientError):
        scans(ecr).scan(IMAGE)
    ecr.add_response("batch_get_image", {"images": [], "failures": [{"failureCode": "KmsError"}]})
    with pytest.raises(Transient):
        scans(ecr).scan(IMAGE)


@pytest.mark.parametrize("image", [f"docker.io/python@{DIGEST}", f"{REPOSITORY}:1.2"])
def test_nobody_is_asked_about_an_image_that_is_not_ecrs_or_has_no_digest(ecr: Stubber, image: str):
    with pytest.raises(ScanMissing, match="no private registry"):
        scans(ecr).scan(image)


# An enhanced scan that found nothing


def silent(ecr: Stubber, status: str = "ACTIVE") -> None:
    """As ECR answers before the findings have come: https://github.com/aws/aws-cli/issues/6759."""
    manifest(ecr)
    answer = {"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": []}}
    ecr.add_response("describe_image_scan_findings", answer, asked())


def covered(inspector: Stubber, reason: str, at: datetime | None = ENDED, resource: str = RESOURCE) -> None:
    found = {"resourceType": "AWS_ECR_CONTAINER_IMAGE", "resourceId": resource, "accountId": WHERE["registryId"]}
    found |= {"scanType": "PACKAGE", "scanStatus": {"statusCode": "ACTIVE", "reason": reason}}
    answer = {"coveredResources": [{**found, **({"lastScannedAt": at} if at else {})}]}
    criteria = {"resourceId": [{"comparison": "EQUALS", "value": RESOURCE}]}
    inspector.add_response("list_coverage", answer, {"filterCriteria": criteria})


@pytest.mark.parametrize(("status", "reason"), [("ACTIVE", "SUCCESSFUL"), ("COMPLETE", "SCAN_FREQUENCY_SCAN_ON_PUSH")])
def test_an_image_without_findings_is_clean_once_inspector_has_scanned_it(
    ecr: Stubber, inspector: Stubber, status: str, reason: str
):
    silent(ecr, status)
    covered(inspector, reason)
    assert scans(ecr, inspector).scan(IMAGE) == Scan("enhanced", status, "2026-03-01T08:00:00.000Z", None, {}, ())


@pytest.mark.parametrize(
    ("reason", "at", "resource"),
    [
        ("PENDING_INITIAL_SCAN", None, RESOURCE),
        ("SUCCESSFUL", None, RESOURCE),
        ("INTERNAL_ERROR", ENDED, RESOURCE),
        ("SUCCESSFUL", ENDED, RESOURCE.replace("sklearn", "other")),
    ],
)
def test_an_image_that_inspector_has_not_scanned_is_waited_for(
    ecr: Stubber, inspector: Stubber, reason: str, at: datetime | None, resource: str
):
    silent(ecr)
    covered(inspector, reason, at, resource)
    with pytest.raises(ScanPending, match="no scan of it that succeeded"):
        scans(ecr, inspector).scan(IMAGE)


def test_findings_that_may_still_be_on_their_way_are_waited_for(ecr: Stubber, inspector: Stubber):
    silent(ecr)
    covered(inspector, "SUCCESSFUL")
    with pytest.raises(ScanPending, match="on their way"):
        scans(ecr, inspector, LATER - timedelta(seconds=1)).scan(IMAGE)


def test_who_may_not_ask_inspector_says_so(ecr: Stubber, inspector: Stubber):
    silent(ecr)
    inspector.add_client_error("list_coverage", "AccessDeniedException", "not authorized: inspector2:ListCoverage")
    with pytest.raises(ScanMissing, match="inspector2:ListCoverage"):
        scans(ecr, inspector).scan(IMAGE)
    silent(ecr)
    inspector.add_client_error("list_coverage", "InternalServerException", http_status_code=500)
    with pytest.raises(ClientError):
        scans(ecr, inspector).scan(IMAGE)


# Signatures


def signing(ecr: Stubber, *statuses: dict[str, str]) -> None:
    answer = {"repositoryName": "sklearn", "signingStatuses": list(statuses)}
    ecr.add_response("describe_image_signing_status", answer, {**WHERE, "imageId": {"imageDigest": DIGEST}})


def test_ecr_says_with_which_profiles_it_signed_an_image(ecr: Stubber):
    failed = {"signingProfileArn": f"{RELEASE}_2", "status": "FAILED", "failureCode": "AccessDenied"}
    signing(ecr, {"signingProfileArn": RELEASE, "status": "COMPLETE"}, failed)
    assert scans(ecr).signatures(IMAGE) == {RELEASE: "COMPLETE", f"{RELEASE}_2": "FAILED (AccessDenied)"}


def test_a_signature_that_is_being_made_is_waited_for(ecr: Stubber):
    signing(ecr, {"signingProfileArn": RELEASE, "status": "IN_PROGRESS"})
    with pytest.raises(ScanPending, match="still signing"):
        scans(ecr).signatures(IMAGE)


def test_an_image_that_ecr_did_not_sign_has_no_signature(ecr: Stubber):
    signing(ecr)
    assert scans(ecr).signatures(IMAGE) == {}
