"""Finding out who sent a statement over the bus: by its proof, or by the word of a publisher that the policy trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.callers import Callers
from signoff.decisions import Absorbed, Approver, Refused
from signoff.errors import ProofRefused
from signoff.ledger import History
from signoff.policy import Policy
from signoff.proofs import Claim


@dataclass(frozen=True)
class Sender:
    """What EventBridge says of an event: its id, its source, and the account that it is from (None: our own)."""

    event: str | None = None
    source: str = ""
    account: str | None = None


class Identifying:
    """Says who makes a statement of one kind (`decision` or `annotation`)."""

    def __init__(self, callers: Callers, kind: str) -> None:
        self._callers = callers
        self._kind = kind

    def who(
        self, statement: Mapping[str, Any], claimed: str | None, sender: Sender, policy: Policy, history: History
    ) -> Approver | Refused | Absorbed:
        """Return who makes the statement, why that is not known, or that the ledger answers this very one already.

        `claimed` is who it says it is by (an ARN). Nobody is asked about a statement that was answered: its proof may
        have expired by the time that it comes again. Raises `Transient` when STS gives no answer.
        """
        if statement.get("proof") is None:
            return _asserted(claimed, sender, policy)
        try:
            return self._proven(statement, claimed, policy, history)
        except ProofRefused as refused:
            return Refused(refused.name, refused.reason)

    def _proven(
        self, statement: Mapping[str, Any], claimed: str | None, policy: Policy, history: History
    ) -> Approver | Refused | Absorbed:
        claim = self._callers.read(statement, self._kind)
        answered = _answered(claim, history)
        if answered is not None:
            return answered
        arn = self._callers.confirm(claim)
        if claimed is not None and policy.approvals.person(claimed) != policy.approvals.person(arn):
            return Refused("AnotherIdentity", f"it says that it is by {claimed}, and {arn} signed it")
        return Approver(arn, "proof", claim.id, claim.sha256, statement["time"])


def _answered(claim: Claim, history: History) -> Refused | Absorbed | None:
    """Return what the ledger says of a claim. Only what was proven is looked for: anybody can send the rest first."""
    for entry in history.entries:
        if entry.details.get("id") == claim.id:
            return Absorbed()
        if entry.details.get("proof") == claim.sha256:
            return Refused("Replayed", "its proof was made for another statement, which was answered already")
    return None


def _asserted(claimed: str | None, sender: Sender, policy: Policy) -> Approver | Refused:
    approvals = policy.approvals
    if approvals.identity == "verified":
        return Refused("Unproven", "it has no proof of who sends it; sign it, for example with the `signoff` command")
    if sender.source not in approvals.publishers:
        trusted = ", ".join(approvals.publishers)
        return Refused("UntrustedPublisher", f"without a proof only what comes from {trusted} is believed")
    if claimed is None:
        return Refused("Nobody", "it does not say who it is by")
    return Approver(claimed, "publisher", publisher=sender.source)
