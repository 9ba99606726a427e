"""What `signoff doctor` prints for people."""

from __future__ import annotations

from collections.abc import Iterator

from signoff.documents.text import clean, counted
from signoff_cli.operations.findings import Diagnosis, Finding


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the lines of a diagnosis: what waits for a person first, then what mends itself."""
    for finding in sorted(diagnosis.findings, key=lambda each: each.by_itself is not None):
        yield from _finding(finding)
    for missing in diagnosis.not_looked_at:
        yield f"not looked at: {missing.check}: {clean(missing.why)}"
    if diagnosis.to_do:
        yield f"{counted(diagnosis.to_do, 'thing')} to do."
    else:
        yield "Nothing is to be done."


def _finding(finding: Finding) -> Iterator[str]:
    since = f", since {finding.since}" if finding.since else ""
    yield clean(f"{finding.kind.replace('_', ' ')}: {finding.subject}: {finding.what}{since}")
    yield f"    {clean(finding.why)}"
    if finding.by_itself:
        yield f"    by itself at {finding.by_itself}; or at once:"
    for command in finding.commands:
        yield f"    $ {clean(command)}"
