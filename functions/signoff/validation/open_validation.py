"""Opening a validation: whether there is anything to validate, and the claim that only one execution can hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.ssm import OWN_POLICY_TAG
from signoff.aws.vault import Vault
from signoff.documents.text import storable
from signoff.documents.timestamps import Clock
from signoff.errors import TooManyArtifacts, UnknownPackage
from signoff.governance.candidates import Candidate, Governance, source_owner
from signoff.governance.registrations import Registrations, changes_since
from signoff.identity.principals import UNKNOWN
from signoff.ledger import attempts
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.model_package.artifact_room import beyond_room
from signoff.model_package.subject import specification_names
from signoff.validation.sources import Sources
from signoff.validation.specifications import validated_part
from signoff.validation.staleness import changed_since_evidence

Reason = Literal["Claimed", "Ungoverned", "Gone", "NothingToValidate", "TooManyAttempts"]
_SHOWN = 2000  # characters
_LOOKS, _PAUSE = 8, 1.0  # for an annotation; the pause in seconds
_REVALIDATED = {Status.VALIDATION_ERRORED, Status.VALIDATION_FAILED, Status.PENDING_APPROVAL}


@dataclass(frozen=True)
class ValidationRequest:
    """What started the workflow: a package's ARN, the execution, and what is said of a request for another attempt.

    `revalidate` is of the execution's input (`by`, an ARN, and `reason`), which nobody proves; None without a request.
    """

    arn: str
    execution: str
    revalidate: Any = None


@dataclass(frozen=True, kw_only=True)
class ValidationOpener:
    """Claims a package for one execution of the workflow, in the ledger."""

    governance: Governance
    registry: Registry
    ledger: LedgerTable
    vault: Vault
    registrations: Registrations
    sources: Sources
    now: Clock
    pause: Callable[[float], None] = time.sleep

    def open(self, request: ValidationRequest) -> dict[str, Any]:
        """Return `outcome` (a `Reason`) and, when the package is claimed, what the workflow's next states need.

        A repeated event finds another execution's claim and does nothing; a redriven execution finds its own. Raises
        `TooManyArtifacts` when the workflow has no room for what is known of all of them.
        """
        try:
            candidate = self.governance.candidate(request.arn)
        except UnknownPackage:
            return {"outcome": "Gone"}
        if candidate is None:
            return {"outcome": "Ungoverned"}
        self._mark_own_policy(candidate)
        return self._claimed(candidate, request, self._history(candidate))

    def _history(self, candidate: Candidate) -> History:
        """Return the ledger; wait a little for the entry about a specification that a waiting package's does not know.

        An annotation is in the registry, whose event starts this, a moment before it is in the ledger. Where no entry
        comes, somebody else has added it, and it is no part of the package.
        """
        found = {*specification_names(candidate.described)}
        for _ in range(_LOOKS - 1):
            history = self.ledger.history(candidate.key)
            state = history.state
            if state.status is not Status.PENDING_APPROVAL or found <= {*state.specifications}:
                return history
            self.pause(_PAUSE)
        return self.ledger.history(candidate.key)

    def _mark_own_policy(self, candidate: Candidate) -> None:
        if not candidate.has_own_policy:
            return
        tags = candidate.group_tags
        if tags is None:
            tags = self.registry.group_tags(candidate.group) or {}
        if OWN_POLICY_TAG not in tags:
            self.registry.mark_own_policy(candidate.group)

    def _claimed(self, candidate: Candidate, request: ValidationRequest, known: History) -> dict[str, Any]:
        described = candidate.described

        self._require_room(described, candidate)

        def claim(history: History) -> list[Draft]:
            nonlocal described
            state = history.verified().state
            attempt = self._attempt(state, candidate, request)
            if attempt is None:
                return []
            policy = self.vault.write("policies", candidate.policy.document).sha256
            if state.status is None:
                opened = self.registrations.opening_entry(candidate.described)
                return [opened, _started(attempt, request, policy, candidate)]
            described = validated_part(self._described(candidate, state), state, candidate.policy)
            changes = changes_since(state, described)
            return [_started(attempt, request, policy, candidate, changes)]

        history = self.ledger.update(candidate.key, claim, known)
        state = history.state
        if not (state.attempt_open and state.execution == request.execution):
            outcome = "NothingToValidate" if state.attempt < attempts.MOST else "TooManyAttempts"
            return {"outcome": outcome, "status": state.status}
        return {
            "outcome": "Claimed",
            "package": candidate.key,
            "arn": candidate.arn,
            "group": candidate.group,
            "attempt": state.attempt,
            "execution": state.execution,
            "policy": state.policy,
            "policy_document": candidate.policy.document,
            "source_owner": source_owner(candidate),
            "measures": candidate.policy.measures,
            "artifacts": self.sources.readable(validated_part(described, state, candidate.policy), candidate.policy),
        }

    def _described(self, candidate: Candidate, state: State) -> Mapping[str, Any]:
        """Describe a package after its ledger was read, which says who added what is there.

        Not again where nothing depends on the order: a package with a registration is compared with that, and of the
        specifications that the ledger knows none was missing.
        """
        if state.registration and {*state.specifications} <= {*specification_names(candidate.described)}:
            return candidate.described
        return self.registry.describe(candidate.arn)

    def _require_room(self, described: Mapping[str, Any], candidate: Candidate) -> None:
        because = beyond_room(self.sources.readable(described, candidate.policy))
        if because:
            raise TooManyArtifacts(f"{candidate.arn}: {because}")

    def _attempt(self, state: State, candidate: Candidate, request: ValidationRequest) -> int | None:
        """Return the number of the attempt that `request` opens, or None."""
        waits = state.status is None or (state.status is Status.VALIDATING and not state.attempt_open)
        again = request.revalidate is not None and state.status in _REVALIDATED
        due = attempts.due(state.status, state.next_attempt, self.now())
        may = state.attempt < attempts.MOST
        if waits or due or (may and (again or self._stale(state, candidate))):
            return state.attempt + 1
        return None

    def _stale(self, state: State, candidate: Candidate) -> bool:
        """Return whether the package changed since the evidence that is waiting for a decision."""
        waits = state.status is Status.PENDING_APPROVAL
        return waits and bool(changed_since_evidence(state, candidate.described, self.vault))


def _started(
    attempt: int, request: ValidationRequest, sha256: str, candidate: Candidate, changes: Mapping[str, Any] = {}
) -> Draft:
    by = "signoff" if request.revalidate is None else UNKNOWN
    judged = {"policy": sha256, "policy_name": candidate.policy_name}
    details: dict[str, Any] = {"attempt": attempt, "execution": request.execution, **judged, **changes}
    if not candidate.policy.enforced:
        details["enforced"] = False
    return Draft(Kind.VALIDATION_STARTED, by, {**details, **_said(request.revalidate)})


def _said(revalidate: Any) -> dict[str, str]:
    """Return who says that they asked for a validation, and why: whoever may start an execution may say anything."""
    said = revalidate if isinstance(revalidate, Mapping) else {}
    found = {"claimed": said.get("by"), "reason": said.get("reason")}
    return {name: storable(str(value))[:_SHOWN] for name, value in found.items() if value}
