"""Applying an annotation: customer metadata and further inference specifications, on the path that decisions take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.approval.annotations import VERB, Annotation, Change, annotated, foreign, parse, refused, weigh
from signoff.approval.decisions import Absorbed, Approver, Refused
from signoff.approval.statements import Identifying, Sender, answering, candidate_of, refuse_malformed, refusing, seen
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.sts import Callers
from signoff.aws.vault import Vault
from signoff.errors import EventFault, RegistryRefused
from signoff.governance.candidates import Candidate, Governance
from signoff.governance.registrations import opening_entry
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, unknown_key


class Annotating:
    """Changes what a package says of itself and records who did. `shape` gives UpdateModelPackage's input shape."""

    def __init__(
        self,
        governance: Governance,
        registry: Registry,
        ledger: LedgerTable,
        vault: Vault,
        shape: Callable[[], Any],
        callers: Callers,
    ) -> None:
        self._governance = governance
        self._registry = registry
        self._ledger = ledger
        self._vault = vault
        self._shape = shape
        self._identifying = Identifying(callers, "annotation")

    def apply(self, detail: Any, sender: Sender = Sender()) -> Refused | None:  # noqa: B008 -- it is frozen
        """Do what the `detail` of an event asks for and record it; return the refusal when it is not done.

        The same again changes nothing, however late it comes. Raises `Transient` when nobody could say who sent it.
        """
        try:
            annotation = parse(detail)
        except EventFault as fault:
            refuse_malformed(self._ledger, detail, str(fault), by="by", name="MalformedAnnotation", decision=VERB)
            return Refused("MalformedAnnotation", str(fault))
        candidate = candidate_of(self._governance, annotation.package)
        if isinstance(candidate, Refused):
            return self._refuse_unknown(annotation, candidate)
        history = self._ledger.history(candidate.key).verified()
        if seen(history, sender.event):
            return None
        by = self._identifying.who(detail, annotation.by, sender, candidate.policy, history)
        if isinstance(by, Absorbed):
            return None
        if isinstance(by, Refused):
            return self._annotate(candidate, annotation, None, by, sender.event)
        refusal = foreign(annotation, by.arn, sender.account, candidate.policy)
        return self._annotate(candidate, annotation, by, refusal, sender.event)

    def _annotate(
        self,
        candidate: Candidate,
        annotation: Annotation,
        by: Approver | None,
        refused_before: Refused | None,
        event: str | None,
    ) -> Refused | None:
        refusal: Refused | None = None

        def drafts(history: History) -> list[Draft]:
            nonlocal refusal
            refusal = None
            if seen(history.verified(), event, by.id if by else None):
                return []
            # Whoever appends last has written to the registry after all others: ledger and registry end up the same.
            refusal = refused_before or self._bring_about(candidate, annotation, history)
            first = [] if history.state.status else [opening_entry(candidate.described, self._vault)]
            if refusal or by is None:
                return [*first, *(refusing(history, refused(annotation, refusal, by), event) if refusal else [])]
            made = annotated(annotation, by)
            return [*first, *([] if _said_already(history, made) else [answering(event, made)])]

        self._ledger.update(candidate.key, drafts)
        return refusal

    def _bring_about(self, candidate: Candidate, annotation: Annotation, history: History) -> Refused | None:
        described = self._registry.describe(candidate.arn)
        weighed = weigh(annotation, described, history.state.status, self._shape())
        if isinstance(weighed, Refused):
            return weighed
        return self._update(candidate.arn, weighed)

    def _update(self, arn: str, change: Change) -> Refused | None:
        if not change.fields:
            return None
        try:
            self._registry.update_package(arn, **change.fields)
        except RegistryRefused as refusal:
            return Refused("RefusedBySageMaker", str(refusal))
        return None

    def _refuse_unknown(self, annotation: Annotation, refusal: Refused) -> Refused:
        draft = refused(annotation, refusal)
        self._ledger.update(unknown_key(annotation.package), lambda history: refusing(history, draft))
        return refusal


def _said_already(history: History, made: Draft) -> bool:
    """Return whether the newest entry is of the very same annotation, as of a job that says the same every hour."""
    last = history.entries[-1] if history.entries else None
    same = last is not None and last.kind is Kind.ANNOTATED and last.actor == made.actor
    return same and last is not None and last.details["annotation"] == made.details["annotation"]
