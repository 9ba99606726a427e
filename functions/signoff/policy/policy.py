"""What a model package group demands: of the artifact, the metrics, the approvals, and how its models are deployed."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import jmespath
import msgspec

from signoff.artifact.requirements import KNOWN_FORMATS, PYTHON_PLACES, SCRIPT_PLACES, Demands, Places
from signoff.artifact.streams.limits import GIB, Limits
from signoff.documents.canonical_json import digest
from signoff.documents.faults import Fault, refuse
from signoff.errors import PolicyFault
from signoff.policy.approvals import Approvals, matches_any, names_of, pattern_faults


class Groups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a submission may create the model package group that it names, and whose baselines it takes.

    `baselines` are patterns (`*` and `?`) of the ARNs of CloudFormation stacks whose models count as approved by the
    review of their code; none means no stack's.
    """

    create: bool = False
    baselines: tuple[str, ...] = ()

    def takes_baseline(self, stack: str) -> bool:
        """Return whether the stack of that ARN may deploy the group's baseline."""
        return any(fnmatchcase(stack, pattern) for pattern in self.baselines)


# The least and the most of each limit: an inspection remembers every name, and must end.
LIMITS = {"expanded_gib": (1, 1024), "ratio": (1, 10_000), "members": (1, 200_000), "nested": (0, 10)}


class ArtifactLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far an archive may expand (GiB; times its size), what it may hold, and how deep archives may lie in it."""

    expanded_gib: int = 200
    ratio: int = 1000
    members: int = 100_000
    nested: int = 5

    def __post_init__(self) -> None:
        """Refuse what lets nothing through, and what bounds nothing."""
        refuse(
            Fault(name, f"`{name}` is at least {least} and at most {most}")
            for name, (least, most) in LIMITS.items()
            if not least <= getattr(self, name) <= most
        )

    @property
    def reading(self) -> Limits:
        """The same as an inspection takes them."""
        return Limits(self.expanded_gib * GIB, self.ratio, members=self.members, nested=self.nested)


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where code may lie in an artifact: globs on the names of files, by what it is."""

    python: tuple[str, ...] = PYTHON_PLACES
    scripts: tuple[str, ...] = SCRIPT_PLACES
    compiled: tuple[str, ...] = ()

    @property
    def places(self) -> Places:
        """The same as an inspection takes it."""
        return Places(self.python, self.scripts, self.compiled)


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an artifact must hold, and may; files are named by globs over the archive's member names.

    `formats` are those that models in it may be of; none means any that can be looked into.
    """

    required_files: tuple[str, ...] = ()
    forbidden_files: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    code: Code = Code()
    licence: bool = False
    model_card: bool = False
    limits: ArtifactLimits = ArtifactLimits()

    def __post_init__(self) -> None:
        """Refuse formats that nobody knows, and files that are required and forbidden both."""
        refuse([*self._unknown_formats(), *self._contradictions()])

    def _unknown_formats(self) -> Iterator[Fault]:
        for index, name in enumerate(self.formats):
            if name not in KNOWN_FORMATS:
                yield Fault(f"formats[{index}]", f"`{name}` is no format known here: {', '.join(KNOWN_FORMATS)}")

    def _contradictions(self) -> Iterator[Fault]:
        for index, glob in enumerate(self.forbidden_files):
            for name in self.required_files:
                if name == glob or fnmatchcase(name, glob):
                    told = f"`{glob}` forbids `{name}`, which `required_files` asks for"
                    yield Fault(f"forbidden_files[{index}]", told)

    @property
    def demands(self) -> Demands:
        """The same as an inspection takes it."""
        return Demands(
            required_files=self.required_files,
            forbidden_files=self.forbidden_files,
            formats=self.formats,
            code=self.code.places,
            licence=self.licence,
            model_card=self.model_card,
            limits=self.limits.reading,
        )


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A threshold on one number of the model quality document, found there by the JMESPath expression `path`."""

    name: str
    path: str
    at_least: float | None = None
    at_most: float | None = None

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


class Vpc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The network that a model's containers are connected to."""

    security_groups: tuple[str, ...]
    subnets: tuple[str, ...]


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a manifest may choose of a deployment, beside what the policy sets: nothing, unless it is listed here.

    `tags` are the keys that a manifest may give values to.
    """

    execution_roles: tuple[str, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    network_isolation: tuple[bool, ...] = ()
    tags: tuple[str, ...] = ()


AccountId = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")]


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where else a model is made once its package is approved: in another account, another region, or both.

    Without an `account` it is the registry's own. Execution role and network are those of the account it is made in.
    """

    region: Region
    execution_role: str
    account: AccountId | None = None
    vpc: Vpc | None = None


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under whose authority and in which network a model runs. A manifest sets only what `choices` offer."""

    execution_role: str
    network_isolation: bool = True
    vpc: Vpc | None = None
    tags: dict[str, str] = {}
    choices: Choices = Choices()
    targets: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        """Refuse the same place twice: there is one model of a package in each."""
        places = [(target.account, target.region) for target in self.targets]
        if len(set(places)) < len(places):
            refuse([Fault("targets", "`targets` name the same account and region twice")])


class Accounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which other AWS accounts the group is open to, beside those that its models are deployed to.

    Those under `submit` may register packages, those under `deploy` make models of them; both may look at them and
    send decisions about them, and neither may change them, which is the right to approve.
    """

    submit: tuple[AccountId, ...] = ()
    deploy: tuple[AccountId, ...] = ()


Unpinned = Literal["source_uri", "algorithm", "marketplace", "managed_storage", "hub", "manifest_file"]


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model may consist of although it cannot be pinned or looked into: nothing, unless it is listed here.

    `unpinned` are ways in which SageMaker finds code or weights that are not in the vault; `environment` are patterns
    (`NAME=VALUE`, with `*` and `?`) of variables that make a container fetch code or weights when it starts.
    """

    unpinned: tuple[Unpinned, ...] = ()
    environment: tuple[str, ...] = ()


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under which roles, and with output below which S3 prefixes, SageMaker may test a package itself."""

    roles: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an output that other names begin with as well."""
        refuse(
            Fault(f"outputs[{index}]", f"`outputs` are S3 prefixes, s3://.../, and {output} is none")
            for index, output in enumerate(self.outputs)
            if not (output.startswith("s3://") and output.endswith("/"))
        )


class Submissions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may submit to the group: `submitters` are ARN patterns as for approvers; none means anyone who can upload."""

    submitters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would match nobody."""
        refuse(pattern_faults("submitters", self.submitters))


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group's policy, or the default one. In `report` mode all is checked and recorded, and nothing is held."""

    deployment: Deployment
    description: str = ""
    mode: Literal["enforce", "report"] = "enforce"
    groups: Groups = Groups()
    submissions: Submissions = Submissions()
    approvals: Approvals = Approvals()
    artifact: Artifact = Artifact()
    metrics: tuple[Metric, ...] = ()
    sources: Sources = Sources()
    validation: Validation = Validation()
    accounts: Accounts = Accounts()
    registration_defaults: dict[str, Any] | None = None

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
