"""The form of evidence, version 1 and 2, as structures: its published JSON Schema is made of them.

docs/evidence.md explains it. Evidence is written by `signoff.validation.evidence`; tests hold what it writes against
these structures with no field left over. Readers of the published schema are to ignore fields that they do not know.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from signoff.policy.values import meaning

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Uri = Annotated[str, Meta(pattern="^s3://")]
Object = dict[str, Any]


class Check(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A check of the candidate."""

    name: Annotated[str, meaning("What was checked: `<what>:<which>`, such as `metric:auc` or `artifact:model`.")]
    status: Annotated[
        Literal["passed", "failed", "skipped", "errored"], meaning("How it came out; an error is no failure.")
    ]
    reason: Annotated[str, meaning("Why, in a sentence for people.")]
    expected: Annotated[str, meaning("Of a gate: what the policy asks for.")] | msgspec.UnsetType = msgspec.UNSET
    observed: Annotated[str, meaning("Of a gate: what was found.")] | msgspec.UnsetType = msgspec.UNSET
    blocks: (
        Annotated[bool, meaning("Of an error that would come again: whether the candidate fails because of it.")]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    asks: Annotated[bool, meaning("Whether an approval has to accept it by name (`accepts`).")] | msgspec.UnsetType = (
        msgspec.UNSET
    )


class Artifact(Struct, frozen=True, forbid_unknown_fields=True):
    """What a package loads, or the document that speaks for it, as the vault holds it."""

    name: Annotated[str, meaning("The path of the field that names it in SageMaker's description of the package.")]
    url: Annotated[str, meaning("What that field says.")]
    kind: Annotated[
        Literal["archive", "archives", "object", "files", "document"],
        meaning("What lies there; `archives` and `files`: a prefix."),
    ]
    key: Annotated[str, meaning("The key in the vault; one that ends in `/` is a prefix.")]
    version_id: Annotated[str, meaning("The version of the object; of a prefix the inventory of all versions.")]
    size: Annotated[int, meaning("Bytes.")]
    sha256: Annotated[Sha256, meaning("Of the bytes; of a prefix the inventory of all digests.")]
    s3_sha256: Annotated[str, meaning("The SHA-256 that S3 itself computed.")] | msgspec.UnsetType = msgspec.UNSET
    members: Annotated[int | None, meaning("How many files it holds.")] | msgspec.UnsetType = msgspec.UNSET
    findings: (
        Annotated[Uri, meaning("The document of what its inspection found, named by its SHA-256.")] | msgspec.UnsetType
    ) = msgspec.UNSET
    refusals: Annotated[list[str], meaning("The first errors that were found, in sentences.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    refusal_count: Annotated[int, meaning("How many errors were found.")] | msgspec.UnsetType = msgspec.UNSET


class PinnedArtifact(Struct, frozen=True, forbid_unknown_fields=True):
    """What is loaded, as it is signed."""

    url: Annotated[str, meaning("As of the artifact.")]
    key: Annotated[str, meaning("As of the artifact.")]
    version_id: Annotated[str, meaning("As of the artifact.")]
    sha256: Annotated[Sha256, meaning("As of the artifact.")]


class Deployment(Struct, frozen=True, forbid_unknown_fields=True):
    """Under whose authority and how the containers run."""

    policy: Annotated[Object, meaning("The effective settings of the policy: role, network, tags, targets.")]
    manifest: Annotated[Object, meaning("What the manifest says of how the containers run.")]


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly what would be deployed."""

    sha256: Annotated[Sha256, meaning("The digest of the canonical form of all other fields of the subject.")]
    inference_specification: Annotated[Object | None, meaning("SageMaker's InferenceSpecification.")]
    additional_inference_specifications: Annotated[
        list[Object] | None, meaning("SageMaker's AdditionalInferenceSpecifications.")
    ]
    source_algorithms: Annotated[Object | None, meaning("SageMaker's SourceAlgorithmSpecification.")]
    source_uri: Annotated[str | None, meaning("SageMaker's SourceUri.")]
    managed_storage: Annotated[str | None, meaning("SageMaker's ManagedStorageType.")]
    deployment: Annotated[Deployment, meaning("The deployment settings.")]
    images: Annotated[dict[str, str], meaning("Each image as the package names it, and the same image by digest.")]
    artifacts: Annotated[list[PinnedArtifact], meaning("What is loaded, sorted by URL.")]


class Description(Struct, frozen=True, forbid_unknown_fields=True):
    """What a package says of itself."""

    description: Annotated[str | None, meaning("SageMaker's ModelPackageDescription.")]
    task: Annotated[str | None, meaning("SageMaker's Task.")]
    domain: Annotated[str | None, meaning("SageMaker's Domain.")]


class StoredFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file by its digest."""

    uri: Annotated[str, meaning("Where it lies; what is not in the vault is one of `artifacts`, by its `url`.")]
    sha256: Annotated[Sha256, meaning("The SHA-256 of its bytes.")]


class Dataset(Struct, frozen=True, forbid_unknown_fields=True):
    """The data that a model was measured on."""

    sha256: Annotated[str | None, meaning("Its digest: two models are compared only on the same.")]
    uri: Annotated[str | None, meaning("Where it lies, as who measured says.")]
    rows: Annotated[int | None, meaning("How many rows it has.")]


class MetricValue(Struct, frozen=True, forbid_unknown_fields=True):
    """One metric."""

    name: Annotated[str, meaning("Its name; the policy's, where a policy names its path.")]
    value: Annotated[float, meaning("The number as it was written.")]
    path: Annotated[str, meaning("The JMESPath expression that finds it.")]
    standard_deviation: Annotated[
        float | None,
        meaning("The spread that the document gives; no standard error: nothing follows from it."),
    ]
    best_constant: Annotated[float | None, meaning("What the best classifier reaches that always answers the same.")]
    slice: Annotated[str | None, meaning("The part of the data, or null for all of it.")]


class Skipped(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a quality document and is no metric."""

    path: Annotated[str, meaning("Where it stands; empty for the document itself.")]
    reason: Annotated[str, meaning("Why it is none.")]


class Measurements(Struct, frozen=True, forbid_unknown_fields=True):
    """The metrics of one model on one data set."""

    format: Annotated[str, meaning("The format of the document, such as `model-monitor-binary`, `mlflow` or `flat`.")]
    document: Annotated[StoredFile | None, meaning("The document that the metrics stand in.")]
    dataset: Annotated[Dataset, meaning("The data set, as far as it is named.")]
    values: Annotated[list[MetricValue], meaning("All metrics.")]
    confusion: Annotated[
        dict[str, dict[str, int]] | None, meaning("How often each class (outer key) was predicted as each (inner key).")
    ]
    skipped: Annotated[list[Skipped], meaning("What is no metric.")]
    predictions: Annotated[StoredFile | None, meaning("The predictions that the metrics were computed from.")]


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """What is claimed and what was measured."""

    claimed: Annotated[Measurements | None, meaning("What the submitter's model quality document says.")]
    measured: Annotated[Measurements | None, meaning("What Signoff computed from predictions on held-out data.")]


class Champion(Struct, frozen=True, forbid_unknown_fields=True):
    """The package that was deployed in the group at the time."""

    name: Annotated[str, meaning("`group/version`, or `group/baseline`.")]
    group: Annotated[str, meaning("The group.")]
    version: Annotated[int | None, meaning("The version; null of a baseline.")]
    package: Annotated[str | None, meaning("Its ARN; null of a baseline.")]
    ledger: Annotated[str, meaning("The key of its ledger.")]
    evidence: Annotated[StoredFile | None, meaning("Its own evidence: whoever signs this signs that comparison.")]
    baseline: Annotated[bool, meaning("Whether it is a model that was approved by code review.")]


class ComparedMetric(Struct, frozen=True, forbid_unknown_fields=True):
    """One metric of both."""

    name: Annotated[str, meaning("Its name.")]
    candidate: Annotated[float | None, meaning("The candidate's value.")]
    champion: Annotated[float | None, meaning("The champion's value.")]
    difference: Annotated[float | None, meaning("The candidate's less the champion's.")]
    interval: Annotated[
        tuple[float, float] | None, meaning("The confidence interval of the difference, where one can be computed.")
    ]
    bound: Annotated[str | None, meaning("What the policy asks for.")]
    verdict: Annotated[
        Literal["better", "not-worse", "inconclusive", "worse", "not-compared"], meaning("What follows.")
    ]
    method: Annotated[str | None, meaning("How the interval was computed.")]
    slice: Annotated[str | None, meaning("The part of the data, or null for all of it.")]
    unit: Annotated[str | None, meaning("The unit, as the policy names it.")]


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that changed since the champion."""

    part: Annotated[str, meaning("The path of what changed.")]
    before: Annotated[str | None, meaning("Of the champion; null where it has nothing there.")]
    after: Annotated[str | None, meaning("Of the candidate; null where it has nothing there.")]


class Comparison(Struct, frozen=True, forbid_unknown_fields=True):
    """The comparison with the champion."""

    champion: Annotated[Champion | None, meaning("Whom it was compared with; null where the group had none.")]
    same_bytes: Annotated[list[str], meaning("The packages of the group that load the very same bytes.")]
    data: Annotated[Literal["same", "other", "unknown"], meaning("Whether both were measured on the same data set.")]
    because: Annotated[str | None, meaning("Why there is no comparison, or why not of everything.")]
    basis: Annotated[Literal["claimed", "measured"] | None, meaning("Which values were compared.")]
    metrics: Annotated[list[ComparedMetric], meaning("Every metric that both have.")]
    changed: Annotated[list[Change], meaning("What changed, by path.")]


class Vulnerability(Struct, frozen=True, forbid_unknown_fields=True):
    """A finding of a scan."""

    id: Annotated[str, meaning("Its name, such as `CVE-2026-1234`.")]
    severity: Annotated[str, meaning("How severe it is, as ECR says.")]
    package: Annotated[str | None, meaning("The package that has it.")]
    fixed_in: Annotated[str | None, meaning("The version that does not have it any more.")]


class Scan(Struct, frozen=True, forbid_unknown_fields=True):
    """A scan of an image for vulnerabilities."""

    kind: Annotated[Literal["basic", "enhanced"], meaning("Whose scan it is: ECR's own, or Amazon Inspector's.")]
    status: Annotated[str, meaning("What ECR says of it.")]
    completed: Annotated[str | None, meaning("When it ended.")]
    source_updated: Annotated[str | None, meaning("When what is known of vulnerabilities was last updated.")]
    counts: Annotated[dict[str, int], meaning("How many findings there are, by severity.")]
    findings: Annotated[list[Vulnerability], meaning("The 20 worst findings.")]


class Image(Struct, frozen=True, forbid_unknown_fields=True):
    """An image that a container runs."""

    image: Annotated[str, meaning("As the package names it.")]
    digest: Annotated[str, meaning("The digest that it is pinned to.")]
    scan: Annotated[Scan | None, meaning("What ECR's scan found; null where none was asked for, or ECR had none.")]
    signed: Annotated[
        bool | None, meaning("Whether ECR signed it as the policy wants; null where that was not asked, or not said.")
    ]


class BiasMetric(Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of SageMaker Clarify's bias report."""

    facet: Annotated[str, meaning("The feature whose groups are compared.")]
    value: Annotated[str | None, meaning("The group.")]
    metric: Annotated[str, meaning("The metric's name, such as `DPPL`.")]
    value_found: Annotated[float | None, meaning("Its value; null where Clarify could not compute it.")]
    error: Annotated[str | None, meaning("Why not.")]


class _Validation(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What evidence of each version says."""

    subject: Annotated[Subject, meaning("What would be deployed.")]
    package: Annotated[str, meaning("The key of the package's ledger: its ARN, `@`, and when it was created.")]
    group: Annotated[str, meaning("Its group.")]
    version: Annotated[int | None, meaning("Its version.")]
    attempt: Annotated[int, meaning("Which validation of the package this was.")]
    execution: Annotated[str, meaning("The execution of the workflow.")]
    started: Annotated[str, meaning("When the validation began.")]
    verdict: Annotated[Literal["passed", "failed", "errored"], meaning("What follows from the checks.")]
    checks: Annotated[list[Check], meaning("All checks.")]
    artifacts: Annotated[list[Artifact], meaning("All that was inspected.")]
    policy: Annotated[Sha256, meaning("The digest of the policy that it was judged by, in the vault: `policies/`.")]
    submitter: Annotated[str | None, meaning("Who submitted it (an ARN); null of somebody unknown.")]
    registration: Annotated[str | None, meaning("The id of its registration, in the vault: `registrations/`.")]


class Rows(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows that a model was asked about, which the policy names."""

    uri: Annotated[str, meaning("The S3 URI of the object; the vault has a copy.")]
    version: Annotated[str, meaning("Its version.")]
    sha256: Annotated[Sha256, meaning("The SHA-256 of its bytes.")]
    rows: Annotated[int | None, meaning("How many rows it has; null where nobody came to count them.")]


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """The transform job that asked the model, for this validation or for one before."""

    name: Annotated[str, meaning("Its name.")]
    instance_type: Annotated[str, meaning("What it ran on.")]
    instance_count: Annotated[int, meaning("On how many.")]
    seconds: Annotated[int | None, meaning("For how long.")]


class Cost(Struct, frozen=True, forbid_unknown_fields=True):
    """What this measurement cost."""

    instance_type: Annotated[str, meaning("As of the job.")]
    instance_count: Annotated[int, meaning("As of the job.")]
    seconds: Annotated[int | None, meaning("As of the job; 0 where the model had been asked before.")]
    minutes_allowed: Annotated[int, meaning("How many minutes the policy allowed.")]


class ModelRun(Struct, frozen=True, forbid_unknown_fields=True):
    """What came of asking a model."""

    subject: Annotated[Sha256 | None, meaning("The digest of the subject that was run; null where none could be.")]
    outcome: Annotated[Literal["passed", "failed", "errored", "refused"], meaning("How it came out.")]
    reason: Annotated[str, meaning("Why, in a sentence for people.")]
    data: Annotated[Rows, meaning("The rows.")]
    job: Annotated[Job | None, meaning("The job; null where none completed.")]
    cost: Annotated[Cost | None, meaning("What it cost; null where no job completed.")]


class EvaluationRun(ModelRun, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How Signoff measured the candidate."""

    champion: Annotated[ModelRun | None, meaning("The same of the champion, by the same rows; null without any.")]


class SmokeRun(ModelRun, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came of running the candidate on a sample."""

    predictions: Annotated[StoredFile, meaning("What it answered.")] | msgspec.UnsetType = msgspec.UNSET


class EvidenceVersion1(_Validation, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Evidence as it was written before metrics and champions were part of it."""

    evidence_version: Annotated[Literal[1], meaning("The version of this form.")]


class EvidenceVersion2(_Validation, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Evidence with all that a person decides on."""

    evidence_version: Annotated[Literal[2], meaning("The version of this form.")]
    description: Annotated[Description, meaning("What the package says of itself.")]
    provenance: Annotated[dict[str, str], meaning("SageMaker's MetadataProperties of the package: commit, repository.")]
    metrics: Annotated[Metrics, meaning("How good the model is.")]
    comparison: Annotated[Comparison, meaning("How good it is beside the champion at the time.")]
    images: Annotated[list[Image], meaning("What it runs in.")]
    bias: Annotated[list[BiasMetric], meaning("What its bias report says of what the policy asks for.")]
    evaluation: Annotated[EvaluationRun | None, meaning("How Signoff measured it: data, job and cost.")]
    smoke: Annotated[SmokeRun | None, meaning("What came of running it on a sample.")]


_OPEN = "additionalProperties"


def evidence_schema(*, closed: bool = False) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of evidence, JSON-ready.

    Unless it is `closed`, it lets pass fields that it does not know, which later Signoffs may add.
    """
    _, defined = msgspec.json.schema_components([EvidenceVersion1, EvidenceVersion2], ref_template="#/$defs/{name}")
    if not closed:
        for schema in defined.values():
            if schema.get(_OPEN) is False:
                del schema[_OPEN]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:signoff:evidence",
        "title": "Signoff evidence",
        "description": "What was checked, measured and compared of a model package, in canonical JSON (RFC 8785)",
        "oneOf": [{"$ref": f"#/$defs/EvidenceVersion{version}"} for version in (1, 2)],
        "$defs": dict(sorted(defined.items())),
    }
