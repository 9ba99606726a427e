"""Names of container images."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.documents.patterns import compiled_on_use

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html: a private registry's host in every partition,
# its FIPS and its dual-stack form; repository and tag as in ECR's and Docker's grammars.
_ECR = compiled_on_use(
    r"(?P<registry>(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}[a-z0-9-]*-[0-9]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov))"
    r"/(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


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

    A digest, where there is one, says which image it is; the tag beside it is then a comment.
    """
    found = _ECR.fullmatch(image)
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    if found is None or not 2 <= len(found["repository"]) <= 256:
        return None
    return ImageReference(**found.groupdict())
