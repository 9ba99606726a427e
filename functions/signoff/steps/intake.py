"""Taking in a submission: whether it is complete, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from signoff import etags, listing, projects, strict_json
from signoff.errors import ManifestRefused, ObjectMissing
from signoff.faults import Fault
from signoff.images import Images
from signoff.locations import is_prefix
from signoff.manifest import Manifest, read, with_defaults
from signoff.manifest_policy import policy_faults
from signoff.manifest_shape import ManifestShape
from signoff.objects import Bucket, Stored
from signoff.policies import Policies
from signoff.policy import Policy
from signoff.registry import Registry
from signoff.submission import MANIFEST, SUBMISSION, Submission

_MISSING = 50  # names of what a submission waits for, which its row in the table must hold


@dataclass(frozen=True)
class Incomplete:
    """A submission that waits for the objects `missing`, by their names relative to it: the first of them."""

    missing: tuple[str, ...]


@dataclass(frozen=True)
class Complete:
    """A submission with everything that its manifest names, each at the version it has now."""

    submission: Submission
    manifest: Manifest
    objects: dict[str, Stored]
    policy: Policy
    new_group: bool

    @property
    def attempt(self) -> str:
        """The id of the attempt at registering exactly these versions."""
        return self.submission.attempt({name: stored.version_id for name, stored in self.objects.items()})


class Intake:
    """Reads submissions, each under its own prefix only. `shape` gives the shape of a manifest."""

    def __init__(
        self,
        inbox: Bucket,
        registry: Registry,
        policies: Policies,
        images: Images,
        shape: Callable[[], ManifestShape],
    ) -> None:
        self._inbox = inbox
        self._registry = registry
        self._policies = policies
        self._images = images
        self._shape = shape

    def read(self, submission: Submission) -> Complete | Incomplete:
        """Return the submission as it is now. Raises `ManifestRefused` with every fault that it has."""
        policy, group_tags = self._policy(submission)
        stored = self._inbox.current(submission.key(MANIFEST))
        if stored is None and policy.registration_defaults is None:
            return Incomplete((MANIFEST,))
        written = self._document(stored) if stored else {}
        document = projects.in_project(with_defaults(written, policy.registration_defaults), group_tags or {})
        manifest = Manifest(document, self._inbox.name, submission.prefix, self._shape())
        self._check(manifest, policy)
        _refuse(projects.faults(document, group_tags or {}))
        objects, missing = self._objects(submission, manifest)
        if missing:
            return Incomplete(tuple(sorted(missing)[:_MISSING]))
        _refuse(etags.faults(document, lambda location: objects[manifest.relative(location)].etag))
        known = objects | ({MANIFEST: stored} if stored else {})
        return Complete(submission, manifest, known, policy, new_group=group_tags is None)

    def _objects(self, submission: Submission, manifest: Manifest) -> tuple[dict[str, Stored], set[str]]:
        """Return the objects that a manifest means, by name, and the names of those that are not there yet."""
        names = set(manifest.objects())
        prefixes = {name for name in names if is_prefix(name)}
        if prefixes:
            stored = self._inbox.current(submission.key(SUBMISSION))
            listed = listing.objects(self._document(stored, f"{SUBMISSION}: ")) if stored else None
            if listed is None:
                return {}, {SUBMISSION}
            _refuse(listing.faults(listed, prefixes))
            under = {name for name in listed if name.startswith(tuple(prefixes))}
            missing = under - self._uploaded(submission, prefixes)
            if missing:
                return {}, missing
            names = names - prefixes | under
        found = {name: self._inbox.current(submission.key(name)) for name in names}
        objects = {name: stored for name, stored in found.items() if stored}
        return objects, found.keys() - objects.keys()

    def _uploaded(self, submission: Submission, prefixes: Collection[str]) -> set[str]:
        """Return the names of what is there under `prefixes`: a request for a thousand, and not one for each."""
        home = submission.key("")
        keys = (key for prefix in prefixes for key, _ in self._inbox.names(home + prefix))
        return {key.removeprefix(home) for key in keys}

    def submitter(self, submission: Submission) -> str | None:
        """Return who submits, an ARN, as `signoff submit` wrote it beside the manifest; None when nobody did."""
        stored = self._inbox.current(submission.key(SUBMISSION))
        if stored is None:
            return None
        document = self._document(stored, f"{SUBMISSION}: ")
        submitter = document.get("submitter")
        if not isinstance(submitter, str) or not submitter.startswith("arn:"):
            raise ManifestRefused([Fault("submitter", f"{SUBMISSION} must name the submitter's ARN")])
        return submitter

    def pinned(self, manifest: Manifest) -> Manifest:
        """Return `manifest` with every image by its digest. Raises `ManifestRefused` for those that have none."""
        digests, faults = self._digests(manifest)
        _refuse(faults)
        return manifest.with_images(digests)

    def _check(self, manifest: Manifest, policy: Policy) -> None:
        """Refuse a manifest with faults, and then tell of its images too; one without waits for them to be pushed."""
        faults = manifest.faults() or policy_faults(manifest.document, policy)
        if faults:
            known = {fault.path for fault in faults}
            images = [fault for fault in self._digests(manifest)[1] if fault.path not in known]
            raise ManifestRefused(sorted([*faults, *images]))

    def _digests(self, manifest: Manifest) -> tuple[dict[str, str], list[Fault]]:
        digests: dict[str, str] = {}
        faults = []
        for path, image in manifest.images():
            try:
                digests[image] = digests.get(image) or self._images.pinned(image)
            except ObjectMissing as missing:
                faults.append(Fault(path, str(missing)))
        return digests, faults

    def _policy(self, submission: Submission) -> tuple[Policy, dict[str, str] | None]:
        """Return the policy of the submission's group, and the tags of a group that is there already."""
        group = submission.group
        if not submission.names_a_group:
            raise _refused_group(f"`{group}` cannot be the name of a model package group; upload under another prefix")
        found = self._registry.group(group)
        if found is not None:
            if found.name != group:
                raise _refused_group(f"there is a group {found.name}, which is the same to SageMaker; spell it so")
            policy = self._policies.governing(group, found.tags)
            if policy is None:
                raise _refused_group(f"group {group} exists and Signoff does not govern it; give it a policy first")
            return policy, found.tags
        policy = self._policies.for_new_group(group)
        if not policy.groups.create:
            raise _refused_group(f"there is no group {group}, and its policy does not let a submission create it")
        return policy, None

    def _document(self, stored: Stored, where: str = "") -> dict[str, Any]:
        if stored.size > strict_json.MAX_BYTES:
            raise ManifestRefused([Fault("", f"{where}has {stored.size} bytes; {strict_json.MAX_BYTES} are allowed")])
        try:
            return read(self._inbox.read(stored))
        except ManifestRefused as refused:
            raise ManifestRefused([Fault(fault.path, f"{where}{fault.message}") for fault in refused.faults]) from None


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise ManifestRefused(faults)


def _refused_group(message: str) -> ManifestRefused:
    return ManifestRefused([Fault("ModelPackageGroupName", message)])
