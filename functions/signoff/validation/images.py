"""What is checked of the images that a package's containers run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.aws.ecr import ImageResolver
from signoff.errors import ObjectMissing
from signoff.model_package.images import by_digest, image_reference, in_region, of_products
from signoff.model_package.subject import containers, images
from signoff.validation import gates
from signoff.validation.checks import Check, failed, passed

_UNASKED = "is named by its digest; nobody has looked it up, for its registry answers SageMaker alone"


@dataclass(frozen=True)
class ExaminedImages:
    """The images of a package, each as it is `pinned` (by digest), and their checks."""

    pinned: Mapping[str, str]
    checks: Sequence[Check]


@dataclass(frozen=True)
class ImageExaminer:
    """Looks up the images of packages in Amazon ECR."""

    resolver: ImageResolver

    def examine(self, described: Mapping[str, Any], deployment: Mapping[str, Any]) -> ExaminedImages:
        """Return the images of a package as `described`, for the effective `deployment` settings."""
        pinned, checks = self._pinned(described)
        checks += gates.image_digest_checks(containers(described), pinned)
        checks += self._replica_checks(pinned, deployment)
        return ExaminedImages(pinned, checks)

    def _pinned(self, described: Mapping[str, Any]) -> tuple[dict[str, str], list[Check]]:
        pinned: dict[str, str] = {}
        checks = []
        unasked = of_products(container for _, container in containers(described))
        for image in images(described):
            asked = image not in unasked and image_reference(image) is not None
            try:
                pinned[image] = by_digest(image) if image in unasked else self.resolver.pinned(image)
                checks.append(passed(f"image:{image}", f"pinned as {pinned[image]}" if asked else _UNASKED))
            except ObjectMissing as missing:
                checks.append(failed(f"image:{image}", str(missing)))
        return pinned, checks

    def _replica_checks(self, pinned: Mapping[str, str], deployment: Mapping[str, Any]) -> Iterator[Check]:
        """Yield the check of each image of ECR in each further region that the policy deploys to."""
        regions = {target["region"] for target in deployment["policy"].get("targets") or ()} - {self.resolver.region}
        for region in sorted(regions):
            for image in sorted({each for each in pinned.values() if image_reference(each)}):
                name = f"image:{in_region(image, region)}"
                try:
                    yield passed(name, f"pinned as {self.resolver.replica(image, region)}, the same in {region}")
                except ObjectMissing as missing:
                    yield failed(name, str(missing))
