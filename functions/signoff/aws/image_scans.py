"""What Amazon ECR knows of an image beside its bytes: its scan for vulnerabilities, and who signed it.

An enhanced scan is Amazon Inspector's, and of its findings ECR tells only whoever may list them with Inspector, too.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced-iam.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signoff.aws.clients import error_code, error_message
from signoff.aws.ecr import DENIED, NOT_THERE, asking_again, look_up
from signoff.documents import strict_json
from signoff.documents.timestamps import Clock
from signoff.errors import ObjectMissing, ScanMissing, ScanPending
from signoff.model_package.image_scans import Scan, clean_scan, is_silent, read_scan, together
from signoff.model_package.images import ImageReference, image_reference

_REFUSED = {"InvalidParameterException", "ValidationException", "UnsupportedImageTypeException"}
# Lists of the manifests of one image for several platforms. ECR scans those, and not the list.
# https://github.com/opencontainers/image-spec/blob/main/image-index.md
_INDEXES = {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
_MOST_PLATFORMS = 10
_LONGEST_MANIFEST = 4 * 1024 * 1024  # bytes, as ECR has them at most
_PAGE, _MOST_PAGES = 1000, 20  # findings of one answer, and answers: more than that is refused
# How long after a scan the list of its findings has been seen empty, with room: minutes, where seconds were seen.
_ON_THEIR_WAY = timedelta(minutes=10)
# What Inspector says of an image that it has scanned; one that is only scanned when it is pushed is not scanned again.
_SCANNED = {"SUCCESSFUL", "SCAN_FREQUENCY_SCAN_ON_PUSH"}
# The platform of what a build writes beside an image, which runs nowhere. Its annotations may stand at any image.
# https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ATTESTATION = ("unknown", "unknown")
# A manifest with any of these and a list beside it is read as either: one would be scanned, and the other run.
# https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
_OF_ONE_IMAGE = {"config", "layers", "fsLayers"}


class ImageScans:
    """Scans and signatures of images in the private registries of Amazon ECR.

    `ecr` and `inspector` return the clients of a region.
    """

    def __init__(
        self,
        ecr: Callable[[str], Any],
        inspector: Callable[[str], Any],
        now: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ecr = ecr
        self._inspector = inspector
        self._now = now
        self._pause = pause

    def scan(self, image: str) -> Scan:
        """Return the results of the scan of `image`, named by digest; of an image for several platforms, of all.

        Raises `ScanPending` while there are none yet, and `ScanMissing` where none are to be expected.
        """
        reference = _reference(image)
        platforms = self._platforms(image, reference)
        return together([self._scan(reference.at(each), reference, each) for each in platforms])

    def signatures(self, image: str) -> dict[str, str]:
        """Return the signing profiles (ARNs) with which ECR's managed signing has signed `image`, or failed to.

        Each has its status, and why it failed. An image that others signed has none: of their signatures ECR keeps
        whatever somebody pushed. Raises `ScanPending` while ECR is signing, and `ScanMissing` when it does not say.
        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageSigningStatus.html
        """
        reference = _reference(image)
        answer = self._asked("DescribeImageSigningStatus", image, reference, _one(reference.digest))
        statuses = answer.get("signingStatuses") or ()
        if any(each.get("status") == "IN_PROGRESS" for each in statuses):
            raise ScanPending(f"ECR is still signing {image}")
        return {str(each.get("signingProfileArn", "unknown")): _signed(each) for each in statuses}

    def _platforms(self, image: str, reference: ImageReference) -> list[str]:
        """Return the digests of the images that an image consists of: its own, or one for each platform."""
        try:
            found = look_up(self._ecr(reference.region), image, reference, self._pause)
        except ObjectMissing as missing:
            raise ScanMissing(str(missing)) from missing
        try:
            manifest = _manifest(found["imageManifest"])
            media_type = found.get("imageManifestMediaType") or manifest.get("mediaType")
            if media_type not in _INDEXES and "manifests" not in manifest:
                return [str(reference.digest)]
            if _OF_ONE_IMAGE & manifest.keys():
                raise ScanMissing(f"the manifest of {image} is ambiguous: of one image, and of several; push it anew")
            digests = [str(each["digest"]) for each in manifest["manifests"] if _is_of_a_platform(each)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ScanMissing(f"the manifest of {image} cannot be read: {error!r}") from error
        if not 0 < len(digests) <= _MOST_PLATFORMS:
            raise ScanMissing(
                f"{image} lists images for {len(digests)} platforms, and 1 to {_MOST_PLATFORMS} are looked at: name "
                "the image of one platform by its digest"
            )
        return digests

    def _scan(self, image: str, reference: ImageReference, digest: str) -> Scan:
        pages = [self._findings(image, reference, digest)]
        while pages[-1].get("nextToken"):
            if len(pages) == _MOST_PAGES:
                raise ScanMissing(f"the scan of {image} has more than {_PAGE * _MOST_PAGES:,} findings")
            pages.append(self._findings(image, reference, digest, nextToken=pages[-1]["nextToken"]))
        if is_silent(pages):
            return clean_scan(pages[0], self._last_scanned(image, reference, digest))
        return read_scan(image, pages)

    def _last_scanned(self, image: str, reference: ImageReference, digest: str) -> datetime:
        """Return when Amazon Inspector scanned an image of which ECR names neither findings nor the end of a scan.

        That is how ECR answers both before the findings of a scan have come and when there are none.
        https://docs.aws.amazon.com/inspector/v2/APIReference/API_CoveredResource.html
        """
        partition = self._ecr(reference.region).meta.partition
        arn = f"arn:{partition}:ecr:{reference.region}:{reference.account}:repository/{reference.repository}/{digest}"
        criteria = {"resourceId": [{"comparison": "EQUALS", "value": arn}]}
        try:
            answer = self._inspector(reference.region).list_coverage(filterCriteria=criteria)
        except ClientError as error:
            if error_code(error) not in DENIED:
                raise
            raise ScanMissing(f"Signoff may not ask Amazon Inspector about {image}: {error_message(error)}") from error
        last: datetime | None = max(filter(None, _scanned(answer, arn)), default=None)
        if last is None:
            raise ScanPending(f"ECR names no findings of {image}, and Amazon Inspector no scan of it that succeeded")
        if self._now() < last + _ON_THEIR_WAY:
            raise ScanPending(f"{image} was scanned at {last}: its findings may still be on their way to ECR")
        return last

    def _findings(self, image: str, reference: ImageReference, digest: str, **page: str) -> dict[str, Any]:
        which = {**_one(digest), "maxResults": _PAGE, **page}
        try:
            return self._asked("DescribeImageScanFindings", image, reference, which)
        except ClientError as error:
            if error_code(error) != "ScanNotFoundException":
                raise
            raise ScanPending(
                f"{image} has not been scanned: turn on scanning for its repository, or scan it "
                "(`aws ecr start-image-scan`)"
            ) from error

    def _asked(self, operation: str, image: str, reference: ImageReference, which: dict[str, Any]) -> dict[str, Any]:
        """Return ECR's answer about an image. Raises `ScanMissing` when it is not there, or may not be asked about."""
        ecr = self._ecr(reference.region)
        ask = getattr(ecr, _METHODS[operation])
        registry = {"registryId": reference.account, "repositoryName": reference.repository}
        try:
            return asking_again(lambda: dict(ask(**registry, **which)), self._pause)
        except ClientError as error:
            code, said = error_code(error), error_message(error)
            if code in DENIED:
                raise ScanMissing(
                    f"Signoff may not ask about {image} ({said}): allow ecr:{operation} in the policy of its "
                    "repository, or list it in the policy's images.exempt"
                ) from error
            if code in NOT_THERE | _REFUSED:
                raise ScanMissing(f"ECR says nothing about {image}: {said}") from error
            raise


_METHODS = {
    "DescribeImageScanFindings": "describe_image_scan_findings",
    "DescribeImageSigningStatus": "describe_image_signing_status",
}


def _reference(image: str) -> ImageReference:
    reference = image_reference(image)
    if reference is None or reference.digest is None:
        raise ScanMissing(
            f"{image} is in no private registry of Amazon ECR, so nobody can be asked about it: move it there, or list "
            "it in the policy's images.exempt"
        )
    return reference


def _one(digest: str | None) -> dict[str, Any]:
    return {"imageId": {"imageDigest": digest}}


def _scanned(answer: Mapping[str, Any], arn: str) -> Iterator[datetime | None]:
    """Yield when Amazon Inspector scanned an image, according to its `answer`."""
    for covered in answer.get("coveredResources") or ():
        if covered.get("resourceId") == arn and (covered.get("scanStatus") or {}).get("reason") in _SCANNED:
            yield covered.get("lastScannedAt")


def _manifest(text: str) -> dict[str, Any]:
    """Return the object of a manifest. Raises `ValueError` for one that readers may take for different objects.

    Go, in which container runtimes are written, does not tell `manifests` from `Manifests`.
    """
    document, faults = strict_json.parse(text.encode(), _LONGEST_MANIFEST)
    listed = document.get("manifests") if isinstance(document, dict) else None
    for each in (document, *(listed if isinstance(listed, list) else ())):
        if faults or not isinstance(each, dict) or len({name.casefold() for name in each}) < len(each):
            raise ValueError("no object in strict JSON")
    return dict(document)


def _is_of_a_platform(manifest: Mapping[str, Any]) -> bool:
    platform = manifest.get("platform") or {}
    return (platform.get("os"), platform.get("architecture")) != _ATTESTATION


def _signed(status: Mapping[str, Any]) -> str:
    why = " ".join(str(status[part]) for part in ("failureCode", "failureReason") if status.get(part))
    return f"{status.get('status', 'without status')}{f' ({why})' if why else ''}"
