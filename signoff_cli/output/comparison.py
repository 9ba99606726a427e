"""What a piece of evidence says to who decides on it: how good the model is, what changed, and what it runs in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.text import brief_digests, clean, cut
from signoff.notification.comparison import HEADS, MetricRow, about, changed, metric_rows
from signoff.report.sentences import describe_scan
from signoff_cli.output import columns

MOST = 30  # metrics, or changed parts, that are shown; all are in the JSON
_LINE = 400  # characters of one line of what somebody wrote
_NUMBERS, _CUT = (1, 2, 3), (0, 4)  # columns: those of numbers, and those of text that may be cut

Section = tuple[str, list[str]]


def description(evidence: Mapping[str, Any]) -> list[str]:
    """Return what the model is and is for, as its package says; nothing where it says nothing."""
    said = evidence.get("description") or {}
    purpose = ", ".join(filter(None, (said.get("task"), said.get("domain"))))
    return [cut(clean(line), _LINE) for line in (said.get("description"), purpose and f"task: {purpose}") if line]


def sections(evidence: Mapping[str, Any], width: int | None = None) -> Iterator[Section]:
    """Yield the parts of a piece of evidence that an approver reads first, each a title and its lines.

    A table is at most `width` characters wide, if it can be. A part that says nothing is left out.
    """
    rows = metric_rows(evidence)
    beside = about(evidence)
    if rows or beside:
        yield "Metrics", [*([clean(f"compared {beside}")] if beside else []), *metric_lines(rows, width)]
    yield from _changes(evidence.get("comparison") or {}, list(changed(evidence)))
    images = evidence.get("images") or ()
    if images:
        yield "Images", [clean(_image(each)) for each in images]


def _changes(comparison: Mapping[str, Any], changes: Sequence[tuple[str, str, str]]) -> Iterator[Section]:
    champion, same = comparison.get("champion"), comparison.get("same_bytes")
    repeated = [clean(f"the same bytes as {', '.join(same)}")] if same else []
    if changes or repeated:
        title = f"Changed since {clean(champion['name'])}" if champion else "Seen before"
        yield title, [*repeated, *changed_lines(changes)]


def metric_lines(rows: Sequence[MetricRow], width: int | None) -> list[str]:
    """Return a table of metrics, one on each line."""
    if not rows:
        return []
    table = columns.lines(HEADS, [row.cells for row in rows[:MOST]], width, numbers=_NUMBERS, cut=_CUT)
    return [*table, *more_lines(len(rows))]


def changed_lines(changes: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return a line for each part that changed: before and after, digests by their beginnings."""
    lines = [clean(brief_digests(f"{part}: {before} -> {after}")) for part, before, after in changes[:MOST]]
    return [*lines, *more_lines(len(changes))]


def more_lines(count: int) -> list[str]:
    """Return the line that says how many there are beside those that are shown, if there are."""
    return [f"and {count - MOST} more, which --json lists"] if count > MOST else []


def _image(image: Mapping[str, Any]) -> str:
    digest = "" if not image.get("digest") or image["digest"] in image["image"] else f" {image['digest']}"
    return f"{image['image']}{digest}: {describe_scan(image)}"
