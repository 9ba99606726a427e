"""Two packages beside each other: what is known of their metrics, and what changed from the one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.documents.text import joined
from signoff.metrics.rounding import difference
from signoff.metrics.values import Measurements, measurements_of
from signoff.validation.champion import changed
from signoff.validation.claims import read_claims, same_data
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.vault import Vault
    from signoff.ledger.history import History


@dataclass(frozen=True)
class Side:
    """One of two packages: its ledger, and its newest evidence."""

    history: History
    evidence: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name as people write it."""
        return f"{self.history.state.group}/{self.history.state.version}"

    @property
    def document(self) -> dict[str, Any]:
        """What it is and how it was judged, as JSON-ready data."""
        state = self.history.state
        recorded = state.evidence or {}
        return {
            "name": self.name,
            "group": state.group,
            "version": state.version,
            "status": str(state.status),
            "verdict": self.evidence["verdict"],
            "policy": {"name": state.policy_name, "sha256": self.evidence["policy"]},
            "evidence": {"uri": recorded["uri"], "sha256": recorded["sha256"]},
            "description": self.evidence.get("description"),
        }

    def measurements(self, basis: str, vault: Vault) -> Measurements | None:
        """Return what was `measured` or is `claimed` of it, the latter from its document if the evidence is older."""
        if "metrics" not in self.evidence:
            return read_claims(vault, self.evidence["artifacts"], ()).measurements if basis == "claimed" else None
        found = self.evidence["metrics"].get(basis)
        return measurements_of(found) if found else None


def side(history: History, vault: Vault) -> Side:
    """Return one of two packages. Raises `CommandFailed` if it has no evidence, `DocumentMissing` if that is gone."""
    recorded = history.state.evidence
    if recorded is None:
        name = f"{history.state.group}/{history.state.version}"
        raise CommandFailed(
            f"{name} has no evidence yet, so that there is nothing to compare; see `signoff show {name}`"
        )
    return Side(history, vault.read("evidence", recorded["sha256"]))


def side_by_side(one: Side, other: Side, vault: Vault) -> dict[str, Any]:
    """Return both `packages`, their `metrics` and what `changed` from `one` to `other`, as JSON-ready data.

    Metrics are compared that were measured of both or, where they were not, that are claimed of both (`basis`), on the
    same `data` or not. A value is None that one of them does not have.
    """
    basis, found = next(
        (
            (basis, sides)
            for basis in ("measured", "claimed")
            if all(sides := [each.measurements(basis, vault) for each in (one, other)])
        ),
        (None, [None, None]),
    )
    return {
        "packages": [one.document, other.document],
        "basis": basis,
        "data": same_data(*found),
        "because": _because(one, other, vault) if basis is None else None,
        "metrics": _rows(*(_values(each) for each in found)),
        "changed": changed(one.evidence, other.evidence, vault),
    }


def _because(one: Side, other: Side, vault: Vault) -> str:
    without = [
        each.name
        for each in (one, other)
        if not (each.measurements("measured", vault) or each.measurements("claimed", vault))
    ]
    if not without:
        return "of one they are claimed only, of the other measured only"
    return f"the evidence of {joined(without, 'and')} has no metrics"


def _values(measurements: Measurements | None) -> dict[tuple[str, str | None], float]:
    return {(each.name, each.slice): each.value for each in measurements.values} if measurements else {}


def _rows(one: Mapping[Any, float], other: Mapping[Any, float]) -> list[dict[str, Any]]:
    return [
        {
            "name": key[0],
            "slice": key[1],
            "values": [one.get(key), other.get(key)],
            "difference": difference(other[key], one[key]) if key in one and key in other else None,
        }
        for key in dict.fromkeys([*other, *one])
    ]
