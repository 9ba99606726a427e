"""What a report shows, in the order in which it is read: texts, rows and charts, without any markup around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signoff.artifact.findings import listed
from signoff.documents.text import cut, short
from signoff.ledger.recorded_checks import asking
from signoff.notification.comparison import about, changed, grave_first, label, measured, metric_rows, outcome_of
from signoff.report import charts
from signoff.report.facts import Document, ReportFacts
from signoff.report.sentences import ENDS, describe_on_page, describe_scan, describe_seats

_HISTORIES = 6  # gated metrics whose histories are drawn
_CLASSES = 20  # of a confusion matrix that are shown
_LISTED = 200  # rows of a list; the evidence has all
_TEXT = 2000  # characters of what somebody wrote in one place

Rows = list[Any]


def view(facts: ReportFacts) -> dict[str, Any]:
    """Return the parts of the page by their names; a part that has nothing to say is empty."""
    evidence = facts.evidence or {}
    document = facts.document
    return {
        "name": _name(document),
        "package": document["package"],
        "status": document["status"] or "unknown",
        "verdict": evidence.get("verdict"),
        "alone": document["break_glass"],
        "report_only": not document["enforced"],
        "asked": _asked(document),
        "commands": _commands(document),
        "description": {"description": None, "task": None, "domain": None, **(evidence.get("description") or {})},
        "compared": about(evidence) if evidence else "",
        "metrics": _metrics(evidence),
        "histories": list(_histories(facts)),
        "curves": list(_curves(facts)),
        "confusion": list(_confusions(facts)),
        "changed": list(changed(evidence))[:_LISTED],
        "checks": _checks(evidence.get("checks") or document["checks"]),
        "findings": _findings(document),
        "images": [_image(each) for each in evidence.get("images") or ()],
        "artifacts": list(evidence.get("artifacts") or ())[:_LISTED],
        "bias": list(evidence.get("bias") or ())[:_LISTED],
        "provenance": sorted((evidence.get("provenance") or {}).items()),
        "facts": _facts(facts),
        "decisions": [_decision(each) for each in document["decisions"]],
        "ledger": _ledger(facts),
        "head": facts.history.head,
        "notes": list(facts.notes),
    }


def _name(document: Document) -> str:
    """Return what people call a package: `churn/3`, or its ARN if it has no version."""
    versioned = document["group"] and document["version"]
    return f"{document['group']}/{document['version']}" if versioned else str(document["package"])


def _asked(document: Document) -> list[tuple[str, str]]:
    """Return what is asked of whom until when, as labels and sentences; nothing where nothing is."""
    if not document.get("outstanding"):
        return []
    expires = document.get("expires")
    return [
        ("It needs", str(document["outstanding"])),
        *(("By", each) for each in describe_seats(document.get("may_approve") or ())),
        *([("Until", f"{expires['at']}; then {ENDS[expires['action']]}")] if expires else []),
        *(("To accept by name", str(each["name"])) for each in asking(document["checks"])),
    ]


def _commands(document: Document) -> list[tuple[str, str]]:
    """Return the commands that a reader may run next, each with what it does."""
    name = _name(document)
    found = [("All that is known of it", f"signoff show {name}")]
    if document["status"] == "PendingApproval":
        accepted = "".join(f" --accept {_quoted(str(each['name']))}" for each in asking(document["checks"]))
        found = [
            ("Approve it", f'signoff approve {name}{accepted} --reason "..."'),
            ("Reject it", f'signoff reject {name} --reason "..."'),
            *found,
        ]
    elif document["status"] == "Approved":
        found = [("Take it back", f'signoff revoke {name} --reason "..."'), *found]
    elif document["status"] in {"ValidationFailed", "ValidationErrored"}:
        found = [("Validate it again, once its cause is mended", f"signoff revalidate {name}"), *found]
    return [*found, ("Hash again all that its evidence names", f"signoff evidence {name} --verify")]


def _quoted(text: str) -> str:
    """Return `text` as one word of a POSIX shell."""
    plain = all(each.isalnum() or each in "._-:/@" for each in text)
    return text if plain and text.isascii() else "'" + text.replace("'", "'\"'\"'") + "'"


def _metrics(evidence: Document) -> Rows:
    """Return the rows of the metrics, each with the chart of its difference to the champion if it has one."""
    compared = {label(each): each for each in (evidence.get("comparison") or {}).get("metrics") or ()}
    drawn = {name: _difference(name, each) for name, each in compared.items() if each.get("difference") is not None}
    return [(row, drawn.get(row.metric)) for row in metric_rows(evidence)[:_LISTED]]


def _difference(name: str, compared: Document) -> Any:
    interval = compared.get("interval")
    return charts.difference(charts.Difference(name, compared["difference"], tuple(interval) if interval else None))


def _histories(facts: ReportFacts) -> Iterator[Any]:
    """Yield a chart of each gated metric over the versions of the group that have it."""
    evidence = facts.evidence or {}
    mine = _values(evidence)
    gated = [row.metric for row in metric_rows(evidence) if row.gated and row.metric in mine]
    earlier = [(each.name.rpartition("/")[2], _values(each.evidence), each.champion) for each in facts.versions]
    for metric in gated[:_HISTORIES]:
        points = [(name, values[metric], champion) for name, values, champion in earlier if metric in values]
        if points:
            yield metric, charts.history(metric, [*points, (str(facts.document["version"]), mine[metric], False)])


def _values(evidence: Document) -> dict[str, float]:
    return {label(each): each["value"] for each in measured(evidence).get("values") or ()}


def _curves(facts: ReportFacts) -> Iterator[Any]:
    champions = {each.title: each for each in facts.champion_curves}
    for curve in facts.curves:
        beside = champions.get(curve.title)
        yield curve.title, charts.curve([("candidate", curve), *([("champion", beside)] if beside else [])])


def _confusions(facts: ReportFacts) -> Iterator[dict[str, Any]]:
    """Yield a table for the candidate and for the champion: how often each class was predicted as each."""
    for name, evidence in (("Candidate", facts.evidence), ("Champion", facts.champion_evidence)):
        confusion = measured(evidence or {}).get("confusion")
        if confusion:
            yield _confusion(name, confusion)


def _confusion(name: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    every = sorted({*counts, *(predicted for row in counts.values() for predicted in row)})
    classes = every[:_CLASSES]
    rows = []
    for actual in classes:
        row = counts.get(actual, {})
        total = sum(row.values()) or 1
        rows.append((actual, [(row.get(each, 0), round(10 * row.get(each, 0) / total)) for each in classes]))
    more = f"{len(every) - _CLASSES} more classes" if len(every) > _CLASSES else ""
    return {"name": name, "classes": classes, "rows": rows, "more": more}


def _checks(checks: Sequence[Document]) -> Rows:
    return [(outcome_of(each), each["name"], cut(str(each["reason"]), _TEXT)) for each in grave_first(checks)]


def _findings(document: Document) -> Rows:
    """Return the findings of each artifact, each with what to do about it."""
    return [(each["artifact"], listed(each["findings"])[:_LISTED]) for each in document.get("findings") or ()]


def _image(image: Document) -> dict[str, Any]:
    return {
        "image": image["image"],
        "digest": image.get("digest") or "",
        "said": describe_scan(image),
        "findings": list((image.get("scan") or {}).get("findings") or ()),
    }


def _facts(facts: ReportFacts) -> list[tuple[str, str]]:
    document, evidence = facts.document, facts.document["evidence"] or {}
    policy, model = document["policy"], document["model"] or {}
    said = {
        "Submitted by": document["submitter"] or "unknown",
        "Changed by": ", ".join(document["changed_by"]),
        "Package": document["package"],
        "Policy": policy["name"],
        "SHA-256 of the policy": policy["sha256"],
        "Evidence": evidence.get("uri"),
        "SHA-256 of the evidence": evidence.get("sha256"),
        "SHA-256 of what is deployed": (facts.evidence or {}).get("subject", {}).get("sha256"),
        "Validation": f"attempt {document['attempt']}, started {(facts.evidence or {}).get('started', 'unknown')}",
        "Model": model.get("arn"),
        "In use by": ", ".join(document["retirement_blocked_by"]),
        "Superseded by": document["superseded_by"],
    }
    return [(name, str(value)) for name, value in said.items() if value]


def _decision(decision: Document) -> dict[str, str]:
    refused = decision["outcome"] == "refused"
    why = f"{decision.get('refusal')}: {decision.get('because')}" if refused else decision.get("reason", "")
    return {
        "time": decision["time"],
        "outcome": decision["outcome"],
        "decision": decision["decision"],
        "by": short(decision["approver"]),
        "known": _known(decision),
        "evidence": str(decision.get("evidence") or ""),
        "reason": cut(str(why), _TEXT),
        "accepts": ", ".join(decision.get("accepts") or ()),
    }


def _known(decision: Document) -> str:
    """Return how it is known who decided."""
    channel = decision.get("channel")
    if channel == "publisher":
        return f"as {decision.get('publisher')} says"
    words = {"proof": "by their signature", "registry": "in the registry", "policy": "as the policy says"}
    return words.get(str(channel), "unknown")


def _ledger(facts: ReportFacts) -> Rows:
    evidence = (facts.document["evidence"] or {}).get("sha256")
    entries = facts.history.entries
    shown_entries = entries if len(entries) <= _LISTED else (*entries[:1], *entries[-_LISTED + 1 :])
    return [(each.sequence, each.time, describe_on_page(each, evidence), each.hash[:12]) for each in shown_entries]
