"""Finding out who submits, and what: by the proof in submission.json, kept as soon as STS has borne it out.

A proof is good for a quarter of an hour, and a submission may take longer to be complete, or to be tried again. So
what STS said is written to the vault, under the digest of statement and proof: nobody else's proof has that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.aws.s3 import ObjectVersion
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.documents.canonical_json import digest
from signoff.documents.faults import Fault
from signoff.errors import ManifestRefused, ProofRefused
from signoff.identity.principals import account_of
from signoff.identity.proofs import Claim
from signoff.submission import object_list
from signoff.submission.layout import SUBMISSION, Submission

KIND = "submission"


@dataclass(frozen=True)
class Signature:
    """Who signed a submission (an ARN), for the registry of which account, and when (ISO 8601).

    `id` and `proof` are the hashes by which the ledger knows statements and proofs; `digests` is what was signed: the
    SHA-256 of each object by its name, the manifest's among them. `claimed` is who the statement says that it is by.
    """

    submitter: str
    account: str
    time: str
    id: str
    proof: str
    digests: Mapping[str, str]
    claimed: str | None = None

    @property
    def document(self) -> dict[str, str]:
        """What the registration document says of it."""
        return {"id": self.id, "proof": self.proof, "time": self.time}


@dataclass(frozen=True)
class SubmissionFile:
    """A submission.json as it is: which version, which objects it lists (None: it lists none), and who signed it."""

    stored: ObjectVersion
    objects: tuple[str, ...] | None
    signature: Signature | None


class SignatureVerifier:
    """Reads what a submission's submission.json says and who signed it."""

    def __init__(self, identity_verifier: IdentityVerifier, vault: Vault) -> None:
        self._identity_verifier = identity_verifier
        self._vault = vault

    def read(self, submission: Submission, stored: ObjectVersion, document: Mapping[str, Any]) -> SubmissionFile:
        """Return what `document`, which is `stored`, says. Without a proof it only lists objects.

        Raises `ManifestRefused` when it is signed and not to be believed, and `Transient` when STS gives no answer.
        """
        objects = object_list.objects(document)
        if document.get("proof") is None and document.get("statement") is None:
            return SubmissionFile(stored, objects, None)
        try:
            return SubmissionFile(stored, objects, self._signature(submission, document))
        except ProofRefused as refused:
            raise ManifestRefused([Fault(SUBMISSION, str(refused))]) from None

    def _signature(self, submission: Submission, document: Mapping[str, Any]) -> Signature:
        claim = self._identity_verifier.read(document, KIND)
        if document.get("submission") != submission.prefix:
            raise ProofRefused("WrongSubmission", f"it was signed for another submission than {submission.prefix}")
        digests = object_list.digests(document)
        claimed = document.get("submitter")
        return Signature(
            submitter=self._submitter(claim),
            account=account_of(document["audience"]),
            time=document["time"],
            id=claim.id,
            proof=claim.sha256,
            digests=digests,
            claimed=claimed if claimed is None else str(claimed),
        )

    def _submitter(self, claim: Claim) -> str:
        """Return who signed. STS is asked once, however late the submission is complete."""
        key = f"registrations/signatures/{digest({'id': claim.id, 'proof': claim.sha256})}.json"
        known = self._vault.read_named(key)
        if known is None:
            known = {"submitter": self._identity_verifier.confirm(claim), "id": claim.id, "proof": claim.sha256}
            self._vault.write_named(key, known)
        return str(known["submitter"])
