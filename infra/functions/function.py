"""One Lambda function: its role, its logs, its traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.access.compliance import acknowledge
from infra.access.roles import TRACING, Grant, make_role
from infra.settings import DeploymentSettings


@dataclass(frozen=True)
class FunctionSpec:
    """One function's resources: `timeout` in seconds, `memory` in MiB (1,769 is one CPU), `reserved` executions.

    `at_once` is its maximum concurrency on its queue, where that is to be less than of others.
    """

    handler: str
    description: str
    timeout: int
    memory: int
    reserved: int | None = None
    at_once: int | None = None

    @property
    def duration(self) -> cdk.Duration:
        """The timeout as CDK takes it."""
        return cdk.Duration.seconds(self.timeout)


@dataclass(frozen=True)
class FunctionRuntime:
    """What all functions share: the deployment's settings, the code (one asset) and the optional key."""

    settings: DeploymentSettings
    code: lambda_.Code
    key: kms.IKey | None

    def logs(self, scope: Construct, construct_id: str, name: str | None = None) -> logs.LogGroup:
        """A log group that is kept as long as the settings say, under a name of CloudFormation's own unless given."""
        ephemeral = self.settings.ephemeral
        return logs.LogGroup(
            scope,
            construct_id,
            log_group_name=name,
            encryption_key=self.key,
            retention=_retention(self.settings.log_retention_days),
            removal_policy=cdk.RemovalPolicy.DESTROY if ephemeral else cdk.RemovalPolicy.RETAIN,
        )

    def decryption(self) -> list[Grant]:
        """A function's grants on the customer's key, if there is one."""
        return [Grant(("kms:Decrypt", "kms:GenerateDataKey"), (self.key.key_arn,))] if self.key else []


class Function(lambda_.Function):
    """A function under a role of its own (`own_role`) that may write its logs and traces and do what `grants` say."""

    own_role: iam.Role

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: FunctionRuntime,
        shape: FunctionSpec,
        grants: Sequence[Grant],
        environment: Mapping[str, str],
    ) -> None:
        log_group = runtime.logs(scope, f"{construct_id}Logs")
        logging = Grant(("logs:CreateLogStream", "logs:PutLogEvents"), (log_group.log_group_arn,))
        role = make_role(
            scope,
            f"{construct_id}Role",
            service="lambda",
            description=f"What {construct_id} may do",
            grants=[logging, TRACING, *grants, *runtime.decryption()],
        )
        super().__init__(
            scope,
            construct_id,
            description=shape.description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_architecture(runtime.settings),
            code=runtime.code,
            handler=f"{shape.handler}.handler",
            role=role.without_policy_updates(),
            timeout=shape.duration,
            memory_size=shape.memory,
            reserved_concurrent_executions=shape.reserved,
            tracing=lambda_.Tracing.ACTIVE,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=log_group,
            environment=dict(environment),
        )
        self.own_role = role
        acknowledge(self, "AwsSolutions-L1", "Python 3.13 is the version the dependencies are locked and tested for")


def _architecture(settings: DeploymentSettings) -> lambda_.Architecture:
    return lambda_.Architecture.ARM_64 if settings.architecture == "arm64" else lambda_.Architecture.X86_64


def _retention(days: int) -> logs.RetentionDays:
    """CDK's name for a number of days; its own names count in weeks, months and years."""
    names = {7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH", 60: "TWO_MONTHS", 90: "THREE_MONTHS"}
    names |= {120: "FOUR_MONTHS", 150: "FIVE_MONTHS", 180: "SIX_MONTHS", 365: "ONE_YEAR", 400: "THIRTEEN_MONTHS"}
    names |= {545: "EIGHTEEN_MONTHS", 731: "TWO_YEARS", 1096: "THREE_YEARS", 1827: "FIVE_YEARS", 2192: "SIX_YEARS"}
    names |= {1: "ONE_DAY", 3: "THREE_DAYS", 5: "FIVE_DAYS", 2557: "SEVEN_YEARS", 3653: "TEN_YEARS"}
    return logs.RetentionDays[names[days]]
