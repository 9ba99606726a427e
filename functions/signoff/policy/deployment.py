"""How and where models are created: a policy's `deployment`."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from signoff.documents.faults import Fault, below, refuse
from signoff.documents.patterns import compiled_on_use
from signoff.policy.values import AccountId, Region, RoleArn, SecurityGroup, Subnet, meaning

LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 128, 256
_TAG_TEXT = compiled_on_use(r"[\w\s.:/=+\-@]*")


class Vpc(Struct, frozen=True, forbid_unknown_fields=True):
    """The network that a model's containers are connected to.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
    """

    security_groups: Annotated[
        tuple[SecurityGroup, ...], meaning("The ids of the security groups, 5 at most.", min_length=1, max_length=5)
    ]
    subnets: Annotated[tuple[Subnet, ...], meaning("The ids of the subnets, 16 at most.", min_length=1, max_length=16)]


Network = Annotated[Vpc | None, meaning("The network that the containers are connected to.")]


class Choices(Struct, frozen=True, forbid_unknown_fields=True):
    """What a manifest may choose instead of what the policy sets: nothing, unless it is listed here."""

    execution_roles: Annotated[
        tuple[RoleArn, ...], meaning("ARNs of the roles that a manifest may choose (ExecutionRoleArn).")
    ] = ()
    vpcs: Annotated[tuple[Vpc, ...], meaning("The networks that a manifest may choose (VpcConfig).")] = ()
    network_isolation: Annotated[
        tuple[bool, ...], meaning("The values that a manifest may choose (EnableNetworkIsolation).")
    ] = ()
    tags: Annotated[tuple[str, ...], meaning("The keys that a manifest may give values to (Tags).")] = ()


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """Where else a model is created once its package is approved: in another account, another region, or both."""

    region: Annotated[Region, meaning("The AWS region.", examples=["eu-west-1"])]
    execution_role: Annotated[RoleArn, meaning("The ARN of the role that models run under there.")]
    account: Annotated[
        AccountId | None,
        meaning("The AWS account, 12 digits; without it, the registry's own.", examples=["222222222222"]),
    ] = None
    vpc: Network = None


class Deployment(Struct, frozen=True, forbid_unknown_fields=True):
    """Under whose authority and in which network a model runs. A manifest sets only what `choices` offer."""

    execution_role: Annotated[
        RoleArn,
        meaning(
            "The ARN of the role that models run under. In a policy file it may be left out: the stack's own is used.",
            examples=["arn:aws:iam::123456789012:role/models"],
        ),
    ]
    network_isolation: Annotated[
        bool, meaning("Whether containers can make no network calls (EnableNetworkIsolation).")
    ] = True
    vpc: Network = None
    tags: Annotated[dict[str, str], meaning("Tags that models get.", examples=[{"team": "fraud"}])] = {}
    choices: Annotated[Choices, meaning("What a manifest may choose instead; nothing, unless it is listed here.")] = (
        Choices()
    )
    targets: Annotated[
        tuple[Target, ...],
        meaning("Where else models are created: in other accounts, other regions. Only in the policy of one group."),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse duplicate targets, as each has one model of a package, and tags that no model can have."""
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        places = [(target.account, target.region) for target in self.targets]
        if len(set(places)) < len(places):
            yield Fault("targets", "`targets` name the same account and region twice")
        for key, value in self.tags.items():
            yield from tag_faults(below("tags", key), key, value)
        for index, key in enumerate(self.choices.tags):
            yield from tag_faults(f"choices.tags[{index}]", key)


def tag_faults(path: str, key: str, value: str = "") -> Iterator[Fault]:
    """Yield why no model can have a tag.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
    """
    if not 1 <= len(key) <= LONGEST_TAG_KEY or not _TAG_TEXT.fullmatch(key):
        yield Fault(path, f"the key of a tag has 1 to {LONGEST_TAG_KEY} letters, digits, spaces and _.:/=+-@")
    if key.lower().startswith("aws:"):
        yield Fault(path, "keys of tags that begin with `aws:` are reserved for AWS; use another")
    if len(value) > LONGEST_TAG_VALUE or not _TAG_TEXT.fullmatch(value):
        yield Fault(path, f"the value of a tag has at most {LONGEST_TAG_VALUE} letters, digits, spaces and _.:/=+-@")
