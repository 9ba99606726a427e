"""Who submitted, and what: verified by the proof in submission.json, and stored once STS has confirmed it.

A proof is valid for 15 minutes, and a submission may take longer to be complete or to be retried. So the result of STS
is written to the vault, under the digest of statement and proof: by the function that decides, whose queue tries again
within these minutes, or by the one that registers, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.documents.canonical_json import digest
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused, ProofRefused
from signoff.identity.principals import account_of
from signoff.identity.proofs import Claim
from signoff.submission import object_list
from signoff.submission.layout import CREATE_GROUP, SUBMISSION, Submission
from signoff.submission.small_files import document_of

KIND = "submission"


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
    """Reads the submission.json files in the artifacts bucket and verifies their signatures."""

    def __init__(self, identity_verifier: IdentityVerifier, vault: Vault, inbox: Bucket) -> None:
        self._identity_verifier = identity_verifier
        self._vault = vault
        self._inbox = inbox

    def submission_file(self, submission: Submission) -> SubmissionFile | None:
        """Return the content of a submission's submission.json, or None if there is none.

        Without a proof it only lists objects. Raises `ManifestRefused` when it, or its signature, is not valid, and
        `Transient` when STS gives no answer.
        """
        stored = self._inbox.current(submission.key(SUBMISSION))
        if stored is None:
            return None
        document = document_of(self._inbox, stored, SUBMISSION)
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
        claim = self._identity_verifier.read(document, KIND)
        if document.get("submission") != submission.prefix:
            raise ProofRefused("WrongSubmission", f"it was signed for a submission other than {submission.prefix}")
        digests = object_list.digests(document)
        claimed = document.get("submitter")
        signer = self._signer(claim)
        return Signature(
            submitter=signer["submitter"],
            user_id=signer.get("user_id"),
            account=account_of(document["audience"]),
            time=document["time"],
            id=claim.id,
            proof=claim.sha256,
            digests=digests,
            claimed=claimed if claimed is None else str(claimed),
            creates_group=_creates_group(document),
        )

    def _signer(self, claim: Claim) -> dict[str, Any]:
        """Return what STS said of the signer. It is asked only once, however late the submission is complete."""
        key = f"signatures/{digest({'id': claim.id, 'proof': claim.sha256})}.json"
        known = self._vault.read_named(key)
        if known is None:
            signer = self._identity_verifier.confirm(claim)
            known = {"submitter": signer.arn, "user_id": signer.user_id, "id": claim.id, "proof": claim.sha256}
            self._vault.write_named(key, known)
        return known


def _creates_group(document: Mapping[str, Any]) -> bool:
    asked = document.get(CREATE_GROUP, False)
    if not isinstance(asked, bool):
        raise ManifestRefused([Fault(CREATE_GROUP, f"{SUBMISSION}: must be true or false")])
    return asked
