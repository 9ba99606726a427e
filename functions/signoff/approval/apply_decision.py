"""Applying a decision: the only way in which a person changes a package's status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from signoff.approval import deadlines, decisions
from signoff.approval.decisions import Approver, Decision, Outcome, Recorded, Refusal
from signoff.approval.retention import Retention
from signoff.approval.statements import Adapters, StatementHandler, has_room
from signoff.approval.vault_reading import VaultReading
from signoff.approval.witness import DecisionWitness
from signoff.documents.timestamps import Clock
from signoff.governance.candidates import Candidate
from signoff.governance.champions import ChampionFinder
from signoff.governance.kept_decisions import require_kept_decisions
from signoff.governance.registry_status import RegistryProjector
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.policy.policy import Policy
from signoff.validation.staleness import changed_since_evidence, disallowed_since_evidence


@dataclass(frozen=True, kw_only=True)
class DecisionHandler(StatementHandler[Decision]):
    """Evaluates decisions, records the outcome and updates the registry."""

    kind: ClassVar[str] = "decision"
    claimant: ClassVar[str] = "approver"

    adapters: Adapters
    projector: RegistryProjector
    witness: DecisionWitness
    retention: Retention
    champions: ChampionFinder
    now: Clock

    def parse(self, detail: Any) -> Decision:
        """Read a decision from an event's detail. Raises `EventFault`."""
        return decisions.parse(detail)

    def foreign(self, statement: Decision, by: str, account: str | None, policy: Policy) -> Refusal | None:
        """Return why a decision by `by` (an ARN) is refused because of its account, or None."""
        return decisions.foreign(statement.package, by, account, policy)

    def refused(self, statement: Decision, refusal: Refusal, by: Approver | None) -> Draft:
        """Return the entry about a refused decision."""
        return decisions.refused(statement, refusal, by)

    def repeated(self, statement: Decision, by: Approver) -> Draft:
        """Return the entry about a decision that changed nothing."""
        return decisions.repeated(statement, by)

    def evaluate(
        self, history: History, statement: Decision, by: Approver, candidate: Candidate, reading: VaultReading
    ) -> Outcome:
        """Return the outcome of a decision; it is refused if the package no longer matches its evidence.

        The policy is in the vault before any entry names it: the one that the package was validated by already is.
        """
        state = history.state
        outcome = decisions.decide(state, statement, by, candidate.policy, self.now())
        if isinstance(outcome, Recorded):
            self._keep_policy(state, candidate)
        if isinstance(outcome, Recorded) and statement.decision in decisions.ADMITTING:
            if not has_room(history, outcome.draft, candidate.policy):
                return Refusal("TooManyDecisions", "the package's ledger takes no more of yours: submit it anew")
            return (
                self._stale(state, candidate, reading)
                or self._disallowed(state, statement, candidate, reading)
                or self._expired(state, reading)
                or self._another_champion(state, statement, candidate)
                or outcome
            )
        return outcome

    def settle(self, arn: str, history: History, reading: VaultReading) -> None:
        """Make the registry agree with the ledger, after extending the retention of what is approved.

        Raises `ApprovalUnwitnessed` for an approval that this function did not give.
        """
        state = history.state
        if state.status is Status.APPROVED and state.model is None and not is_settled(history):
            require_kept_decisions(history, self.adapters.vault, self.witness.kept)
            self.retention.extend(state, reading)
        self.projector.project(arn, history)

    def set_back(self, arn: str, history: History) -> None:
        """Set the registry's status to the ledger's without another entry: the ledger has no room for more of them."""
        if history.state.status is Status.APPROVED:
            require_kept_decisions(history, self.adapters.vault)
        self.projector.set_back(arn, history)

    def _stale(self, state: State, candidate: Candidate, reading: VaultReading) -> Refusal | None:
        changed = changed_since_evidence(state, candidate.described, reading)
        if not changed:
            return None
        parts = ", ".join(changed)
        return Refusal("EvidenceStale", f"the package changed since its evidence was recorded ({parts}); revalidate it")

    def _disallowed(
        self, state: State, statement: Decision, candidate: Candidate, reading: VaultReading
    ) -> Refusal | None:
        """Return why a model of the package would run as its group's policy does not allow any more, or None."""
        if statement.decision == "reopen":
            return None  # so that it can be validated under the present policy
        settings = ", ".join(disallowed_since_evidence(state, candidate.policy, reading))
        remedy = "revalidate it" if statement.decision == "approve" else "re-open and revalidate it"
        because = f"the policy does not allow its deployment settings any more ({settings}); {remedy}"
        return Refusal("SettingsNotAllowed", because) if settings else None

    def _expired(self, state: State, reading: VaultReading) -> Refusal | None:
        keys = ", ".join(reading.expired(state))
        remedy = "it was not approved before its copies expired; submit it again"
        return Refusal("ArtifactExpired", f"the vault holds nothing any more at {keys}: {remedy}") if keys else None

    def _another_champion(self, state: State, statement: Decision, candidate: Candidate) -> Refusal | None:
        """Return why an approval is refused whose evidence compares with what is not the champion any more, or None."""
        evidence = state.evidence or {}
        approves = statement.decision == "approve" and state.status is Status.PENDING_APPROVAL
        if not (approves and "champion" in evidence and candidate.policy.stales_with_champion):
            return None
        champion = self.champions.of(candidate.group)
        present = champion.package if champion else None
        if present == evidence["champion"]:
            return None
        then, now = (champion_named(candidate.group, key) for key in (evidence["champion"], present))
        because = f"its evidence compares it with {then}, and the champion is {now} now; revalidate it"
        return Refusal("ChampionChanged", because)

    def overdue(self, state: State, candidate: Candidate) -> list[Draft]:
        """Return the entry about what is due: a reminder, an expired request, an approval that lapses."""
        drafts = deadlines.due(state, candidate.policy, self.now())
        if drafts:
            self._keep_policy(state, candidate)
        return drafts

    def _keep_policy(self, state: State, candidate: Candidate) -> None:
        if candidate.policy.digest != state.policy:
            self.adapters.vault.write("policies", candidate.policy.document)


def is_settled(history: History) -> bool:
    """Return whether the registry has the ledger's status, and has got it since the package was decided on.

    Only this function sets Approved, and before that it extends the retention: so that was done, too.
    """
    state, decided, updated = history.state, history.last(Kind.DECISION_RECORDED), history.last(Kind.REGISTRY_UPDATED)
    since = updated is not None and (decided is None or updated.sequence > decided.sequence)
    return state.projected == state.registry_status and (since or state.status is not Status.APPROVED)


def champion_named(group: str, ledger: str | None) -> str:
    """Return how a sentence names a group's champion, by the key of its ledger."""
    arn = package_of(ledger)[0] if ledger else None
    return arn or (f"the baseline of {group}" if ledger else "none")


def subject_changed(parts: list[str]) -> Draft:
    """Return the entry that revokes an approved package because `parts` of its subject have changed."""
    because = f"SubjectChanged: {', '.join(parts)} not as signed"
    return Draft(Kind.SUBJECT_CHANGED, "signoff", {"parts": parts, "because": because})


def settings_not_allowed(settings: list[str]) -> Draft:
    """Return the entry that revokes an approved package because its policy allows `settings` of its no more."""
    because = f"SettingsNotAllowed: the policy does not allow its {', '.join(settings)} any more"
    return Draft(Kind.SUBJECT_CHANGED, "signoff", {"parts": ["deployment"], "because": because})
