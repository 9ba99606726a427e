"""What a validated package is: its subject, every check of it, and the facts that people decide on, as evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from signoff.aws.vault import Vault
from signoff.governance.registrations import Registrations, changes_since, differences
from signoff.ledger.history import History
from signoff.model_package.artifacts import DOCUMENT, image_only
from signoff.model_package.subject import subject, subject_digest, unpinned
from signoff.policy.policy import Policy
from signoff.submission.policy_choices import policy_faults
from signoff.validation import deployability, evidence, gates
from signoff.validation.bias_gates import bias_checks, drift_checks
from signoff.validation.bias_reports import read_baselines, read_report
from signoff.validation.champion import Comparer
from signoff.validation.checks import Check, errored, failed
from signoff.validation.claims import named_data, read_claims
from signoff.validation.evidence import Attempt, Facts
from signoff.validation.images import ImageExaminer
from signoff.validation.inspected import Inspected, as_listed, witness_checks
from signoff.validation.measurement import claim_checks, measurement_checks, measurement_of
from signoff.validation.metric_gates import data_check
from signoff.validation.sources import Sources
from signoff.validation.specifications import deployment_of, environments, left_out_checks, validated_part
from signoff.validation.submitted import SignatureGate


@dataclass(frozen=True)
class Validated:
    """A package at the end of its validation.

    `whole` is what SageMaker describes, `policy_sha256` the digest of the claimed `policy`; `inspected` is of each
    artifact what was `kept` and what was `found`.
    """

    attempt: Attempt
    history: History
    whole: Mapping[str, Any]
    registration: Mapping[str, Any] | None
    policy: Policy
    policy_sha256: str
    inspected: Sequence[Inspected]

    @cached_property
    def artifacts(self) -> list[dict[str, Any]]:
        """Its artifacts, as evidence lists them."""
        return [as_listed(each) for each in self.inspected]

    @cached_property
    def loaded(self) -> list[dict[str, Any]]:
        """Those of its artifacts that a container loads."""
        return [artifact for artifact in self.artifacts if artifact["kind"] != DOCUMENT]

    @cached_property
    def described(self) -> dict[str, Any]:
        """What SageMaker describes, without specifications that nobody validates."""
        return dict(validated_part(self.whole, self.history.state, self.policy))

    @cached_property
    def deployment(self) -> dict[str, Any]:
        """Its effective deployment settings."""
        return deployment_of(self.registration, self.policy)


@dataclass(frozen=True, kw_only=True)
class EvidenceMaker:
    """Makes the evidence of packages."""

    images: ImageExaminer
    comparer: Comparer
    vault: Vault
    registrations: Registrations
    sources: Sources

    def make(self, package: Validated, found: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return a package's evidence; `found` is what was measured. Raises `ScanPending` as `ImageExaminer` does."""
        images = self.images.examine(
            package.described, package.deployment, package.policy.images, package.attempt.started
        )
        signed = subject(package.described, package.deployment, images.pinned, package.loaded)
        quality, facts = self._quality(package, signed, found)
        checks = [
            *(gates.artifact_check(artifact) for artifact in package.loaded),
            *gates.model_data_checks(image_only(package.described), package.policy),
            *images.checks,
            *self._source_checks(package),
            *quality,
            *deployability.deployment_checks(package.described, signed, self.vault.uri),
            *_choice_checks(package.registration, package.policy),
            *self._origin_checks(package),
        ]
        return evidence.document(
            package.attempt,
            signed,
            checks,
            package.artifacts,
            Facts(**facts, images=images.documents),
            policy=package.policy_sha256,
            submitter=package.history.state.submitter,
            registration=package.history.state.registration,
        )

    def _source_checks(self, package: Validated) -> Iterator[Check]:
        """Yield the checks of where everything comes from that is loaded, and of whether all of it was inspected."""
        described, allowed = package.described, package.policy.sources
        yield from gates.unpinned_checks(unpinned(described), allowed.unpinned)
        variables = environments(described, package.deployment["manifest"])
        yield from gates.environment_checks(variables, allowed.environment)
        yield from self.sources.checks(described, package.policy)
        readable = self.sources.readable(described, package.policy)
        yield from _inspected_check(package.history, described, readable, package.artifacts)
        yield from left_out_checks(package.whole, described)
        yield from witness_checks(package.inspected, self.vault.uri("findings/"))

    def _quality(
        self, package: Validated, signed: Mapping[str, Any], found: Mapping[str, Any] | None
    ) -> tuple[list[Check], dict[str, Any]]:
        """Return the checks of how good a package is, and what its evidence says of that."""
        policy, artifacts, known = package.policy, package.artifacts, subject_digest(signed)
        said = evidence.said_of_itself(package.described)
        candidate = {"subject": signed, "artifacts": artifacts, "policy": package.policy_sha256, **said}
        claims = read_claims(self.vault, artifacts, policy.metrics, named_data(package.registration))
        measurement, report = measurement_of(found, known), read_report(self.vault, artifacts)
        comparison = self.comparer.comparison(
            package.attempt.group, package.history.package, candidate, claims, measurement, policy
        )
        checks = [
            *measurement_checks(policy, found, known),
            *claim_checks(policy, claims.measurements, measurement.candidate),
            *data_check(policy, claims.measurements),
            *comparison.metric_checks(policy),
            *bias_checks(policy, report),
            *drift_checks(policy, read_baselines(self.vault, artifacts), claims.measurements, report),
            *gates.provenance_checks(policy.provenance, said["provenance"]),
        ]
        return checks, {
            **said,
            "metrics": {"claimed": claims.document, "measured": measurement.document},
            "evaluation": measurement.evaluation,
            "smoke": measurement.smoke,
            "comparison": comparison.document,
            "bias": [value.document for value in report.values],
        }

    def _origin_checks(self, package: Validated) -> Iterator[Check]:
        """Yield the checks of whose package it is, and of whether it is still what they submitted."""
        history, registration = package.history, package.registration
        yield from gates.metadata_check(package.described)
        signature = SignatureGate(self.vault, self.registrations)
        yield from signature.checks(history, package.policy, registration, package.whole, package.artifacts)
        changed = _differences(history, package.described, registration)
        yield from gates.specification_check(package.policy, history.state, changed)


def _differences(history: History, described: Mapping[str, Any], registration: Mapping[str, Any] | None) -> list[str]:
    """Return in which fields a package is not as its registration asks for, if it has one."""
    state = history.state
    if registration is None:
        return [f"registration {state.registration}, which is not in the vault,"] if state.registration else []
    return differences(described, registration, state.fingerprint)


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
