"""Recording a validation: its evidence, or the error that prevented it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.aws.clients import trying_again
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.documents.timestamps import Clock
from signoff.errors import PolicyFault, UnknownPackage
from signoff.governance.candidates import Governance
from signoff.governance.registrations import Registrations, changes_since, differences, read_registration
from signoff.governance.registry_status import RegistryProjector
from signoff.ledger import attempts
from signoff.ledger.entries import VERDICT_STATUS, Draft, Kind, Status
from signoff.ledger.history import History, package_key
from signoff.ledger.state import State
from signoff.model_package.artifacts import DOCUMENT, content, image_only
from signoff.model_package.batch_summary import shown
from signoff.model_package.subject import subject, subject_digest, unpinned
from signoff.notification.comparison import brief
from signoff.policy.policy import Policy, of_document
from signoff.runtime.written_back import written_back
from signoff.submission.policy_choices import policy_faults
from signoff.validation import deployability, evidence, gates
from signoff.validation.bias_gates import bias_checks, drift_checks
from signoff.validation.bias_reports import read_baselines, read_report
from signoff.validation.card_writer import CardWriter
from signoff.validation.champion import Comparer
from signoff.validation.checks import Check, errored, failed
from signoff.validation.claims import named_data, read_claims
from signoff.validation.evidence import Attempt, Facts
from signoff.validation.images import ImageExaminer
from signoff.validation.inspected import Inspected, as_listed, witness_checks
from signoff.validation.measurement import PREFIX, claim_checks, measurement_checks, measurement_of
from signoff.validation.metric_gates import data_check
from signoff.validation.sources import Sources
from signoff.validation.specifications import deployment_of, environments, left_out_checks, validated_part
from signoff.validation.submitted import SignatureGate

_OPEN = {Status.VALIDATING, Status.VALIDATION_ERRORED}


@dataclass(frozen=True, kw_only=True)
class EvidenceRecorder:
    """Writes the result of a validation to the vault, the ledger and the registry, in this order."""

    governance: Governance
    registry: Registry
    images: ImageExaminer
    comparer: Comparer
    ledger: LedgerTable
    vault: Vault
    registrations: Registrations
    sources: Sources
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
        policy = of_document(self.vault.read("policies", claim["policy"]))
        found = self.vault.read(PREFIX, measured) if measured else None
        document = self._evidence(history, claim, inspected, policy, found)
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
        history = self.ledger.update(claim["package"], lambda history: _recorded(history, claim, facts))
        self._project(claim["arn"], history)
        if policy.write_back and (history.state.evidence or {}).get("sha256") == written.sha256:
            with written_back("model card"):
                trying_again(self.card_writer.write)(claim["arn"], document, written.uri, written.sha256)
        stands = history.state.evidence or facts
        held = {"would_be_held": True} if history.state.would_be_held else {}
        return {"verdict": stands["verdict"], "evidence": stands["uri"], "sha256": stands["sha256"], **held}

    def _evidence(
        self,
        history: History,
        claim: Mapping[str, Any],
        inspected: Sequence[Inspected],
        policy: Policy,
        found: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        artifacts = [as_listed(each) for each in inspected]
        whole = self.registry.describe(claim["arn"])
        if package_key(whole["ModelPackageArn"], whole["CreationTime"]) != claim["package"]:
            raise UnknownPackage(
                f"{claim['package']} was deleted during its validation; another package has its ARN now"
            )
        described = validated_part(whole, history.state, policy)
        loaded = [artifact for artifact in artifacts if artifact["kind"] != DOCUMENT]
        registration = read_registration(history.state.registration, self.vault)
        deployment = deployment_of(registration, policy)
        attempt = _attempt(history, claim)
        images = self.images.examine(described, deployment, policy.images, attempt.started)
        checks = [gates.artifact_check(artifact) for artifact in loaded]
        checks += gates.model_data_checks(image_only(described), policy)
        checks += images.checks
        checks += gates.unpinned_checks(unpinned(described), policy.sources.unpinned)
        checks += gates.environment_checks(environments(described, deployment["manifest"]), policy.sources.environment)
        signed = subject(described, deployment, images.pinned, loaded)
        said = evidence.said_of_itself(described)
        candidate = {"subject": signed, "artifacts": artifacts, "policy": claim["policy"], **said}
        claims = read_claims(self.vault, artifacts, policy.metrics, named_data(registration))
        measurement = measurement_of(found, subject_digest(signed))
        comparison = self.comparer.comparison(claim["group"], claim["package"], candidate, claims, measurement, policy)
        checks += measurement_checks(policy, found, subject_digest(signed))
        checks += claim_checks(policy, claims.measurements, measurement.candidate)
        checks += [*data_check(policy, claims.measurements), *comparison.metric_checks(policy)]
        report = read_report(self.vault, artifacts)
        checks += bias_checks(policy, report)
        checks += drift_checks(policy, read_baselines(self.vault, artifacts), claims.measurements, report)
        checks += deployability.deployment_checks(described, signed, self.vault.uri)
        checks += _choice_checks(registration, policy)
        checks += self.sources.checks(described, policy)
        checks += _inspected_check(history, described, self.sources.readable(described, policy), artifacts)
        checks += left_out_checks(whole, described)
        checks += gates.metadata_check(described)
        checks += gates.provenance_checks(policy.provenance, said["provenance"])
        checks += witness_checks(inspected, self.vault.uri("findings/"))
        checks += SignatureGate(self.vault, self.registrations).checks(history, policy, registration, whole, artifacts)
        checks += gates.specification_check(policy, history.state, _differences(history, described, registration))
        return evidence.document(
            attempt,
            signed,
            checks,
            artifacts,
            Facts(
                **said,
                metrics={"claimed": claims.document, "measured": measurement.document},
                evaluation=measurement.evaluation,
                smoke=measurement.smoke,
                comparison=comparison.document,
                images=images.documents,
                bias=[value.document for value in report.values],
            ),
            policy=claim["policy"],
            submitter=history.state.submitter,
            registration=history.state.registration,
        )

    def _project(self, arn: str, history: History) -> None:
        """Show the outcome in the registry: digests and verdict as metadata, and the status if it has changed."""
        if history.state.evidence is not None:
            self.projector.note(arn, history)
        if history.state.status in VERDICT_STATUS.values():
            self.projector.project(arn, history)

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


def _differences(history: History, described: Mapping[str, Any], registration: Mapping[str, Any] | None) -> list[str]:
    """Return in which fields a package is not as its registration asks for, if it has one."""
    state = history.state
    if registration is None:
        return [f"registration {state.registration}, which is not in the vault,"] if state.registration else []
    return differences(described, registration, state.fingerprint)


def _asked(policy: Policy, history: History) -> dict[str, Any]:
    """Return what approvers want to know first: who submitted and changed it, and how many approvals it needs."""
    state, approvals = history.state, policy.approvals
    outstanding = approvals.outstanding((), unknown_submitter=not approvals.know_all(state.authors))
    changed = {"changed_by": list(state.changers)} if state.changers else {}
    return {"submitter": state.submitter, **changed, "outstanding": str(outstanding)}


def _choice_checks(registration: Mapping[str, Any] | None, policy: Policy) -> Iterator[Check]:
    """Yield a failed check for each choice of a manifest that the present policy does not offer."""
    for fault in policy_faults({"Deployment": registration["deployment"]}, policy) if registration else ():
        yield failed(f"deployment:{fault.path}", fault.message)


def _inspected_check(
    history: History,
    described: Mapping[str, Any],
    readable: Sequence[Mapping[str, Any]],
    artifacts: Sequence[Mapping[str, Any]],
) -> list[Check]:
    """Return an errored check when the package, as it is now, is or loads anything other than what was inspected.

    The package may change during its validation: the evidence must not cover what was not inspected, nor what somebody
    changed whom the ledger does not name.
    """
    named = [(artifact["name"], artifact["url"], artifact["kind"]) for artifact in readable]
    inspected = [(artifact["name"], artifact["url"], artifact["kind"]) for artifact in artifacts]
    if named == inspected and not changes_since(history.state, described):
        return []
    return [errored("subject", "the package changed during its validation; revalidate it")]


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
