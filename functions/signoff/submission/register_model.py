"""Registering a submission: copies it to the vault and creates its model package."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sagemaker import Registry
from signoff.aws.submissions_table import SubmissionsTable
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.faults import Fault
from signoff.documents.patterns import compiled_on_use
from signoff.documents.timestamps import Clock
from signoff.errors import ManifestRefused, RegistryRefused, ReportOvertaken
from signoff.governance.registrations import REGISTRATION_HINT, first_entry, read_registration, registration_key
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, package_key, submission_key
from signoff.model_package import etags
from signoff.model_package.content_digests import with_digests
from signoff.submission.intake import CompleteSubmission, IncompleteSubmission, Intake
from signoff.submission.layout import MANIFEST, REPORT, SUBMISSION, Submission
from signoff.submission.locations import OWN_FILES
from signoff.submission.unnamed import missing_faults, unnamed

# Longer than a function can run: the holder of an older claim has died.
_CLAIM = timedelta(minutes=16)
# How long a submission may wait for the same objects until its sender is told which.
_PATIENCE = timedelta(hours=1)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html
_NOT_FOR_TAGS = compiled_on_use(r"[^\w+\-=.:/@ ]", re.ASCII)
_REGISTERED = {"signoff:registration": "registered"}
_UNDER_WAY = "being registered already"
_LOOKS = 8  # at a report that others write at the same time
_MOST_REFUSALS = 200  # that the ledger of one submission takes; its report and the tags go on
_REPORTED = 50  # faults that fit into an event; the report has them all

# An attempt and when it was begun.
Claim = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Registrar:
    """Registers submissions, each once, whichever of its objects is uploaded last."""

    inbox: Bucket
    intake: Intake
    registry: Registry
    ledger: LedgerTable
    submissions: SubmissionsTable
    vault: Vault
    now: Clock

    def uploaded(self, key: str) -> str:
        """Handle the upload of `key` and return the outcome, for the log.

        Faults of a submission are reported by an entry, and with it an event, by a report beside the manifest, and by a
        tag on the object.
        """
        if key.endswith(f"/{REPORT}"):
            return "report"
        submission = Submission.of(key)
        stored = self.inbox.current(key)
        if stored is None:
            return "gone"
        if stored.marks_a_folder:
            return "a folder"
        if submission is None:
            fault = Fault(key, "is not in a submission; upload to <group>/<submission>/<name>")
            return self._note_refusal(Submission("", key), stored, [fault])
        try:
            return self._register(submission, stored)
        except ManifestRefused as refused:
            return self._refuse(submission, self._about(submission, refused) or stored, refused)

    def _about(self, submission: Submission, refused: ManifestRefused) -> ObjectVersion | None:
        """Return the object that has the faults, or the manifest if that does not exist."""
        found = (self.inbox.current(submission.key(name)) for name in dict.fromkeys((refused.about, MANIFEST)))
        return next((stored for stored in found if stored), None)

    def _register(self, submission: Submission, stored: ObjectVersion) -> str:
        known = self.submissions.get(submission.prefix) or {}
        if known.get("state") == "registered":
            return self._closed(submission, known["attempt"], known["package"], stored)
        begun = self._begun(known)
        if begun is not None:
            # An attempt that may have created its package is finished first, whatever was uploaded since.
            return self._claimed(submission, begun["id"], stored, lambda: begun)
        complete = self.intake.read(submission)
        if isinstance(complete, IncompleteSubmission):
            return self._waits(submission, complete, known)
        return self._claimed(submission, complete.attempt, stored, lambda: self._registration(complete))

    def _waits(self, submission: Submission, incomplete: IncompleteSubmission, known: Mapping[str, Any]) -> str:
        """Note what a submission waits for. Raises `ManifestRefused` when it has waited for that too long.

        The sweep, which calls for that again and again, leaves it alone after it was refused, until more is uploaded.
        """
        missing, now = list(incomplete.missing), self.now()
        same = known.get("state") == "waiting" and known["missing"] == missing
        since = str(known["since"]) if same else timestamps.text(now)
        if timestamps.parse(since) + _PATIENCE <= now:
            beside = unnamed(self.intake.present(submission), incomplete.named)
            raise ManifestRefused(missing_faults(missing, beside), policy=incomplete.policy)
        self.submissions.wait(submission.prefix, missing, since)
        return f"waits for {', '.join(missing)}"

    def _begun(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the registration document of an unfinished attempt, if it has written one."""
        return read_registration(known["attempt"], self.vault) if known.get("state") == "registering" else None

    def _claimed(
        self, submission: Submission, attempt: str, stored: ObjectVersion, registration: Callable[[], dict[str, Any]]
    ) -> str:
        now = self.now()
        if not self.submissions.claim(submission.prefix, attempt, timestamps.text(now), timestamps.text(now + _CLAIM)):
            return _UNDER_WAY
        try:
            return self._attempted(submission, (attempt, timestamps.text(now)), stored, registration)
        except Exception:
            # Otherwise the retry would find its own claim and leave the work to the sweep.
            self.submissions.release(submission.prefix, attempt, self._timestamp())
            raise

    def _attempted(
        self, submission: Submission, claim: Claim, stored: ObjectVersion, registration: Callable[[], dict[str, Any]]
    ) -> str:
        try:
            return self._finish(submission, registration())
        except ManifestRefused as refused:
            return self._refuse(submission, self._about(submission, refused) or stored, refused, claim)

    def _closed(self, submission: Submission, attempt: str, package: str, uploaded: ObjectVersion | None = None) -> str:
        """Refuse what was `uploaded` to a registered submission; by default, all that changed during registration.

        The same content again, as `aws s3 sync` or a pipeline's retry uploads it, is not worth a refusal.
        """
        known = _known_versions(read_registration(attempt, self.vault) or {"objects": []})
        message = f"the submission is closed: it is registered as {package}; upload to a new prefix"
        refused = ""
        if uploaded is None:
            names = {*known, MANIFEST, *unnamed(self.intake.present(submission), known)}
        else:
            names = {uploaded.key.removeprefix(submission.key(""))} - (OWN_FILES - {*known, MANIFEST})
        for name in sorted(names):
            stored = self.inbox.current(submission.key(name))
            if stored and not {stored.version_id, stored.etag} & known.get(name, set()):
                refused = self._note_refusal(submission, stored, [Fault(name, message)])
            elif stored and uploaded is not None and stored.version_id in known[name]:
                # Another function may have refused the same version before it was registered.
                self.inbox.tag(stored.key, stored.version_id, _REGISTERED)
        return refused or f"registered as {package}"

    def _finish(self, submission: Submission, registration: dict[str, Any]) -> str:
        try:
            if registration["creates_group"]:
                self.registry.create_group(submission.group)
            arn = self.registry.create_package(registration["request"])
        except RegistryRefused as refusal:
            fault = Fault("", f"SageMaker refused it: {refusal}")
            raise ManifestRefused([fault], policy=registration.get("policy_name")) from refusal
        described = self.registry.describe(arn)
        first = first_entry(described, registration)
        key = package_key(arn, described["CreationTime"])
        self.ledger.update(key, lambda history: [] if history.state.status else [first])
        judged = {"policy": registration.get("policy_name")}
        report: dict[str, Any] = {"outcome": "registered", "package": arn, **judged, "faults": []}
        self._report(submission, report, lambda: True)
        for name, version in _registered_versions(registration):
            self.inbox.tag(submission.key(name), version, _REGISTERED)
        # Last, because a closed submission is never finished by a retry.
        self.submissions.close(submission.prefix, registration["id"], arn, self._timestamp())
        return self._closed(submission, registration["id"], arn)

    def _registration(self, complete: CompleteSubmission) -> dict[str, Any]:
        """Return the registration document, written before the package is created so that a retry can use it."""
        document = read_registration(complete.attempt, self.vault)
        if document is None:
            manifest = self.intake.pinned(complete)
            kept = self.vault.keep_all(
                ((stored, _vault_key(complete, name)) for name, stored in complete.objects.items()),
                # In a group that only reports, who approves in the registry deploys the copy; Signoff approves nothing.
                expires=complete.policy.enforced,
            )
            copies = dict(zip(complete.objects, kept, strict=True))
            resolved = manifest.resolved(lambda name: self.vault.uri(_vault_key(complete, name)))
            by_uri = {copy.uri: copy for copy in copies.values()}
            resolved = etags.replaced(resolved, lambda uri: by_uri[uri].etag)
            resolved = with_digests(resolved, lambda uri: _signed_sha256(complete, copies, uri))
            document = _document(complete, resolved, copies)
            self.vault.write("policies", complete.policy.document)
            self.vault.write_named(registration_key(complete.attempt), document)
        return document

    def _refuse(
        self, submission: Submission, about: ObjectVersion, refused: ManifestRefused, claim: Claim | None = None
    ) -> str:
        """Refuse a submission, ending the `claim`, unless others have claimed or registered it meanwhile.

        Its row decides: it is written before anything tells of the refusal, and again before the report.
        """
        attempt, since = claim or (submission.attempt({about.key: about.version_id}), self._timestamp())

        def stands(claimed: bool = False) -> bool:
            return self.submissions.refuse(submission.prefix, attempt, since, claimed=claimed)

        if stands(claimed=claim is not None):
            answer = self._note_refusal(submission, about, refused.faults)
            listed = [asdict(fault) for fault in refused.faults]
            report = {"outcome": "refused", "package": None, "policy": refused.policy, "faults": listed}
            if self._report(submission, report, stands):
                return answer
        known = self.submissions.get(submission.prefix) or {}
        if known.get("state") == "registered":
            return self._closed(submission, known["attempt"], known["package"], about)
        return _UNDER_WAY

    def _note_refusal(self, submission: Submission, about: ObjectVersion, faults: Sequence[Fault]) -> str:
        """Record faults in the ledger and as a tag, once for each version of the object they are `about`."""
        attempt = submission.attempt({about.key: about.version_id})
        draft = _failed(submission, attempt, about, faults)

        def once(history: History) -> list[Draft]:
            reported = [entry.details["faults"] for entry in history.entries if entry.details.get("attempt") == attempt]
            full = len(history.entries) >= _MOST_REFUSALS
            return [] if full or draft.details["faults"] in reported else [draft]

        self.ledger.update(submission_key(submission.prefix.lstrip("/")), once)
        tags = {"signoff:registration": "refused", "signoff:reason": _tag_value(faults)}
        self.inbox.tag(about.key, about.version_id, tags, unless=_REGISTERED)
        return f"refused: {faults[0].path}: {faults[0].message}"

    def _report(self, submission: Submission, report: dict[str, Any], stands: Callable[[], bool]) -> bool:
        """Write the report as long as its outcome `stands`; return whether it still did.

        Whoever wrote another report after this one was read makes the write fail: then the outcome is asked for anew.
        """
        key = submission.key(REPORT)
        data = json.dumps({**report, "time": self._timestamp()}, indent=2).encode()
        for _ in range(_LOOKS):
            known = self.inbox.current(key)
            if not stands():
                return False
            if self.inbox.put_after(known, key, data):
                return True
        raise ReportOvertaken(f"others keep writing {key}; a retry will look at it again")

    def _timestamp(self) -> str:
        return timestamps.text(self.now())


def _vault_key(complete: CompleteSubmission, name: str) -> str:
    """Return the vault's key of a submission's object or prefix, by its name."""
    return f"models/{complete.submission.group}/{complete.attempt}/{name}"


def _signed_sha256(complete: CompleteSubmission, copies: Mapping[str, ObjectVersion], uri: str) -> str | None:
    """Return the SHA-256 that the submitter signed of the object that was copied to `uri`, if they signed any."""
    digests = complete.signature.digests if complete.signature else {}
    return next((digests[name] for name, copy in copies.items() if copy.uri == uri and name in digests), None)


def _document(
    complete: CompleteSubmission, resolved: dict[str, Any], copies: dict[str, ObjectVersion]
) -> dict[str, Any]:
    signature, submission_file = complete.signature, complete.submission_file
    deployment, data = resolved.pop("Deployment", {}), resolved.pop("EvaluationData", None)
    metadata = {**resolved.pop("CustomerMetadataProperties", {}), REGISTRATION_HINT: complete.attempt}
    return {
        "id": complete.attempt,
        "group": complete.submission.group,
        "submission": complete.submission.prefix,
        "submitter": signature.submitter if signature else None,
        "signed": signature.document if signature else None,
        "digests": dict(signature.digests) if signature else {},
        "statement": submission_file.stored.version_id if submission_file else None,
        "policy": complete.policy.digest,
        "policy_name": complete.group.governing.name,
        "creates_group": complete.group.is_new,
        "objects": [
            {
                "name": name,
                "size": stored.size,
                "source": {"uri": stored.uri, "version_id": stored.version_id, "etag": stored.etag},
                "vault": {"uri": copies[name].uri, "version_id": copies[name].version_id},
            }
            for name, stored in sorted(complete.objects.items())
        ],
        "deployment": deployment,
        "evaluation_data": data,
        "request": {
            **resolved,
            "ModelPackageGroupName": complete.submission.group,
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties": metadata,
            "ClientToken": complete.attempt,
        },
    }


def _registered_versions(registration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the version id of each object that was registered, and of the statement if there is one."""
    yield from ((each["name"], each["source"]["version_id"]) for each in registration["objects"])
    if registration.get("statement"):
        yield SUBMISSION, registration["statement"]


def _known_versions(registration: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the version id and the ETag of each object that was registered, by name; of the statement, its version."""
    sources = {each["name"]: each["source"] for each in registration["objects"]}
    known = {name: {source["version_id"], source["etag"]} for name, source in sources.items()}
    return known | ({SUBMISSION: {registration["statement"]}} if "statement" in registration else {})


def _failed(submission: Submission, attempt: str, about: ObjectVersion, faults: Sequence[Fault]) -> Draft:
    return Draft(
        Kind.REGISTRATION_FAILED,
        "signoff",
        {
            "group": submission.group or None,
            "submission": submission.prefix.lstrip("/"),
            "attempt": attempt,
            "object": {"uri": about.uri, "version_id": about.version_id},
            "faults": [asdict(fault) for fault in faults[:_REPORTED]],
            "fault_count": len(faults),
        },
    )


def _tag_value(faults: Sequence[Fault]) -> str:
    return _NOT_FOR_TAGS.sub(" ", f"{faults[0].path} {faults[0].message}").strip()[:256]
