"""Applying an annotation: customer metadata and further inference specifications, handled as decisions are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from signoff.approval import annotations as rules
from signoff.approval.annotations import VERB, Annotation, PackageChange, annotated
from signoff.approval.decisions import Approver, Outcome, Recorded, Refusal, Repeated
from signoff.approval.statements import Adapters, StatementHandler, has_room
from signoff.approval.vault_reading import VaultReading
from signoff.aws.sagemaker import Registry
from signoff.errors import RegistryRefused
from signoff.governance.candidates import Candidate
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff.policy.policy import Policy


@dataclass(frozen=True, kw_only=True)
class AnnotationHandler(StatementHandler[Annotation]):
    """Changes a package's metadata and records who did. `shape` returns UpdateModelPackage's input shape."""

    kind: ClassVar[str] = "annotation"
    claimant: ClassVar[str] = "by"
    verb: ClassVar[str] = VERB

    adapters: Adapters
    registry: Registry
    shape: Callable[[], Any]

    def parse(self, detail: Any) -> Annotation:
        """Read an annotation from an event's detail. Raises `EventFault`."""
        return rules.parse(detail)

    def foreign(self, statement: Annotation, by: str, account: str | None, policy: Policy) -> Refusal | None:
        """Return why a statement by `by` (an ARN) is refused because of its account, or None."""
        return rules.foreign(statement, by, account, policy)

    def refused(self, statement: Annotation, refusal: Refusal, by: Approver | None) -> Draft:
        """Return the entry about a refused annotation."""
        return rules.refused(statement, refusal, by)

    def repeated(self, statement: Annotation, by: Approver) -> Draft:
        """Return the entry about an annotation that changed nothing."""
        return rules.repeated(statement, by)

    def evaluate(
        self, history: History, statement: Annotation, by: Approver, candidate: Candidate, reading: VaultReading
    ) -> Outcome:
        """Write the annotation to the registry and return the outcome.

        The last to append is the last to write to the registry, so ledger and registry end up the same.
        """
        refused = rules.older_than_package(by, candidate.described["CreationTime"]) or rules.not_an_annotator(
            by, self._submitter(history, candidate), candidate.policy
        )
        if refused:
            return refused
        made = annotated(statement, by)
        if not has_room(history, made, candidate.policy):
            return Refusal(
                "TooManyAnnotations", "the package's ledger takes no more annotations of yours: submit it anew"
            )
        described = self.registry.describe(candidate.arn)
        evaluated = rules.evaluate(statement, described, history.state.status, self.shape())
        refusal = evaluated if isinstance(evaluated, Refusal) else self._update(candidate.arn, evaluated)
        if refusal:
            return refusal
        return Repeated() if _is_repeated(history, made) else Recorded(made)

    def _submitter(self, history: History, candidate: Candidate) -> str | None:
        """Return the package's submitter, also if its ledger is still to begin."""
        if history.state.status:
            return history.state.submitter
        found: str | None = self.adapters.registrations.opening_entry(candidate.described).details["submitter"]
        return found

    def _update(self, arn: str, change: PackageChange) -> Refusal | None:
        if not change.fields:
            return None
        try:
            self.registry.update_package(arn, **change.fields)
        except RegistryRefused as refusal:
            return Refusal("RefusedBySageMaker", str(refusal))
        return None


def _is_repeated(history: History, made: Draft) -> bool:
    """Return whether the newest entry is the same annotation, as from a job that repeats it every hour."""
    others = (entry for entry in reversed(history.entries) if entry.kind is not Kind.STATEMENT_REPEATED)
    last = next(others, None)
    same = last is not None and last.kind is Kind.ANNOTATED and last.actor == made.actor
    return same and last is not None and last.details["annotation"] == made.details["annotation"]
