"""The page of a package: all that is known of it, what an approver needs first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from signoff.artifact.findings import listed
from signoff.documents.text import clean, short
from signoff.notification.comparison import grave_first, outcome_of
from signoff.report.sentences import ENDS, describe_on_page, describe_seats, recommendations
from signoff_cli.output import comparison, findings
from signoff_cli.output.console import COLOURS, outcome, section

if TYPE_CHECKING:
    from rich.console import Console

    from signoff.ledger.history import History

T = TypeVar("T")
_SHOWN = 50  # of the decisions and of the entries, the newest


def print_package(history: History, document: Mapping[str, Any], to: Console) -> None:
    """Print all that is known of a package."""
    from rich.text import Text

    title = f"{document['group']}/{document['version']}  "
    status = document["status"]
    to.print(Text.assemble((clean(title), "bold"), (clean(status), COLOURS.get(status or "", ""))))
    if document["break_glass"]:
        to.print(
            Text("APPROVED ALONE BY BREAK GLASS: the approvals that the policy requires were bypassed", "bold red")
        )
    for line in comparison.description(document):
        to.print(line, soft_wrap=True)
    _evidence(document, to)
    _checks(grave_first(document["checks"]), {each["artifact"]: each for each in document.get("findings", ())}, to)
    to.print()
    _facts(document, to)
    if document["decisions"]:
        section("Decisions", to)
        for decision in _newest(document["decisions"], to):
            outcome(decision["outcome"], _decided(decision), to)
    section("Ledger", to)
    evidence = (document["evidence"] or {}).get("sha256")
    for entry in _newest(history.entries, to):
        to.print(f"{entry.sequence:>3}  {entry.time}  {describe_on_page(entry, evidence)}", soft_wrap=True)
    to.print(f"     chain of {len(history.entries)} entries verified; head {history.head[:12]}", style="dim")


def _newest(items: Sequence[T], to: Console) -> Sequence[T]:
    """Return the newest of `items`, and print how many are before them."""
    earlier = len(items) - _SHOWN
    if earlier > 0:
        to.print(f"     {earlier} before these: `signoff show --json` has all", style="dim", soft_wrap=True)
    return items[-_SHOWN:]


def _evidence(document: Mapping[str, Any], to: Console) -> None:
    """Print how good the model is beside the champion, what changed since, and what it runs in."""
    for title, lines in comparison.sections(document, to.width if to.is_terminal else None):
        section(title, to)
        for line in lines:
            to.print(line, soft_wrap=True)


def _checks(checks: Sequence[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]], to: Console) -> None:
    """Print how the checks came out, and what was found of each artifact in place of its check's reason."""
    if checks:
        section("Checks", to)
    for check in checks:
        below = check["status"] == "failed" and check["name"].removeprefix("artifact:") in found
        outcome(outcome_of(check), f"{check['name']}: {'see below' if below else check['reason']}", to)
    for name, each in found.items():
        section(clean(f"Found in {name}: {findings.describe_counts(each['errors'], each['warnings'])}"), to)
        findings.print_findings(listed(each["findings"]), to)


def _facts(document: Mapping[str, Any], to: Console) -> None:
    model, evidence = document["model"], document["evidence"]
    facts = {
        "submitted by": document["submitter"],
        "changed by": ", ".join(document["changed_by"]),
        **_standing(document),
        "package": document["package"],
        "policy": _judging(document["policy"]),
        "in SageMaker": document["registry_status"],
        "waits for": document["next"],
        "next attempt": document["next_attempt"] and f"by itself after {document['next_attempt']}",
        "evidence": evidence and evidence["uri"],
        "sha256": evidence and evidence["sha256"],
        "model": model and model["name"],
        "model ARN": model and model["arn"],
        "champion": document.get("champion") and f"of {document['group']}",
        "recommended": ", ".join(recommendations(document)),
        "in use by": ", ".join(document["retirement_blocked_by"]),
    }
    for name, value in facts.items():
        for line in [value] if isinstance(value, str) and value else value or ():
            to.print(f"{name:<14}{clean(line)}", soft_wrap=True)
            name = ""
    for place, there in document["elsewhere"].items():
        to.print(f"{'elsewhere':<14}{clean(f'{place}: {_stands(there)}')}", soft_wrap=True)


def _judging(policy: Mapping[str, Any]) -> str | None:
    """Return by which policy a package was validated, and which one decisions about it are judged by if another."""
    validated, now = policy["name"], policy.get("in_force")
    if validated and now and now != validated:
        return f"{now}; validated by {validated}"
    return validated or now


def _standing(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts about a package's approval by their labels: by whom it is and until when."""
    expires = document.get("expires")
    asked = document["asked"] if document["status"] == "PendingApproval" else document["rollback"]
    return {
        "pending since": asked,
        "approved by": ", ".join(map(short, document["votes"])),
        "needs": document.get("outstanding"),
        "may approve": describe_seats(document.get("may_approve") or ()),
        "expires": expires and f"{expires['at']}: then {ENDS[expires['action']]}",
        "lapses": document.get("lapses"),
        "outdated": document.get("champion_changed"),
        "superseded by": document["superseded_by"],
        "found since": ", ".join(document["found"]),
        "report only": None if document["enforced"] else "what the policy refuses is recorded and not enforced",
    }


def _stands(there: Mapping[str, Any]) -> str:
    if there["failed"]:
        return str(there["failed"])
    in_use = f", in use by {', '.join(there['retirement_blocked_by'])}" if there["retirement_blocked_by"] else ""
    return f"{there['model']['arn']}{in_use}" if there["model"] else "no model"


def _decided(decision: Mapping[str, Any]) -> str:
    why = decision.get("reason", "")
    if decision["outcome"] == "refused":
        why = f"{decision['refusal']}: {decision['because']}"
    return f"{decision['decision']} by {short(decision['approver'])}: {why}"
