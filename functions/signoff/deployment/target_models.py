"""A package's models in its targets: the further accounts and regions that its signed deployment names.

The registry's own account comes first; then each target is made to agree with the ledger by itself, so that a failure
in one does not block the others, and is retried with the next event or sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signoff.approval.apply_decision import subject_changed
from signoff.aws.clients import error_code, error_message, transient
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import ObjectVersion
from signoff.aws.target_accounts import TargetAccounts
from signoff.aws.vault import Vault
from signoff.deployment.champions import Champions
from signoff.deployment.model_creation import create_once
from signoff.documents import timestamps
from signoff.errors import ModelDiffers, ObjectMissing, RegistryRefused, TargetFault, VaultConflict
from signoff.governance.candidates import Candidate
from signoff.ledger.entries import Draft, Kind, Status, package_of
from signoff.ledger.history import History
from signoff.ledger.targets import targets_by_place
from signoff.model_package.artifacts import DOCUMENT
from signoff.model_package.model_request import model_name, target_request
from signoff.validation.evidence import signed_subject

# Makes one place agree with a history, and returns the entries about what was done.
Act = Callable[[str, History], list[Draft]]
# Which parts of a signed subject are not as signed.
Changed = Callable[[Mapping[str, Any]], list[str]]
_FAILURES = (ModelDiffers, ObjectMissing, RegistryRefused, TargetFault, VaultConflict)
_READING = "the execution role must be allowed to read model data and images (docs/operations.md, Several accounts)"


class TargetModels:
    """Creates the models of approved packages in their targets, and deletes those of other packages.

    In each target it publishes the group's champion.
    """

    def __init__(
        self, target_accounts: TargetAccounts, vault: Vault, ledger: LedgerTable, champions: Champions
    ) -> None:
        self._target_accounts = target_accounts
        self._vault = vault
        self._ledger = ledger
        self._champions = champions

    def converge(self, candidate: Candidate, history: History, changed: Changed) -> History:
        """Make the models agree with the ledger in every target, and return the ledger's history then.

        Permanent failures are recorded, once for each reason; a transient one is raised after all targets have been
        handled.
        """

        def agreed(place: str, history: History) -> list[Draft]:
            state = history.state
            if state.status is not Status.APPROVED:
                return self._retired(history, place)
            return [] if state.targets[place].model else self._created(candidate, place, history, changed)

        return self._everywhere(history, agreed)

    def retire(self, history: History, kept: Mapping[str, str]) -> History:
        """Delete the models of a deleted package, except those `kept` for others (names in lower case)."""

        def given_up(place: str, history: History) -> list[Draft]:
            model = history.state.targets[place].model
            kept_for = kept.get(model["name"].lower()) if model else None
            if model is None or kept_for is None:
                return self._retired(history, place)
            about = {"place": place, "model": model["name"], "kept_for": kept_for}
            return [Draft(Kind.MODEL_RETIRED, "signoff", about)]

        return self._everywhere(history, given_up) if history.state.status is Status.DELETED else history

    def _everywhere(self, history: History, act: Act) -> History:
        passing: list[Exception] = []
        for place in list(history.state.targets):
            try:
                history = self._ledger.update(history.package, partial(_reporting, act, place))
                if history.state.targets[place].failed is None:
                    self._publish(place, history)  # another model may have been created or deleted there meanwhile
            except (ClientError, BotoCoreError, TargetFault) as error:
                passing.append(error)
        if passing:
            raise passing[0]
        return history

    def _publish(self, place: str, history: History) -> None:
        package, group = package_of(history.package)[0] or "", history.state.group or ""
        self._champions.at(place, self._target_accounts.parameters(place, package)).publish(group, history)

    def _created(self, candidate: Candidate, place: str, history: History, changed: Changed) -> list[Draft]:
        sha256 = (history.state.decision or {})["evidence"]
        evidence = self._vault.read("evidence", sha256)
        signed = signed_subject(evidence)
        parts = changed(signed)
        if parts:
            return [subject_changed(parts)]
        vault = self._target_accounts.vault(place, candidate.arn)
        self._copied([each for each in evidence["artifacts"] if each["kind"] != DOCUMENT], vault)
        target = targets_by_place(signed["deployment"], candidate.arn)[place]
        request = target_request(candidate.described, signed, target, vault.uri, evidence=sha256)
        name = model_name(candidate.group, candidate.version, evidence["subject"]["sha256"])
        arn = create_once(self._target_accounts.registry(place, candidate.arn), {"ModelName": name, **request})
        model = {"name": name, "arn": arn, "vault": vault.name}
        drafts = [Draft(Kind.MODEL_CREATED, "signoff", {"place": place, "model": model})]
        # Before the ledger says that the model exists: until it does, the sweep retries.
        self._publish(place, history.extended(drafts, timestamps.parse(history.entries[-1].time)))
        return drafts

    def _copied(self, artifacts: Sequence[Mapping[str, Any]], vault: Vault) -> None:
        """Copy what was signed to another region's vault. Raises `VaultConflict` when something else is there."""
        if vault.name == self._vault.name:
            return
        for artifact in artifacts:
            key = artifact["key"]
            sources = self._vault.at(key)
            if not sources:
                raise ObjectMissing(f"{self._vault.uri(key)} no longer exists")
            copies = vault.keep_all(((source, source.key) for source in sources), expires=False)
            if _versions(vault.at(key)) != _versions(copies) or not vault.matches(artifact, copies):
                raise VaultConflict(f"{vault.uri(key)} does not match what was signed: someone else has written to it")

    def _retired(self, history: History, place: str) -> list[Draft]:
        state, package = history.state, package_of(history.package)[0] or ""
        there, subject = state.targets[place], (state.decision or {}).get("subject") or ""
        name = there.model["name"] if there.model else model_name(state.group or "", state.version, subject)
        registry = self._target_accounts.registry(place, package)
        # A model may exist without an entry: the function may have died after creating it.
        if there.model is None and registry.describe_model(name) is None:
            return []
        endpoints = tuple(registry.endpoints_using(name))
        about: dict[str, Any] = {"place": place, "model": name}
        if endpoints:
            blocked = Draft(Kind.RETIREMENT_BLOCKED, "signoff", {**about, "endpoints": list(endpoints)})
            return [] if endpoints == there.blocked_by else [blocked]
        self._publish(place, history)  # nobody should deploy a model that is about to be deleted
        registry.delete_model(name)
        return [Draft(Kind.MODEL_RETIRED, "signoff", about)]


def _reporting(act: Act, place: str, history: History) -> list[Draft]:
    """Make `place` agree; a permanent failure becomes an entry, unless the ledger has it already."""
    history.verified()
    try:
        return act(place, history)
    except _FAILURES as error:
        because = _refusal(str(error)) if isinstance(error, RegistryRefused) else str(error)
    except ClientError as error:
        if transient(error):
            raise
        because = f"{error_code(error)}: {error_message(error)}"
    because = because[:4000]
    if history.state.targets[place].failed == because:
        return []
    return [Draft(Kind.DEPLOYMENT_FAILED, "signoff", {"place": place, "because": because})]


def _versions(objects: Iterable[ObjectVersion]) -> set[tuple[str, str]]:
    return {(each.key, each.version_id) for each in objects}


def _refusal(words: str) -> str:
    """Return SageMaker's message, with a hint if it is about missing permissions."""
    reading = any(word in words.lower() for word in ("access", "image", "permission", "repository", "s3://"))
    return f"SageMaker refused: {words}; {_READING}" if reading else f"SageMaker refused: {words}"
