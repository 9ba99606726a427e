"""The champion of a group as the ledger knows it, and as it is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff.approval.apply_decision import champion_named
from signoff.documents.text import clean, short
from signoff.ledger.entries import Status, package_of
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.ledger_table import LedgerTable
    from signoff.deployment.champions import Champions
    from signoff.ledger.history import History
    from signoff.ledger.state import State
    from signoff.policy.policy import Policy


def document(champions: Champions, ledger: LedgerTable, group: str) -> dict[str, Any]:
    """Return the champion of `group`, as the index spells it, for `champion --json`.

    Raises `CommandFailed` when there is none.
    """
    found = champions.of(group)
    if found is None:
        raise CommandFailed(f"group {group} has no champion: none of its packages is approved and has a model")
    history = ledger.history(found.package).verified()
    published = champions.published(group)
    return {
        "group": group,
        "model": found.model,
        "package": package_of(found.package)[0],
        "version": history.state.version,
        **_approval(history, found.model),
        "published": published,
        "agrees": published == found.model,
    }


def describe_current(champions: Champions, ledger: LedgerTable, group: str, package: str) -> str:
    """Return who is the champion of `group`, now that the ledger `package` has got another entry, in a sentence."""
    found = champions.of(group, ledger.history(package))
    if found is None:
        return clean(f"{group} now has no champion: none of its packages is approved and has a model.")
    version = ledger.history(found.package).state.version
    what = f"{group}/{version}" if version else f"its baseline {found.model}"
    return clean(f"The champion of {group} is now {what}.")


def is_champion(champions: Champions, history: History) -> bool:
    """Return whether the package of that ledger is the champion of its group."""
    group = history.state.group
    found = champions.of(group, history) if group else None
    return found is not None and found.package == history.package


def changed_since_evidence(champions: Champions, state: State, policy: Policy | None) -> str | None:
    """Return that a pending package was compared with what is not the champion any more, and what to do, or None."""
    evidence, group = state.evidence or {}, state.group
    if state.status is not Status.PENDING_APPROVAL or group is None or "champion" not in evidence:
        return None
    found = champions.of(group)
    present = found.package if found else None
    if present == evidence["champion"]:
        return None
    then, now = (champion_named(group, key) for key in (evidence["champion"], present))
    stale = policy is None or policy.stales_with_champion
    remedy = "revalidate it, or an approval is refused" if stale else "the policy lets it be approved all the same"
    return f"its evidence compares it with {then}, and the champion is {now} now; {remedy}"


def describe(document: Mapping[str, Any]) -> str:
    """Return who is champion, by whom, and whether others see it, in one line."""
    group, model = document["group"], document["model"].rpartition("/")[2]
    what = f"{group}/{document['version']}, model {model}" if document["package"] else f"{group}: the baseline {model}"
    why = f": {document['reason']}" if document["reason"] else ""
    approved = f"approved by {short(document['approver'])} at {document['time']}{why}"
    published = "" if document["agrees"] else f"; published is {document['published'] or 'none'}, until the next sweep"
    return clean(f"{what}, {approved}{published}")


def _approval(history: History, model: str) -> dict[str, Any]:
    decision = history.state.decision
    if decision:
        return {"approver": decision["approver"], "time": decision["time"], "reason": decision["reason"]}
    deployed = [entry for entry in history.entries if entry.details["model"]["arn"] == model][-1]
    return {"approver": deployed.actor, "time": deployed.time, "reason": deployed.details.get("review")}
