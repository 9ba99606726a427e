"""Packages that were changed or deleted in the registry: found by comparing it with the ledger, and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.sqs import DELETED
from signoff.aws.vault import Vault
from signoff.documents import timestamps
from signoff.errors import UnknownPackage
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History, package_key
from signoff.sweep.acts import Acts
from signoff.validation.staleness import changed_since_evidence

SIGNED = (Status.PENDING_APPROVAL, Status.APPROVED)  # those with evidence to decide on, or decided on
_CLOCKS = timedelta(minutes=1)  # tolerated difference between SageMaker's clock and ours


@dataclass(frozen=True)
class ChangedPackages:
    """Answers changes and deletions: whether there was one is decided by what is read anew."""

    registry: Registry
    ledger: LedgerTable
    vault: Vault
    acts: Acts

    def answer(self, row: Mapping[str, Any]) -> bool:
        """Have a package handled that no longer matches its evidence. Returns whether it was one."""
        try:
            described = self.registry.describe(row["arn"])
        except UnknownPackage:
            return False  # deleted since it was listed
        if described.get("LastModifiedTime", described["CreationTime"]) < timestamps.parse(row["since"]) - _CLOCKS:
            return False  # not modified since its last entry
        state = self.ledger.history(row["package"]).verified().state
        if not changed_since_evidence(state, described, self.vault):
            return False
        if row["status"] == Status.APPROVED:
            self.acts.nudge("decisions", row["arn"])
        else:
            self.acts.start(row["arn"])
        return True

    def answer_deletion(self, row: Mapping[str, Any]) -> bool:
        """Record that a package was deleted, and have its model deleted. Returns whether it was."""
        gone = self._gone(row)
        if gone is None:
            return False
        draft = Draft(Kind.PACKAGE_DELETED, "signoff", {"because": gone})

        def deleted(history: History) -> list[Draft]:
            return [] if history.verified().state.status is Status.DELETED else [draft]

        state = self.ledger.update(row["package"], deleted).state
        if state.model or state.decision:
            self.retire({**row, "status": state.status})
        return True

    def _gone(self, row: Mapping[str, Any]) -> str | None:
        """Return why a package missing from the batch counts as deleted, or None when it exists."""
        try:
            described = self.registry.describe(row["arn"])
        except UnknownPackage as unknown:
            return str(unknown)
        return None if is_of(row, described) else "its group was deleted and created again: another package has its ARN"

    def retire(self, row: Mapping[str, Any]) -> None:
        """Have a package's models deleted."""
        deleted = {DELETED: row["package"]} if row["status"] == Status.DELETED else {}
        self.acts.nudge("deployments", row["arn"], **deleted)


def _second(key: str) -> str:
    """Return a ledger's key without fractions of a second, which not every answer of SageMaker has."""
    return key.rpartition(".")[0]


def is_of(row: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    """Return whether a description, or a summary, is of this package and not of a newer one with its ARN."""
    return _second(package_key(row["arn"], described["CreationTime"])) == _second(row["package"])


def diverges(summary: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Return whether the registry shows another status than the ledger knows of it."""
    return bool(summary["ModelApprovalStatus"] != row["registry_status"])
