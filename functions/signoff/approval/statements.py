"""Handling statements that people send over the bus: each is handled once, and refusals are recorded.

Decisions and annotations are statements. `StatementHandler` handles both; its subclasses define what differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from signoff.approval import decisions
from signoff.approval.decisions import Approver, Outcome, Recorded, Refusal, Repeated
from signoff.approval.first_entries import first_entries
from signoff.approval.vault_reading import VaultReading
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sts import IdentityVerifier
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.documents.text import storable
from signoff.errors import EventFault, ProofRefused, UnknownPackage
from signoff.governance.candidates import Candidate, Governance
from signoff.governance.registrations import Registrations
from signoff.identity.proofs import Claim
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import NAMED, History, unknown_key
from signoff.policy.policy import Policy

_SHOWN = 1000  # characters of a malformed statement that an entry repeats
# How many entries of a kind one ledger takes of one person (all unknown senders are one), and of all together.
_LIMITS = {
    Kind.DECISION_REFUSED: (200, 1000),
    Kind.STATEMENT_REPEATED: (50, 500),
    Kind.ANNOTATED: (500, 2000),
    # Of what admits only: whatever takes a model back always finds room.
    Kind.VOTED: (200, 1000),
    Kind.DECISION_RECORDED: (200, 1000),
}


@dataclass(frozen=True)
class Sender:
    """What EventBridge says about an event: its id, its source, and its account (None: our own)."""

    event: str | None = None
    source: str = ""
    account: str | None = None


class Statement(Protocol):
    """What somebody states about a package (an ARN), and the author that it names (an ARN, or None)."""

    @property
    def package(self) -> str: ...  # noqa: D102
    @property
    def claimed(self) -> str | None: ...  # noqa: D102


S = TypeVar("S", bound=Statement)


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """The adapters that handle statements of either kind."""

    governance: Governance
    ledger: LedgerTable
    vault: Vault
    registrations: Registrations
    identity_verifier: IdentityVerifier

    def first_entries(self, candidate: Candidate) -> list[Draft]:
        """Return the first entries of a package's ledger."""
        return first_entries(candidate, self.vault, self.registrations)


class StatementHandler(ABC, Generic[S]):
    """Handles statements of one kind.

    `kind` is the value of their field `statement`, `claimant` the name of the field with their author, and `verb` the
    decision in entries about malformed ones; empty where that is a field of the statement.
    """

    kind: ClassVar[str]
    claimant: ClassVar[str]
    verb: ClassVar[str] = ""
    adapters: Adapters

    def apply(self, detail: Any, sender: Sender = Sender()) -> Outcome:
        """Handle the statement in the `detail` of an event, record the outcome, and return it.

        Repeating a statement or an event changes nothing, however late. Raises `Transient` when its sender could not be
        verified yet.
        """
        try:
            statement = self.parse(detail)
        except EventFault as fault:
            return self.refuse_malformed(detail, str(fault))
        candidate = _candidate_of(self.adapters.governance, statement.package)
        if isinstance(candidate, Refusal):
            return self._refuse_unknown(statement, candidate)
        reading = VaultReading(self.adapters.vault)
        history = self.adapters.ledger.history(candidate.key).verified()
        by: Approver | Refusal | Repeated = Repeated()
        if not _is_answered(history, sender.event):
            by = self._identify(detail, statement, sender, candidate.policy, history)
        if isinstance(by, Repeated):
            # The function that recorded it may have died before settling it.
            self.settle(candidate.arn, history, reading)
            return by
        return self._answer(candidate, statement, by, sender, history, reading)

    @abstractmethod
    def parse(self, detail: Any) -> S:
        """Read a statement from an event's detail. Raises `EventFault`."""

    @abstractmethod
    def foreign(self, statement: S, by: str, account: str | None, policy: Policy) -> Refusal | None:
        """Return why a statement by `by` (an ARN) is refused because of its account, or None.

        `account` is that of the event, if it is not the registry's.
        """

    @abstractmethod
    def evaluate(
        self, history: History, statement: S, by: Approver, candidate: Candidate, reading: VaultReading
    ) -> Outcome:
        """Return the outcome of a statement, with the entry about it if it is accepted."""

    @abstractmethod
    def refused(self, statement: S, refusal: Refusal, by: Approver | None) -> Draft:
        """Return the entry about a refused statement; without a verified `by` its actor is unknown."""

    @abstractmethod
    def repeated(self, statement: S, by: Approver) -> Draft:
        """Return the entry that remembers a statement that changed nothing, so that it never changes anything later."""

    def settle(self, arn: str, history: History, reading: VaultReading) -> None:
        """Carry out what the ledger says once the statement is recorded; by default nothing."""

    def _identify(
        self, detail: Mapping[str, Any], statement: S, sender: Sender, policy: Policy, history: History
    ) -> Approver | Refusal | Repeated:
        """Return the author of the statement, why they cannot be identified, or that the statement is a repetition.

        STS is not asked about a repeated statement, whose proof may have expired.
        """
        if detail.get("proof") is None:
            return _asserted(statement.claimed, sender, policy)
        try:
            claim = self.adapters.identity_verifier.read(detail, self.kind)
            return _answered(claim, history) or self._proven(claim, policy)
        except ProofRefused as refused:
            return Refusal(refused.name, refused.reason)

    def _proven(self, claim: Claim, policy: Policy) -> Approver:
        signer = self.adapters.identity_verifier.confirm(claim)
        return Approver(
            signer.arn,
            policy.approvals.person(signer.arn),
            id=claim.id,
            proof=claim.sha256,
            signed=timestamps.text(claim.proof.signed_at),
            user_id=signer.user_id,
        )

    def _answer(
        self,
        candidate: Candidate,
        statement: S,
        by: Approver | Refusal,
        sender: Sender,
        known: History,
        reading: VaultReading,
    ) -> Outcome:
        outcome: Outcome = Repeated()

        def drafts(history: History) -> list[Draft]:
            nonlocal outcome
            outcome = self._outcome(history.verified(), candidate, statement, by, sender, reading)
            # A statement may come before anything else: the ledger still begins with the registration.
            first = [] if history.state.status else self.adapters.first_entries(candidate)
            return [*first, *self._entries(history, statement, outcome, by, sender.event, candidate.policy)]

        self.settle(candidate.arn, self.adapters.ledger.update(candidate.key, drafts, known), reading)
        return outcome

    def _outcome(
        self,
        history: History,
        candidate: Candidate,
        statement: S,
        by: Approver | Refusal,
        sender: Sender,
        reading: VaultReading,
    ) -> Outcome:
        if _is_answered(history, sender.event, None if isinstance(by, Refusal) else by.id):
            return Repeated()
        if isinstance(by, Refusal):
            return by
        return (
            _of_another(statement.claimed, by, candidate.policy)
            or self.foreign(statement, by.arn, sender.account, candidate.policy)
            or self.evaluate(history, statement, by, candidate, reading)
        )

    def _entries(
        self,
        history: History,
        statement: S,
        outcome: Outcome,
        by: Approver | Refusal,
        event: str | None,
        policy: Policy,
    ) -> list[Draft]:
        if isinstance(outcome, Recorded):
            return [_answering(event, outcome.draft)]
        if isinstance(outcome, Refusal):
            known = None if isinstance(by, Refusal) else by
            return refusing(history, self.refused(statement, outcome, known), policy, event)
        if isinstance(by, Approver) and not _is_answered(history, event, by.id):
            made = _answering(event, self.repeated(statement, by))
            return [made] if has_room(history, made, policy) else []
        return []

    def _refuse_unknown(self, statement: S, refusal: Refusal) -> Refusal:
        self._keep_unknown(statement.package, self.refused(statement, refusal, None))
        return refusal

    def _keep_unknown(self, package: str, refused: Draft) -> None:
        draft = replace(refused, details={**refused.details, "package": storable(package)[:NAMED]})
        ledger = self.adapters.ledger
        ledger.update(unknown_key(ledger.today), lambda history: refusing(history, draft))

    def refuse_malformed(self, detail: Any, because: str) -> Refusal:
        """Record that the `detail` of an event was malformed, in the ledger of the unknown, and return the refusal.

        Its actor is unknown, because there is no proof.
        """
        said = detail if isinstance(detail, dict) else {}
        fields = ("package", self.claimant, "decision")
        given = {field: storable(str(said.get(field, "")))[:_SHOWN] for field in fields}
        refusal = Refusal(f"Malformed{self.kind.title()}", storable(because)[:_SHOWN])
        details = {"decision": self.verb or given["decision"], **refusal.details}
        claimed = {"claimed": given[self.claimant]} if given[self.claimant] else {}
        self._keep_unknown(given["package"], Draft(Kind.DECISION_REFUSED, decisions.UNKNOWN, {**details, **claimed}))
        return refusal


def _answered(claim: Claim, history: History) -> Refusal | Repeated | None:
    """Return how the ledger answers a claim. Only verified ids and proofs count: anybody could send others first."""
    for entry in history.entries:
        if entry.details.get("id") == claim.id:
            return Repeated()
        if entry.details.get("proof") == claim.sha256:
            return Refusal("Replayed", "its proof was made for another statement, which was already answered")
    return None


def _asserted(claimed: str | None, sender: Sender, policy: Policy) -> Approver | Refusal:
    approvals = policy.approvals
    if approvals.identity == "verified":
        return Refusal("Unproven", "it has no proof of its sender; sign it, for example with the `signoff` command")
    if sender.source not in approvals.publishers:
        trusted = ", ".join(approvals.publishers)
        return Refusal("UntrustedPublisher", f"without a proof, only events from {trusted} are trusted")
    if claimed is None:
        return Refusal("Nobody", "it does not say who it is from")
    return Approver(claimed, approvals.person(claimed), "publisher", publisher=sender.source)


def _of_another(claimed: str | None, by: Approver, policy: Policy) -> Refusal | None:
    if claimed is None or policy.approvals.person(claimed) == by.person:
        return None
    return Refusal("AnotherIdentity", f"it claims to be from {claimed}, but {by.arn} signed it")


def _candidate_of(governance: Governance, package: str) -> Candidate | Refusal:
    """Return the governed package that an event names by its ARN, or why it is refused."""
    try:
        candidate = governance.candidate(package)
    except UnknownPackage as unknown:
        return Refusal("UnknownPackage", str(unknown))
    if candidate is None:
        return Refusal("UngovernedPackage", f"{package} belongs to a group that Signoff does not govern")
    return candidate


def _is_answered(history: History, event: str | None, statement: str | None = None) -> bool:
    """Return whether the ledger has an answer already, even if it would be another one now.

    It is looked up by the id of the `event`, or by that of the signed `statement`, in whatever event it came.
    """
    answers = [entry.details for entry in history.entries]
    by_event = event is not None and any(details.get("event") == event for details in answers)
    return by_event or (statement is not None and any(details.get("id") == statement for details in answers))


def _answering(event: str | None, draft: Draft) -> Draft:
    """Return `draft` as the answer to `event`."""
    return replace(draft, details={**draft.details, "event": event}) if event else draft


def refusing(history: History, refusal: Draft, policy: Policy | None = None, event: str | None = None) -> list[Draft]:
    """Return the entry about a refusal under its group's `policy`, unless the ledger has the same, or no room."""
    newest = history.newest(Kind.DECISION_REFUSED)
    if any(entry.actor == refusal.actor and entry.details.items() >= refusal.details.items() for entry in newest):
        return []
    return [_answering(event, refusal)] if has_room(history, refusal, policy) else []


def has_room(history: History, draft: Draft, policy: Policy | None) -> bool:
    """Return whether a ledger takes another entry of that kind and person.

    A flood of statements would otherwise make the package's ledger slow to read, or too long for a revocation. What is
    not recorded is logged and counted all the same.
    """
    of_person, in_all = _LIMITS[draft.kind]
    actors = [entry.actor for entry in history.entries if entry.kind is draft.kind]
    person = policy.approvals.person if policy else str
    theirs = sum(person(actor) == person(draft.actor) for actor in actors)
    return theirs < of_person and len(actors) < in_all
