"""The stack of a workload account: access to a registry in another account, and that registry's access here.

Its bus forwards decisions and annotations to the registry's account, and receives the events of the account's groups.
CreateModel of the registry's account may create models here and publish champions, and nothing else.
"""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import names
from infra.access.execution_role import make_execution_role
from infra.access.roles import Grant, acknowledge_grants, document
from infra.alarms import Alarms
from infra.events.bus import SignoffBus
from infra.events.forwarding_rule import ForwardingRule
from infra.events.queues import DeadLetterQueue
from infra.functions.model_permissions import LIST_ONLY, make_models, publish_champions
from infra.settings import CentralRegistry, DeploymentSettings


class SignoffWorkloadStack(cdk.Stack):
    """The bus, the forwarding of decisions, the role that makes models, the role that they run under, the outputs."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: DeploymentSettings, central: CentralRegistry
    ) -> None:
        super().__init__(scope, construct_id, description="Signoff: a workload account of a central registry")
        self.central = central
        self.bus = SignoffBus(self, "Bus")
        self.bus.listen_to(central.account)
        self.execution_role = self._models_role(settings)
        self.deployer = self._deployer(settings)
        self._send_decisions(settings)
        self._add_outputs()

    def _models_role(self, settings: DeploymentSettings) -> iam.Role:
        """The models' default execution role in this account."""
        central = self.central
        regional = (names.regional_vault(central.account, region, settings.suffix) for region in central.deployed_to)
        vaults = [f"arn:{self.partition}:s3:::{name}" for name in (central.vault_bucket, *regional)]
        keys = tuple(
            self.format_arn(service="kms", region=region, account=central.account, resource="key/*")
            for region in sorted({central.region, *central.deployed_to})
        )
        by_s3 = [f"s3.{region}.amazonaws.com" for region in sorted({central.region, *central.deployed_to})]
        decrypt = Grant(
            ("kms:Decrypt",), keys, "The key's policy says which", {"StringEquals": {"kms:ViaService": by_s3}}
        )
        return make_execution_role(
            self,
            vaults=vaults,
            keys=[decrypt],
            regions=sorted({central.region, *central.deployed_to}),
            vpc=settings.vpc,
            role_name=names.WORKLOAD_MODELS,
        )

    def _deployer(self, settings: DeploymentSettings) -> iam.Role:
        """The role that only CreateModel of the registry's account may assume."""
        maker = names.model_maker_role(self.partition, self.central.account, self.central.stack)
        regions = sorted({self.central.region, *self.central.deployed_to})
        grants = [
            *(grant for region in regions for grant in make_models(self, region, "Models are named after packages")),
            *(publish_champions(self, region) for region in regions),
            Grant(("sagemaker:ListEndpoints",), ("*",), LIST_ONLY),
            Grant(
                ("iam:PassRole",),
                (self.execution_role.role_arn, *settings.execution_roles),
                "The context names these execution roles by pattern",
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
        ]
        role = iam.Role(
            self,
            "Deployer",
            role_name=names.DEPLOYER,
            path=names.ROLES,
            description="What Signoff's CreateModel of the registry's account may do here",
            assumed_by=iam.AccountPrincipal(self.central.account).with_conditions(
                {"ArnLike": {"aws:PrincipalArn": maker}}
            ),
            inline_policies={"Allowed": document(grants)},
        )
        acknowledge_grants(role, grants)
        return role

    def _send_decisions(self, settings: DeploymentSettings) -> None:
        dead_letters = DeadLetterQueue(self, "DecisionDeadLetters", key=None)
        ForwardingRule(
            self,
            "Decisions",
            bus=self.bus,
            to=names.bus_arn(self, account=self.central.account, region=self.central.region),
            dead_letters=dead_letters,
            pattern=events.EventPattern(
                account=[self.account],
                source=events.Match.anything_but(names.SOURCE),
                detail_type=[names.DECISION, names.ANNOTATION],
            ),
            description="Decisions and annotations made in this account are weighed in the registry's",
        )
        Alarms(self, "Alarms", topic_arn=settings.alarm_topic_arn).on_dead_letters(dead_letters)

    def _add_outputs(self) -> None:
        """The outputs with which the command finds the registry's account."""
        outputs = {
            "CentralAccount": self.central.account,
            "CentralRegion": self.central.region,
            "ArtifactsBucket": self.central.artifacts_bucket,
            "BusName": self.bus.event_bus_name,
            "DeployerRoleArn": self.deployer.role_arn,
            "ModelExecutionRoleArn": self.execution_role.role_arn,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
