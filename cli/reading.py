"""Reading what Signoff knows of a package: which one is meant, and the document that says all about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cli.failures import CommandFailed
from signoff.ledger import Kind, Status, package_of

if TYPE_CHECKING:
    from signoff.ledger import Entry, History, State
    from signoff.places import There

_DECISIONS = {Kind.DECISION_RECORDED: "recorded", Kind.VOTED: "voted", Kind.DECISION_REFUSED: "refused"}
_BY_VERSION = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9-]*)/([1-9][0-9]*)")
_LISTED = (
    *("group", "version", "created", "status", "registry_status", "submitter", "registered", "since", "next"),
    *("verdict", "asked", "decided", "model", "superseded_by"),
)

Head = Mapping[str, Any]


class Ledger(Protocol):
    """What is read of the ledger and of the index of its heads (`signoff.tables.LedgerTable`)."""

    def history(self, package: str) -> History: ...  # noqa: D102
    def heads_by_status(self, status: Status) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def heads_by_group(self, group: str) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def heads_by_arn(self, arn: str) -> Iterator[dict[str, Any]]: ...  # noqa: D102
    def heads(self) -> Iterator[dict[str, Any]]: ...  # noqa: D102


def is_package_name(text: str) -> bool:
    """Return whether `text` can name a package: an ARN, or `group/version`."""
    return text.startswith("arn:") or _BY_VERSION.fullmatch(text) is not None


def by_version(text: str) -> tuple[str, int] | None:
    """Return the group and the version that `group/version` names, or None for an ARN."""
    named = _BY_VERSION.fullmatch(text)
    return (named[1], int(named[2])) if named else None


def find(ledger: Ledger, package: str) -> Head | None:
    """Return the head of the package that `package` names (an ARN, or `group/version`), or None.

    Of several that had the name, because their group was deleted and made anew, it is the newest.
    """
    by_version = _BY_VERSION.fullmatch(package)
    if by_version:
        group, version = by_version[1], int(by_version[2])
        heads = [head for head in of_group(ledger, group) if head.get("version") == version]
    else:
        heads = list(ledger.heads_by_arn(package)) or list(ledger.heads_by_arn(package.lower()))
    return max(heads, key=lambda head: str(head.get("created")), default=None)


def found(ledger: Ledger, package: str) -> Head:
    """Return the head of the package that `package` names. Raises `CommandFailed` when there is none."""
    head = find(ledger, package)
    if head is None:
        raise CommandFailed(
            f"Signoff knows no package {package}; `signoff list` shows those it knows. One that was registered just "
            "now, or whose group Signoff does not govern, is not among them"
        )
    return head


def of_group(ledger: Ledger, group: str) -> list[Head]:
    """Return the heads of a group's packages; of a group whose name differs by case only, where none has that name.

    SageMaker takes names that differ by case only for one group. The index knows the name as SageMaker has it, so
    that another spelling costs looking through all of it.
    """
    exact: list[Head] = list(ledger.heads_by_group(group))
    wanted = group.casefold()
    return exact or [head for head in ledger.heads() if str(head.get("group")).casefold() == wanted]


def row(head: Head) -> dict[str, Any]:
    """Return what a list shows of a package, from the head of its ledger."""
    return {
        "package": head["arn"],
        **{name: head.get(name) for name in _LISTED},
        "metadata": head.get("metadata") or {},
        "votes": list(head.get("votes") or ()),
        "enforced": head.get("enforced") is not False,
    }


def by_package(row: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return by what a list is sorted: group, version as a number, and when the package was made."""
    return row["group"] or "", row["version"] or 0, str(row["created"])


def document(history: History) -> dict[str, Any]:
    """Return all that a package's ledger says, as `show --json` prints it; the chain must have been verified."""
    state = history.state
    return {
        "package": package_of(history.package)[0],
        "group": state.group,
        "version": state.version,
        "status": str(state.status) if state.status else None,
        "registry_status": state.registry_status,
        "next": str(state.next_step) if state.next_step else None,
        "submitter": state.submitter,
        "registration": state.registration,
        "attempt": state.attempt,
        "checks": _checks(history),
        "evidence": _evidence(state),
        "asked": state.asked,
        "votes": list(state.votes),
        "decided": state.decision["time"] if state.decision else None,
        "break_glass": _alone(state),
        "superseded_by": state.superseded_by,
        "enforced": state.enforced,
        "decisions": [_decision(entry) for entry in history.entries if entry.kind in _DECISIONS],
        "model": state.model,
        "retirement_blocked_by": list(state.retirement_blocked_by),
        "elsewhere": {place: _there(there) for place, there in state.elsewhere.items()},
        "ledger": [{**entry.content, "hash": entry.hash} for entry in history.entries],
    }


def _there(there: There) -> dict[str, Any]:
    return {"model": there.model, "retirement_blocked_by": list(there.blocked_by), "failed": there.failed}


def reason(history: History) -> str | None:
    """Return why a package's registration or validation failed, in one line, or None when it did not."""
    state = history.state
    if state.evidence and state.evidence["verdict"] == "failed":
        failed = (check for check in state.evidence["checks"] if check["status"] == "failed")
        return "; ".join(f"{check['name']}: {check['reason']}" for check in failed)
    errored = history.last(Kind.VALIDATION_ERRORED)
    if errored is not None and state.status is Status.VALIDATION_ERRORED:
        return errored_reason(errored.details)
    return None


def errored_reason(details: Mapping[str, Any]) -> str:
    """Return why a validation ended without a verdict, from its entry's details."""
    if "checks" in details:
        errored = (check for check in details["checks"] if check["status"] == "errored")
        return "; ".join(f"{check['name']}: {check['reason']}" for check in errored)
    return f"{details.get('error', 'Unknown')}: {details.get('cause', '')}"


def _checks(history: History) -> list[dict[str, Any]]:
    state, errored = history.state, history.last(Kind.VALIDATION_ERRORED)
    if state.evidence:
        return list(state.evidence["checks"])
    if errored is not None and state.status is Status.VALIDATION_ERRORED:
        return list(errored.details.get("checks", ()))
    return []


def _evidence(state: State) -> dict[str, Any] | None:
    if not state.evidence:
        return None
    return {name: state.evidence.get(name) for name in ("uri", "sha256", "verdict", "subject")}


def _alone(state: State) -> bool:
    """Return whether the approval that stands was one person's alone, past the policy."""
    return state.status is Status.APPROVED and bool((state.decision or {}).get("break_glass"))


def _decision(entry: Entry) -> dict[str, Any]:
    names = (
        *("decision", "reason", "refusal", "because", "evidence", "subject", "policy", "person", "roles", "channel"),
        *("publisher", "claimed", "outstanding", "joins", "votes", "break_glass"),
    )
    return {
        "outcome": _DECISIONS[entry.kind],
        "approver": entry.actor,
        "time": entry.time,
        "sequence": entry.sequence,
        **{name: entry.details[name] for name in names if name in entry.details},
    }
