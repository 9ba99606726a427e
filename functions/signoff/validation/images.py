"""What is checked of the images that a package's containers run, and what the evidence says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from signoff.aws.ecr import ImageResolver
from signoff.aws.image_scans import ImageScans
from signoff.documents import timestamps
from signoff.documents.text import counted, fitting, joined
from signoff.documents.timestamps import Clock
from signoff.errors import ObjectMissing, ScanMissing, ScanPending
from signoff.model_package.image_scans import Finding, Scan, in_words
from signoff.model_package.images import by_digest, image_reference, in_region, of_products, repository_of
from signoff.model_package.subject import containers, images
from signoff.policy.images import Images
from signoff.validation import gates
from signoff.validation.checks import Check, failed, passed, unevaluated

LISTED = 20  # findings of one image that the evidence names; it counts the others
_TOLD = 500  # characters of findings in a reason
_UNASKED = "is named by its digest; nobody has looked it up, for its registry answers SageMaker alone"


@dataclass(frozen=True)
class ExaminedImages:
    """The images of a package, each as it is `pinned` (by digest), their checks, and what the evidence says of each."""

    pinned: Mapping[str, str]
    checks: Sequence[Check]
    documents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Told:
    """What ECR told of an image, or why it told nothing; None where it was not asked."""

    scan: Scan | ScanMissing | None = None
    signatures: Mapping[str, str] | ScanMissing | None = None

    def document(self, name: str, image: str, rules: Images) -> dict[str, Any]:
        """Return what the evidence says of an `image`, which the package calls `name`."""
        scan, signed = self.scan, self.signatures
        return {
            "image": name,
            "digest": image.rpartition("@")[2],
            "scan": scan.document(LISTED) if isinstance(scan, Scan) else None,
            "signed": bool(_signers(signed, rules)) if isinstance(signed, Mapping) else None,
        }


@dataclass(frozen=True)
class ImageExaminer:
    """Looks up the images of packages in Amazon ECR, with their scans and signatures."""

    resolver: ImageResolver
    scans: ImageScans
    now: Clock

    def examine(
        self, described: Mapping[str, Any], deployment: Mapping[str, Any], rules: Images, started: str
    ) -> ExaminedImages:
        """Return the images of a package as `described`, for the effective `deployment` settings, by the `rules`.

        `started` is when the validation began. Raises `ScanPending` while ECR has not finished a scan or a signature
        that the rules wait for. What is accepted until a day is accepted by a validation that began on that day.
        """
        pinned, checks = self._pinned(described)
        checks += gates.image_digest_checks(containers(described), pinned)
        checks += self._replica_checks(pinned, deployment)
        told: dict[str, _Told] = {}
        for image in dict.fromkeys(pinned.values()):
            checks += repository_checks(image, rules)
            told[image] = self._told(image, rules, started)
            checks += scan_checks(image, told[image].scan, rules, started[:10])
            checks += _signature_checks(image, told[image].signatures, rules)
        documents = [told[image].document(name, image, rules) for name, image in pinned.items()]
        return ExaminedImages(pinned, checks, documents)

    def _told(self, image: str, rules: Images, started: str) -> _Told:
        if rules.exempts(repository_of(image)):
            return _Told()
        scan = self._awaited(self.scans.scan, image, rules, started) if rules.block_at else None
        signatures = self._awaited(self.scans.signatures, image, rules, started) if rules.signed_by else None
        return _Told(scan, signatures)

    def _awaited(self, ask: Callable[[str], Any], image: str, rules: Images, started: str) -> Any:
        """Return what `ask` says of an image, or why it says nothing; wait for it as long as the rules say."""
        try:
            return ask(image)
        except ScanMissing as missing:
            return missing
        except ScanPending as pending:
            if self.now() < timestamps.parse(started) + timedelta(minutes=rules.wait_minutes):
                raise
            return ScanMissing(f"{pending}; the policy waits for {counted(rules.wait_minutes, 'minute')}")

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


def repository_checks(image: str, rules: Images) -> Iterator[Check]:
    """Yield the check of where an image comes from, if the policy says from where it may."""
    name, repository = f"registry:{image}", repository_of(image)
    if not rules.repositories:
        return
    allowed = joined(rules.repositories, "or")
    if rules.takes_from(repository):
        check = passed(name, f"the policy allows images from {repository}")
    else:
        check = failed(name, f"{repository} is none of the policy's images.repositories: use an image from {allowed}")
    yield check.compared(allowed, repository)


def scan_checks(image: str, scan: Scan | ScanMissing | None, rules: Images, day: str) -> Iterator[Check]:
    """Yield the check of an image's scan, if one is asked for; None stands for that of an exempt image."""
    name = f"scan:{image}"
    if rules.block_at is None:
        return
    if scan is None:
        yield passed(name, "not scanned; the policy's images.exempt lists its repository")
    elif isinstance(scan, ScanMissing):
        yield unevaluated(name, str(scan), blocks=True)
    else:
        refused, found = rules.refused(scan, day), _counted(scan)
        told = f"({scan.kind} scan of {scan.completed})"
        if refused:
            check = failed(name, f"{_refused(refused, rules)} {told}")
        else:
            check = passed(
                name, f"nothing refused at {rules.block_at} or above: {found}{_accepted(scan, rules, day)} {told}"
            )
        yield check.compared(f"no finding at {rules.block_at} or above", found)


def _refused(refused: Sequence[Finding], rules: Images) -> str:
    shown = fitting([f"{in_words(each.document)}," for each in refused], _TOLD)
    more = f" and {len(refused) - len(shown)} more" if len(shown) < len(refused) else ""
    found = f"{counted(len(refused), 'finding')} at {rules.block_at} or above: {' '.join(shown).rstrip(',')}{more}"
    return f"{found}; use an image without, or accept each for a time in the policy's images.accepted"


def _accepted(scan: Scan, rules: Images, day: str) -> str:
    """Return which findings pass only because the policy accepts them."""
    passed_over = {each.id for each in scan.findings if rules.blocks(each.severity)}
    accepted = [
        f"{each.id} until {each.until}" for each in rules.accepted if each.id in passed_over and day <= each.until
    ]
    return f"; accepted: {', '.join(fitting(accepted, _TOLD))}" if accepted else ""


def _counted(scan: Scan) -> str:
    return ", ".join(f"{number} {severity}" for severity, number in scan.counts.items()) or "no findings"


def _signature_checks(image: str, signed: Mapping[str, str] | ScanMissing | None, rules: Images) -> Iterator[Check]:
    """Yield the check of an image's signatures, if any is asked for; None stands for those of an exempt image.

    That ECR says to have signed it is all that is looked at: what else is pushed as a signature proves nothing by
    being there.
    """
    name = f"signature:{image}"
    if not rules.signed_by:
        return
    if signed is None:
        yield passed(name, "not looked for; the policy's images.exempt lists its repository")
    elif isinstance(signed, ScanMissing):
        yield unevaluated(name, str(signed), blocks=True)
    else:
        by, wanted = _signers(signed, rules), joined(rules.signed_by, "or")
        found = "; ".join(f"{profile}: {status}" for profile, status in sorted(signed.items())) or "none"
        why = (
            f"ECR's managed signing has not signed it with {wanted} ({found}): push it where ECR's rules have it signed"
        )
        check = passed(name, f"ECR says that it signed the image with {joined(by, 'and')}") if by else failed(name, why)
        yield check.compared(wanted, found)


def _signers(signed: Mapping[str, str], rules: Images) -> list[str]:
    return sorted(profile for profile, status in signed.items() if status == "COMPLETE" and rules.signs(profile))
