"""Sending an annotation, and finding the answer to it in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.ledger.entries import Entry, Kind
from signoff.notification.announcements import ANNOTATION
from signoff_cli.errors import CommandFailed
from signoff_cli.statements import request

if TYPE_CHECKING:
    from signoff.approval.annotations import Annotation as Said


@dataclass(frozen=True)
class AnnotationRequest:
    """What `by` (an ARN) is about to say of a package."""

    said: Said
    by: str
    type: str = ANNOTATION

    @property
    def package(self) -> str:
        """The package's ARN."""
        return self.said.package

    @property
    def statement(self) -> dict[str, Any]:
        """What is signed."""
        said = {name: value for name, value in self.said.document.items() if value is not None}
        return {"statement": "annotation", **said}


@dataclass(frozen=True)
class AnnotationResult(request.StatementResult[AnnotationRequest]):
    """What became of an annotation, which always leaves an entry."""

    entry: Entry

    @property
    def document(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        said = self.request.said
        return {
            "package": said.package,
            "by": self.request.by,
            "set": said.set,
            "removed": list(said.remove),
            "added": said.names,
            "outcome": self.outcome,
            **self.answered,
        }


class PendingAnnotation(request.PendingStatement[AnnotationRequest, AnnotationResult]):
    """One annotation: what the ledgers said before it was sent, and what they answer."""

    def told_by(self, entry: Entry) -> AnnotationResult:
        """Return the answer that an entry is which names this annotation."""
        return AnnotationResult(self.request, "recorded" if entry.kind is Kind.ANNOTATED else "refused", entry)

    def words_in(self, entry: Entry) -> bool:
        """Return whether an entry is about such an annotation, which it names by its digest."""
        return entry.details.get("annotation") == self.request.said.sha256

    def answered_before(self) -> AnnotationResult | None:
        """Return what the newest entries say of the very same annotation: they would not say it a second time."""
        for last in (history.entries[-1] for history in self.before if history.entries):
            if last.kind is Kind.ANNOTATED and last.actor == self.request.by and self.words_in(last):
                return self.told_by(last)
        return super().answered_before()


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
