"""What a piece of evidence says in a package's model card. Nothing reads it from there: it is shown, and no input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.documents.text import joined
from signoff.model_package.model_card import Metric, MetricGroup, Said, matrix, number, text
from signoff.notification.comparison import about, grave_first, label, measured, metric_rows, outcome_of

Evidence = Mapping[str, Any]
_PASSED = {"passed", "skipped"}
_NAMED = 5  # checks that the text names


def said(evidence: Evidence, uri: str, sha256: str) -> Said:
    """Return what a card says of `evidence`, a document with that URI and digest: the same for the same document."""
    return Said(
        observation=" ".join(_sentences(evidence, sha256)),
        datasets=list(dict.fromkeys(_datasets(evidence))),
        metadata={name: str(value) for name, value in _facts(evidence, uri, sha256).items() if value is not None},
        groups=[group for group in _groups(evidence) if group.metrics],
    )


def _sentences(evidence: Evidence, sha256: str) -> Iterator[str]:
    yield f"Signoff's validation {evidence['verdict']} with evidence {sha256}."
    beside = about(evidence)
    if beside:
        yield f"Compared {beside}."
    verdicts = Counter(row["verdict"] for row in (evidence.get("comparison") or {}).get("metrics") or ())
    if verdicts:
        found = [f"{count} {verdict.replace('-', ' ')}" for verdict, count in sorted(verdicts.items())]
        yield f"Metrics: {', '.join(found)}."
    grave = [check["name"] for check in _grave(evidence)]
    if grave:
        more = [f"{len(grave) - _NAMED} more"] if len(grave) > _NAMED else []
        yield f"Look at {joined([*grave[:_NAMED], *more], 'and')}."


def _datasets(evidence: Evidence) -> Iterator[str]:
    """Yield the data sets that the model was measured on, by URI, else by digest."""
    for part in ("measured", "claimed"):
        data = (_measurements(evidence, part)).get("dataset") or {}
        if data.get("uri") or data.get("sha256"):
            yield str(data.get("uri") or f"sha256:{data['sha256']}")


def _facts(evidence: Evidence, uri: str, sha256: str) -> dict[str, Any]:
    champion = (evidence.get("comparison") or {}).get("champion") or {}
    return {
        "verdict": evidence["verdict"],
        "evidence": sha256,
        "evidence_uri": uri,
        "subject": evidence["subject"]["sha256"],
        "policy": evidence["policy"],
        "attempt": evidence["attempt"],
        "champion": champion.get("name"),
        "champion_evidence": (champion.get("evidence") or {}).get("sha256"),
    }


def _groups(evidence: Evidence) -> Iterator[MetricGroup]:
    """Yield what the card shows, the most important first."""
    by_signoff = _measurements(evidence, "measured")
    yield MetricGroup("Checks to look at", [_check(check) for check in _grave(evidence)])
    yield MetricGroup("Measured by Signoff" if by_signoff else "Claimed by the submitter", list(_metrics(evidence)))
    yield MetricGroup("Confusion matrix", list(_confusion(evidence)))
    if by_signoff:
        claims = _measurements(evidence, "claimed").get("values") or ()
        yield MetricGroup("Claimed by the submitter", [number(label(each), each["value"]) for each in claims])
    yield MetricGroup("Bias", list(_bias(evidence)))
    passed = [check for check in evidence["checks"] if outcome_of(check) in _PASSED]
    yield MetricGroup("Other checks", [_check(check) for check in passed])


def _metrics(evidence: Evidence) -> Iterator[Metric]:
    """Yield the candidate's metrics, those first that checks are about, each with its comparison as a note."""
    values = {label(each): each["value"] for each in measured(evidence).get("values") or ()}
    for row in metric_rows(evidence):
        if row.metric in values:
            yield number(row.metric, values[row.metric], row.line)
        elif row.candidate:
            yield text(row.metric, row.candidate, row.line)


def _confusion(evidence: Evidence) -> Iterator[Metric]:
    """Yield the confusion matrix, one row for each actual class; one that a card cannot hold is told as such."""
    counts = measured(evidence).get("confusion") or {}
    classes = list(dict.fromkeys([*counts, *(name for row in counts.values() for name in row)]))
    rows = [[row.get(name, 0) for name in classes] for row in (counts.get(name, {}) for name in classes)]
    if counts:
        name = "Actual (x) and predicted (y) classes"
        shown = matrix(name, classes, classes, rows)
        yield shown or text(name, f"{len(classes)} classes: see the evidence")


def _bias(evidence: Evidence) -> Iterator[Metric]:
    for each in evidence.get("bias") or ():
        name, found = f"{each['metric']} of {each['facet']} = {each['value']}", each["value_found"]
        error = str(each.get("error") or "")
        yield text(name, "not computed", error) if found is None else number(name, found, error)


def _check(check: Mapping[str, Any]) -> Metric:
    return text(check["name"], outcome_of(check), check["reason"])


def _grave(evidence: Evidence) -> list[Mapping[str, Any]]:
    return [check for check in grave_first(evidence["checks"]) if outcome_of(check) not in _PASSED]


def _measurements(evidence: Evidence, part: str) -> Mapping[str, Any]:
    return (evidence.get("metrics") or {}).get(part) or {}
