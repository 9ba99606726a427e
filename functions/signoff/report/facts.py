"""The facts of a report: what was read of a package, its champion and its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signoff.ledger.history import History
from signoff.metrics.curves import Curve

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Version:
    """A version of the group: its name (`churn/3`), its evidence, and whether it is the champion compared with."""

    name: str
    evidence: Document
    champion: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """All that a report says.

    `history` is the verified ledger, `document` the package's page as `signoff show --json` prints it, `evidence` the
    whole evidence and None where there is none. `versions` are earlier ones of the group, oldest first; `notes` say
    what could not be read.
    """

    history: History
    document: Document
    evidence: Document | None
    champion_evidence: Document | None = None
    curves: Sequence[Curve] = ()
    champion_curves: Sequence[Curve] = ()
    versions: Sequence[Version] = ()
    notes: Sequence[str] = field(default=())
