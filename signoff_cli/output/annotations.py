"""An annotation before it is sent, and its result, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.documents.text import clean, short

if TYPE_CHECKING:
    from signoff.approval.annotations import Annotation
    from signoff.ledger.history import History
    from signoff_cli.statements.annotation import AnnotationResult


def annotation_summary(history: History, said: Annotation, by: str) -> list[str]:
    """Return the summary of an annotation by `by` (an ARN), for the person who is asked to confirm it."""
    state = history.state
    name = f"{state.group}/{state.version}" if state.group else "a package that Signoff does not know"
    lines = [f"annotate {name}", f"  package    {said.package}", f"  as         {by}"]
    lines += [f"  set        {key} = {value}" for key, value in said.set.items()]
    lines += [f"  remove     {key}" for key in said.remove]
    lines += [f"  add        inference specification {each}" for each in said.names]
    lines.append(f"  status     {state.status or 'unknown'}, submitted by {short(state.submitter)}")
    if said.names:
        lines.append("  note       another specification changes what is signed: the package is validated again")
    return [clean(line) for line in lines]


def describe_annotation(result: AnnotationResult) -> str:
    """Return the result of an annotation that was not refused."""
    entry = result.entry
    anew = f" It is validated again: follow it with `signoff watch {entry.group}/{entry.version}`."
    return clean(f"{entry.group}/{entry.version} is annotated.{anew if entry.details['added'] else ''}")
