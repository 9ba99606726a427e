"""Answering what is sent over the bus: each event once, and refusals where their sender finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from signoff.approval import decisions
from signoff.approval.decisions import Absorbed, Approver, Refused
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sts import Callers
from signoff.errors import ProofRefused, UnknownPackage
from signoff.governance.candidates import Candidate, Governance
from signoff.identity.proofs import Claim
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, unknown_key
from signoff.policy.policy import Policy


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


_SHOWN = 1000  # characters of what makes no sense that an entry repeats
_CROWD = 200  # refusals of nobody known that a ledger takes until something else happens


def candidate_of(governance: Governance, package: str) -> Candidate | Refused:
    """Return the governed package that an event names by its ARN, or why there is none to say anything of."""
    try:
        candidate = governance.candidate(package)
    except UnknownPackage as unknown:
        return Refused("UnknownPackage", str(unknown))
    if candidate is None:
        return Refused("UngovernedPackage", f"{package} belongs to a group that Signoff does not govern")
    return candidate


def seen(history: History, event: str | None, statement: str | None = None) -> bool:
    """Return whether the ledger answers already, even if it would answer otherwise now.

    The `event` (its id), or the `statement` (the id of what was signed), whatever event brings that.
    """
    answers = [entry.details for entry in history.entries]
    by_event = event is not None and any(details.get("event") == event for details in answers)
    return by_event or (statement is not None and any(details.get("id") == statement for details in answers))


def answering(event: str | None, draft: Draft) -> Draft:
    """Return `draft` as the answer to `event`."""
    return replace(draft, details={**draft.details, "event": event}) if event else draft


def refused_already(history: History, refusal: Draft) -> bool:
    """Return whether the newest entries, since anything else happened, refuse the very same."""
    for entry in reversed(history.entries):
        if entry.kind is not Kind.DECISION_REFUSED:
            return False
        if entry.actor == refusal.actor and entry.details.items() >= refusal.details.items():
            return True
    return False


def refusing(history: History, refusal: Draft, event: str | None = None) -> list[Draft]:
    """Return the entry about a refusal, unless the ledger says the very same already.

    Nor does it take any number of those whose sender nobody knows: whoever may put events on the bus could make every
    later look at the package slow. They are logged and counted all the same.
    """
    flooded = refusal.actor == decisions.UNKNOWN and _nobodys(history) >= _CROWD
    return [] if flooded or refused_already(history, refusal) else [answering(event, refusal)]


def _nobodys(history: History) -> int:
    """Return how many of the newest entries, since anything else happened, refuse what nobody has proven."""
    newest = takewhile(lambda entry: entry.kind is Kind.DECISION_REFUSED, reversed(history.entries))
    return sum(entry.actor == decisions.UNKNOWN for entry in newest)


def refuse_malformed(ledger: LedgerTable, detail: Any, because: str, *, by: str, name: str, decision: str = "") -> None:
    """Record that an event made no sense, in the ledger of the package that it names; `by` is its field of who sent it.

    It is nobody's, for nothing proves who sent it. `decision` is what it asked for where that is not in its field of
    that name.
    """
    said = detail if isinstance(detail, dict) else {}
    given = {field: decisions.storable(str(said.get(field, "")))[:_SHOWN] for field in ("package", by, "decision")}
    details = {
        "decision": decision or given["decision"],
        "refusal": name,
        "because": decisions.storable(because)[:_SHOWN],
    }
    claimed = {"claimed": given[by]} if given[by] else {}
    draft = Draft(Kind.DECISION_REFUSED, decisions.UNKNOWN, {**details, **claimed})
    ledger.update(unknown_key(given["package"]), lambda history: refusing(history, draft))
