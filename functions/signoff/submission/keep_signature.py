"""Keeping who signed a submission: STS is asked once, and what it said is kept in the vault with what was signed.

By a function of its own, the only one that writes there: whoever reads manifests, which may be hostile, could otherwise
invent a submitter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.errors import ProofRefused
from signoff.governance.kept_signatures import signature_key
from signoff.identity.proofs import Claim

KIND = "submission"


class SignatureKeeper:
    """Keeps the signatures of submissions in the vault."""

    def __init__(self, identity_verifier: IdentityVerifier, vault: Vault) -> None:
        self._identity_verifier = identity_verifier
        self._vault = vault

    def keep(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is kept of the signature of `statement`, a submission.json with its proof.

        That is the `statement` without the proof, `submitter` (an ARN) and `user_id`, and the hashes `id` and `proof`;
        or that it is `refused`, by a name, and `because` of what. STS is asked only once, however late the submission
        is complete. Raises `Transient` when it gives no answer.
        """
        try:
            return self._kept(self._identity_verifier.read(statement, KIND), statement)
        except ProofRefused as refused:
            return {"refused": refused.name, "because": refused.reason}

    def _kept(self, claim: Claim, statement: Mapping[str, Any]) -> dict[str, Any]:
        key = signature_key(claim.id, claim.sha256)
        known: dict[str, Any] | None = self._vault.read_named(key)
        if known is None:
            known = self._confirmed(claim, statement)
            self._vault.write_named(key, known)
        return known

    def _confirmed(self, claim: Claim, statement: Mapping[str, Any]) -> dict[str, Any]:
        signer = self._identity_verifier.confirm(claim)
        return {
            "submitter": signer.arn,
            "user_id": signer.user_id,
            "id": claim.id,
            "proof": claim.sha256,
            "statement": {name: value for name, value in statement.items() if name != "proof"},
        }
