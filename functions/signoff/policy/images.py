"""What a group requires of the images that its models run in: a policy's `images`."""

from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated

from msgspec import Meta, Struct

from signoff.documents.faults import Fault, refuse
from signoff.model_package.image_scans import Finding, Scan, Severity, severity_rank
from signoff.policy.values import Day, Name, Repository, SigningProfile, meaning

LONGEST_WAIT = 120  # minutes: the workflow asks again for longer than that


class Accepted(Struct, frozen=True, forbid_unknown_fields=True):
    """A vulnerability that is accepted for a time."""

    id: Annotated[Name, meaning("Its id, as the scan says it.", examples=["CVE-2026-12345"])]
    until: Annotated[Day, meaning("The last day (UTC) on which it is accepted.", examples=["2027-03-31"])]
    reason: Annotated[str, meaning("Why, in words.")] = ""

    def __post_init__(self) -> None:
        """Refuse a day that is in no calendar."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        try:
            date.fromisoformat(self.until)
        except ValueError:
            yield Fault("until", f"{self.until} is no day of the calendar")


class Images(Struct, frozen=True, forbid_unknown_fields=True):
    """Which images models may run in. Nothing is asked unless it is set."""

    repositories: Annotated[
        tuple[Repository, ...],
        meaning(
            "Patterns (`*`, `?`) of the registries and repositories that images may come from. None means any.",
            examples=[["123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/*"]],
        ),
    ] = ()
    block_at: Annotated[
        Severity | None,
        meaning(
            "The mildest severity of a finding in an image's scan by ECR that is refused; a severity that nobody has "
            "judged counts as the highest. None means that no scan is asked for."
        ),
    ] = None
    accepted: Annotated[tuple[Accepted, ...], meaning("Findings that are accepted all the same, each for a time.")] = ()
    wait_minutes: Annotated[
        int,
        Meta(ge=0, le=LONGEST_WAIT),
        meaning(
            "How long after a validation began it waits for a scan or a signature that ECR has not finished, in "
            f"minutes, {LONGEST_WAIT} at most."
        ),
    ] = 30
    signed_by: Annotated[
        tuple[SigningProfile, ...],
        meaning(
            "Patterns (`*`, `?`) of ARNs of AWS Signer's signing profiles: ECR's managed signing has signed each image "
            "with one of them. None means that no signature is asked for.",
            examples=[["arn:aws:signer:eu-west-1:123456789012:/signing-profiles/release"]],
        ),
    ] = ()
    exempt: Annotated[
        tuple[Repository, ...],
        meaning(
            "Patterns (`*`, `?`) of repositories whose images need neither scan nor signature, because ECR tells "
            "nobody but their owner of them, such as AWS's own deep learning containers.",
            examples=[["763104351884.dkr.ecr.*.amazonaws.com/*"]],
        ),
    ] = ()
    revoke: Annotated[
        bool,
        meaning(
            "Whether the approval of the champion is revoked once a later scan finds more in its image. Otherwise "
            "that is only announced."
        ),
    ] = False

    def takes_from(self, repository: str) -> bool:
        """Return whether images may come from a `repository`, named with its registry."""
        return not self.repositories or _is_in(repository, self.repositories)

    def exempts(self, repository: str) -> bool:
        """Return whether images from a `repository`, named with its registry, need neither scan nor signature."""
        return _is_in(repository, self.exempt)

    def signs(self, profile: str) -> bool:
        """Return whether a signature with the signing profile of that ARN counts."""
        return any(fnmatchcase(profile, pattern) for pattern in self.signed_by)

    def accepts(self, finding: str, day: str) -> bool:
        """Return whether the finding of that id is accepted on that `day` (`2026-03-02`)."""
        return any(each.id == finding and day <= each.until for each in self.accepted)

    def refused(self, scan: Scan, day: str) -> list[Finding]:
        """Return the findings of `scan` that are refused on that `day` (`2026-03-02`), the worst first.

        Where ECR counts more findings of a severity than it lists, those are one more finding, without an id.
        """
        refused = [each for each in scan.findings if self.blocks(each.severity) and not self.accepts(each.id, day)]
        listed = [each.severity for each in scan.findings]
        unlisted = {severity: number - listed.count(severity) for severity, number in scan.counts.items()}
        hidden = [Finding(f"{number} unlisted", each) for each, number in unlisted.items() if number > 0]
        return [*refused, *(each for each in hidden if self.blocks(each.severity))]

    def blocks(self, severity: str) -> bool:
        """Return whether a finding of that `severity` is refused unless it is accepted."""
        return self.block_at is not None and severity_rank(severity) >= severity_rank(self.block_at)


def _is_in(repository: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a repository matches any of the patterns: the registry's host by itself, label by label.

    Otherwise whoever names an image could put what a pattern asks of the host into another host or the repository.
    """
    host, _, name = repository.partition("/")
    asked = (pattern.partition("/")[::2] for pattern in patterns)
    return bool(name) and any(_is_host(host, like) and fnmatchcase(name, names) for like, names in asked)


def _is_host(host: str, pattern: str) -> bool:
    labels, asked = host.split("."), pattern.split(".")
    return pattern == "*" or (len(labels) == len(asked) and all(map(fnmatchcase, labels, asked)))
