"""How and where models are created: a policy's `deployment`."""

from typing import Annotated

from msgspec import Struct

from signoff.documents.faults import Fault, refuse
from signoff.policy.values import AccountId, Region, meaning


class Vpc(Struct, frozen=True, forbid_unknown_fields=True):
    """The network that a model's containers are connected to."""

    security_groups: Annotated[tuple[str, ...], meaning("The ids of the security groups.")]
    subnets: Annotated[tuple[str, ...], meaning("The ids of the subnets.")]


Network = Annotated[Vpc | None, meaning("The network that the containers are connected to.")]


class Choices(Struct, frozen=True, forbid_unknown_fields=True):
    """What a manifest may choose instead of what the policy sets: nothing, unless it is listed here."""

    execution_roles: Annotated[
        tuple[str, ...], meaning("ARNs of the roles that a manifest may choose (ExecutionRoleArn).")
    ] = ()
    vpcs: Annotated[tuple[Vpc, ...], meaning("The networks that a manifest may choose (VpcConfig).")] = ()
    network_isolation: Annotated[
        tuple[bool, ...], meaning("The values that a manifest may choose (EnableNetworkIsolation).")
    ] = ()
    tags: Annotated[tuple[str, ...], meaning("The keys that a manifest may give values to (Tags).")] = ()


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """Where else a model is created once its package is approved: in another account, another region, or both."""

    region: Annotated[Region, meaning("The AWS region.", examples=["eu-west-1"])]
    execution_role: Annotated[str, meaning("The ARN of the role that models run under there.")]
    account: Annotated[
        AccountId | None,
        meaning("The AWS account, 12 digits; without it, the registry's own.", examples=["222222222222"]),
    ] = None
    vpc: Network = None


class Deployment(Struct, frozen=True, forbid_unknown_fields=True):
    """Under whose authority and in which network a model runs. A manifest sets only what `choices` offer."""

    execution_role: Annotated[
        str,
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
        """Refuse duplicate targets: each has one model of a package."""
        places = [(target.account, target.region) for target in self.targets]
        if len(set(places)) < len(places):
            refuse([Fault("targets", "`targets` name the same account and region twice")])
