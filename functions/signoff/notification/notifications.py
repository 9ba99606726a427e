"""What people are told of a ledger's entries, as a pure function: one entry in, its notifications out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signoff.documents.text import short
from signoff.ledger.entries import DECIDED_STATUS, VERDICT_STATUS, Entry, Kind, Status
from signoff.notification.message_format import (
    Notification,
    Stage,
    Told,
    called,
    command,
    group_command,
    notification,
    report,
)

Details = Mapping[str, Any]
Steps = Sequence[tuple[str, str]]

_DECIDED = {
    "approve": "is approved",
    "reject": "is rejected",
    "revoke": "is revoked",
    "reopen": "is re-opened",
    "rollback": "is approved again: its group was rolled back to it",
}
_FIRST = {"errored": 0, "failed": 1}  # what people look for stands above what went well


def notifications(entry: Entry) -> list[Notification]:
    """Return what people are told of `entry`: nothing of most kinds, two things of what two kinds of people await."""
    tell = _TELL.get(entry.kind)
    return [notification(entry, told) for told in tell(entry, entry.details)] if tell else []


def _registration_failed(entry: Entry, details: Details) -> list[Told]:
    faults = details.get("faults") or ()
    found = [f"{fault.get('path') or 'manifest'}: {fault.get('message')}" for fault in faults]
    facts = [
        ("Group", entry.group),
        ("Submission", details.get("submission") or entry.package.partition(":")[2]),
        ("Object", (details.get("object") or {}).get("uri")),
        ("Faults", details.get("fault_count", len(found))),
    ]
    steps = (("Check the next one before it is uploaded", "signoff manifest check manifest.json"),)
    return [Told(Stage.REGISTRATIONS, f"The submission {called(entry)} was refused", facts, found, steps)]


def _errored(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), *_submitter(details), ("Error", details.get("error")), ("Cause", details.get("cause"))]
    return [
        Told(
            Stage.REGISTRATIONS,
            f"{called(entry)} could not be validated",
            facts,
            _checks(details),
            _steps(entry, ("Validate it again", "revalidate")),
            status=Status.VALIDATION_ERRORED,
            report=report(entry, details.get("uri")),
        )
    ]


def _evidence(entry: Entry, details: Details) -> list[Told]:
    passed = details["verdict"] == "passed"
    checks = _checks(details)
    facts = [
        *_package(entry),
        *_submitter(details),
        ("Verdict", f"{details['verdict']}, {len(checks)} check{'' if len(checks) == 1 else 's'}"),
        ("Evidence", details.get("sha256")),
        ("Outstanding", details.get("outstanding") if passed else None),
    ]
    headline = f"{called(entry)} {'awaits approval' if passed else 'failed its validation'}"
    return [
        Told(
            Stage.APPROVALS if passed else Stage.REGISTRATIONS,
            headline,
            facts,
            checks,
            _asks(entry) if passed else _steps(entry),
            status=VERDICT_STATUS[details["verdict"]],
            report=report(entry, details.get("uri")),
        )
    ]


def _voted(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), *_decider(entry, details), ("Outstanding", details.get("outstanding"))]
    if details.get("joins"):
        return [Told(Stage.DECISIONS, f"{called(entry)}: somebody else decided the same", facts, (), _steps(entry))]
    headline = f"{called(entry)} has another approval and awaits more"
    return [Told(Stage.APPROVALS, headline, facts, (), _asks(entry), status=Status.PENDING_APPROVAL)]


def _decided(entry: Entry, details: Details) -> list[Told]:
    verb = details["decision"]
    facts = [*_package(entry), *_decider(entry, details), *_votes(details), ("Evidence", details.get("evidence"))]
    status, name = DECIDED_STATUS[verb], called(entry)
    told = [Told(Stage.DECISIONS, f"{name} {_DECIDED[verb]}", facts, (), _after(entry, verb), status=status)]
    if details.get("break_glass"):
        alone = f"Break glass: {name} was approved by one person alone"
        steps = _steps(entry, ("Take it back", "revoke"))
        told.append(Told(Stage.APPROVALS, alone, facts, (), steps, status=status))
    if verb == "reopen":
        told.append(Told(Stage.APPROVALS, f"{name} awaits approval again", facts, (), _asks(entry), status=status))
    return told


def _refused(entry: Entry, details: Details) -> list[Told]:
    facts = [
        *_package(entry),
        ("Wanted", details.get("decision")),
        ("By", short(entry.actor)),
        ("Who says to be", details.get("claimed")),
        ("Their reason", details.get("reason")),
        ("Refused as", details.get("refusal")),
        ("Because", details.get("because")),
    ]
    return [Told(Stage.DECISIONS, f"A decision on {called(entry)} was refused", facts, (), _steps(entry))]


def _reminded(entry: Entry, details: Details) -> list[Told]:
    headline = f"{called(entry)} still awaits approval"
    if details.get("extended"):
        headline = f"{called(entry)} awaits approval: its time was up and begins anew"
    facts = [*_package(entry), ("Waiting since", details.get("waiting_since")), ("After", details.get("reminder"))]
    return [Told(Stage.APPROVALS, headline, facts, (), _asks(entry), status=Status.PENDING_APPROVAL)]


def _expired(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), ("Waiting since", details.get("waiting_since")), ("After", details.get("after"))]
    headline = f"{called(entry)} is rejected: nobody decided in time"
    steps = _steps(entry, ("Ask again", "reopen"))
    return [Told(Stage.APPROVALS, headline, facts, (), steps, status=Status.REJECTED)]


def _reverted(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), *_edit(details), ("Set back to", details.get("restored"))]
    headline = f"{called(entry)}: an edit of its status in the registry was set back"
    return [Told(Stage.DECISIONS, headline, facts, (), _steps(entry))]


def _observed(entry: Entry, details: Details) -> list[Told]:
    headline = f"{called(entry)}: an edit of its status in the registry was left, for its policy only reports"
    return [Told(Stage.DECISIONS, headline, [*_package(entry), *_edit(details)], (), _steps(entry))]


def _enforcement(entry: Entry, details: Details) -> list[Told]:
    now = "holds what it refuses" if details.get("enforced") else "only reports what it would refuse"
    facts = [*_package(entry), ("Policy", details.get("policy"))]
    return [Told(Stage.DECISIONS, f"{called(entry)}: its policy {now} from now on", facts, (), _steps(entry))]


def _changed(entry: Entry, details: Details) -> list[Told]:
    headline = f"{called(entry)} is revoked: it is not what was approved any more"
    facts = [*_package(entry), ("Because", details.get("because"))]
    return [Told(Stage.DECISIONS, headline, facts, (), _steps(entry), status=Status.REVOKED)]


def _created(entry: Entry, details: Details) -> list[Told]:
    model = details.get("model") or {}
    facts = [*_package(entry), ("Model", model.get("name")), ("ARN", model.get("arn")), *_place(details)]
    return [_deployment(entry, f"The model of {called(entry)} is created", facts)]


def _retired(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), ("Model", details.get("model")), *_place(details)]
    return [_deployment(entry, f"The model of {called(entry)} is retired", facts)]


def _blocked(entry: Entry, details: Details) -> list[Told]:
    endpoints = ", ".join(str(each) for each in details.get("endpoints") or ())
    facts = [*_package(entry), ("Model", details.get("model")), *_place(details), ("In use by", endpoints)]
    return [_deployment(entry, f"The model of {called(entry)} cannot be retired: it is in use", facts)]


def _not_deployed(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), *_place(details), ("Because", details.get("because"))]
    return [_deployment(entry, f"The model of {called(entry)} could not be deployed everywhere", facts)]


def _superseded(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), ("By version", details.get("by_version")), ("By", details.get("by"))]
    return [_deployment(entry, f"{called(entry)} is no longer its group's champion", facts)]


def _reinstated(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), ("After version", details.get("after_version")), ("After", details.get("after"))]
    return [_deployment(entry, f"{called(entry)} is its group's champion again", facts)]


def _deleted(entry: Entry, details: Details) -> list[Told]:
    facts = [*_package(entry), ("Because", details.get("because"))]
    told = _deployment(entry, f"{called(entry)} was deleted from the registry", facts)
    return [Told(told.stage, told.headline, told.facts, (), told.steps, status=Status.DELETED)]


def _baseline(entry: Entry, details: Details) -> list[Told]:
    done = "deployed, approved by code review" if entry.kind is Kind.BASELINE_DEPLOYED else "retired"
    model = details.get("model") or {}
    facts = [
        ("Group", entry.group or details.get("group")),
        ("Model", model.get("name")),
        ("ARN", model.get("arn")),
        ("Stack", short(entry.actor)),
        ("Reviewed in", details.get("review")),
    ]
    champion = group_command(entry, "champion")
    steps = (("See the champion", champion),) if champion else ()
    return [Told(Stage.DEPLOYMENTS, f"The baseline of {called(entry)} is {done}", facts, (), steps)]


def _deployment(entry: Entry, headline: str, facts: Sequence[tuple[str, object]]) -> Told:
    return Told(Stage.DEPLOYMENTS, headline, facts, (), _steps(entry))


def _package(entry: Entry) -> list[tuple[str, object]]:
    return [("Package", entry.arn or entry.package.partition(":")[2])]


def _submitter(details: Details) -> list[tuple[str, object]]:
    return [("Submitted by", short(details["submitter"]))] if "submitter" in details else []


def _decider(entry: Entry, details: Details) -> list[tuple[str, object]]:
    return [
        ("By", short(entry.actor)),
        ("As", ", ".join(details.get("roles") or ())),
        ("Reason", details.get("reason")),
    ]


def _votes(details: Details) -> list[tuple[str, object]]:
    votes = details.get("votes") or ()
    return [("Approved by", ", ".join(short(each) for each in votes))] if len(votes) > 1 else []


def _edit(details: Details) -> list[tuple[str, object]]:
    return [("Found", details.get("found")), ("Set by", short(details.get("last_modified_by")))]


def _place(details: Details) -> list[tuple[str, object]]:
    return [("In", details.get("place"))]


def _checks(details: Details) -> list[str]:
    checks = sorted(details.get("checks") or (), key=lambda check: _FIRST.get(check["status"], 2))
    return [f"{check['status']} {check['name']}: {check['reason']}" for check in checks]


def _steps(entry: Entry, *more: tuple[str, str]) -> Steps:
    """Return what to type to look at the package, and to do what `more` says (a label, and a verb with a reason)."""
    commands = [("See all of it", command(entry, "show"))]
    commands += [(label, command(entry, verb, reason=True)) for label, verb in more]
    return [(label, typed) for label, typed in commands if typed]


def _asks(entry: Entry) -> Steps:
    return _steps(entry, ("Approve it", "approve"), ("Reject it", "reject"))


def _after(entry: Entry, verb: str) -> Steps:
    return _asks(entry) if verb == "reopen" else _steps(entry)


_TELL: dict[Kind, Callable[[Entry, Details], list[Told]]] = {
    Kind.REGISTRATION_FAILED: _registration_failed,
    Kind.VALIDATION_ERRORED: _errored,
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.VOTED: _voted,
    Kind.DECISION_RECORDED: _decided,
    Kind.DECISION_REFUSED: _refused,
    Kind.REMINDED: _reminded,
    Kind.EXPIRED: _expired,
    Kind.REGISTRY_REVERTED: _reverted,
    Kind.REGISTRY_OBSERVED: _observed,
    Kind.ENFORCEMENT_CHANGED: _enforcement,
    Kind.SUBJECT_CHANGED: _changed,
    Kind.MODEL_CREATED: _created,
    Kind.MODEL_RETIRED: _retired,
    Kind.RETIREMENT_BLOCKED: _blocked,
    Kind.DEPLOYMENT_FAILED: _not_deployed,
    Kind.SUPERSEDED: _superseded,
    Kind.REINSTATED: _reinstated,
    Kind.PACKAGE_DELETED: _deleted,
    Kind.BASELINE_DEPLOYED: _baseline,
    Kind.BASELINE_RETIRED: _baseline,
}
