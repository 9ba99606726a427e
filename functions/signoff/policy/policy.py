"""What a model package group demands: of the artifact, the metrics, the approvals, and how its models are deployed.

Each field says here, with it, what it means and what it may be: `signoff policy schema` and docs/policy.md are made of
it, and `signoff.policy.lint` tells every fault by it.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import jmespath
import msgspec
from msgspec import Struct

from signoff.documents.canonical_json import digest
from signoff.documents.faults import Fault, refuse
from signoff.errors import PolicyFault
from signoff.policy.approvals import Approvals, matches_any, names_of
from signoff.policy.artifact import Artifact
from signoff.policy.deployment import Deployment
from signoff.policy.values import AccountId, Person, Prefix, meaning


class Groups(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a submission may create the model package group that it names, and whose baselines it takes."""

    create: Annotated[
        bool, meaning("Whether a submission makes the model package group that it names, if it is not there.")
    ] = False
    baselines: Annotated[
        tuple[str, ...],
        meaning(
            "Patterns (`*`, `?`) of the ARNs of CloudFormation stacks whose models count as approved by code review.",
            examples=[["arn:aws:cloudformation:*:123456789012:stack/churn-*/*"]],
        ),
    ] = ()

    def takes_baseline(self, stack: str) -> bool:
        """Return whether the stack of that ARN may deploy the group's baseline."""
        return any(fnmatchcase(stack, pattern) for pattern in self.baselines)


class Metric(Struct, frozen=True, forbid_unknown_fields=True):
    """A threshold on one number of the model quality document."""

    name: Annotated[str, meaning("What the metric is called in the evidence.")]
    path: Annotated[
        str,
        meaning(
            "A JMESPath expression that finds the number in the model quality document.",
            examples=["binary_classification_metrics.accuracy.value"],
        ),
    ]
    at_least: Annotated[float | None, meaning("The least that it may be.", examples=[0.92])] = None
    at_most: Annotated[float | None, meaning("The most that it may be.")] = None

    def __post_init__(self) -> None:
        """Refuse a threshold that tests nothing or looks nowhere."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        if self.at_least is None and self.at_most is None:
            yield Fault("", f"metric `{self.name}` needs `at_least`, `at_most` or both")
        try:
            jmespath.compile(self.path)
        except jmespath.exceptions.JMESPathError as error:
            why = " ".join(str(error).split())
            yield Fault("path", f"metric `{self.name}`: `{self.path}` is no JMESPath expression: {why}")


class Accounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Which other AWS accounts the group is open to, beside those that its models are deployed to.

    Both may look at packages and send decisions about them, and neither may change them, which is the right to approve.
    """

    submit: Annotated[
        tuple[AccountId, ...],
        meaning("Accounts (12 digits) that may register packages; their people may look and decide."),
    ] = ()
    deploy: Annotated[
        tuple[AccountId, ...],
        meaning("Accounts (12 digits) that make models of the packages themselves; their people may look and decide."),
    ] = ()


Unpinned = Literal["source_uri", "algorithm", "marketplace", "managed_storage", "hub", "manifest_file"]


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """What a model may consist of although it cannot be pinned or looked into: nothing, unless it is listed here."""

    unpinned: Annotated[
        tuple[Unpinned, ...], meaning("Ways in which SageMaker may find code or weights that are not in the vault.")
    ] = ()
    environment: Annotated[
        tuple[str, ...],
        meaning(
            "Patterns (`NAME=VALUE`, with `*` and `?`) of variables that make a container fetch code or weights when "
            "it starts.",
            examples=[["HF_MODEL_ID=acme/*"]],
        ),
    ] = ()


class Validation(Struct, frozen=True, forbid_unknown_fields=True):
    """Under which roles, and with output below which S3 prefixes, SageMaker may test a package itself."""

    roles: Annotated[
        tuple[str, ...], meaning("ARNs of the roles under which SageMaker may run a transform job on a package.")
    ] = ()
    outputs: Annotated[tuple[Prefix, ...], meaning("S3 prefixes (`s3://.../`) below which that job may write.")] = ()


class Submissions(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may submit to the group."""

    submitters: Annotated[
        tuple[Person, ...],
        meaning(
            "Who may submit: patterns of persons; none means anyone who can upload.",
            examples=[["arn:aws:iam::123456789012:role/training-*"]],
        ),
    ] = ()


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """One group's policy, or the default one. In `report` mode all is checked and recorded, and nothing is held."""

    deployment: Annotated[Deployment, meaning("Under whose authority and in which network models run.")]
    description: Annotated[
        str, meaning("What the policy is for, in words. It is the description of the SSM parameter too.")
    ] = ""
    mode: Annotated[
        Literal["enforce", "report"],
        meaning("`enforce` holds what is refused; `report` checks and records the same and holds nothing."),
    ] = "enforce"
    groups: Annotated[Groups, meaning("Whether submissions make the group, and whose baselines count.")] = Groups()
    submissions: Annotated[Submissions, meaning("Who may submit.")] = Submissions()
    approvals: Annotated[
        Approvals, meaning("Who decides, how many of them, how they prove it, and how long it may take.")
    ] = Approvals()
    artifact: Annotated[Artifact, meaning("What the model archive must hold, and what may lie in it.")] = Artifact()
    metrics: Annotated[
        tuple[Metric, ...], meaning("Thresholds on the numbers of the model quality document. Each has to be met.")
    ] = ()
    sources: Annotated[Sources, meaning("What a model may consist of although it cannot be pinned or looked into.")] = (
        Sources()
    )
    validation: Annotated[Validation, meaning("What SageMaker may test a package with when it is registered.")] = (
        Validation()
    )
    accounts: Annotated[
        Accounts, meaning("Other AWS accounts that the group is open to. Only in the policy of one group.")
    ] = Accounts()
    registration_defaults: Annotated[
        dict[str, Any] | None,
        meaning(
            "Fields of a manifest that submissions may leave out. With them a submission may do without a manifest."
        ),
    ] = None

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
        """Return whether the group has to do with another account: it submits to it, or models are deployed there."""
        targets = (target.account for target in self.deployment.targets)
        return account in {*self.accounts.submit, *self.accounts.deploy, *targets}

    @property
    def enforced(self) -> bool:
        """Whether what is refused is held; in `report` mode it is only recorded."""
        return self.mode == "enforce"

    def lists(self, approver: str) -> bool:
        """Return whether `approver` (an ARN) may decide for this group."""
        return self.approvals.lists(approver)

    def takes_from(self, submitter: str | None) -> bool:
        """Return whether `submitter` (an ARN, None for an unknown one) may submit to this group."""
        patterns = self.submissions.submitters
        if submitter is None:
            return True  # whether an unknown one may is what `approvals.unknown_submitter` says
        return not patterns or matches_any(names_of(submitter, self.approvals.trusted_sessions), patterns)


def parse(data: bytes | str) -> Policy:
    """Read a policy from JSON. Raises `PolicyFault` saying what is wrong and where in the document."""
    try:
        return msgspec.json.decode(data, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyFault(str(error)) from error
    except msgspec.DecodeError as error:
        raise PolicyFault(f"not JSON: {error}") from error


def of_document(document: dict[str, Any]) -> Policy:
    """Return the policy that `Policy.document` wrote. Raises `PolicyFault` as `parse` does."""
    try:
        return msgspec.convert(document, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyFault(str(error)) from error
