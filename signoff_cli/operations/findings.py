"""What a look at a deployed Signoff comes to: findings with the commands that mend them, and what was not looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from signoff_cli.errors import explain


@dataclass(frozen=True)
class Finding:
    """One thing that is stuck.

    `kind` is one of `KINDS`, `subject` names the thing, `since` is when it began (None: not known), `what` and `why`
    are sentences, `commands` mend it in this order. `by_itself` is when Signoff mends it without anybody, or None.
    """

    kind: str
    subject: str
    what: str
    why: str
    commands: tuple[str, ...]
    since: str | None = None
    by_itself: str | None = None


# The kinds of findings, which are part of what `signoff doctor --json` promises (docs/operations.md).
KINDS = (
    *("dead_letters", "validation_error", "dead_claim", "overdue_step", "model_in_use", "invalid_policy"),
    *("failed_deployment", "alarm", "missing_part", "disabled_rule", "stopped_reader", "sweep"),
)


@dataclass(frozen=True)
class NotLookedAt:
    """A check that could not be made, and why: what nobody looked at is not fine."""

    check: str
    why: str


@dataclass(frozen=True)
class Check:
    """A check by its name, and what makes it."""

    name: str
    look: Callable[[], Iterable[Finding]]


@dataclass
class Diagnosis:
    """All findings, and the checks that could not be made."""

    findings: list[Finding] = field(default_factory=list)
    not_looked_at: list[NotLookedAt] = field(default_factory=list)

    @property
    def to_do(self) -> int:
        """How many things wait for a person: findings that nothing mends by itself, and checks that were not made."""
        return sum(not finding.by_itself for finding in self.findings) + len(self.not_looked_at)

    def document(self) -> dict[str, Any]:
        """Return it as `signoff doctor --json` prints it."""
        return {
            "to_do": self.to_do,
            "findings": [{**asdict(each), "commands": list(each.commands)} for each in self.findings],
            "not_looked_at": [asdict(each) for each in self.not_looked_at],
        }


def diagnose(checks: Iterable[Check]) -> Diagnosis:
    """Make all `checks`. One that fails, for whatever reason, is told as not looked at and keeps no other from it."""
    diagnosis = Diagnosis()
    for check in checks:
        try:
            diagnosis.findings.extend(check.look())
        except Exception as error:  # whatever it is, it must not read as all being well
            diagnosis.not_looked_at.append(NotLookedAt(check.name, explain(error)))
    return diagnosis
