"""The report of an audit: who decided what on which evidence, and how they were identified; as data, rows and text."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from signoff.documents.text import clean, short
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Kind, package_of
from signoff.ledger.state import State
from signoff.report.sentences import describe_entry

if TYPE_CHECKING:
    from rich.console import Console

    from signoff.ledger.entries import Entry
    from signoff.ledger.history import History
    from signoff_cli.audit.auditor import VerificationResult
    from signoff_cli.audit.facts import Discrepancy

_OUTCOMES = {
    Kind.DECISION_RECORDED: "decided",
    Kind.VOTED: "voted",
    Kind.DECISION_REFUSED: "refused",
    Kind.STATEMENT_REPEATED: "repeated",
    Kind.EXPIRED: "expired",
    Kind.SUBJECT_CHANGED: "revoked",
}
_EDITS = {Kind.REGISTRY_REVERTED: "held", Kind.REGISTRY_OBSERVED: "observed"}
_MODELS = {
    Kind.MODEL_CREATED: "created",
    Kind.MODEL_RETIRED: "retired",
    Kind.RETIREMENT_BLOCKED: "blocked",
    Kind.BASELINE_DEPLOYED: "created",
    Kind.BASELINE_RETIRED: "retired",
}
_OF_A_MODEL = ("model", "place", "endpoints", "kept_for")
_SAID = (
    *("decision", "person", "roles", "channel", "id", "proof", "signed", "publisher", "claimed", "policy", "evidence"),
    *("subject", "standing", "votes", "break_glass", "accepts", "joins", "revoked_for", "refusal", "reason", "because"),
)
# The columns of the CSV form. New ones are added at the end, so that what reads them by position goes on.
COLUMNS = (
    *("package", "group", "version", "sequence", "time", "outcome", "decision", "by", "person", "roles", "channel"),
    *("id", "proof", "signed", "publisher", "claimed", "policy", "evidence", "subject", "votes", "break_glass"),
    *("joins", "refusal", "reason", "because", "entry_hash", "accepts"),
)
_ABOUT = ("package", "group", "version")  # the columns that are of a package; all others are of its decisions
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, LedgerBroken)
_HOW = {
    "proof": "who proved it with a signature",
    "registry": "as SageMaker says (CreatedBy)",
}


def document(history: History, since: str | None = None, until: str | None = None) -> dict[str, Any]:
    """Return all that an auditor asks of one ledger, of whatever it is about, as JSON-ready data.

    Of what happened, that from `since` on and before `until`.
    """
    entries, state = between(history, since, until), _state(history)
    return {
        "package": package_of(history.package)[0],
        "ledger": history.package,
        "group": state.group,
        "version": state.version,
        "status": str(state.status) if state.status else None,
        "registered": state.registered,
        "submitter": _submitter(history),
        "evidence": [_evidence(entry) for entry in entries if entry.kind is Kind.EVIDENCE_RECORDED],
        "decisions": [decision(entry) for entry in entries if entry.kind in _OUTCOMES],
        "registry_edits": [_edit(entry) for entry in entries if entry.kind in _EDITS],
        "models": [_model(entry) for entry in entries if entry.kind in _MODELS],
        "chain": {"entries": len(history.entries), "head": history.head, "broken_at": history.broken_at},
    }


def between(history: History, since: str | None, until: str | None) -> list[Entry]:
    """Return the entries of a ledger from `since` on and before `until` (times)."""
    return [entry for entry in history.entries if (since or "") <= entry.time < (until or "9999")]


def _state(history: History) -> State:
    try:
        return history.state
    except _UNREADABLE:
        return State()  # of a ledger that somebody has written in: it still can be printed


def _submitter(history: History) -> dict[str, Any] | None:
    first = next((entry for entry in history.entries if entry.kind is Kind.REGISTERED), None)
    if first is None:
        return None
    details = first.details
    return {name: details.get(field) for name, field in (("arn", "submitter"), ("channel", "channel"))} | {
        "registration": details.get("registration")
    }


def _at(entry: Entry) -> dict[str, Any]:
    return {"sequence": entry.sequence, "time": entry.time}


def _evidence(entry: Entry) -> dict[str, Any]:
    names = ("attempt", "verdict", "sha256", "uri", "subject")
    return {**_at(entry), **{name: entry.details.get(name) for name in names}}


def decision(entry: Entry) -> dict[str, Any]:
    """Return what was decided, voted or refused by an entry, with all that it says of how that is known."""
    said = {name: entry.details[name] for name in _SAID if name in entry.details}
    return {**_at(entry), "outcome": _OUTCOMES[entry.kind], "by": entry.actor, **said, "entry_hash": entry.hash}


def _edit(entry: Entry) -> dict[str, Any]:
    said = {name: entry.details.get(name) for name in ("found", "restored", "last_modified_by")}
    return {**_at(entry), "outcome": _EDITS[entry.kind], **said}


def _model(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = {name: entry.details[name] for name in _OF_A_MODEL if name in entry.details}
    return {**_at(entry), "outcome": _MODELS[entry.kind], **said}


# Rows


def rows(documents: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Yield one row for each decision, vote and refusal, with every column as text."""
    for about in documents:
        named = {name: about.get(name) for name in _ABOUT}
        yield from ({column: _cell({**named, **each}.get(column)) for column in COLUMNS} for each in about["decisions"])


def _cell(value: Any) -> str:
    """Return a value as text that no spreadsheet takes for a formula, nor any terminal for a command.

    Some spreadsheets leave out blanks before what they read.
    """
    if value is None:
        return ""
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = clean(text.lower() if isinstance(value, bool) else text)
    return f"'{text}" if text.lstrip().startswith(_FORMULAS) else text


def print_csv(documents: Iterable[Mapping[str, Any]], to: TextIO | None = None) -> None:
    """Print the rows as CSV (RFC 4180), under the names of their columns."""
    table = csv.DictWriter(to or sys.stdout, COLUMNS, quoting=csv.QUOTE_MINIMAL)
    table.writeheader()
    table.writerows(rows(documents))


def print_discrepancies_csv(found: Iterable[Discrepancy], to: TextIO | None = None) -> None:
    """Print what does not fit as CSV."""
    table = csv.DictWriter(to or sys.stdout, ("about", "finding", "entry", "because"))
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in each.document.items()} for each in found)


# For people


def print_ledgers(
    ledgers: Iterable[tuple[History, Mapping[str, Any]]], to: Console, since: str | None, until: str | None
) -> None:
    """Print ledgers, each with its document, one after the other."""
    number = 0
    for number, (history, document) in enumerate(ledgers, start=1):
        if number > 1:
            to.print()
        print_ledger(history, document, to, since, until)
    if not number:
        to.print("Nothing happened in that time.")


def print_ledger(
    history: History, about: Mapping[str, Any], to: Console, since: str | None = None, until: str | None = None
) -> None:
    """Print what an auditor asks of one ledger, of what happened that from `since` on and before `until`."""
    from rich.text import Text

    title = f"{about['group']}/{about['version']}" if about["package"] else about["ledger"]
    to.print(Text.assemble((clean(title), "bold"), f"  {about['status'] or ''}"), soft_wrap=True)
    if about["package"]:
        _line(to, f"package       {about['package']}")
        _line(to, f"submitted by  {_submitter_line(about['submitter'])}")
    for entry in between(history, since, until):
        if entry.kind in {*_OUTCOMES, *_EDITS, *_MODELS, Kind.EVIDENCE_RECORDED, Kind.REGISTERED, *_BESIDE}:
            _entry(entry, to)
    chain = about["chain"]
    if chain["broken_at"]:
        _line(to, f"  the chain is broken at entry {chain['broken_at']}: look at it with --verify", style="bold red")
    _line(to, f"  {chain['entries']} entries, head {chain['head']}", style="dim")


_BESIDE = {
    *(Kind.REGISTRATION_FAILED, Kind.VALIDATION_ERRORED, Kind.ENFORCEMENT_CHANGED, Kind.SUPERSEDED, Kind.REINSTATED),
    *(Kind.REMINDED, Kind.PACKAGE_DELETED, Kind.DEPLOYMENT_FAILED, Kind.IMAGE_FINDINGS_CHANGED),
}


def _submitter_line(submitter: Mapping[str, Any] | None) -> str:
    if not submitter or not submitter["arn"]:
        return "nobody knows whom"
    return f"{submitter['arn']}, {_HOW.get(str(submitter['channel']), 'as the ledger says')}"


def _entry(entry: Entry, to: Console) -> None:
    loud = bool(entry.details.get("break_glass"))
    describe_discrepancy = f"{'BREAK GLASS: ' if loud else ''}{_sentence(entry)}"
    _line(to, f"{entry.sequence:>3}  {entry.time}  {describe_discrepancy}", style="bold red" if loud else None)
    for line in _how_identified(entry) if entry.kind in _OUTCOMES else ():
        _line(to, f"       {line}", style="dim")


def _sentence(entry: Entry) -> str:
    try:
        return describe_entry(entry)
    except _UNREADABLE:
        return f"{entry.kind} by {short(entry.actor)}"


def _how_identified(entry: Entry) -> list[str]:
    """Return on what, under what, by whom and by which proof something was decided."""
    details = entry.details
    lines = [f"{name:<9}{details[name]}" for name in ("evidence", "policy") if details.get(name)]
    if entry.actor != "signoff":
        roles = f", as {' and '.join(details['roles'])}" if details.get("roles") else ""
        lines.append(f"by       {entry.actor}{roles}")
    if details.get("channel"):
        hashes = [f"{name} {details[name]}" for name in ("id", "proof", "signed", "publisher") if details.get(name)]
        lines.append(f"known by {', '.join([str(details['channel']), *hashes])}")
    if details.get("votes"):
        lines.append(f"votes    {', '.join(details['votes'])}")
    return lines


def _line(to: Console, text: str, style: str | None = None) -> None:
    if to.is_terminal:
        to.print(clean(text), style=style, soft_wrap=True)
    else:  # a file has no styles, and a long ledger takes far less without them
        to.file.write(f"{clean(text)}\n")


def describe_discrepancy(finding: Discrepancy) -> str:
    """Return what does not fit, on one line."""
    where = f", entry {finding.entry}" if finding.entry is not None else ""
    return clean(f"{finding.name}  {finding.about}{where}: {finding.because}")


def summary(verified: Sequence[VerificationResult], heads: int) -> str:
    """Return how much was verified without a finding."""
    entries = sum(each.entries for each in verified)
    count = package_count(verified)
    packages = "1 package" if count == 1 else f"{count} packages"
    return f"verified: {packages}, {entries} entries, {heads} heads"


def package_count(verified: Sequence[VerificationResult]) -> int:
    """Return how many of the ledgers are packages'; others are of refused submissions, baselines and the unknown."""
    return sum(package_of(each.package)[0] is not None for each in verified)
