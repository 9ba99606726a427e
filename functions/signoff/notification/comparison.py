"""What evidence says of a model's metrics beside the champion's, as rows and lines for people.

Notifications, the terminal and the prompt of an approval show the same. Everything here is text of others until it is
cleaned by who shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signoff.documents.text import cut
from signoff.metrics.rounding import shown, signed

Document = Mapping[str, Any]

HEADS = ("metric", "candidate", "champion", "difference", "bound", "verdict")
# The checks of one metric, by the beginnings of their names; what they say of it is told in this order.
GATES = ("metric", "champion", "suspicious", "claim")
_GRAVE = ("failed", "errored", "asks", "passed", "skipped")
_DATA = {"same": "the same data", "other": "other data", "unknown": "data that may differ"}
_VALUE = 200  # characters of what changed, before or after
_MOST = 10  # metrics with a check, or changed parts, that a ledger's entry names; the evidence has all


@dataclass(frozen=True)
class MetricRow:
    """One metric as it is shown; a cell is empty where evidence says nothing. `gated`: whether a check is about it."""

    metric: str
    candidate: str = ""
    champion: str = ""
    difference: str = ""
    bound: str = ""
    verdict: str = ""
    gated: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells under `HEADS`."""
        return (self.metric, self.candidate, self.champion, self.difference, self.bound, self.verdict)

    @property
    def line(self) -> str:
        """The row as a sentence of its own: `auc: 0.97, champion 0.96 (+0.01), at least 0.9: better, passed`."""
        beside = f", champion {self.champion}" if self.champion else ""
        difference = f" ({self.difference})" if self.difference else ""
        bound = f", {self.bound}" if self.bound else ""
        verdict = f": {self.verdict}" if self.verdict else ""
        return f"{self.metric}: {self.candidate or 'not measured'}{beside}{difference}{bound}{verdict}"


def metric_rows(evidence: Document) -> list[MetricRow]:
    """Return a row for each metric of a piece of evidence, or of the part of it that a ledger entry holds.

    Those that a check is about come first. Evidence of version 1 has no metrics, and what its checks say of them is
    only in their reasons.
    """
    compared = (evidence.get("comparison") or {}).get("metrics") or ()
    rows = {label(each): _compared(each) for each in compared}
    for each in measured(evidence).get("values") or ():
        rows.setdefault(label(each), MetricRow(label(each), shown(each["value"])))
    claims = _claims(evidence)
    rows = {name: _beside(row, claims.get(name)) for name, row in rows.items()}
    for name, checks in _gates(evidence.get("checks") or ()).items():
        told = any({"expected", "observed"} & check.keys() for check in checks)
        if name in rows or told:
            observed = next((each["observed"] for each in checks if each.get("observed") is not None), "")
            rows[name] = _judged(rows.get(name) or MetricRow(name, observed), checks)
    return sorted(rows.values(), key=lambda row: not row.gated)


def measured(evidence: Document) -> Document:
    """Return what was measured of a candidate or, where nothing was, what its submitter claims."""
    metrics = evidence.get("metrics") or {}
    return metrics.get("measured") or metrics.get("claimed") or {}


def _claims(evidence: Document) -> dict[str, str]:
    """Return by metric what a submitter claims, where Signoff measured it too."""
    metrics = evidence.get("metrics") or {}
    both = metrics.get("measured") and metrics.get("claimed")
    return {label(each): shown(each["value"]) for each in metrics["claimed"]["values"]} if both else {}


def _beside(row: MetricRow, claim: str | None) -> MetricRow:
    """Return a row with the submitter's claim, where that is another."""
    same = claim in {None, row.candidate}
    return row if same else replace(row, candidate=f"{row.candidate} (claimed {claim})")


def label(value: Document) -> str:
    """Return what a metric is called, with the slice of the data that it is about."""
    return f"{value['name']} [{value['slice']}]" if value.get("slice") is not None else str(value["name"])


def _compared(row: Document) -> MetricRow:
    interval, unit = row.get("interval"), f" {row['unit']}" if row.get("unit") else ""
    half = (interval[1] - interval[0]) / 2 if interval else None
    return MetricRow(
        label(row),
        f"{shown(row['candidate'], half)}{unit}",
        f"{shown(row['champion'], half)}{unit}",
        _difference(row["difference"], interval, half),
        str(row.get("bound") or ""),
        str(row["verdict"]).replace("-", " "),
    )


def _difference(difference: float | None, interval: Sequence[float] | None, half: float | None) -> str:
    if difference is None:
        return ""
    around = f" [{', '.join(signed(end, half) for end in interval)}]" if interval else ""
    return f"{signed(difference, half)}{around}"


def _gates(checks: Iterable[Document]) -> dict[str, list[Document]]:
    """Return the checks of each metric by its name, in the order of `GATES`."""
    found: dict[str, list[Document]] = {}
    for gate in GATES:
        for check in checks:
            kind, _, name = check["name"].partition(":")
            if kind == gate:
                found.setdefault(name, []).append(check)
    return found


def _judged(row: MetricRow, checks: Sequence[Document]) -> MetricRow:
    asked = (check for check in checks if check.get("expected") is not None and not check["name"].startswith("claim:"))
    bounds = [row.bound, *(str(check["expected"]) for check in asked)]
    outcome = min((outcome_of(check) for check in checks), key=_grave)
    verdict = ", ".join(filter(None, (row.verdict, outcome)))
    return replace(row, bound="; ".join(dict.fromkeys(filter(None, bounds))), verdict=verdict, gated=True)


def outcome_of(check: Document) -> str:
    """Return how a check came out, and `asks` of one that passed if an approver answers for it by name."""
    return "asks" if check["status"] == "passed" and check.get("asks") else str(check["status"])


def grave_first(checks: Iterable[Document]) -> list[Document]:
    """Return the checks, those first that failed, then those that ended in an error, then those that ask."""
    return sorted(checks, key=lambda check: _grave(outcome_of(check)))


def _grave(outcome: str) -> int:
    """Return how far behind an outcome comes; one that nobody knows comes first."""
    return _GRAVE.index(outcome) if outcome in _GRAVE else -1


def about(evidence: Document) -> str:
    """Return what the metrics are compared with, or why with nothing; empty if evidence says neither."""
    comparison = evidence.get("comparison")
    if not comparison:
        return ""
    champion, why = comparison.get("champion"), comparison.get("because")
    if not champion:
        return f"with no champion{f': {why}' if why else ''}"
    data = _DATA.get(comparison["data"], _DATA["unknown"])
    basis = f"{comparison['basis']} on {data}" if comparison.get("basis") else f"on {data}"
    return f"with the champion {champion['name']}, {basis}{f': {why}' if why else ''}"


def changed(evidence: Document) -> Iterator[tuple[str, str, str]]:
    """Yield what changed since the champion: the part, before, and after."""
    for each in (evidence.get("comparison") or {}).get("changed") or ():
        yield part_changed(each)


def changed_line(entry: Document) -> str:
    """Return in one line what changed since the champion, of which a ledger's entry has the names (`brief`)."""
    comparison = entry.get("comparison") or {}
    named, count = comparison.get("changed") or (), comparison.get("changed_count", 0)
    more = f" and {count - len(named)} more" if count > len(named) else ""
    return f"{', '.join(named)}{more}"


def part_changed(change: Document) -> tuple[str, str, str]:
    """Return a change as text: the part, before, and after."""
    return str(change["part"]), _part(change["before"]), _part(change["after"])


def _part(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return cut(text, _VALUE)


def brief(evidence: Document) -> dict[str, Any]:
    """Return what a ledger's entry, and so its events and messages, hold of a comparison, as JSON-ready data.

    That is whom the candidate was compared with and on which data, the metrics that a check is about, and the names of
    the parts that changed; of either the first, and `changed_count` of all.
    """
    comparison, gates = evidence["comparison"], _gates(evidence["checks"])
    champion, parts = comparison["champion"], comparison["changed"]
    return {
        "champion": champion and {part: champion[part] for part in ("name", "package", "evidence")},
        "data": comparison["data"],
        "because": comparison["because"],
        "basis": comparison["basis"],
        "metrics": [each for each in comparison["metrics"] if label(each) in gates][:_MOST],
        "changed": [cut(each["part"], _VALUE) for each in parts[:_MOST]],
        "changed_count": len(parts),
    }
