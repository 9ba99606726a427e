"""Which former version of a group to roll back to, and why that one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signoff.ledger.entries import Status
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import Head, LedgerReader

if TYPE_CHECKING:
    from signoff.deployment.champions import Champions

_FORMER = (Status.APPROVED, Status.REVOKED)


@dataclass(frozen=True)
class RollbackTarget:
    """The package (an ARN) to roll back to, and why it is that one."""

    package: str
    why: str


def find_target(ledger: LedgerReader, champions: Champions, group: str, version: int | None) -> RollbackTarget:
    """Return the package of that version of `group`, spelled as in the index, or the one that was champion before.

    Raises `CommandFailed` when there is none.
    """
    if not next(ledger.rows_by_group(group, page=1), None):
        raise CommandFailed(f"there is no group {group} in Signoff's ledger; `signoff list` shows those there are")
    if version is not None:
        return RollbackTarget(_of_version(ledger, group, version), f"version {version}, chosen with --to")
    heads = list(ledger.rows_by_group(group))
    champion = champions.of(group)
    present = next((head for head in heads if champion and head["package"] == champion.package), None)
    if present is None:
        raise CommandFailed(f"group {group} has no champion to roll back from; choose the version with --to")
    former = _former(heads, present)
    if former is None:
        raise CommandFailed(f"no other version of group {group} was approved before; there is none to roll back to")
    return RollbackTarget(str(former["arn"]), _why(former, present))


def _of_version(ledger: LedgerReader, group: str, version: int) -> str:
    found = list(ledger.rows_by_group(group, version=version))
    if not found:
        raise CommandFailed(
            f"there is no version {version} of group {group} in Signoff's ledger; see `signoff list --group {group}`"
        )
    return str(max(found, key=lambda head: str(head.get("created")))["arn"])


def _former(heads: Sequence[Head], present: Head) -> Head | None:
    """Return the version approved last before the present one: one that still is, rather than one revoked since."""
    others = [head for head in heads if head["package"] != present["package"]]
    # One approved after it is its successor, whose model is on its way.
    earlier = [head for head in others if head.get("status") != Status.APPROVED or _decided(head) < _decided(present)]
    for status in _FORMER:
        found = [head for head in earlier if head.get("status") == status]
        if found:
            return max(found, key=_decided)
    return None


def _decided(head: Mapping[str, Any]) -> tuple[str, int]:
    return str(head.get("decided")), int(head["version"])


def _why(former: Head, present: Head) -> str:
    how = f"{former['status']} at {former.get('decided')}"
    return f"version {former['version']}, {how}, was champion before version {present['version']}"
