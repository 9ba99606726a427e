"""Taking in a submission: whether it is complete, and all that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Set
from dataclasses import dataclass
from typing import Any

from signoff.aws.ecr import ImageResolver
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.documents import strict_json
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused, ObjectMissing
from signoff.identity.principals import account_of, same_person
from signoff.model_package import etags, projects
from signoff.model_package.data_sources import is_prefix
from signoff.policy import submitters
from signoff.policy.policy import Policy
from signoff.submission import object_list
from signoff.submission.layout import MANIFEST, SUBMISSION, TO_BE_SIGNED, Submission
from signoff.submission.manifest import Manifest, read, with_defaults
from signoff.submission.manifest_shape import ManifestShape
from signoff.submission.policy_choices import policy_faults
from signoff.submission.signature import Signature, SignatureVerifier, SubmissionFile

_MISSING = 50  # names of what a submission waits for, which its row in the table must hold


@dataclass(frozen=True)
class IncompleteSubmission:
    """A submission that waits for the objects `missing`, by their names relative to it: the first of them."""

    missing: tuple[str, ...]


@dataclass(frozen=True)
class CompleteSubmission:
    """A submission with everything that its manifest names, each at the version it has now, and who signed it."""

    submission: Submission
    manifest: Manifest
    objects: dict[str, ObjectVersion]
    policy: Policy
    new_group: bool
    submission_file: SubmissionFile | None = None

    @property
    def signature(self) -> Signature | None:
        """Who signed it, if somebody did."""
        return self.submission_file.signature if self.submission_file else None

    @property
    def attempt(self) -> str:
        """The id of the attempt at registering exactly these versions, as signed by exactly this submitter."""
        signed = {SUBMISSION: self.submission_file.stored} if self.submission_file and self.signature else {}
        return self.submission.attempt({name: it.version_id for name, it in {**self.objects, **signed}.items()})


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Reads submissions, each under its own prefix only. `shape` gives the shape of a manifest."""

    inbox: Bucket
    registry: Registry
    policies: Policies
    images: ImageResolver
    shape: Callable[[], ManifestShape]
    signature_verifier: SignatureVerifier

    def read(self, submission: Submission) -> CompleteSubmission | IncompleteSubmission:
        """Return the submission as it is now. Raises `ManifestRefused` with every fault that it has."""
        # Before all that may take its time or fail: a proof can be used for a quarter of an hour.
        submission_file = self._submission_file(submission)
        signature = submission_file.signature if submission_file else None
        policy, group_tags = self._policy(submission)
        if signature:
            _refuse(_submitter_faults(signature, policy), about=SUBMISSION)
        stored = self.inbox.current(submission.key(MANIFEST))
        if stored is None and (policy.registration_defaults is None or _signs(signature, MANIFEST)):
            return IncompleteSubmission((MANIFEST,))
        written = self._manifest(stored, signature) if stored else {}
        document = projects.in_project(with_defaults(written, policy.registration_defaults), group_tags or {})
        manifest = Manifest(document, self.inbox.name, submission.prefix, self.shape())
        self._check(manifest, policy)
        _refuse(projects.faults(document, group_tags or {}))
        objects, missing = self._objects(submission, manifest, submission_file)
        if missing:
            return IncompleteSubmission(tuple(sorted(missing)[:_MISSING]))
        _refuse(etags.faults(document, lambda location: objects[manifest.relative(location)].etag))
        known = objects | ({MANIFEST: stored} if stored else {})
        if signature is None and _waits_for_its_signature(known.values(), submission_file):
            return IncompleteSubmission((SUBMISSION,))
        if signature is None and policy.enforced:
            _refuse(_faults("submitter", submitters.refusal(policy, None)))
        return CompleteSubmission(submission, manifest, known, policy, group_tags is None, submission_file)

    def _submission_file(self, submission: Submission) -> SubmissionFile | None:
        """Return what submission.json says, or None while there is none."""
        stored = self.inbox.current(submission.key(SUBMISSION))
        if stored is None:
            return None
        try:
            return self.signature_verifier.read(submission, stored, self._document(stored, f"{SUBMISSION}: "))
        except ManifestRefused as refused:
            raise ManifestRefused(refused.faults, about=SUBMISSION) from None

    def _manifest(self, stored: ObjectVersion, signature: Signature | None) -> dict[str, Any]:
        """Return the manifest as it is written, which must be the one that was signed."""
        data = self._data(stored)
        if signature and hashlib.sha256(data).hexdigest() != signature.digests.get(MANIFEST):
            _refuse([Fault(SUBMISSION, f"{MANIFEST} is not what {signature.submitter} signed")], about=SUBMISSION)
        return read(data)

    def _objects(
        self, submission: Submission, manifest: Manifest, submission_file: SubmissionFile | None
    ) -> tuple[dict[str, ObjectVersion], set[str]]:
        """Return the objects that a manifest means, by name, and the names of those that are not there yet."""
        names = set(manifest.objects())
        prefixes = {name for name in names if is_prefix(name)}
        listed = submission_file.objects if submission_file else None
        signature = submission_file.signature if submission_file else None
        awaited = set(listed or ()) if signature else set()
        if prefixes:
            if listed is None:
                return {}, {SUBMISSION}
            _refuse(object_list.faults(listed, prefixes), about=SUBMISSION)
            under = {name for name in listed if name.startswith(tuple(prefixes))}
            names, awaited = names - prefixes | under, awaited | under
        if signature:
            _refuse(_unsigned_faults(names, signature), about=SUBMISSION)
        missing = awaited - self._uploaded(submission, [""] if signature else prefixes) if awaited else set()
        if missing:
            return {}, missing
        found = {name: self.inbox.current(submission.key(name)) for name in names}
        objects = {name: stored for name, stored in found.items() if stored}
        return objects, found.keys() - objects.keys()

    def _uploaded(self, submission: Submission, prefixes: Collection[str]) -> set[str]:
        """Return the names of what is there under `prefixes`: a request for a thousand, and not one for each."""
        home = submission.key("")
        keys = (key for prefix in prefixes for key, _ in self.inbox.names(home + prefix))
        return {key.removeprefix(home) for key in keys}

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
                digests[image] = digests.get(image) or self.images.pinned(image)
            except ObjectMissing as missing:
                faults.append(Fault(path, str(missing)))
        return digests, faults

    def _policy(self, submission: Submission) -> tuple[Policy, dict[str, str] | None]:
        """Return the policy of the submission's group, and the tags of a group that is there already."""
        group = submission.group
        if not submission.names_a_group:
            raise _refused_group(f"`{group}` cannot be the name of a model package group; upload under another prefix")
        found = self.registry.group(group)
        if found is not None:
            if found.name != group:
                raise _refused_group(f"there is a group {found.name}, which is the same to SageMaker; spell it so")
            policy = self.policies.governing(group, found.tags)
            if policy is None:
                raise _refused_group(f"group {group} exists and Signoff does not govern it; give it a policy first")
            return policy, found.tags
        policy = self.policies.for_new_group(group)
        if not policy.groups.create:
            raise _refused_group(f"there is no group {group}, and its policy does not let a submission create it")
        return policy, None

    def _document(self, stored: ObjectVersion, where: str) -> dict[str, Any]:
        """Return what a file beside the manifest says; its faults tell `where` they are."""
        try:
            return read(self._data(stored))
        except ManifestRefused as refused:
            raise ManifestRefused([Fault(fault.path, f"{where}{fault.message}") for fault in refused.faults]) from None

    def _data(self, stored: ObjectVersion) -> bytes:
        if stored.size > strict_json.MAX_BYTES:
            raise ManifestRefused([Fault("", f"has {stored.size} bytes; {strict_json.MAX_BYTES} are allowed")])
        return self.inbox.read(stored)


def _submitter_faults(signature: Signature, policy: Policy) -> list[Fault]:
    """Return why nothing is taken from whoever signed. Where the policy only reports, its own rules hold nobody up."""
    arn, claimed = signature.submitter, signature.claimed
    if claimed is not None and not same_person(claimed, arn, policy.approvals.trusted_sessions):
        return [Fault(SUBMISSION, f"AnotherIdentity: it says that it is by {claimed}, and {arn} signed it")]
    account = account_of(arn)
    if account != signature.account and not policy.opens_to(account):
        return [
            Fault("submitter", f"{arn} is of account {account}, to which the group is not open (`accounts.submit`)")
        ]
    return _faults("submitter", submitters.refusal(policy, arn)) if policy.enforced else []


def _faults(path: str, message: str | None) -> list[Fault]:
    return [Fault(path, message)] if message else []


def _signs(signature: Signature | None, name: str) -> bool:
    return signature is not None and name in signature.digests


def _unsigned_faults(names: Set[str], signature: Signature) -> list[Fault]:
    unsigned = sorted(names - signature.digests.keys())
    return [Fault("objects", f"{SUBMISSION} does not sign {name}, which the manifest names") for name in unsigned]


def _waits_for_its_signature(objects: Iterable[ObjectVersion], submission_file: SubmissionFile | None) -> bool:
    """Return whether an object was uploaded by somebody who will still sign the whole.

    Raises `ManifestRefused` when a submission.json is there that nobody signed: it is not the one that was to come.
    """
    if not any(TO_BE_SIGNED.items() <= stored.metadata.items() for stored in objects):
        return False
    if submission_file:
        message = "Unproven: its objects were uploaded to be signed, and it has no proof of who submits them"
        _refuse([Fault(SUBMISSION, message)], about=SUBMISSION)
    return True


def _refuse(faults: list[Fault], about: str = MANIFEST) -> None:
    if faults:
        raise ManifestRefused(faults, about)


def _refused_group(message: str) -> ManifestRefused:
    return ManifestRefused([Fault("ModelPackageGroupName", message)])
