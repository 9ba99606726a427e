"""Reading a submission: whether it is complete, and everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from signoff.aws.ecr import ImageResolver
from signoff.aws.parallel import in_parallel
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import Policies
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused, ObjectMissing
from signoff.identity.principals import account_of, same_person
from signoff.model_package import etags, projects
from signoff.model_package.data_sources import is_prefix
from signoff.model_package.images import by_digest, of_products
from signoff.model_package.subject import containers
from signoff.policy import submitters
from signoff.policy.policy import Policy
from signoff.submission import groups, object_list
from signoff.submission.groups import TargetGroup
from signoff.submission.json_objects import read
from signoff.submission.layout import MANIFEST, SIGNER, SUBMISSION, TO_BE_SIGNED, Submission
from signoff.submission.locations import OWN_FILES
from signoff.submission.manifest import Manifest, with_defaults
from signoff.submission.manifest_shape import ManifestShape
from signoff.submission.policy_choices import policy_faults
from signoff.submission.signature import Signature, SignatureVerifier, SubmissionFile
from signoff.submission.small_files import data_of
from signoff.submission.unnamed import unnamed, unnamed_faults

_MISSING = 50  # missing names that a submission's table row lists
# No submission has more objects: those beyond nothing can name.
MOST_OBJECTS = object_list.MAX_OBJECTS + len(OWN_FILES)


@dataclass(frozen=True)
class IncompleteSubmission:
    """A submission that still lacks objects; `missing` are the first of their names, relative to it.

    `named` are the names of all objects that it is known to consist of, and `policy` is the name of the policy that it
    is judged by. It is `unsigned` if it has no submission.json, and `announced` if one of its objects says that there
    will be one.
    """

    missing: tuple[str, ...]
    named: frozenset[str] = frozenset()
    policy: str | None = None
    unsigned: bool = False
    announced: bool = False


@dataclass(frozen=True)
class CompleteSubmission:
    """A submission with all objects that its manifest names, at their current versions, and its signature.

    `manifest_data` are the bytes of the manifest, if it has one.
    """

    submission: Submission
    manifest: Manifest
    objects: dict[str, ObjectVersion]
    group: TargetGroup
    submission_file: SubmissionFile | None = None
    manifest_data: bytes | None = None

    @property
    def policy(self) -> Policy:
        """The policy that it is judged by."""
        return self.group.governing.policy

    @property
    def signature(self) -> Signature | None:
        """Its signature, if it is signed."""
        return self.submission_file.signature if self.submission_file else None

    @property
    def attempt(self) -> str:
        """The id of the attempt to register exactly these versions with this signature."""
        signed = {SUBMISSION: self.submission_file.stored} if self.submission_file and self.signature else {}
        return self.submission.attempt({name: it.version_id for name, it in {**self.objects, **signed}.items()})


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Reads submissions, each only under its own prefix. `shape` returns the shape of a manifest."""

    inbox: Bucket
    registry: Registry
    policies: Policies
    images: ImageResolver
    shape: Callable[[], ManifestShape]
    signature_verifier: SignatureVerifier

    def read(self, submission: Submission) -> CompleteSubmission | IncompleteSubmission:
        """Return the submission as it is now. Raises `ManifestRefused` with all its faults."""
        # First of all, because a proof is valid for 15 minutes only.
        submission_file = self.signature_verifier.submission_file(submission)
        group = groups.find(submission, self.registry, self.policies)
        try:
            found = self._read(submission, submission_file, group)
        except ManifestRefused as refused:
            raise refused.under(group.governing.name) from None
        if isinstance(found, IncompleteSubmission):
            return replace(found, policy=group.governing.name, unsigned=submission_file is None)
        return found

    def _read(
        self, submission: Submission, submission_file: SubmissionFile | None, group: TargetGroup
    ) -> CompleteSubmission | IncompleteSubmission:
        signature = submission_file.signature if submission_file else None
        policy, group_tags = group.governing.policy, group.tags or {}
        if signature:
            _refuse(_submitter_faults(signature, policy), about=SUBMISSION)
        opened = self.inbox.opened(submission.key(MANIFEST))
        stored = opened.stored if opened else None
        if stored is None:
            _refuse(_lacks_manifest_faults(signature, group), about=SUBMISSION)
        if stored is None and (policy.registration_defaults is None or _signs(signature, MANIFEST)):
            return IncompleteSubmission((MANIFEST,))
        data = data_of(opened) if opened else None
        written = _manifest(data, signature) if data is not None else {}
        document = projects.in_project(with_defaults(written, policy.registration_defaults), group_tags)
        manifest = Manifest(document, self.inbox.name, submission.prefix, self.shape())
        self._check(manifest, policy)
        _refuse(projects.faults(document, group_tags))
        present = self.present(submission)
        _refuse(_too_many(present))
        names, missing = _names(manifest, submission_file, present)
        objects = {} if missing else self._objects(submission, names)
        missing = missing or names - objects.keys()
        if missing:
            return IncompleteSubmission(tuple(sorted(missing)[:_MISSING]), frozenset(names))
        _refuse(etags.faults(document, lambda location: objects[manifest.relative(location)].etag))
        known = objects | ({MANIFEST: stored} if stored else {})
        if signature is None and _lacks_announced_signature(known.values(), submission_file):
            return IncompleteSubmission((SUBMISSION,), frozenset(names), announced=True)
        _refuse_unnamed(unnamed(present, names))
        if signature:
            _refuse(_announced_faults(known, signature, policy), about=SUBMISSION)
        if signature is None and policy.enforced:
            _refuse(_faults("submitter", submitters.refusal(policy, None)))
        groups.confirm(group, signature, self.policies)
        return CompleteSubmission(submission, manifest, known, group, submission_file, data)

    def _objects(self, submission: Submission, names: Set[str]) -> dict[str, ObjectVersion]:
        """Return the objects of these names as they are now, by name."""
        ordered = sorted(names)
        found = in_parallel(self.inbox.current, map(submission.key, ordered))
        return {name: stored for name, stored in zip(ordered, found, strict=True) if stored}

    def present(self, submission: Submission) -> set[str]:
        """Return the names of what is uploaded, by listing it instead of one request for each; not of endlessly many.

        Empty objects that mark folders are none.
        """
        home = submission.key("")
        return {key.removeprefix(home) for key, _ in islice(self.inbox.names(home), MOST_OBJECTS + 1)}

    def pinned(self, complete: CompleteSubmission) -> Manifest:
        """Return the manifest with every image pinned to its digest. Raises `ManifestRefused` if that fails."""
        digests, faults = self._digests(complete.manifest)
        if faults:
            raise ManifestRefused(faults, policy=complete.group.governing.name)
        return complete.manifest.with_images(digests)

    def _check(self, manifest: Manifest, policy: Policy) -> None:
        """Refuse a manifest with faults, including those of its images; otherwise images are resolved later."""
        faults = manifest.faults() or policy_faults(manifest.document, policy)
        if faults:
            known = {fault.path for fault in faults}
            images = [fault for fault in self._digests(manifest)[1] if fault.path not in known]
            raise ManifestRefused(sorted([*faults, *images]))

    def _digests(self, manifest: Manifest) -> tuple[dict[str, str], list[Fault]]:
        digests: dict[str, str] = {}
        faults = []
        unasked = of_products(container for _, container in containers(manifest.document))
        for path, image in manifest.images():
            try:
                pinned = by_digest if image in unasked else self.images.pinned
                digests[image] = digests.get(image) or pinned(image)
            except ObjectMissing as missing:
                faults.append(Fault(path, str(missing)))
        return digests, faults


def _manifest(data: bytes, signature: Signature | None) -> dict[str, Any]:
    """Return the manifest, which must match the signature."""
    if signature and hashlib.sha256(data).hexdigest() != signature.digests.get(MANIFEST):
        _refuse([Fault(SUBMISSION, f"{MANIFEST} does not match what {signature.submitter} signed")], about=SUBMISSION)
    return read(data)


def _submitter_faults(signature: Signature, policy: Policy) -> list[Fault]:
    """Return why this submitter is refused. In report mode the policy's own rules are not enforced."""
    arn, claimed = signature.submitter, signature.claimed
    if claimed is not None and not same_person(claimed, arn, policy.approvals.trusted_sessions):
        return [Fault(SUBMISSION, f"AnotherIdentity: it claims to be from {claimed}, but {arn} signed it")]
    account = account_of(arn)
    if account != signature.account and not policy.opens_to(account):
        return [
            Fault(
                "submitter",
                f"{arn} belongs to account {account}, which may not submit to this group (`accounts.submit`)",
            )
        ]
    return _faults("submitter", submitters.refusal(policy, arn)) if policy.enforced else []


def _faults(path: str, message: str | None) -> list[Fault]:
    return [Fault(path, message)] if message else []


def _names(manifest: Manifest, submission_file: SubmissionFile | None, present: Set[str]) -> tuple[set[str], Set[str]]:
    """Return the names of the objects that a manifest names, and those that are not `present`.

    If the manifest names a prefix, submission.json says which objects are below it. It lists no others than these.
    """
    names = set(manifest.objects())
    prefixes = {name for name in names if is_prefix(name)}
    listed = submission_file.objects if submission_file else None
    signature = submission_file.signature if submission_file else None
    if prefixes and listed is None:
        return names - prefixes, {SUBMISSION}
    listed = listed or ()
    if prefixes:
        _refuse(object_list.faults(listed, prefixes), about=SUBMISSION)
        names = names - prefixes | {name for name in listed if name.startswith(tuple(prefixes))}
    _refuse(unnamed_faults(unnamed(listed, names)), about=SUBMISSION)
    if signature:
        _refuse(_unsigned_faults(names, signature), about=SUBMISSION)
    return names, names - present


def _too_many(present: Set[str]) -> list[Fault]:
    most = object_list.MAX_OBJECTS
    return _faults(
        "", f"has more than the {most:,} objects that a submission may have" if len(present) > MOST_OBJECTS else None
    )


def _signs(signature: Signature | None, name: str) -> bool:
    return signature is not None and name in signature.digests


def _lacks_manifest_faults(signature: Signature | None, group: TargetGroup) -> list[Fault]:
    """Return the fault of a submission whose signature says that there is no manifest, if the policy wants one."""
    if signature is None or _signs(signature, MANIFEST) or group.governing.policy.registration_defaults is not None:
        return []
    why = f"the policy ({group.governing.name}) has no `registration_defaults`, so a submission needs one"
    return [Fault("objects", f"{SUBMISSION} signs no {MANIFEST}, and {why}")]


def _unsigned_faults(names: Set[str], signature: Signature) -> list[Fault]:
    unsigned = sorted(names - signature.digests.keys())
    return [Fault("objects", f"{SUBMISSION} does not sign {name}, which the manifest names") for name in unsigned]


def _announced_faults(objects: Mapping[str, ObjectVersion], signature: Signature, policy: Policy) -> list[Fault]:
    """Return which objects were uploaded to be signed by another person than the signer."""
    announced = {name: stored.metadata.get(SIGNER) for name, stored in objects.items()}
    return [
        Fault(
            SUBMISSION,
            f"AnotherIdentity: {name} was uploaded to be signed by {by}, but {signature.submitter} signed it",
        )
        for name, by in sorted(announced.items())
        if by and not same_person(by, signature.submitter, policy.approvals.trusted_sessions)
    ]


def announces_signature(stored: ObjectVersion) -> bool:
    """Whether an object's metadata says that a signature is still to be uploaded."""
    return TO_BE_SIGNED.items() <= stored.metadata.items()


def _lacks_announced_signature(objects: Iterable[ObjectVersion], submission_file: SubmissionFile | None) -> bool:
    """Return whether the objects' metadata announces a signature that has not been uploaded yet.

    Raises `ManifestRefused` when there is an unsigned submission.json instead.
    """
    if not any(map(announces_signature, objects)):
        return False
    if submission_file:
        message = "Unproven: its objects were uploaded to be signed, but it has no proof of the submitter"
        _refuse([Fault(SUBMISSION, message)], about=SUBMISSION)
    return True


def _refuse(faults: list[Fault], about: str = MANIFEST) -> None:
    if faults:
        raise ManifestRefused(faults, about)


def _refuse_unnamed(names: Sequence[str]) -> None:
    if names:
        raise ManifestRefused(unnamed_faults(names), about=names[0])
