"""What a ledger's entry says, in one line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cli.reading import errored_reason
from signoff.ledger import Kind
from signoff.wording import clean as clean
from signoff.wording import short as short

if TYPE_CHECKING:
    from cli.annotating import Answer as Annotated
    from cli.deciding import Answer, Decision
    from signoff.annotations import Annotation
    from signoff.ledger import Entry, History

_NOUNS = {"approve": "approval", "reject": "rejection", "revoke": "revocation", "annotate": "annotation"}
_VERBS = {"approve": "approved", "reject": "rejected", "revoke": "revoked"}


def sentence(entry: Entry) -> str:
    """Return what `entry` says."""
    told = _SENTENCES.get(entry.kind)
    return clean(told(entry, entry.details)) if told else clean(entry.kind)


def summary(history: History, decision: Decision) -> list[str]:
    """Return what is about to be decided, and on what evidence, for the person who is asked to confirm it."""
    state, evidence = history.state, history.state.evidence
    name = f"{state.group}/{state.version}" if state.group else "a package that Signoff does not know"
    lines = [
        f"{decision.decision} {name}",
        f"  package    {decision.package}",
        f"  as         {decision.approver}",
        f"  because    {decision.reason}",
        f"  it stands  {state.status or 'nowhere'}, submitted by {short(state.submitter)}",
    ]
    if evidence:
        lines.append(f"  evidence   {evidence['uri']}")
        lines += [f"  {check['status']:<10} {check['name']}: {check['reason']}" for check in evidence["checks"]]
    return [clean(line) for line in lines]


def annotating(history: History, said: Annotation) -> list[str]:
    """Return what is about to be said of a package, for the person who is asked to confirm it."""
    state = history.state
    name = f"{state.group}/{state.version}" if state.group else "a package that Signoff does not know"
    lines = [f"annotate {name}", f"  package    {said.package}", f"  as         {said.by}"]
    lines += [f"  set        {key} = {value}" for key, value in said.set.items()]
    lines += [f"  remove     {key}" for key in said.remove]
    lines += [f"  add        inference specification {each}" for each in said.names]
    lines.append(f"  it stands  {state.status or 'nowhere'}, submitted by {short(state.submitter)}")
    if said.names:
        lines.append("  note       with another specification it is another thing to sign: it is validated anew")
    return [clean(line) for line in lines]


def annotated(answer: Annotated) -> str:
    """Return what became of an annotation that was not refused."""
    entry = answer.entry
    anew = f" It is validated anew: follow it with `signoff watch {entry.group}/{entry.version}`."
    return clean(f"{entry.group}/{entry.version} is annotated.{anew if entry.details['added'] else ''}")


def answered(answer: Answer) -> str:
    """Return what became of a decision that was not refused."""
    entry = answer.entry
    package = f"{entry.group}/{entry.version}" if entry and entry.group else answer.decision.package
    if answer.outcome == "recorded":
        follow = f" Follow its model with `signoff watch {package}`." if answer.decision.decision != "reject" else ""
        return clean(f"{package} is {_VERBS[answer.decision.decision]}.{follow}")
    by = f" by {short(entry.actor)}: {entry.details['reason']}" if entry else ""
    return clean(f"{package} is {_VERBS[answer.decision.decision]} already{by}. Nothing was changed.")


def _registered(entry: Entry, details: Mapping[str, Any]) -> str:
    return f"registered as version {entry.version} of {entry.group}, submitted by {short(details.get('submitter'))}"


def _registration_failed(_: Entry, details: Mapping[str, Any]) -> str:
    first = details["faults"][0]
    more = f" and {details['fault_count'] - 1} more" if details["fault_count"] > 1 else ""
    return f"registration refused: {first['path'] or 'manifest'}: {first['message']}{more}"


def _started(entry: Entry, details: Mapping[str, Any]) -> str:
    by = "" if entry.actor == "signoff" else f" by {short(entry.actor)}"
    why = f": {details['reason']}" if details.get("reason") else ""
    return f"validation started, attempt {details['attempt']}{by}{why}"


def _errored(_: Entry, details: Mapping[str, Any]) -> str:
    return f"validation ended in an error: {errored_reason(details)}"


def _evidence(_: Entry, details: Mapping[str, Any]) -> str:
    checks = details["checks"]
    failed = [check for check in checks if check["status"] == "failed"]
    count = f"{len(checks)} check{'' if len(checks) == 1 else 's'}"
    if failed:
        reasons = "; ".join(f"{check['name']}: {check['reason']}" for check in failed)
        return f"validation failed, {len(failed)} of {count}: {reasons}"
    return f"validation passed, {count}; evidence {details['sha256'][:12]}"


def _decided(entry: Entry, details: Mapping[str, Any]) -> str:
    return f"{_VERBS[details['decision']]} by {short(entry.actor)}: {details['reason']}"


def _refused(entry: Entry, details: Mapping[str, Any]) -> str:
    noun = _NOUNS.get(details["decision"], "decision")
    return f"{noun} by {short(entry.actor)} refused: {details['refusal']}: {details['because']}"


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
    return f"SageMaker's status {details['found']}, set{by}, was decided by nobody: set back to {details['restored']}"


def _changed(_: Entry, details: Mapping[str, Any]) -> str:
    return f"revoked: {details['because']}"


def _where(details: Mapping[str, Any]) -> str:
    return f" in {details['place']}" if "place" in details else ""


def _created(_: Entry, details: Mapping[str, Any]) -> str:
    return f"model {details['model']['name']} created{_where(details)}"


def _failed_elsewhere(_: Entry, details: Mapping[str, Any]) -> str:
    return f"its model{_where(details)} does not agree yet: {details['because']}"


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


_SENTENCES: dict[Kind, Callable[[Entry, Mapping[str, Any]], str]] = {
    Kind.REGISTERED: _registered,
    Kind.REGISTRATION_FAILED: _registration_failed,
    Kind.VALIDATION_STARTED: _started,
    Kind.VALIDATION_ERRORED: _errored,
    Kind.EVIDENCE_RECORDED: _evidence,
    Kind.DECISION_RECORDED: _decided,
    Kind.DECISION_REFUSED: _refused,
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
