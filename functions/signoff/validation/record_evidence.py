"""Recording a validation: its evidence, or the error that prevented it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff.aws.clients import trying_again
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault, VaultDocument
from signoff.documents.timestamps import Clock
from signoff.errors import PolicyFault, RegistryRefused, UnknownPackage
from signoff.governance.candidates import Governance
from signoff.governance.registrations import Registrations, read_registration
from signoff.governance.registry_status import RegistryProjector
from signoff.ledger import attempts
from signoff.ledger.entries import VERDICT_STATUS, Draft, Kind, Status
from signoff.ledger.history import History, package_key
from signoff.ledger.state import State
from signoff.model_package.artifacts import content
from signoff.model_package.batch_summary import shown
from signoff.model_package.model_card import CardLeftAlone
from signoff.notification.comparison import brief
from signoff.policy.policy import Policy
from signoff.runtime.written_back import written_back
from signoff.validation.card_writer import CardWriter, card_fields
from signoff.validation.claimed_policy import claimed_policy
from signoff.validation.evidence import Attempt
from signoff.validation.inspected import Inspected
from signoff.validation.make_evidence import EvidenceMaker, Validated
from signoff.validation.measurement import PREFIX

_OPEN = {Status.VALIDATING, Status.VALIDATION_ERRORED}


@dataclass(frozen=True, kw_only=True)
class EvidenceRecorder:
    """Writes the result of a validation to the vault, the ledger and the registry, in this order."""

    governance: Governance
    registry: Registry
    ledger: LedgerTable
    vault: Vault
    registrations: Registrations
    maker: EvidenceMaker
    projector: RegistryProjector
    card_writer: CardWriter
    now: Clock

    def record(
        self, claim: Mapping[str, Any], inspected: Sequence[Inspected], measured: str | None = None
    ) -> dict[str, Any]:
        """Record the evidence of a claimed package and return its `verdict`, `evidence` (a URI) and `sha256`.

        `inspected` is of each artifact what was `kept` and what was `found`, `measured` the digest of the measurement.
        `would_be_held` is present, and true, when a policy in report mode lets pass what another would have rejected.
        Recording is idempotent. An attempt that has been replaced by a newer one changes nothing.
        """
        history = self.ledger.history(claim["package"]).verified()
        policy = claimed_policy(claim, self.vault)
        found = self.vault.read(PREFIX, measured) if measured else None
        package = self._validated(history, claim, inspected, policy)
        document = self.maker.make(package, found)
        written = self.vault.write("evidence", document)
        facts = {
            "attempt": claim["attempt"],
            "verdict": document["verdict"],
            "uri": written.uri,
            "sha256": written.sha256,
            "subject": document["subject"]["sha256"],
            "specification": shown(document["subject"]),
            "content": content(document["subject"]["artifacts"]),
            "champion": (document["comparison"]["champion"] or {}).get("ledger"),
            "comparison": brief(document),
            "checks": document["checks"],
            **_asked(policy, history),
        }
        history = self.ledger.update(claim["package"], lambda history: _recorded(history, claim, facts), history)
        self._show(claim["arn"], history, package, document, written)
        stands = history.state.evidence or facts
        held = {"would_be_held": True} if history.state.would_be_held else {}
        return {"verdict": stands["verdict"], "evidence": stands["uri"], "sha256": stands["sha256"], **held}

    def _validated(
        self, history: History, claim: Mapping[str, Any], inspected: Sequence[Inspected], policy: Policy
    ) -> Validated:
        whole = self.registry.describe(claim["arn"])
        if package_key(whole["ModelPackageArn"], whole["CreationTime"]) != claim["package"]:
            raise UnknownPackage(
                f"{claim['package']} was deleted during its validation; another package has its ARN now"
            )
        registration = read_registration(history.state.registration, self.vault)
        return Validated(_attempt(history, claim), history, whole, registration, policy, claim["policy"], inspected)

    def _show(
        self, arn: str, history: History, package: Validated, document: dict[str, Any], written: VaultDocument
    ) -> None:
        """Show the outcome in the registry: digests and verdict as metadata, the status if it has changed, and a card.

        The card is written with the metadata, unless SageMaker refuses that: then alone, and nothing waits for it.
        """
        evidence = history.state.evidence
        carded = package.policy.write_back and (evidence or {}).get("sha256") == written.sha256
        left = carded and not self._note_with_card(arn, history, package, document, written)
        if evidence is not None and (left or not carded):
            self.projector.note(arn, history)
        if history.state.status in VERDICT_STATUS.values():
            self.projector.project(arn, history)
        if left:
            with written_back("model card"):
                trying_again(self.card_writer.write)(arn, document, written.uri, written.sha256)

    def _note_with_card(
        self, arn: str, history: History, package: Validated, document: dict[str, Any], written: VaultDocument
    ) -> bool:
        """Write the metadata and the card, as it was when the evidence was made, with one call, if SageMaker does."""
        try:
            card = card_fields(package.whole, document, written.uri, written.sha256)
            self.projector.note(arn, history, **card)
        except (CardLeftAlone, RegistryRefused, ClientError, BotoCoreError):
            return False
        return True

    def record_error(self, claim: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
        """Record that an attempt ended without evidence, and why, so that the package does not stay in Validating."""

        def drafts(history: History) -> list[Draft]:
            state = history.verified().state
            current = state.attempt_open and state.execution == claim["execution"]
            return [_errored(state, claim["execution"], error)] if current else []

        history = self.ledger.update(claim["package"], drafts)
        return {"verdict": "errored", "status": history.state.status}

    def record_unopened(self, arn: str, execution: str, error: Mapping[str, Any]) -> dict[str, Any]:
        """Record that a validation could not be opened, unless Signoff does not govern the package.

        An attempt that was due by itself is over then: otherwise the sweep would begin it again and again.
        """
        described = self.registry.describe(arn)
        try:
            if self.governance.candidate(arn) is None:
                return {"verdict": "errored", "status": None}
        except PolicyFault:
            pass  # only a governed group can have an invalid policy: that error is what is recorded
        first = self.registrations.opening_entry(described)

        def drafts(history: History) -> list[Draft]:
            state = history.verified().state
            due = attempts.due(state.status, state.next_attempt, self.now())
            awaited = due or state.status in {None, Status.VALIDATING}
            if not awaited or (state.attempt_open and state.execution != execution):
                return []
            return [*([] if state.status else [first]), _errored(state, execution, error)]

        history = self.ledger.update(package_key(arn, described["CreationTime"]), drafts)
        return {"verdict": "errored", "status": history.state.status}


def _asked(policy: Policy, history: History) -> dict[str, Any]:
    """Return what approvers want to know first: who submitted and changed it, and how many approvals it needs."""
    state, approvals = history.state, policy.approvals
    outstanding = approvals.outstanding((), unknown_submitter=not approvals.know_all(state.authors))
    changed = {"changed_by": list(state.changers)} if state.changers else {}
    return {"submitter": state.submitter, **changed, "outstanding": str(outstanding)}


def _attempt(history: History, claim: Mapping[str, Any]) -> Attempt:
    started = next(
        entry
        for entry in reversed(history.entries)
        if entry.kind is Kind.VALIDATION_STARTED and entry.details["attempt"] == claim["attempt"]
    )
    return Attempt(
        package=history.package,
        group=claim["group"],
        version=history.state.version,
        number=claim["attempt"],
        execution=claim["execution"],
        started=started.time,
    )


def _recorded(history: History, claim: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Draft]:
    state = history.state
    if state.status not in _OPEN or state.attempt != claim["attempt"] or state.execution != claim["execution"]:
        return []
    if facts["verdict"] == "errored":
        return [Draft(Kind.VALIDATION_ERRORED, "signoff", {**facts, **attempts.promise(state.errors)})]
    return [Draft(Kind.EVIDENCE_RECORDED, "signoff", dict(facts))]


def _errored(state: State, execution: str, error: Mapping[str, Any]) -> Draft:
    details = {"attempt": state.attempt, "execution": execution}
    details |= {"error": str(error.get("Error", "Unknown")), "cause": _message(str(error.get("Cause", "")))[:4000]}
    return Draft(Kind.VALIDATION_ERRORED, "signoff", {**details, **attempts.promise(state.errors)})


def _message(cause: str) -> str:
    """Return the message of a function's error, which Lambda wraps in JSON with the stack trace, or `cause` itself.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    try:
        wrapped = json.loads(cause)
    except ValueError:
        return cause
    return str(wrapped["errorMessage"]) if isinstance(wrapped, dict) and "errorMessage" in wrapped else cause
