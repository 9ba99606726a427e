"""Everything about a manifest that can be known before anything is uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signoff.documents.faults import Fault
from signoff.documents.strict_json import MAX_BYTES
from signoff.errors import ManifestRefused, ObjectMissing
from signoff.model_package.data_sources import CONTAINERS, etags
from signoff.model_package.images import by_digest, image_reference
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.service_model.shapes import objects
from signoff.submission.json_objects import read_on
from signoff.submission.layout import Submission
from signoff.submission.manifest import Manifest, with_defaults
from signoff.submission.manifest_shape import manifest_shape
from signoff.submission.policy_choices import policy_faults
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from typing import BinaryIO

    from signoff.policy.policy import Policy
    from signoff.submission.manifest_shape import ManifestShape

# No bucket has such a name: an S3 URI is never taken for one under the submission while nobody knows its name.
_SOME_BUCKET, _SOME_GROUP, _SOME_NAME = "<artifacts bucket>", "<group>", "<submission>"
_HOME = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<group>[^/]+)/(?P<name>[^/]+)/?")


class InvalidManifest(CommandFailed):
    """Raised when a manifest could not be registered; the message lists every error by its path."""

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        count = f"{len(faults)} error{'' if len(faults) == 1 else 's'}"
        lines = [f"  {fault.path or 'manifest'}: {fault.message}" for fault in faults]
        super().__init__("\n".join([f"{name} has {count}:", *lines]))


@dataclass(frozen=True)
class Destination:
    """Where a manifest will be uploaded, as far as that is known: the bucket, and the submission in it."""

    bucket: str
    submission: Submission

    @classmethod
    def of_group(cls, group: str | None) -> Destination:
        """Return some submission to `group`, or to any."""
        return cls(_SOME_BUCKET, Submission(group or _SOME_GROUP, _SOME_NAME))

    @classmethod
    def of_uri(cls, uri: str) -> Destination | None:
        """Return the submission at `s3://bucket/group/submission/`, or None when `uri` is no such thing."""
        found = _HOME.fullmatch(uri)
        return cls(found["bucket"], Submission(found["group"], found["name"])) if found else None

    def faults(self) -> list[Fault]:
        """Return what is wrong with the group that the submission is for."""
        group = self.submission.group
        if group == _SOME_GROUP or self.submission.names_a_group:
            return []
        return [Fault("ModelPackageGroupName", f"`{group}` cannot be the name of a model package group")]


@dataclass(frozen=True)
class ManifestCheck:
    """What was found: faults; what would be registered; and what only the registration will know."""

    faults: tuple[Fault, ...]
    containers: int = 0
    objects: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "verdict": "failed" if self.faults else "passed",
            "faults": [{"path": fault.path, "message": fault.message} for fault in self.faults],
            "containers": self.containers,
            "objects": list(self.objects),
            "images": list(self.images),
            "notes": list(self.notes),
        }


def load_shape() -> ManifestShape:
    """Return the shape of a manifest, from botocore's service model."""
    return manifest_shape(sagemaker_shape("CreateModelPackage"), sagemaker_shape("CreateModel"))


def read_limited(file: BinaryIO) -> bytes:
    """Return what `file` holds, or as much of it as shows that it is too large to be a manifest."""
    return file.read(MAX_BYTES + 1)


def read_policy(path: Path) -> Policy:
    """Return the policy in a file, as the CDK app would deploy it. Raises `CommandFailed` when it is none."""
    from signoff.policy.files import read

    try:
        found = read(path.read_bytes())
    except OSError as error:
        raise CommandFailed(f"the policy {path} cannot be read: {error.strerror}") from error
    if found.policy is None:
        raise CommandFailed(f"{path} is not a valid policy: {'; '.join(map(str, found.faults))}")
    return found.policy


def check(data: bytes, home: Destination, policy: Policy | None = None) -> ManifestCheck:
    """Return all that can be known of the manifest in `data` without asking AWS.

    `policy` gives the fields that the manifest leaves out, and judges its choices.
    """
    if len(data) > MAX_BYTES:
        return ManifestCheck((Fault("", f"is longer than the {MAX_BYTES:,} bytes that are read"),))
    written, unread = read_on(data)
    if not written and unread:
        return ManifestCheck((*home.faults(), *unread))
    document = with_defaults(written, policy.registration_defaults if policy else None)
    manifest = Manifest(document, home.bucket, home.submission.prefix, load_shape())
    faults = _beside(unread, manifest.faults())
    if policy and not faults:
        faults = policy_faults(document, policy)
    return ManifestCheck(
        faults=(*home.faults(), *sorted(_beside(faults, _images(manifest)))),
        containers=sum(1 for _ in objects(document, *CONTAINERS)),
        objects=_objects(manifest),
        images=tuple(dict.fromkeys(image for _, image in manifest.images())),
        notes=tuple(_notes(manifest, policy)),
    )


def _beside(first: list[Fault], more: Iterable[Fault]) -> list[Fault]:
    """Return the faults `first`, and of `more` those at other paths: of one path, the first reason is enough."""
    known = {fault.path for fault in first}
    return [*first, *(fault for fault in more if fault.path not in known)]


def _objects(manifest: Manifest) -> tuple[str, ...]:
    try:
        return manifest.objects()
    except ManifestRefused:
        return ()  # what has to be uploaded is known when every location is right


def _images(manifest: Manifest) -> Iterator[Fault]:
    for path, image in manifest.images():
        try:
            image_reference(image) or by_digest(image)
        except ObjectMissing as missing:
            yield Fault(path, str(missing))


def _notes(manifest: Manifest, policy: Policy | None) -> Iterator[str]:
    for image in dict.fromkeys(image for _, image in manifest.images()):
        if image_reference(image) is not None:
            yield f"that {image} is in Amazon ECR of the model's region, and under which digest"
    if any(etags(manifest.document)):
        yield "that the ETags are those of the objects uploaded"
    if policy is None:
        yield "what the policy of the group offers, and what it adds (give --policy to check it now)"
    yield "what SageMaker itself refuses beyond its service model"
