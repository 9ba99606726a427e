"""Shows a package's approval in SageMaker's lineage: one action, which contributed to the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signoff.aws.lineage import Lineage
from signoff.documents.canonical_json import digest
from signoff.documents.text import one_line
from signoff.ledger.entries import Entry, Kind, Status, package_of
from signoff.ledger.history import History

_ADMITTING = {"approve", "rollback"}
_ABOUT, _PROPERTY = 3072, 2500
# As SageMaker's own actions about approvals are: its SDK finds them by this type, from a package's endpoints upwards.
_TYPE, _EDGE = "Approval", "ContributedTo"
_PACKAGE = "Model"  # the type of a package's artifact, if SageMaker has not made one
_IDENTITY = 12  # digits of the digest that tells a package from another of its ARN


@dataclass(frozen=True)
class ApprovalLineage:
    """Makes the lineage agree with a package's ledger."""

    lineage: Lineage

    def showing(self, history: History, *, first: bool) -> Callable[[], None]:
        """Return what shows a package's approval, which may be called again; `first` says that nothing is shown yet."""
        firsts = iter((first,))
        return lambda: self.show(history, first=next(firsts, False))

    def show(self, history: History, *, first: bool = False) -> None:
        """Show that a package is approved, by whom and on which evidence; or that it is not any more.

        Of a package that never was, and of one whose approval is not shown, nothing is. An account has room for 3,000
        actions, so a package has one, whatever is decided about it and however often. `first` says that there is none
        yet.
        """
        approval = _newest_approval(history)
        arn = package_of(history.package)[0]
        state = history.state
        if approval is None or arn is None or (state.status is Status.APPROVED and state.model is None):
            return
        name = action_name(arn, history.package)
        said = _said(history, approval)
        action = None if first else self.lineage.update_action(name, said)
        new = action is None and state.status is Status.APPROVED
        if new:
            source = {"SourceUri": arn, "SourceType": "ARN"}
            action = self.lineage.create_action(name, {"Source": source, "ActionType": _TYPE, **said})
        if action is not None:
            associate = self.lineage.associate_new if new else self.lineage.associate
            associate(action, self.lineage.artifact(arn, _PACKAGE), _EDGE)


def action_name(arn: str, package: str) -> str:
    """Return the name of the action about the package with that ARN and key of its ledger.

    It tells apart packages that had one ARN, because their group was deleted and made anew.
    """
    group, _, version = arn.partition("/")[2].partition("/")
    return f"signoff-{group}-{version}-{digest(package)[:_IDENTITY]}"


def _newest_approval(history: History) -> Entry | None:
    decisions = (entry for entry in reversed(history.entries) if entry.kind is Kind.DECISION_RECORDED)
    return next((entry for entry in decisions if entry.details["decision"] in _ADMITTING), None)


def _said(history: History, approval: Entry) -> dict[str, Any]:
    state, details = history.state, approval.details
    stands = state.status is Status.APPROVED
    about = f"{state.group}/{state.version} was approved in Signoff by {approval.actor}: {details['reason']}"
    properties = {
        "status": state.status,
        "approver": approval.actor,
        "approvers": ", ".join(details.get("votes") or ()),
        "decision": details["decision"],
        "time": approval.time,
        "reason": details["reason"],
        "evidence": details.get("evidence"),
        "subject": details.get("subject"),
        "policy": details.get("policy"),
        "model": (state.model or {}).get("arn"),
    }
    return {
        "Status": "Completed" if stands else "Stopped",
        "Description": one_line(about, _ABOUT),
        "Properties": {name: one_line(value, _PROPERTY) for name, value in properties.items() if value},
    }
