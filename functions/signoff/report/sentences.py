"""What a ledger's entry says, in one line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from signoff.documents.text import clean, counted, joined, short
from signoff.ledger import attempts
from signoff.ledger.entries import Kind
from signoff.ledger.recorded_checks import holding
from signoff.notification.wording import DONE, enforcement, fault
from signoff.report.document import errored_reason

if TYPE_CHECKING:
    from signoff.ledger.entries import Entry

_NOUNS = {
    "approve": "approval",
    "reject": "rejection",
    "revoke": "revocation",
    "reopen": "re-opening",
    "rollback": "rollback",
    "annotate": "annotation",
}
# What happens when nobody decides in time, by what the policy says of it.
ENDS = {"reject": "it is rejected", "extend": "people are reminded and the time starts again"}


def describe_entry(entry: Entry) -> str:
    """Return what `entry` says."""
    return clean(SENTENCES[entry.kind](entry, entry.details))


def describe_on_page(entry: Entry, evidence: str | None) -> str:
    """Return what `entry` says below the checks of the evidence of that digest, which are not repeated."""
    shown = entry.kind is Kind.EVIDENCE_RECORDED and entry.details["sha256"] == evidence
    return clean(_verdict(entry.details)) if shown else describe_entry(entry)


def describe_seats(seats: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return who may give the approvals that are missing (`standing.may_approve`), one line for each role."""
    return [f"{each['needed']} of {each['role'] or 'these'}: {_people(each['people'], each['but'])}" for each in seats]


def _people(patterns: Sequence[str] | None, but: Sequence[str]) -> str:
    if patterns == []:
        return "nobody is left who may"
    everybody = "every IAM user and user of IAM Identity Center of the accounts that the group is open to"
    people = everybody if patterns is None else ", ".join(map(short, patterns))
    return f"{people}, but not {joined(map(short, but), 'or')}" if but else people


def authors(submitter: str | None, changers: Sequence[str]) -> str:
    """Return who submitted a package, and who may have changed it since, for people."""
    return f"{short(submitter)}{', changed by ' if changers else ''}{' and '.join(map(short, changers))}"


def _registered(entry: Entry, details: Mapping[str, Any]) -> str:
    by = authors(details.get("submitter"), [details["changed_by"]] if details.get("changed_by") else [])
    return f"registered as version {entry.version} of {entry.group}, submitted by {by}"


def _registration_failed(_: Entry, details: Mapping[str, Any]) -> str:
    more = f" and {details['fault_count'] - 1} more" if details["fault_count"] > 1 else ""
    return f"registration refused: {fault(details['faults'][0])}{more}"


def _started(entry: Entry, details: Mapping[str, Any]) -> str:
    by = "" if entry.actor == "signoff" else f" by {short(entry.actor)}{_claims(details)}"
    why = f": {details['reason']}" if details.get("reason") else ""
    changed = details.get("changed") or ()
    under = f", policy {details['policy_name']}" if "policy_name" in details else ""
    started = f"validation started, attempt {details['attempt']}{under}{by}{why}"
    return f"{started}{_since_registered(details) if changed else ''}"


def _since_registered(details: Mapping[str, Any]) -> str:
    last = f", last modified by {short(details['changed_by'])}" if details.get("changed_by") else ""
    return f"; changed since it was registered: {', '.join(details['changed'])}{last}"


def _errored(entry: Entry, details: Mapping[str, Any]) -> str:
    again = attempts.promised(entry)
    follows = f"; the next attempt begins by itself after {again}" if again else ""
    return f"validation ended in an error: {errored_reason(details)}{follows}"


def _evidence(_: Entry, details: Mapping[str, Any]) -> str:
    failed = holding(details["checks"])
    reasons = "; ".join(f"{check['name']}: {check['reason']}" for check in failed)
    return f"{_verdict(details)}: {reasons}" if failed else _verdict(details)


def _verdict(details: Mapping[str, Any]) -> str:
    checks = details["checks"]
    failed = len(holding(checks))
    count = counted(len(checks), "check")
    if failed:
        return f"validation failed, {failed} of {count}"
    return f"validation passed, {count}; evidence {details['sha256'][:12]}"


def _decided(entry: Entry, details: Mapping[str, Any]) -> str:
    alone = "BREAK GLASS, " if details.get("break_glass") else ""
    done = f"{alone}{DONE[details['decision']]} by {short(entry.actor)}{_channel(details)}"
    return f"{done}{_accepting(details)}: {details['reason']}"


def _voted(entry: Entry, details: Mapping[str, Any]) -> str:
    by = f"{_NOUNS[details['decision']]} by {short(entry.actor)}{_channel(details)}"
    how = "joins the decision" if details.get("joins") else f"counts, and it needs {details.get('outstanding')}"
    return f"{by} {how}{_accepting(details)}: {details['reason']}"


def _accepting(details: Mapping[str, Any]) -> str:
    """Return for which checks somebody gave their word, by name."""
    return f", accepting {', '.join(details['accepts'])}" if details.get("accepts") else ""


def _channel(details: Mapping[str, Any]) -> str:
    """Return how it is known who decided, where that is not by their signature."""
    if details.get("channel") == "publisher":
        return f" (as {details.get('publisher')} says)"
    return {"registry": " (in the registry)", "policy": " (as the policy says)"}.get(details.get("channel", ""), "")


def _claims(details: Mapping[str, Any]) -> str:
    return f" (who claims to be {short(details['claimed'])})" if details.get("claimed") else ""


def _refused(entry: Entry, details: Mapping[str, Any]) -> str:
    noun = _NOUNS.get(details["decision"], "decision")
    return f"{noun} by {short(entry.actor)}{_claims(details)} refused: {details['refusal']}: {details['because']}"


def _repeated(entry: Entry, details: Mapping[str, Any]) -> str:
    return f"{_NOUNS.get(details['decision'], 'decision')} by {short(entry.actor)}{_channel(details)} changed nothing"


def _reminded(_: Entry, details: Mapping[str, Any]) -> str:
    since = f"it has been waiting for a decision since {details['waiting_since']}"
    if details.get("extended"):
        return f"reminded at the end: {since}, and the time starts again"
    return f"reminded after {details['reminder']}: {since}"


def _expired(_: Entry, details: Mapping[str, Any]) -> str:
    return f"rejected because it expired: {details['reason']} (waiting since {details['waiting_since']})"


def _unsound(_: Entry, details: Mapping[str, Any]) -> str:
    found = details["found"]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"a scan finds more in its image than was approved: {', '.join(found[:5])}{more}"


def _superseded(_: Entry, details: Mapping[str, Any]) -> str:
    return f"superseded as champion by version {details['by_version']}"


def _reinstated(_: Entry, details: Mapping[str, Any]) -> str:
    return f"champion again, after version {details['after_version']}"


def _observed(_: Entry, details: Mapping[str, Any]) -> str:
    by = f" by {short(details['last_modified_by'])}" if details.get("last_modified_by") else ""
    return f"SageMaker's status {details['found']}, set{by}, was kept: the policy only reports"


def _enforcement(_: Entry, details: Mapping[str, Any]) -> str:
    return f"its policy {enforcement(details)}"


def _annotated(entry: Entry, details: Mapping[str, Any]) -> str:
    said = [f"{key} = {value}" for key, value in details["set"].items()]
    said += [f"{key} removed" for key in details["removed"]]
    said += [f"specification {name} added" for name in details["added"]]
    why = f": {details['reason']}" if details["reason"] else ""
    return f"annotated by {short(entry.actor)}{why} ({', '.join(said)})"


def _deleted(_: Entry, _details: Mapping[str, Any]) -> str:
    return "deleted from SageMaker's registry"


def _registry(_: Entry, details: Mapping[str, Any]) -> str:
    return f"SageMaker shows {details['status']}"


def _reverted(_: Entry, details: Mapping[str, Any]) -> str:
    by = f" by {short(details['last_modified_by'])}" if details.get("last_modified_by") else ""
    return f"SageMaker's status {details['found']}, set{by}, was not decided by anybody: reset to {details['restored']}"


def _changed(_: Entry, details: Mapping[str, Any]) -> str:
    return f"revoked: {details['because']}"


def _where(details: Mapping[str, Any]) -> str:
    return f" in {details['place']}" if "place" in details else ""


def _created(_: Entry, details: Mapping[str, Any]) -> str:
    return f"model {details['model']['name']} created{_where(details)}"


def _failed_elsewhere(_: Entry, details: Mapping[str, Any]) -> str:
    return f"its model{_where(details)} is not up to date yet: {details['because']}"


def _retired(_: Entry, details: Mapping[str, Any]) -> str:
    return f"model {details['model']} retired{_where(details)}"


def _blocked(_: Entry, details: Mapping[str, Any]) -> str:
    endpoints = ", ".join(details["endpoints"])
    return f"model {details['model']} cannot be retired{_where(details)}: in use by endpoint {endpoints}"


def _baseline(_: Entry, details: Mapping[str, Any]) -> str:
    by = f", reviewed in {details['review']}" if details.get("review") else ""
    return f"model {details['model']['name']} deployed as the baseline of {details['group']}{by}"


def _baseline_retired(_: Entry, details: Mapping[str, Any]) -> str:
    return f"baseline {details['model']['name']} retired"


SENTENCES: dict[Kind, Callable[[Entry, Mapping[str, Any]], str]] = {
    Kind.REGISTERED: _registered,
    Kind.REGISTRATION_FAILED: _registration_failed,
    Kind.VALIDATION_STARTED: _started,
    Kind.VALIDATION_ERRORED: _errored,
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.VOTED: _voted,
    Kind.DECISION_RECORDED: _decided,
    Kind.DECISION_REFUSED: _refused,
    Kind.STATEMENT_REPEATED: _repeated,
    Kind.REMINDED: _reminded,
    Kind.EXPIRED: _expired,
    Kind.IMAGE_FINDINGS_CHANGED: _unsound,
    Kind.SUPERSEDED: _superseded,
    Kind.REINSTATED: _reinstated,
    Kind.REGISTRY_OBSERVED: _observed,
    Kind.ENFORCEMENT_CHANGED: _enforcement,
    Kind.ANNOTATED: _annotated,
    Kind.REGISTRY_UPDATED: _registry,
    Kind.REGISTRY_REVERTED: _reverted,
    Kind.SUBJECT_CHANGED: _changed,
    Kind.MODEL_CREATED: _created,
    Kind.MODEL_RETIRED: _retired,
    Kind.RETIREMENT_BLOCKED: _blocked,
    Kind.DEPLOYMENT_FAILED: _failed_elsewhere,
    Kind.BASELINE_DEPLOYED: _baseline,
    Kind.BASELINE_RETIRED: _baseline_retired,
    Kind.PACKAGE_DELETED: _deleted,
}


def recommendations(document: Mapping[str, Any]) -> list[str]:
    """Return how SageMaker recommends to deploy the model, one line each; none where it has no recommendation."""
    described = (document["model"] or {}).get("described") or {}
    found = (described.get("DeploymentRecommendation") or {}).get("RealTimeInferenceRecommendations") or ()
    return [_recommendation(each) for each in found]


def _recommendation(recommended: Mapping[str, Any]) -> str:
    environment = " ".join(f"{name}={value}" for name, value in sorted((recommended.get("Environment") or {}).items()))
    return " ".join(filter(None, (recommended["InstanceType"], environment, f"({recommended['RecommendationId']})")))


def describe_scan(image: Mapping[str, Any]) -> str:
    """Return what evidence says of the scan of an image, and of its signature where it says anything."""
    signature = {True: ", signed", False: ", not signed"}.get(image["signed"], "") if "signed" in image else ""
    return f"{_scan(image.get('scan'))}{signature}"


def _scan(scan: Mapping[str, Any] | None) -> str:
    if scan is None:
        return "no scan recorded"
    counts = ", ".join(f"{count} {severity}" for severity, count in scan["counts"].items() if count)
    when = f" of {scan['completed']}" if scan.get("completed") else ""
    return f"{scan['kind']} scan{when} is {scan['status']}, {counts or 'no findings'}"
