"""Does in a build, with the functions' own code, what takes longer than a function may run.

Why a build: docs/decisions/0024-what-a-function-has-no-time-for-is-inspected-in-a-build.md.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from infra.access.compliance import acknowledge
from infra.access.roles import Grant, make_role
from infra.functions.code_bundle import PYTHON, archive
from infra.functions.function import FunctionRuntime
from infra.settings import DeploymentSettings

# As long as CodeBuild allows, running and before that waiting for its turn.
# https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
RUNNING, WAITING = 36 * 60, 8 * 60  # minutes


class LongTask(codebuild.CfnProject):
    """A project whose builds each carry out one request by running a `module`, under a role of its own (`own_role`).

    Two processors and 4 GB (3 GB on x86_64) are enough: no task's memory grows with the artifact.
    """

    own_role: iam.Role
    log_group: logs.LogGroup

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        module: str,
        description: str,
        runtime: FunctionRuntime,
        bundle: Path,
        grants: Sequence[Grant],
        environment: Mapping[str, str],
    ) -> None:
        path, sha256 = archive(bundle)
        code = assets.Asset(
            scope,
            f"{construct_id}Code",
            path=str(path),
            asset_hash=sha256,
            asset_hash_type=cdk.AssetHashType.CUSTOM,
        )
        log_group = runtime.logs(scope, f"{construct_id}Logs")
        role = make_role(
            scope,
            f"{construct_id}Role",
            service="codebuild",
            description=f"What the builds of {construct_id} may do",
            grants=[*_own(log_group, code), *grants, *runtime.decryption()],
        )
        super().__init__(
            scope,
            construct_id,
            description=description,
            source=codebuild.CfnProject.SourceProperty(
                type="NO_SOURCE", build_spec=json.dumps(_commands(module, code, sha256))
            ),
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            environment=_environment(runtime.settings, environment),
            service_role=role.role_arn,
            timeout_in_minutes=RUNNING,
            queued_timeout_in_minutes=WAITING,
            encryption_key=runtime.key.key_arn if runtime.key else None,
            logs_config=_logs(log_group),
        )
        self.own_role, self.log_group = role, log_group
        acknowledge(
            self, "CloudFormation-Validate::E3050", "The role is named by its ARN; the rule takes that for a Ref"
        )
        if runtime.key is None:
            acknowledge(self, "AwsSolutions-CB4", "A build keeps nothing: it has no artifacts, no cache and no reports")


def run_by_workflow(tasks: Sequence[LongTask]) -> list[Grant]:
    """A workflow's grants to start a build of `tasks` and wait for its end (`startBuild.sync`).

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html
    """
    rule = cdk.Stack.of(tasks[0]).format_arn(
        service="events", resource="rule", resource_name="StepFunctionsGetEventForCodeBuildStartBuildRule"
    )
    projects = [task.attr_arn for task in tasks]
    return [
        Grant(("codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"), projects),
        Grant(("events:PutTargets", "events:PutRule", "events:DescribeRule"), (rule,)),
    ]


def _commands(module: str, code: assets.Asset, sha256: str) -> dict[str, Any]:
    """The build specification: a command that fails is the last.

    The project holds the code's digest, and only a deployment changes the project. What is at the key may be another
    object by now (docs/decisions/0045-a-build-runs-what-was-deployed.md).
    https://docs.aws.amazon.com/codebuild/latest/userguide/no-source.html
    """
    commands = [
        f"aws s3api get-object --bucket {code.s3_bucket_name} --key {code.s3_object_key} code.zip",
        f"echo '{sha256}  code.zip' | sha256sum -c -",
        "python -I -m zipfile -e code.zip code",
        "cd code",
        # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
        f"SIGNOFF_BUILD=$CODEBUILD_BUILD_ID python -m {module}",
    ]
    phases = {"install": {"runtime-versions": {"python": PYTHON}}, "build": {"commands": commands}}
    return {"version": "0.2", "phases": phases}


def _own(log_group: logs.ILogGroup, code: assets.Asset) -> list[Grant]:
    """What each build does under the role: log, and fetch the code."""
    return [
        Grant(("logs:CreateLogStream", "logs:PutLogEvents"), (log_group.log_group_arn,)),
        Grant(("s3:GetObject",), (code.bucket.arn_for_objects(code.s3_object_key),)),
    ]


def _logs(log_group: logs.ILogGroup) -> codebuild.CfnProject.LogsConfigProperty:
    to = codebuild.CfnProject.CloudWatchLogsConfigProperty(status="ENABLED", group_name=log_group.log_group_name)
    return codebuild.CfnProject.LogsConfigProperty(cloud_watch_logs=to)


def _environment(
    settings: DeploymentSettings, variables: Mapping[str, str]
) -> codebuild.CfnProject.EnvironmentProperty:
    """AWS's own image with the functions' Python, of the architecture that the bundle was made for."""
    arm = settings.architecture == "arm64"
    return codebuild.CfnProject.EnvironmentProperty(
        type="ARM_CONTAINER" if arm else "LINUX_CONTAINER",
        image=f"aws/codebuild/amazonlinux-{'aarch64-standard:4.0' if arm else 'x86_64-standard:6.0'}",
        compute_type="BUILD_GENERAL1_SMALL",
        environment_variables=[
            codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
            for name, value in variables.items()
        ],
    )
