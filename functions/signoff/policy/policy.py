"""A group's policy: requirements for artifacts, metrics and approvals, and how its models are deployed.

Each field has its description and constraints here: `signoff policy schema` and docs/policy.md are generated from them,
and `signoff.policy.lint` reports faults by them.
"""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from signoff.artifact.requirements import Requirements
from signoff.documents.canonical_json import digest
from signoff.documents.faults import Fault, refuse
from signoff.errors import PolicyFault
from signoff.identity.principals import listed
from signoff.policy.approvals import Approvals
from signoff.policy.artifact import Artifact
from signoff.policy.deployment import Deployment
from signoff.policy.evaluation import Evaluation, Smoke
from signoff.policy.images import Images
from signoff.policy.metrics import Bias, Comparison, Metric
from signoff.policy.provenance import Provenance
from signoff.policy.values import AccountId, Name, Objects, Person, Prefix, RoleArn, StackArn, Variable, meaning


class Groups(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a submission may create its model package group, and whose baselines are accepted."""

    create: Annotated[
        bool,
        meaning(
            "Whether a submission creates its model package group, if it does not exist. In the default policy: only a "
            "signed one that asks for it (`signoff submit --create-group`)."
        ),
    ] = False
    baselines: Annotated[
        tuple[StackArn, ...],
        meaning(
            "Patterns (`*`, `?`) of the ARNs of CloudFormation stacks whose models count as approved by code review.",
            examples=[["arn:aws:cloudformation:*:123456789012:stack/churn-*/*"]],
        ),
    ] = ()

    def takes_baseline(self, stack: str) -> bool:
        """Return whether the stack of that ARN may deploy the group's baseline."""
        return any(fnmatchcase(stack, pattern) for pattern in self.baselines)


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Which other AWS accounts have access to the group, besides those that its models are deployed to.

    Both may view packages and send decisions about them; neither may change them.
    """

    submit: Annotated[
        tuple[AccountId, ...],
        meaning("Accounts (12 digits) that may register packages; their people may view and decide."),
    ] = ()
    deploy: Annotated[
        tuple[AccountId, ...],
        meaning(
            "Accounts (12 digits) that create models of the packages themselves; their people may view and decide."
        ),
    ] = ()


Unpinned = Literal["source_uri", "algorithm", "marketplace", "managed_storage", "hub", "manifest_file", "image"]


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """What a model may consist of although it cannot be pinned or inspected: nothing, unless it is listed here."""

    unpinned: Annotated[
        tuple[Unpinned, ...],
        meaning(
            "Sources outside the vault from which SageMaker may load code or weights. `image`: containers without "
            "model data, although `artifact` asks something of it."
        ),
    ] = ()
    model_data: Annotated[
        tuple[Objects, ...],
        meaning(
            "Patterns (with `*` and `?`) of S3 URIs in Signoff's own buckets from which packages may load although "
            "they belong to another group.",
            examples=[["s3://signoff-artifacts/foundation/*"]],
        ),
    ] = ()
    environment: Annotated[
        tuple[Variable, ...],
        meaning(
            "Patterns (`NAME=VALUE`, with `*` and `?`) of variables that make a container fetch code or weights when "
            "it starts.",
            examples=[["HF_MODEL_ID=acme/*"]],
        ),
    ] = ()
    fetched: Annotated[
        tuple[Name, ...],
        meaning(
            "Patterns (with `*` and `?`) of lines in `requirements.txt` and in servers' settings by which a container "
            "fetches code or weights when it starts.",
            examples=[["--index-url https://pypi.example.com/*", "git+https://git.example.com/*"]],
        ),
    ] = ()


class Validation(Struct, frozen=True, forbid_unknown_fields=True):
    """Under which roles, and with output below which S3 prefixes, SageMaker may test a package itself."""

    roles: Annotated[
        tuple[RoleArn, ...], meaning("ARNs of the roles under which SageMaker may run a transform job on a package.")
    ] = ()
    outputs: Annotated[tuple[Prefix, ...], meaning("S3 prefixes (`s3://.../`) below which that job may write.")] = ()


class Submissions(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may submit to the group."""

    submitters: Annotated[
        tuple[Person, ...],
        meaning(
            "Who may submit: patterns of persons, and then nobody else, and nothing unsigned. None means anyone who "
            "can upload.",
            examples=[["arn:aws:iam::123456789012:role/training-*"]],
        ),
    ] = ()


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """One group's policy, or the default one. In `report` mode all is checked and recorded, but not enforced."""

    deployment: Annotated[Deployment, meaning("Under whose authority and in which network models run.")]
    description: Annotated[
        str, meaning("What the policy is for, in words. Also the description of the SSM parameter.")
    ] = ""
    mode: Annotated[
        Literal["enforce", "report"],
        meaning("`enforce` enforces all rules; `report` checks and records the same, and lets everything pass."),
    ] = "enforce"
    groups: Annotated[Groups, meaning("Whether submissions create the group, and whose baselines count.")] = Groups()
    submissions: Annotated[Submissions, meaning("Who may submit.")] = Submissions()
    approvals: Annotated[
        Approvals, meaning("Who decides, how many of them, how they prove it, and how long it may take.")
    ] = Approvals()
    artifact: Annotated[
        Artifact,
        meaning(
            "What the model archive must contain, and what it may contain. If anything is set here, a container "
            "without model data fails."
        ),
    ] = Artifact()
    metrics: Annotated[
        tuple[Metric, ...],
        meaning("What is asked of the numbers of the model quality document, alone and against the champion's."),
    ] = ()
    comparison: Annotated[
        Comparison, meaning("How the model is compared with the champion, and what it means if it cannot be.")
    ] = Comparison()
    bias: Annotated[tuple[Bias, ...], meaning("Bounds on the metrics of the bias report. Each has to be met.")] = ()
    images: Annotated[Images, meaning("Which images models may run in.")] = Images()
    sources: Annotated[Sources, meaning("What a model may consist of although it cannot be pinned or inspected.")] = (
        Sources()
    )
    provenance: Annotated[Provenance, meaning("What a model has to say of where it comes from.")] = Provenance()
    validation: Annotated[Validation, meaning("What SageMaker may use to test a package when it is registered.")] = (
        Validation()
    )
    evaluation: Annotated[
        Evaluation | None,
        meaning("Held-out data that Signoff has each model score itself, before it is approved; not by default."),
    ] = None
    smoke: Annotated[
        Smoke | None,
        meaning("Rows that each model has to answer as expected, before it is approved; not by default."),
    ] = None
    write_back: Annotated[
        bool,
        meaning(
            "Whether SageMaker's own tools show what Signoff found: the evidence in the package's model card, its "
            "approval in the lineage."
        ),
    ] = True
    accounts: Annotated[
        Accounts, meaning("Other AWS accounts with access to the group. Only in the policy of one group.")
    ] = Accounts()
    registration_defaults: Annotated[
        dict[str, Any] | None,
        meaning("Fields of a manifest that submissions may leave out. With them a submission needs no manifest."),
    ] = None

    def __post_init__(self) -> None:
        """Refuse metrics of one name, which no check and no comparison could tell apart."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for index, metric in enumerate(self.metrics):
            if first.setdefault(metric.name, index) != index:
                message = f"metrics[{first[metric.name]}] is called `{metric.name}` too: give each a name of its own"
                yield Fault(f"metrics[{index}].name", message)

    @property
    def document(self) -> dict[str, Any]:
        """The policy as JSON-ready data, every default written out."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    @property
    def digest(self) -> str:
        """The SHA-256 by which decisions and evidence name this policy."""
        return digest(self.document)

    def opens_to(self, account: str) -> bool:
        """Return whether another account has access to the group, or has its models deployed to it."""
        targets = (target.account for target in self.deployment.targets)
        return account in {*self.accounts.submit, *self.accounts.deploy, *targets}

    @property
    def requirements(self) -> Requirements:
        """What an inspection holds artifacts to."""
        return replace(self.artifact.requirements, fetched=self.sources.fetched)

    @property
    def stales_with_champion(self) -> bool:
        """Whether an approval is refused once the group has another champion than the one that was compared with."""
        return self.comparison.stale_champion and any(metric.compares for metric in self.metrics)

    @property
    def enforced(self) -> bool:
        """Whether the policy is enforced; in `report` mode violations are only recorded."""
        return self.mode == "enforce"

    @property
    def measures(self) -> bool:
        """Whether models are measured by Signoff itself, before they are approved."""
        return bool(self.evaluation or self.smoke)

    def lists(self, approver: str) -> bool:
        """Return whether `approver` (an ARN) may decide for this group."""
        return self.approvals.lists(approver)

    def takes_from(self, submitter: str | None) -> bool:
        """Return whether `submitter` (an ARN, None for an unknown one) may submit to this group."""
        patterns = self.submissions.submitters
        if not patterns:
            return True  # `approvals.unknown_submitter` decides about unknown ones
        return submitter is not None and listed(submitter, patterns, self.approvals.trusted_sessions)


def parse(data: bytes | str) -> Policy:
    """Read a policy from JSON. Raises `PolicyFault` saying what is wrong and where in the document."""
    return of_document(decoded(data))


def decoded(data: bytes | str) -> Any:
    """Return the JSON that `of_document` reads. Raises `PolicyFault` when it is none."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise PolicyFault(f"not JSON: {error}") from error


def of_document(document: dict[str, Any]) -> Policy:
    """Return the policy of a `Policy.document`. Raises `PolicyFault` as `parse` does."""
    try:
        return msgspec.convert(document, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyFault(str(error)) from error
