"""Annotations: the request, and its result in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.ledger.entries import Entry, Kind
from signoff.ledger.history import History
from signoff.notification.announcements import ANNOTATION
from signoff_cli.errors import CommandFailed
from signoff_cli.statements import request

if TYPE_CHECKING:
    from signoff.approval.annotations import Annotation


@dataclass(frozen=True)
class AnnotationRequest:
    """An annotation of a package that `by` (an ARN) is about to send."""

    annotation: Annotation
    by: str
    type: str = ANNOTATION

    @property
    def package(self) -> str:
        """The package's ARN."""
        return self.annotation.package

    @property
    def statement(self) -> dict[str, Any]:
        """What is signed."""
        annotation = {name: value for name, value in self.annotation.document.items() if value is not None}
        return {"statement": "annotation", **annotation}


@dataclass(frozen=True)
class AnnotationResult(request.StatementResult[AnnotationRequest]):
    """The result of an annotation, which always leaves an entry."""

    entry: Entry

    @property
    def document(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        annotation = self.request.annotation
        return {
            "package": annotation.package,
            "by": self.request.by,
            "set": annotation.set,
            "removed": list(annotation.remove),
            "added": annotation.names,
            "outcome": self.outcome,
            **self.entry_fields,
        }


class PendingAnnotation(request.PendingStatement[AnnotationRequest, AnnotationResult]):
    """One annotation: what the ledgers said before it was sent, and what they answer."""

    def result_from(self, entry: Entry) -> AnnotationResult:
        """Return the answer that an entry is which names this annotation."""
        if entry.kind is Kind.STATEMENT_REPEATED:
            entries = (each for history in self._histories() for each in reversed(history.entries))
            entry = next(each for each in entries if each.kind is Kind.ANNOTATED and self.is_same_request(each))
        return AnnotationResult(self.request, "recorded" if entry.kind is Kind.ANNOTATED else "refused", entry)

    def is_same_request(self, entry: Entry) -> bool:
        """Return whether an entry is about such an annotation, which it names by its digest."""
        return entry.details.get("annotation") == self.request.annotation.sha256

    def previous_result(self) -> AnnotationResult | None:
        """Return what the newest entries say of the very same annotation: they would not say it a second time."""
        for last in filter(None, map(_newest, self.before)):
            if last.kind is Kind.ANNOTATED and last.actor == self.request.by and self.is_same_request(last):
                return self.result_from(last)
        return super().previous_result()


def _newest(history: History) -> Entry | None:
    """Return the newest entry of a ledger that is about more than a repeated statement."""
    return next((entry for entry in reversed(history.entries) if entry.kind is not Kind.STATEMENT_REPEATED), None)


def annotation_request(
    package: str,
    by: str,
    *,
    set_: Mapping[str, str],
    remove: Iterable[str],
    specifications: Iterable[Mapping[str, Any]],
    reason: str,
) -> AnnotationRequest:
    """Return the annotation. Raises `CommandFailed` when it is none, with what is wrong with it."""
    from signoff.approval.annotations import parse
    from signoff.errors import EventFault

    detail = {
        "package": package,
        "set": dict(set_),
        "remove": list(remove),
        "add_specifications": list(specifications),
        "reason": reason,
    }
    try:
        return AnnotationRequest(parse(detail), by)
    except EventFault as fault:
        raise CommandFailed(str(fault)) from fault


def parse_specifications(name: str, data: bytes) -> list[dict[str, Any]]:
    """Return the inference specifications in a JSON file, which holds one or a list of them. Raises `CommandFailed`."""
    from signoff.documents.strict_json import parse

    document, faults = parse(data)
    found = document if isinstance(document, list) else [document]
    if faults:
        raise CommandFailed(f"{name}: {'; '.join(map(str, faults))}")
    if not found or not all(isinstance(each, dict) for each in found):
        raise CommandFailed(f"{name}: must be an inference specification with a Name and Containers, or a list of them")
    return found
