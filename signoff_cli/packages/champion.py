"""The champion of a group as the ledger knows it, and as it is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff.approval.apply_decision import champion_named
from signoff.aws.ledger_items import package_row
from signoff.aws.parallel import in_parallel
from signoff.documents.text import clean, short
from signoff.governance.champions import Champion, ranked
from signoff.ledger.entries import Status, package_of
from signoff.ledger.history import History, baseline_key
from signoff_cli.errors import CommandFailed

if TYPE_CHECKING:
    from signoff.aws.ledger_table import LedgerTable
    from signoff.deployment.champions import Champions
    from signoff.ledger.state import State
    from signoff.policy.policy import Policy


def document(champions: Champions, ledger: LedgerTable, group: str) -> dict[str, Any]:
    """Return the champion of `group`, as the index spells it, for `champion --json`.

    Raises `CommandFailed` when there is none.
    """
    found = champions.of(group)
    if found is None:
        raise CommandFailed(f"group {group} has no champion: none of its packages is approved and has a model")
    published = champions.published(group)
    known = _known(group, found.model, ledger.history(found.package).verified())
    return {**known, "published": published, "agrees": published == found.model}


def document_at(ledger: LedgerTable, group: str, moment: str) -> dict[str, Any]:
    """Return who was the champion of `group` at a moment (RFC 3339, in UTC), for `champion --at --json`.

    It is found from the ledgers of all packages of the group that were ever decided on, as they were then. Raises
    `CommandFailed` when there was none, and `LedgerBroken` for a ledger that was tampered with.
    """
    keys = [row["package"] for row in ledger.rows_by_group(group) if row.get("decided")]
    then = [_until(history, moment) for history in in_parallel(ledger.history, [*keys, baseline_key(group)])]
    *packages, baseline = then
    by_key = {history.package: history for history in then}
    rows = [package_row(history) for history in packages if history.entries]
    deployed = next(reversed(baseline.state.baselines), None) if baseline.entries else None
    last = next(iter(ranked(rows)), Champion(deployed, baseline.package) if deployed else None)
    if last is None:
        raise CommandFailed(f"group {group} had no champion at {moment}: no approved package had a model then")
    return {**_known(group, last.model, by_key[last.package]), "at": moment}


def _until(history: History, moment: str) -> History:
    """Return a ledger as it was at a moment; all of it is verified."""
    verified = history.verified()
    return History(verified.package, tuple(entry for entry in verified.entries if entry.time <= moment))


def _known(group: str, model: str, history: History) -> dict[str, Any]:
    """Return what is known of a champion: who brought it, who approved it and why, and on which evidence."""
    state = history.state
    return {
        "group": group,
        "model": model,
        "package": package_of(history.package)[0],
        "version": state.version,
        "submitter": state.submitter,
        **_approval(history, model),
        "evidence": {part: state.evidence[part] for part in ("uri", "sha256")} if state.evidence else None,
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
    when = f"at {document['at']} it was " if "at" in document else ""
    what = f"{group}/{document['version']}, model {model}" if document["package"] else f"{group}: the baseline {model}"
    why = f": {document['reason']}" if document["reason"] else ""
    approved = f"approved by {short(document['approver'])} at {document['time']}{why}"
    published = (
        ""
        if document.get("agrees", True)
        else f"; published is {document['published'] or 'none'}, until the next sweep"
    )
    return clean(f"{when}{what}, {approved}{published}")


def _approval(history: History, model: str) -> dict[str, Any]:
    decision = history.state.decision
    if decision:
        return {"approver": decision["approver"], "time": decision["time"], "reason": decision["reason"]}
    deployed = [entry for entry in history.entries if entry.details["model"]["arn"] == model][-1]
    return {"approver": deployed.actor, "time": deployed.time, "reason": deployed.details.get("review")}
