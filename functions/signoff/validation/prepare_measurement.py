"""What of a claimed package is measured, and how: its temporary models, and the transform jobs that ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.aws.ecr import ImageResolver
from signoff.aws.ledger_table import LedgerTable
from signoff.aws.s3 import Bucket, ObjectVersion
from signoff.aws.sagemaker import Registry
from signoff.aws.vault import Vault
from signoff.documents.canonical_json import digest
from signoff.errors import DocumentMissing, ObjectMissing, RegistryRefused, SignoffError, TargetFault, VaultConflict
from signoff.governance.champions import ChampionFinder
from signoff.governance.registrations import read_registration
from signoff.ledger.history import History
from signoff.model_package.artifacts import DOCUMENT
from signoff.model_package.images import by_digest, of_products, repository_of
from signoff.model_package.subject import containers, images, subject, subject_digest, unpinned
from signoff.model_package.temporary_model import temporary_model, temporary_name, transform_request
from signoff.policy.policy import Policy
from signoff.validation import answers
from signoff.validation.claimed_policy import claimed_policy
from signoff.validation.evidence import signed_subject
from signoff.validation.inspected import Inspected, as_listed
from signoff.validation.specifications import deployment_of, validated_part

ROWS = "rows"  # the last part of the key of rows in the vault
_MOST = 1024**3  # bytes of rows
_REFUSALS = (DocumentMissing, ObjectMissing, RegistryRefused, TargetFault, VaultConflict)
_ASKED = {"candidate": "evaluation", "smoke": "smoke"}


class MeasurementRefused(SignoffError):
    """Raised when a package cannot be measured; another attempt would not help."""


@dataclass(frozen=True, kw_only=True)
class MeasurementPreparer:
    """Makes the temporary models of claimed packages, and says by which transform jobs they are asked.

    `bucket` returns a bucket by its name, `execution_role` is the ARN that temporary models run under, `output` the
    `s3://` prefix that their jobs write below.
    """

    registry: Registry
    resolver: ImageResolver
    ledger: LedgerTable
    vault: Vault
    finder: ChampionFinder
    bucket: Callable[[str], Bucket]
    execution_role: str
    output: str

    def prepare(self, claim: Mapping[str, Any], inspected: Sequence[Inspected]) -> dict[str, Any]:
        """Return the `parts` of a measurement, and the `jobs` that are to be run for it.

        Each part has its `role` (`candidate`, `champion` or `smoke`), what it `asks` (`evaluation` or `smoke`), and
        either the `subject`, the `rows` in the vault and perhaps a `job`, or why it is `refused`. A job has a `name`,
        the `request` of CreateTransformJob, and the `seconds` it may take. Repeating it comes to the same.
        """
        policy = claimed_policy(claim, self.vault)
        try:
            signed = self._signed(claim, inspected, policy)
        except (MeasurementRefused, *_REFUSALS) as refused:
            parts = [_refused(role, asks, refused) for role, asks in _ASKED.items() if policy.document[asks]]
            return {"subject": None, "parts": parts, "jobs": []}
        parts, jobs = [], []
        for role, asks, model in self._models(claim, policy, signed):
            part, job = self._part(claim, role, asks, policy.document[asks], model)
            parts.append(part)
            jobs += job
        return {"subject": subject_digest(signed), "parts": parts, "jobs": jobs}

    def _models(
        self, claim: Mapping[str, Any], policy: Policy, signed: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the role and the subject of each model that is asked, and by which field of the policy."""
        if policy.smoke:
            yield "smoke", "smoke", signed
        if policy.evaluation:
            yield "candidate", "evaluation", signed
            champion = self._champion(claim)
            if champion:
                yield "champion", "evaluation", champion

    def _champion(self, claim: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the subject of the group's champion, of which there is evidence, or None."""
        _, history = self.finder.beside(claim["group"], claim["package"])
        recorded = history.state.evidence if history else None
        try:
            return signed_subject(self.vault.read("evidence", recorded["sha256"])) if recorded else None
        except DocumentMissing:
            return None

    def _signed(self, claim: Mapping[str, Any], inspected: Sequence[Inspected], policy: Policy) -> dict[str, Any]:
        """Return the subject that would be deployed. Raises when nothing of it may be run, or not everything is known.

        RecordEvidence compares it with what it judges: whoever changes the package meanwhile has measured nothing.
        """
        for each in inspected:
            if each["found"]["refusals"] or each["found"].get("sha256") != each["kept"]["sha256"]:
                raise MeasurementRefused(f"the inspection found errors in {each['kept']['name']}: the model is not run")
        history = self.ledger.history(claim["package"]).verified()
        described = validated_part(self.registry.describe(claim["arn"]), history.state, policy)
        outside = [path for _, path in unpinned(described)]
        if outside:
            raise MeasurementRefused(f"{outside[0]} is not in the vault: only a model whose content is known is run")
        loaded = [each for each in map(as_listed, inspected) if each["kind"] != DOCUMENT]
        pinned = self._images(described)
        for image in pinned.values():
            if not policy.images.takes_from(repository_of(image)):
                raise MeasurementRefused(f"the policy allows no images from {repository_of(image)}: it is not run")
        return subject(described, self._deployment(history, policy), pinned, loaded)

    def _deployment(self, history: History, policy: Policy) -> dict[str, Any]:
        return deployment_of(read_registration(history.state.registration, self.vault), policy)

    def _images(self, described: Mapping[str, Any]) -> dict[str, str]:
        unasked = of_products(container for _, container in containers(described))
        return {
            image: by_digest(image) if image in unasked else self.resolver.pinned(image) for image in images(described)
        }

    def _part(
        self, claim: Mapping[str, Any], role: str, asks: str, asked: Mapping[str, Any], model: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        try:
            rows = self._rows(asked["data"])
            known = subject_digest(model)
            part = {"role": role, "asks": asks, "subject": known, "rows": _where(rows), "job": None}
            if answers.scored(self.vault, known, answers.question(asked)):
                return part, []
            name = temporary_name(claim["package"], claim["attempt"], claim["execution"], role)
            self.registry.create_model(temporary_model(name, claim["arn"], model, self.vault.uri, self.execution_role))
        except (MeasurementRefused, *_REFUSALS) as refused:
            return _refused(role, asks, refused), []
        request = transform_request(name, rows.uri, f"{self.output}{name}/", asked["data"], asked["job"])
        job = {"name": name, "request": request, "seconds": asked["job"]["minutes"] * 60}
        return {**part, "job": name}, [job]

    def _rows(self, data: Mapping[str, Any]) -> ObjectVersion:
        """Return the vault's copy of a policy's rows, made now unless it exists. Its bytes are compared each time.

        SageMaker reads the current version of a key: where rows are kept nothing is ever written over them.
        """
        bucket, _, key = data["uri"].removeprefix("s3://").partition("/")
        source = self.bucket(bucket).version(key, data["version"])
        if source is None:
            raise MeasurementRefused(f"{data['uri']} has no version {data['version']}")
        if source.size > _MOST:
            raise MeasurementRefused(f"{data['uri']} is larger than {_MOST:,} bytes")
        kept = self.vault.keep(source, f"held-out/{digest([data['uri'], data['version']])}/{ROWS}", expires=False)
        found = self.vault.sha256(kept)
        if found != data["sha256"]:
            raise MeasurementRefused(f"{data['uri']} has the SHA-256 {found}, and the policy names another")
        return kept


def _where(rows: ObjectVersion) -> dict[str, str]:
    return {"key": rows.key, "version_id": rows.version_id}


def _refused(role: str, asks: str, because: Exception) -> dict[str, Any]:
    return {"role": role, "asks": asks, "job": None, "refused": str(because)}
