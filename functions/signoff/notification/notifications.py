"""The notifications about a ledger's entries, as a pure function: one entry in, its notifications out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signoff.documents.text import counted, short
from signoff.ledger import attempts
from signoff.ledger.entries import Entry, Kind, Status
from signoff.ledger.recorded_checks import asking
from signoff.model_package.image_scans import in_words
from signoff.notification.comparison import about, changed_line, grave_first, metric_rows, outcome_of
from signoff.notification.message_format import (
    Message,
    Notification,
    called,
    command,
    group_command,
    notification,
    report,
)
from signoff.notification.wording import DONE, enforcement, fault

Details = Mapping[str, Any]
Fact = tuple[str, object]
Steps = Sequence[tuple[str, str]]

_ROLLED_BACK = "is approved again: its group was rolled back to it"
_METRICS = 8  # of which a message tells; `signoff show` has all


def notifications(entry: Entry) -> list[Notification]:
    """Return the notifications about `entry`: none for some kinds, two for some."""
    stages = entry.effect.stages
    messages = MESSAGES[entry.kind](entry, entry.details) if stages else []
    return [notification(entry, stage, each) for stage, each in zip(stages, messages, strict=True)]


def _registration_failed(entry: Entry, details: Details) -> list[Message]:
    found = [fault(each) for each in details.get("faults") or ()]
    facts = [
        ("Group", entry.group),
        ("Submission", details.get("submission") or entry.package.partition(":")[2]),
        ("Object", (details.get("object") or {}).get("uri")),
        ("Faults", details.get("fault_count", len(found))),
    ]
    steps = (("Check the next one before it is uploaded", "signoff manifest check manifest.json"),)
    return [Message(f"The submission {called(entry)} was refused", facts, found, steps)]


def _errored(entry: Entry, details: Details) -> list[Message]:
    again = attempts.promised(entry)
    facts = [
        *_package(entry),
        *_submitter(details),
        ("Error", details.get("error")),
        ("Cause", details.get("cause")),
        ("Next attempt", f"by itself after {again}" if again else "none by itself: mend the cause"),
    ]
    headline = f"{called(entry)} could not be validated{' yet' if again else ''}"
    steps = _steps(entry, ("Validate it again at once" if again else "Validate it again", "revalidate"))
    return [Message(headline, facts, _checks(details), steps, report=report(entry, details.get("uri")))]


def _evidence(entry: Entry, details: Details) -> list[Message]:
    passed = details["verdict"] == "passed"
    checks = _checks(details)
    facts = [
        *_package(entry),
        *_submitter(details),
        ("Verdict", f"{details['verdict']}, {counted(len(checks), 'check')}"),
        ("Evidence", details.get("sha256")),
        ("Outstanding", details.get("outstanding") if passed else None),
        *_compared(details),
    ]
    headline = f"{called(entry)} {'needs approval' if passed else 'failed its validation'}"
    steps = _asks(entry) if passed else _steps(entry)
    return [Message(headline, facts, checks, steps, report=report(entry, details.get("uri")))]


def _compared(details: Details) -> list[Fact]:
    """Return how good a candidate is beside the champion, what changed since, and what an approval has to accept."""
    asks = ", ".join(str(check["name"]) for check in asking(details.get("checks") or ()))
    rows = [row for row in metric_rows(details) if row.gated]
    return [
        ("Compared", about(details)),
        *(("Metric", row.line) for row in rows[:_METRICS]),
        ("Further metrics", len(rows) - _METRICS if len(rows) > _METRICS else None),
        ("Changed", changed_line(details)),
        ("To accept by name", asks),
    ]


def _voted(entry: Entry, details: Details) -> list[Message]:
    facts = [*_decider(entry, details), ("Outstanding", details.get("outstanding"))]
    if details.get("joins"):
        return _about(entry, f"{called(entry)}: someone else made the same decision", *facts)
    if details["decision"] == "rollback":
        return _about(entry, f"{called(entry)} is to be rolled back to, and needs more approvals", *facts)
    return _asked(entry, f"{called(entry)} has another approval and needs more", *facts)


def _decided(entry: Entry, details: Details) -> list[Message]:
    verb, name = details["decision"], called(entry)
    facts = [*_decider(entry, details), *_votes(details), ("Evidence", details.get("evidence"))]
    done = _ROLLED_BACK if verb == "rollback" else f"is {DONE[verb]}"
    messages = _about(entry, f"{name} {done}", *facts, steps=_asks(entry) if verb == "reopen" else None)
    if details.get("break_glass"):
        alone = f"Break glass: {name} was approved by one person alone"
        messages += _about(entry, alone, *facts, steps=_steps(entry, ("Take it back", "revoke")))
    if verb == "reopen":
        messages += _asked(entry, f"{name} needs approval again", *facts)
    return messages


def _refused(entry: Entry, details: Details) -> list[Message]:
    facts = (
        ("Decision", details.get("decision")),
        ("By", short(entry.actor)),
        ("Claims to be", details.get("claimed")),
        ("Stated reason", details.get("reason")),
        ("Refusal", details.get("refusal")),
        ("Reason", details.get("because")),
    )
    return _about(entry, f"A decision on {called(entry)} was refused", *facts)


def _reminded(entry: Entry, details: Details) -> list[Message]:
    headline = f"{called(entry)} still needs approval"
    if details.get("extended"):
        headline = f"{called(entry)} needs approval: its deadline passed and was extended"
    return _asked(entry, headline, *_waited(details), ("After", details.get("reminder")))


def _expired(entry: Entry, details: Details) -> list[Message]:
    headline, steps = f"{called(entry)} is rejected: nobody decided in time", _steps(entry, ("Ask again", "reopen"))
    return _about(entry, headline, *_waited(details), ("After", details.get("after")), steps=steps)


def _reverted(entry: Entry, details: Details) -> list[Message]:
    headline = f"{called(entry)}: a status edited in the registry was reverted"
    return _about(entry, headline, *_edit(details), ("Reverted to", details.get("restored")))


def _observed(entry: Entry, details: Details) -> list[Message]:
    headline = f"{called(entry)}: a status edited in the registry was left, because its policy only reports"
    return _about(entry, headline, *_edit(details))


def _enforcement(entry: Entry, details: Details) -> list[Message]:
    return _about(entry, f"{called(entry)}: its policy {enforcement(details)}", ("Policy", details.get("policy")))


def _changed(entry: Entry, details: Details) -> list[Message]:
    headline = f"{called(entry)} is revoked: it no longer matches what was approved"
    return _about(entry, headline, ("Reason", details.get("because")))


def _created(entry: Entry, details: Details) -> list[Message]:
    model = details.get("model") or {}
    facts = [("Model", model.get("name")), ("ARN", model.get("arn")), *_place(details)]
    return _about(entry, f"The model of {called(entry)} was created", *facts)


def _retired(entry: Entry, details: Details) -> list[Message]:
    return _about(entry, f"The model of {called(entry)} was retired", ("Model", details.get("model")), *_place(details))


def _blocked(entry: Entry, details: Details) -> list[Message]:
    endpoints = ", ".join(str(each) for each in details.get("endpoints") or ())
    facts = [("Model", details.get("model")), *_place(details), ("In use by", endpoints)]
    return _about(entry, f"The model of {called(entry)} cannot be retired: it is in use", *facts)


def _not_deployed(entry: Entry, details: Details) -> list[Message]:
    headline = f"The model of {called(entry)} could not be deployed to every target"
    return _about(entry, headline, *_place(details), ("Reason", details.get("because")))


def _unsound(entry: Entry, details: Details) -> list[Message]:
    images = details.get("images") or ()
    facts = [*_package(entry), ("Refused from", details.get("block_at")), ("Evidence", details.get("evidence"))]
    for each in images:
        facts += [("Image", each.get("image")), ("New findings", each.get("refused"))]
        facts += [("Scanned", (each.get("scan") or {}).get("completed"))]
    found = [in_words(each) for image in images for each in image.get("findings") or ()]
    headline = f"A scan finds more in the image of {called(entry)} than was approved"
    return [Message(headline, facts, found, _steps(entry, ("Take it back", "revoke")))]


def _superseded(entry: Entry, details: Details) -> list[Message]:
    facts = [("By version", details.get("by_version")), ("By", details.get("by"))]
    return _about(entry, f"{called(entry)} is no longer its group's champion", *facts)


def _reinstated(entry: Entry, details: Details) -> list[Message]:
    facts = [("After version", details.get("after_version")), ("After", details.get("after"))]
    return _about(entry, f"{called(entry)} is its group's champion again", *facts)


def _deleted(entry: Entry, details: Details) -> list[Message]:
    return _about(entry, f"{called(entry)} was deleted from the registry", ("Reason", details.get("because")))


def _baseline(entry: Entry, details: Details) -> list[Message]:
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
    return [Message(f"The baseline of {called(entry)} is {done}", facts, (), steps)]


def _about(entry: Entry, headline: str, *facts: Fact, steps: Steps | None = None) -> list[Message]:
    """Return a message about a package; its next step is to look at it, unless there are other `steps`."""
    return [Message(headline, [*_package(entry), *facts], (), _steps(entry) if steps is None else steps)]


def _asked(entry: Entry, headline: str, *facts: Fact) -> list[Message]:
    """Return a message to approvers about a package that needs a decision."""
    facts_of_it = [*_package(entry), *facts]
    return [Message(headline, facts_of_it, (), _asks(entry), status=Status.PENDING_APPROVAL)]


def _package(entry: Entry) -> list[Fact]:
    return [("Package", entry.about)]


def _submitter(details: Details) -> list[Fact]:
    changers = ", ".join(map(short, details.get("changed_by") or ()))
    submitted = [("Submitted by", short(details["submitter"]))] if "submitter" in details else []
    return [*submitted, *([("Changed since by", changers)] if changers else [])]


def _decider(entry: Entry, details: Details) -> list[Fact]:
    return [
        ("By", short(entry.actor)),
        ("As", ", ".join(details.get("roles") or ())),
        ("Reason", details.get("reason")),
        ("Accepted by name", ", ".join(details.get("accepts") or ())),
    ]


def _votes(details: Details) -> list[Fact]:
    votes = details.get("votes") or ()
    return [("Approved by", ", ".join(short(each) for each in votes))] if len(votes) > 1 else []


def _edit(details: Details) -> list[Fact]:
    return [("Found", details.get("found")), ("Set by", short(details.get("last_modified_by")))]


def _waited(details: Details) -> list[Fact]:
    return [("Waiting since", details.get("waiting_since"))]


def _place(details: Details) -> list[Fact]:
    return [("In", details.get("place"))]


def _checks(details: Details) -> list[str]:
    checks = grave_first(details.get("checks") or ())
    return [f"{outcome_of(check)} {check['name']}: {check['reason']}" for check in checks]


def _steps(entry: Entry, *more: tuple[str, str]) -> Steps:
    """Return the commands to look at the package, and those of `more` (a label, and a verb with a reason)."""
    commands = [("See details", command(entry, "show"))]
    commands += [(label, command(entry, verb, reason=True)) for label, verb in more]
    return [(label, typed) for label, typed in commands if typed]


def _asks(entry: Entry) -> Steps:
    return _steps(entry, ("Approve it", "approve"), ("Reject it", "reject"))


MESSAGES: dict[Kind, Callable[[Entry, Details], list[Message]]] = {
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
    Kind.IMAGE_FINDINGS_CHANGED: _unsound,
    Kind.SUPERSEDED: _superseded,
    Kind.REINSTATED: _reinstated,
    Kind.PACKAGE_DELETED: _deleted,
    Kind.BASELINE_DEPLOYED: _baseline,
    Kind.BASELINE_RETIRED: _baseline,
}
