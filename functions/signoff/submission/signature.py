"""Who submitted, and what: by the proof in submission.json, once KeepSignature has had STS confirm it.

A proof is valid for 15 minutes, and a submission may take longer to be complete or to be retried. So what STS said is
kept in the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused, ProofRefused
from signoff.identity.principals import account_of
from signoff.submission import object_list
from signoff.submission.layout import CREATE_GROUP, SUBMISSION, Submission
from signoff.submission.small_files import document_of

# Returns what KeepSignature keeps of a statement, or why it is `refused`.
Kept = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Signature:
    """The submitter (an ARN), the account of the registry that it is for, and when it was signed (ISO 8601).

    `user_id` is the id that IAM gives to no other than the submitter. `id` and `proof` are the hashes by which the
    ledger identifies statements and proofs; `digests` is what was signed: the SHA-256 of each object by its name,
    including the manifest. `claimed` is the submitter that the statement names, `creates_group` whether it asks for the
    group to be created.
    """

    submitter: str
    user_id: str | None
    account: str
    time: str
    id: str
    proof: str
    digests: Mapping[str, str]
    claimed: str | None = None
    creates_group: bool = False

    @property
    def document(self) -> dict[str, str | None]:
        """What the registration document says about it."""
        return {"id": self.id, "proof": self.proof, "time": self.time, "user_id": self.user_id}


@dataclass(frozen=True)
class SubmissionFile:
    """A submission.json: its version, the objects it lists (None: no list), and its signature."""

    stored: ObjectVersion
    objects: tuple[str, ...] | None
    signature: Signature | None


class SignatureVerifier:
    """Reads the submission.json files in the artifacts bucket and has their signatures kept."""

    def __init__(self, inbox: Bucket, keep: Kept) -> None:
        self._inbox = inbox
        self._keep = keep

    def submission_file(self, submission: Submission) -> SubmissionFile | None:
        """Return the content of a submission's submission.json, or None if there is none.

        Without a proof it only lists objects. Raises `ManifestRefused` when it, or its signature, is not valid, and
        `Transient` when STS gives no answer.
        """
        opened = self._inbox.opened(submission.key(SUBMISSION))
        if opened is None:
            return None
        stored, document = opened.stored, document_of(opened, SUBMISSION)
        try:
            objects = object_list.objects(document)
            signed = document.get("proof") is not None or document.get("statement") is not None
            return SubmissionFile(stored, objects, self._signature(submission, document) if signed else None)
        except ProofRefused as refused:
            raise ManifestRefused([Fault(SUBMISSION, str(refused))], about=SUBMISSION) from None
        except ManifestRefused as refused:
            raise ManifestRefused(refused.faults, about=SUBMISSION) from None

    def uploaded(self, key: str) -> str:
        """Have STS confirm the signature of the submission.json at `key`, and return the outcome, for the log.

        The registration finds its answer in the vault, even when it comes to the submission after the proof expired.
        What is wrong with the file is the registration's to refuse. Raises `Transient` when STS gives no answer.
        """
        submission = Submission.of(key)
        if submission is None or key != submission.key(SUBMISSION):
            return "no signature"
        try:
            found = self.submission_file(submission)
        except ManifestRefused as refused:
            return f"refused: {refused}"
        return "confirmed" if found and found.signature else "no signature"

    def _signature(self, submission: Submission, document: Mapping[str, Any]) -> Signature:
        if document.get("submission") != submission.prefix:
            raise ProofRefused("WrongSubmission", f"it was signed for a submission other than {submission.prefix}")
        digests = object_list.digests(document)
        claimed = document.get("submitter")
        kept = self._keep(document)
        if "refused" in kept:
            raise ProofRefused(kept["refused"], kept["because"])
        return Signature(
            submitter=kept["submitter"],
            user_id=kept.get("user_id"),
            account=account_of(document["audience"]),
            time=document["time"],
            id=kept["id"],
            proof=kept["proof"],
            digests=digests,
            claimed=claimed if claimed is None else str(claimed),
            creates_group=_creates_group(document),
        )


def _creates_group(document: Mapping[str, Any]) -> bool:
    asked = document.get(CREATE_GROUP, False)
    if not isinstance(asked, bool):
        raise ManifestRefused([Fault(CREATE_GROUP, f"{SUBMISSION}: must be true or false")])
    return asked
