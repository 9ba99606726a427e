"""Registering a submission: copies it to the vault and creates its model package."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.parallel import in_parallel
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sagemaker import Registry
from signoff.aws.submissions_table import SubmissionsTable
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.faults import Fault
from signoff.documents.patterns import compiled_on_use
from signoff.documents.text import cut, cut_within
from signoff.documents.timestamps import Clock
from signoff.errors import ManifestRefused, ObjectMissing, RegistryRefused, ReportOvertaken
from signoff.governance.registrations import first_entry, read_registration, registration_key
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, package_key, submission_key
from signoff.model_package import etags
from signoff.model_package.artifact_room import beyond_room
from signoff.model_package.artifacts import artifacts_of
from signoff.model_package.content_digests import with_digests
from signoff.submission.intake import (
    MOST_OBJECTS,
    CompleteSubmission,
    IncompleteSubmission,
    Intake,
    announces_signature,
)
from signoff.submission.layout import MANIFEST, REPORT, SUBMISSION, Submission
from signoff.submission.locations import OWN_FILES
from signoff.submission.registration_document import (
    known_versions,
    registered_versions,
    registration_document,
    signed_sha256,
    vault_key,
)
from signoff.submission.unnamed import missing_faults, unnamed

# Longer than a function can run: the holder of an older claim has died.
_CLAIM = timedelta(minutes=16)
# How long a submission may wait for the same objects until its sender is told which.
_PATIENCE = timedelta(hours=1)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-managing.html
_NOT_FOR_TAGS = compiled_on_use(r"[^\w+\-=.:/@ ]", re.ASCII)
_REGISTERED = {"signoff:registration": "registered"}
_UNDER_WAY = "being registered already"
_WAITS_FOR_SIGNATURE = f"waits for {SUBMISSION}"
_LOOKS = 8  # at a report that others write at the same time
_MOST_REFUSALS = 200  # that the ledger of one submission takes; its report and the tags go on
# Faults that fit into an entry, and of each the characters, of up to 4 bytes; the report has them all.
_REPORTED, _PATH, _MESSAGE = 50, 500, 1000

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

        Of a submission that waits for its signature no more is read before that comes: by its own event, or else the
        sweep looks again.
        """
        submission = Submission.of(key)
        if submission is None or key in {submission.key(REPORT), submission.key(SUBMISSION)}:
            return self.look_again(key)
        known = self.submissions.get(submission.prefix) or {}
        if known.get("announced"):
            return _WAITS_FOR_SIGNATURE
        stored = self.inbox.current(key)
        if not known and stored and announces_signature(stored) and self._announced(submission):
            return _WAITS_FOR_SIGNATURE
        return self._handled(key, submission, known, stored)

    def look_again(self, key: str) -> str:
        """Handle the upload of `key` as `uploaded` does, whatever its submission waits for."""
        if key.endswith(f"/{REPORT}"):
            return "report"
        submission = Submission.of(key)
        if submission is None:
            return self._handled(key, None, {}, self.inbox.current(key))
        known = self.submissions.get(submission.prefix) or {}
        if key == submission.key(SUBMISSION) and known.get("state") != "registered":
            return self._registered(submission, known, key)  # which reads that object anyway
        return self._handled(key, submission, known, self.inbox.current(key))

    def _announced(self, submission: Submission) -> bool:
        return self.submissions.announce(submission.prefix, SUBMISSION, self._timestamp())

    def _handled(
        self, key: str, submission: Submission | None, known: Mapping[str, Any], stored: ObjectVersion | None
    ) -> str:
        if stored is None:
            return "gone"
        if stored.marks_a_folder:
            return "a folder"
        if submission is None:
            fault = Fault(key, "is not in a submission; upload to <group>/<submission>/<name>")
            return self._note_refusal(Submission("", key), stored, [fault])
        if known.get("state") == "registered":
            return self._closed(submission, known["attempt"], known["package"], stored)
        return self._registered(submission, known, key)

    def _registered(self, submission: Submission, known: Mapping[str, Any], uploaded: str) -> str:
        """Register a submission that is not known to be registered, as far as it is complete; or refuse it."""
        try:
            return self._register(submission, known, uploaded)
        except ManifestRefused as refused:
            try:
                about = self._about(submission, refused, uploaded)
            except ObjectMissing:
                return "gone"
            return self._refuse(submission, about, refused)

    def _about(self, submission: Submission, refused: ManifestRefused, uploaded: str) -> ObjectVersion:
        """Return the object that has the faults, or else the manifest, or what was `uploaded`, by its key.

        Raises `ObjectMissing` when none of them exists any more.
        """
        keys = (submission.key(refused.about), submission.key(MANIFEST), uploaded)
        found = (self.inbox.current(key) for key in dict.fromkeys(keys))
        about = next((stored for stored in found if stored), None)
        if about is None:
            raise ObjectMissing(f"{uploaded} is gone, and so is all that is wrong with its submission")
        return about

    def _register(self, submission: Submission, known: Mapping[str, Any], uploaded: str) -> str:
        begun = self._begun(known)
        if begun is not None:
            # An attempt that may have created its package is finished first, whatever was uploaded since.
            return self._claimed(submission, begun["id"], uploaded, lambda: begun)
        for _ in range(_LOOKS):
            complete = self.intake.read(submission)
            if isinstance(complete, CompleteSubmission):
                registration = partial(self._registration, complete)
                return self._claimed(submission, complete.attempt, uploaded, registration)
            if complete.unsigned and uploaded == submission.key(SUBMISSION):
                return "gone"
            known, before = self._waits(submission, complete, known)
            if before.get("announced", False) == known["announced"]:
                break
            # Whoever relied on the row as it was before may have left an object unread that has come since it was read.
        return f"waits for {', '.join(known['missing'])}"

    def _waits(
        self, submission: Submission, incomplete: IncompleteSubmission, known: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Note what a submission waits for, and return its row, and the row before that.

        Raises `ManifestRefused` when it has waited for that too long. The sweep, which calls for that again and again,
        leaves it alone after it was refused, until more is uploaded.
        """
        missing, now, waited = list(incomplete.missing), self.now(), known.get("state") == "waiting"
        since = str(known["since"]) if waited and known["missing"] == missing else timestamps.text(now)
        if timestamps.parse(since) + _PATIENCE <= now:
            beside = unnamed(self.intake.present(submission), incomplete.named)
            raise ManifestRefused(missing_faults(missing, beside), policy=incomplete.policy)
        announced = incomplete.announced or bool(known.get("announced") and incomplete.unsigned)
        row = {"state": "waiting", "missing": missing, "since": since, "announced": announced}
        if all(known.get(name, False) == value for name, value in row.items()):
            return row, row
        return row, self.submissions.wait(submission.prefix, missing, since, announced=announced)

    def _begun(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the registration document of an unfinished attempt, if it has written one."""
        return read_registration(known["attempt"], self.vault) if known.get("state") == "registering" else None

    def _claimed(
        self, submission: Submission, attempt: str, uploaded: str, registration: Callable[[], dict[str, Any]]
    ) -> str:
        now = self.now()
        if not self.submissions.claim(submission.prefix, attempt, timestamps.text(now), timestamps.text(now + _CLAIM)):
            return _UNDER_WAY
        try:
            return self._attempted(submission, (attempt, timestamps.text(now)), uploaded, registration)
        except Exception:
            # Otherwise the retry would find its own claim and leave the work to the sweep.
            self.submissions.release(submission.prefix, attempt, self._timestamp())
            raise

    def _attempted(
        self, submission: Submission, claim: Claim, uploaded: str, registration: Callable[[], dict[str, Any]]
    ) -> str:
        try:
            return self._finish(submission, registration())
        except ManifestRefused as refused:
            return self._refuse(submission, self._about(submission, refused, uploaded), refused, claim)

    def _closed(self, submission: Submission, attempt: str, package: str, uploaded: ObjectVersion) -> str:
        """Refuse what was `uploaded` to a registered submission.

        The same content again, as `aws s3 sync` or a pipeline's retry uploads it, is not worth a refusal.
        """
        known = known_versions(read_registration(attempt, self.vault) or {"objects": []})
        name = uploaded.key.removeprefix(submission.key(""))
        if name in OWN_FILES - {*known, MANIFEST}:
            return f"registered as {package}"
        if not {uploaded.version_id, uploaded.etag} & known.get(name, set()):
            return self._note_refusal(submission, uploaded, [_closed_fault(name, package)])
        if uploaded.version_id in known[name]:
            # Another function may have refused the same version before it was registered.
            self.inbox.tag(uploaded.key, uploaded.version_id, _REGISTERED)
        return f"registered as {package}"

    def _close(self, submission: Submission, registration: Mapping[str, Any], package: str) -> str:
        """Close a submission, and refuse all that changed during its registration, which a listing tells."""
        self.submissions.close(submission.prefix, registration["id"], package, self._timestamp())
        known, home, refused = known_versions(registration), submission.key(""), ""
        for key, etag in islice(self.inbox.etags(home), MOST_OBJECTS + 1):
            name = key.removeprefix(home)
            if etag in known.get(name, set()) or name in OWN_FILES - {*known, MANIFEST}:
                continue
            stored = self.inbox.current(key)
            if stored and not stored.marks_a_folder and stored.version_id not in known.get(name, set()):
                refused = self._note_refusal(submission, stored, [_closed_fault(name, package)])
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
        self.ledger.update(key, lambda history: [] if history.state.status else [first], History(key))
        judged = {"policy": registration.get("policy_name")}
        report: dict[str, Any] = {"outcome": "registered", "package": arn, **judged, "faults": []}
        self._report(submission, report, lambda: True)
        in_parallel(partial(self._tag_registered, submission), registered_versions(registration))
        # Last, because a closed submission is never finished by a retry.
        return self._close(submission, registration, arn)

    def _tag_registered(self, submission: Submission, version: tuple[str, str]) -> None:
        self.inbox.tag_once(submission.key(version[0]), version[1], _REGISTERED)

    def _registration(self, complete: CompleteSubmission) -> dict[str, Any]:
        """Return the registration document, written before the package is created so that a retry can use it.

        It is the one that an earlier try has written, if there was one: a tag may mean another image by now.
        """
        manifest = self.intake.pinned(complete)
        resolved = manifest.resolved(lambda name: self.vault.uri(vault_key(complete, name)))
        _refuse_beyond_room(resolved, complete)
        # The registration document has the manifest.
        objects = {name: stored for name, stored in complete.objects.items() if name != MANIFEST}
        kept = self.vault.keep_all(
            ((stored, vault_key(complete, name)) for name, stored in objects.items()),
            # In a group that only reports, who approves in the registry deploys the copy; Signoff approves nothing.
            expires=complete.policy.enforced,
        )
        copies = dict(zip(objects, kept, strict=True))
        by_uri = {copy.uri: copy for copy in copies.values()}
        resolved = etags.replaced(resolved, lambda uri: by_uri[uri].etag)
        resolved = with_digests(resolved, lambda uri: signed_sha256(complete, copies, uri))
        document: dict[str, Any] = registration_document(complete, resolved, copies)
        found: dict[str, Any] = self.vault.write_first(registration_key(complete.attempt), document)
        return found

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
        key, known = submission.key(REPORT), None
        data = json.dumps({**report, "time": self._timestamp()}, indent=2).encode()
        for _ in range(_LOOKS):
            if not stands():
                return False
            if self.inbox.put_after(known, key, data):
                return True
            known = self.inbox.current(key)
        raise ReportOvertaken(f"others keep writing {key}; a retry will look at it again")

    def _timestamp(self) -> str:
        return timestamps.text(self.now())


def _refuse_beyond_room(resolved: Mapping[str, Any], complete: CompleteSubmission) -> None:
    because = beyond_room(artifacts_of(resolved))
    if because:
        raise ManifestRefused([Fault("", because)], policy=complete.group.governing.name)


def _closed_fault(name: str, package: str) -> Fault:
    return Fault(name, f"the submission is closed: it is registered as {package}; upload to a new prefix")


def _failed(submission: Submission, attempt: str, about: ObjectVersion, faults: Sequence[Fault]) -> Draft:
    return Draft(
        Kind.REGISTRATION_FAILED,
        "signoff",
        {
            "group": submission.group or None,
            "submission": submission.prefix.lstrip("/"),
            "attempt": attempt,
            "object": {"uri": about.uri, "version_id": about.version_id},
            "faults": [
                {"path": cut_within(fault.path, _PATH), "message": cut(fault.message, _MESSAGE)}
                for fault in faults[:_REPORTED]
            ],
            "fault_count": len(faults),
        },
    )


def _tag_value(faults: Sequence[Fault]) -> str:
    return _NOT_FOR_TAGS.sub(" ", f"{faults[0].path} {faults[0].message}").strip()[:256]
