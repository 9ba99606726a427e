"""Makes the deployable model agree with the ledger, and the group's champion with its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.approval.apply_decision import settings_not_allowed, subject_changed
from signoff.aws.clients import trying_again
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.deployment.approval_lineage import ApprovalLineage
from signoff.deployment.champions import Champions
from signoff.deployment.model_creation import create_once
from signoff.deployment.succession import Succession
from signoff.deployment.target_models import TargetModels
from signoff.errors import UnknownPackage
from signoff.governance.candidates import Candidate, Governance
from signoff.governance.kept_decisions import require_kept_decisions
from signoff.governance.registry_status import RegistryProjector
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History
from signoff.ledger.state import State
from signoff.ledger.targets import targets_by_place
from signoff.model_package.model_request import model_name, model_request
from signoff.model_package.subject import as_signed, changes, subject
from signoff.runtime.written_back import written_back
from signoff.submission.policy_choices import not_allowed_any_more
from signoff.validation.evidence import signed_subject


@dataclass(frozen=True, kw_only=True)
class ModelDeployer:
    """Creates the models of approved packages, deletes those of others, and publishes the group's champion."""

    governance: Governance
    registry: Registry
    ledger: LedgerTable
    vault: Vault
    projector: RegistryProjector
    champions: Champions
    target_models: TargetModels
    approval_lineage: ApprovalLineage

    @property
    def _succession(self) -> Succession:
        return Succession(self.ledger, self.champions)

    def converge(self, arn: str) -> State | None:
        """Make the models of that package agree with its ledger, and return its state then.

        It starts again when the ledger has changed meanwhile, so that a concurrent approval and revocation end right.
        Returns None for a package that is unknown or not governed. Raises `ModelDiffers`, `RegistryRefused`, and
        `ApprovalUnwitnessed` for an approval that ApplyDecision did not give.
        """
        try:
            candidate = self.governance.candidate(arn)
        except UnknownPackage:
            return None
        if candidate is None:
            return None
        drafts: list[Draft] = []

        def agreed(history: History) -> list[Draft]:
            drafts[:] = self._agreed(candidate, history.verified())
            return drafts

        history = self.ledger.update(candidate.key, agreed)
        new = any(draft.kind is Kind.MODEL_CREATED for draft in drafts)
        if history.state.status is not Status.APPROVED:
            self.projector.project(arn, history)
        if _had_models(history):
            self._succession.publish_and_settle(candidate.group, history, new=new)
        # At last what may take long: the champion does not wait for other regions.
        history = self._everywhere(candidate, history)
        if candidate.policy.write_back:
            with written_back("lineage"):
                shown = self.approval_lineage.showing(history, first=new and _had_models(history) == 1)
                trying_again(shown)()
        return history.state

    def _everywhere(self, candidate: Candidate, history: History) -> History:
        def changed(signed: Mapping[str, Any]) -> list[str]:
            return self._changed(self.registry.describe(candidate.arn), signed)

        was_approved = history.state.status is Status.APPROVED
        history = self.target_models.converge(candidate, history, changed)
        if was_approved and history.state.status is not Status.APPROVED:
            self.projector.project(candidate.arn, history)
        return history

    def retire(self, package: str) -> State:
        """Delete the model of a deleted package, by its ledger's key, and return its state then.

        Its ARN may belong to another package by now, if its group was created again.
        """
        history = self.ledger.update(package, lambda history: self._orphaned(history.verified()))
        state = history.state
        if state.group:
            self._succession.publish_and_settle(state.group, history, new=False)
            history = self.target_models.retire(history, self._models_of_others(package))
        return history.state

    def _orphaned(self, history: History) -> list[Draft]:
        state = history.state
        if state.status is not Status.DELETED or state.group is None:
            return []
        if state.model:
            self.champions.publish(state.group, history)
        kept = self._models_of_others(history.package)
        names = sorted(self._names(state.group, state.version, state))
        return [draft for name in names for draft in self._given_up(name, state, kept.get(name.lower()))]

    def _given_up(self, name: str, state: State, kept_for: str | None) -> list[Draft]:
        if kept_for is None:
            return self._retire(name, state)
        return [Draft(Kind.MODEL_RETIRED, "signoff", {"model": name, "kept_for": kept_for})] if state.model else []

    def _models_of_others(self, package: str) -> dict[str, str]:
        """Return the other packages of that ARN that have a model, by the model's name in lower case as in an ARN.

        A group that was created again may contain the same package again, whose model has the same name.
        """
        rows = (row for row in self.ledger.rows_by_arn(package_of(package)[0] or "") if row.get("model"))
        return {row["model"].rpartition("/")[2].lower(): row["package"] for row in rows if row["package"] != package}

    def _agreed(self, candidate: Candidate, history: History) -> list[Draft]:
        state = history.state
        if state.status is not Status.APPROVED:
            if state.model:  # nobody should deploy a model that is about to be deleted
                self.champions.publish(candidate.group, history)
            names = self._names(candidate.group, candidate.version, state)
            return [draft for name in sorted(names) for draft in self._retire(name, state)]
        if state.model is not None or candidate.described["ModelApprovalStatus"] != "Approved":
            return []  # created already, or the registry's status is not set yet: its event will follow
        return self._created(candidate, history)

    def _created(self, candidate: Candidate, history: History) -> list[Draft]:
        require_kept_decisions(history, self.vault)
        state = history.state
        sha256 = (state.decision or {})["evidence"]
        evidence = self.vault.read("evidence", sha256)
        signed = signed_subject(evidence)
        verifying = (state.decision or {})["decision"] == "rollback"
        changed = self._changed(candidate.described, signed) or (self._other_bytes(evidence) if verifying else [])
        if changed:
            return [subject_changed(changed)]
        disallowed = not_allowed_any_more(signed["deployment"]["policy"], candidate.policy.deployment)
        if disallowed and candidate.policy.enforced:
            return [settings_not_allowed(disallowed)]
        request = model_request(candidate.arn, candidate.described, signed, self.vault.uri, evidence=sha256)
        name = model_name(candidate.group, candidate.version, evidence["subject"]["sha256"])
        arn = create_once(self.registry, {"ModelName": name, **request})
        places = list(targets_by_place(signed["deployment"], candidate.arn))
        about: dict[str, Any] = {"model": {"name": name, "arn": arn}, **({"places": places} if places else {})}
        if verifying:
            about["verified"] = _size(evidence["artifacts"])
        created = Draft(Kind.MODEL_CREATED, "signoff", about)
        # SageMaker read package and vault when it created the model: check that they had not changed by then.
        changed = self._changed(self.registry.describe(candidate.arn), signed)
        return [created, subject_changed(changed)] if changed else [created]

    def _changed(self, described: Mapping[str, Any], signed: Mapping[str, Any]) -> list[str]:
        """Return which parts of the subject, by SageMaker and the vault, differ from what was signed."""
        artifacts = [{**each, "version_id": self.vault.version_at(each["key"])} for each in signed["artifacts"]]
        found = as_signed(described, signed)
        return changes(signed, subject(found, signed["deployment"], signed["images"], artifacts))

    def _other_bytes(self, evidence: Mapping[str, Any]) -> list[str]:
        """Return `artifacts` when the bytes in the vault differ from the evidence; else nothing.

        The versions have been compared with the signed ones before.
        """
        kept = all(self.vault.matches(each, self.vault.at(each["key"])) for each in evidence["artifacts"])
        return [] if kept else ["artifacts"]

    def _names(self, group: str, version: int | None, state: State) -> set[str]:
        # A model may exist without an entry: the function may have died after creating it.
        model = state.model or state.unverified
        return {model["name"]} if model else self._unrecorded(group, version, state)

    def _unrecorded(self, group: str, version: int | None, state: State) -> set[str]:
        if not (state.decision and state.decision.get("subject")):
            return set()
        name = model_name(group, version, state.decision["subject"])
        return {name} if self.registry.describe_model(name) else set()

    def _retire(self, name: str, state: State) -> list[Draft]:
        endpoints = tuple(self.registry.endpoints_using(name))
        if endpoints and endpoints == state.retirement_blocked_by:
            return []
        if endpoints:
            return [Draft(Kind.RETIREMENT_BLOCKED, "signoff", {"model": name, "endpoints": list(endpoints)})]
        self.registry.delete_model(name)
        return [Draft(Kind.MODEL_RETIRED, "signoff", {"model": name})]


def _had_models(history: History) -> int:
    """Return how often a model of the package was created in the registry's own account and region.

    A package that never had one is nobody's predecessor.
    """
    return sum(entry.kind is Kind.MODEL_CREATED and "place" not in entry.details for entry in history.entries)


def _size(artifacts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {"artifacts": len(artifacts), "bytes": sum(artifact["size"] for artifact in artifacts)}
