"""A model that a stack deploys, by which a model package group has a champion before its first submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import aws_cdk as cdk
import aws_cdk.aws_sagemaker_alpha as sagemaker
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from signoff_cdk.group import group_name

RECORDER = "/signoff/constructs/record-baseline"
_PATIENCE = 10  # minutes


class BaselineModel(sagemaker.Model):
    """The library's own Model, which Signoff records as the group's baseline, approved by the review of its code.

    It is the group's champion for as long as none of the group's packages is approved and has a model. The group's
    policy must take baselines of this stack (`groups.baselines`).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        group: str,
        containers: Sequence[sagemaker.ContainerDefinition | Mapping[str, Any]],
        role: iam.IRole | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | Mapping[str, Any] | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        allow_all_outbound: bool | None = None,
        network_isolation: bool | None = None,
        model_name: str | None = None,
        review: str | None = None,
        recorder: str = RECORDER,
    ) -> None:
        """Deploy a model of 1 to 15 `containers` as the baseline of `group`, a model package group.

        Other arguments are those of sagemaker.Model. review: where the code was reviewed (a pull
        request, a change's number), for the ledger. recorder: the parameter that says which function records baselines.
        Raises ValueError for an invalid group name.
        """
        self.group = group_name(group)
        super().__init__(
            scope,
            id,
            containers=cast(Any, list(containers)),
            role=role,
            vpc=vpc,
            vpc_subnets=cast(Any, vpc_subnets),
            security_groups=list(security_groups) if security_groups else None,
            allow_all_outbound=allow_all_outbound,
            network_isolation=network_isolation,
            model_name=model_name,
        )
        self._record(review, recorder)

    def _record(self, review: str | None, recorder: str) -> None:
        model = cast(cdk.CfnElement, self.node.find_child("Model"))
        names = {"ModelName": self.model_name, "ModelArn": self.model_arn, "ModelLogicalId": model.logical_id}
        cdk.CustomResource(
            self,
            "Record",
            resource_type="Custom::SignoffBaseline",
            service_token=ssm.StringParameter.value_for_string_parameter(self, recorder),
            service_timeout=cdk.Duration.minutes(_PATIENCE),
            properties={"Group": self.group, **names, **({"Review": review} if review else {})},
        )
