"""What a policy would have held, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.documents.text import clean, counted
from signoff.notification.comparison import grave_first, outcome_of
from signoff_cli.errors import CommandFailed


def lines(replays: Sequence[Mapping[str, Any]], *, enforced: bool) -> Iterator[str]:
    """Yield the lines about each package (`policies.replay`): what would become of it, and because of what."""
    if not enforced:
        yield "The policy only reports: what it would have held, it would have let pass and recorded."
    for each in replays:
        yield clean(f"{each['package']}: {_outcome(each)}")
        for check in grave_first(each["checks"]):
            yield clean(f"  {outcome_of(check):<10} {check['name']}: {check['reason']}")
        for what, because in each["unknown"].items():
            yield clean(f"  {'unknown':<10} {what}: {because}")


def _outcome(replayed: Mapping[str, Any]) -> str:
    passed = replayed["recorded"] == "passed"
    if replayed["verdict"] != "passed":
        return "would be held; it passed" if passed else f"would be held; it {replayed['recorded']}, too"
    known = " as far as is known" if replayed["unknown"] else ""
    return f"would pass{known}{'' if passed else '; it ' + replayed['recorded']}"


def fail(newly_held: int, count: int, unread: Mapping[str, str]) -> None:
    """Raise `CommandFailed` if a package would be held that passed, or evidence could not be read."""
    found = [f"{newly_held} of {counted(count, 'package')} would be held that passed"] if newly_held else []
    found += [f"the evidence of {name} cannot be read: {because}" for name, because in unread.items()]
    if found:
        raise CommandFailed("\n".join(clean(each) for each in found))
