"""The champion of a model package group, wherever the SageMaker construct library takes a model."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
import aws_cdk.aws_sagemaker_alpha as sagemaker
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from signoff_cdk.baseline_model import BaselineModel
from signoff_cdk.group import group_name, parameter_of

CHAMPIONS = "/signoff/champions"


@jsii.implements(sagemaker.IModel)
class ApprovedModel(cdk.Resource):
    """The model of the package that Signoff's approvers signed last in a group, or the group's baseline.

    It is looked up each time the stack is deployed, so that a deployment takes the champion of its day. A group
    without a champion fails the deployment before anything of it has changed.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        group: str,
        role: iam.IRole | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        baseline: BaselineModel | None = None,
        champions: str = CHAMPIONS,
    ) -> None:
        """Find the champion of `group`, a model package group that Signoff governs, in the stack's account and region.

        role: the execution role that the group's policy gives its models, if statements are to be added to it.
        security_groups: those that the policy puts the models in, if their connections are to be managed.
        baseline: the group's baseline in another stack of the app, which is then deployed before this one.
        champions: the path of the parameters where Signoff publishes champions (its output ChampionPath).
        Raises ValueError for an invalid group name, and for a baseline in the same stack.
        """
        super().__init__(scope, id)
        if baseline:
            self._after(baseline, group)
        arn = ssm.StringParameter.value_for_string_parameter(self, parameter_of(champions, group_name(group)))
        groups = list(security_groups) if security_groups else None
        self._model = sagemaker.Model.from_model_attributes(
            self, "Champion", model_arn=arn, role=role, security_groups=groups
        )

    def _after(self, baseline: BaselineModel, group: str) -> None:
        if baseline.group.lower() != group.lower():
            raise ValueError(f"{baseline.node.path} is the baseline of {baseline.group}, not of {group}")
        if baseline.stack.node.path == self.stack.node.path:
            raise ValueError(
                f"{self.node.path} and its baseline {baseline.node.path} are in one stack: put the baseline in a stack "
                "of its own, because CloudFormation looks the champion up before it creates anything"
            )
        self.stack.add_stack_dependency(baseline.stack, "The baseline is champion until a package is approved")

    @property
    def model_arn(self) -> str:
        """The ARN of the champion's model, known when the stack is deployed."""
        return self._model.model_arn

    @property
    def model_name(self) -> str:
        """The name of the champion's model, known when the stack is deployed."""
        return self._model.model_name

    @property
    def role(self) -> iam.IRole | None:
        """The execution role, if it was given."""
        return self._model.role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The principal that the model runs as; without a role, one to which nothing can be granted."""
        return self._model.grant_principal

    @property
    def connections(self) -> ec2.Connections:
        """The network connections of the model. Raises RuntimeError when no security groups were given."""
        return self._model.connections

    def add_to_role_policy(self, statement: iam.PolicyStatement) -> None:
        """Add a statement to the execution role. Without one it is a warning, and the statement is nowhere."""
        if self.role is None:
            reason = "its execution role is that of the group's policy: give `role` to add statements to it"
            cdk.Annotations.of(self).add_warning_v2("@signoff/cdk:noRole", f"A statement was not added, for {reason}")
        self._model.add_to_role_policy(statement)
