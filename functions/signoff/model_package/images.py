"""Names of container images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.documents.patterns import compiled_on_use
from signoff.errors import ObjectMissing

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html: a private registry's host in every partition,
# its FIPS and its dual-stack form; repository and tag as in ECR's and Docker's grammars.
_ECR = compiled_on_use(
    r"(?P<registry>(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}[a-z0-9-]*-[0-9]+)"
    r"\.(?P<suffix>amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov))"
    r"/(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_DIGEST = compiled_on_use(r"@sha256:[0-9a-f]{64}$")
# How the regions of each partition but the first begin, and how the names of their registries end.
_SUFFIXES = {
    "cn-": ("amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "eusc-": ("amazonaws.eu",),
    "us-iso-": ("c2s.ic.gov",),
    "us-isob-": ("sc2s.sgov.gov",),
    "eu-isoe-": ("cloud.adc-e.uk",),
    "us-isof-": ("csp.hci.ic.gov",),
}
_PUBLIC_PARTITIONS = ("amazonaws.com", "on.aws")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image in a private ECR registry; where there is neither tag nor digest, `latest` is meant."""

    registry: str
    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    def at(self, digest: str) -> str:
        """Return the image's name by `digest` (`sha256:...`), as SageMaker's Image field takes it."""
        return f"{self.registry}/{self.repository}@{digest}"


def image_reference(image: str) -> ImageReference | None:
    """Return the parts of a private ECR image's name, or None when `image` is anything else.

    A digest, where there is one, says which image it is; the tag beside it is then a comment. A registry of one region
    under another partition's domain is none of ECR's.
    """
    found = _ECR.fullmatch(image)
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    if found is None or not 2 <= len(found["repository"]) <= 256:
        return None
    parts = found.groupdict()
    own = next((ends for begins, ends in _SUFFIXES.items() if parts["region"].startswith(begins)), _PUBLIC_PARTITIONS)
    return ImageReference(**parts) if parts.pop("suffix") in own else None


def in_region(image: str, region: str) -> str:
    """Return an image of Amazon ECR as it is in another region's registry of the same account; any other as it is.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
    """
    reference = image_reference(image)
    return image.replace(f".{reference.region}.", f".{region}.", 1) if reference else image


def repository_of(image: str) -> str:
    """Return the registry and the repository of an image, without tag and digest."""
    registry, slash, name = image.partition("@")[0].rpartition("/")
    return f"{registry}{slash}{name.partition(':')[0]}"


def by_digest(image: str) -> str:
    """Return `image`, which nobody can be asked about. Raises `ObjectMissing` unless it is named by its digest."""
    if _DIGEST.search(image) is None:
        raise ObjectMissing(
            f"{image} is not a private Amazon ECR image that can be looked up; name it by its digest (@sha256:...)"
        )
    return image


def of_products(containers: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the images that only AWS Marketplace's products run: their sellers' registries answer SageMaker alone."""
    sold: dict[bool, set[str]] = {True: set(), False: set()}
    for container in containers:
        if isinstance(container.get("Image"), str):
            sold["ProductId" in container].add(container["Image"])
    return sold[True] - sold[False]
