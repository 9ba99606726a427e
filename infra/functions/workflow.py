"""The validation workflow: the state machine of statemachine/validation.asl.json."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import names
from infra.access.roles import TRACING, Grant, make_role
from infra.functions.function import FunctionRuntime
from infra.functions.long_task import LongTask, run_by_workflow

# ${Name}, which CloudFormation replaces; a JSONata expression is {% %} and has none.
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")

_LOG_DELIVERY = Grant(
    (
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    ),
    ("*",),
    "CloudWatch Logs' delivery calls name no resource (Step Functions' documentation asks for these)",
)
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_WAITING = "StepFunctionsGetEventsForSageMakerTransformJobsRule"
_TEMPORARY = "The jobs' names begin alike; which there are is decided by validations"
_SAMPLING = Grant(
    ("xray:GetSamplingRules", "xray:GetSamplingTargets"), ("*",), "X-Ray has no resources to name for sampling"
)


class WorkflowFault(ValueError):
    """Raised when the definition names an ARN that the stack does not have."""


def read_definition(path: Path, known: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The definition at `path` and those of the `known` substitutions that it names.

    Raises WorkflowFault for a ${Name} that is not known.
    """
    text = path.read_text(encoding="utf-8")
    named = set(_PLACEHOLDER.findall(text))
    if unknown := named - known.keys():
        raise WorkflowFault(f"{path}: ${{{'}, ${'.join(sorted(unknown))}}}: the stack has {', '.join(sorted(known))}")
    return text, {name: known[name] for name in sorted(named)}


def _log_group(scope: Construct, construct_id: str) -> str:
    """The name of the state machine's log group, another one for each stack that is made anew: the old one is kept.

    Log groups under this prefix do not count against the size of CloudWatch Logs' resource policy.
    https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
    """
    stack = cdk.Stack.of(scope)
    made = cdk.Fn.select(2, cdk.Fn.split("/", stack.stack_id))
    return f"/aws/vendedlogs/states/{stack.stack_name}-{construct_id}-{made}"


def _ask_temporary_models(stack: cdk.Stack) -> list[Grant]:
    """The workflow's grants to run the transform jobs of temporary models and wait for their end (`.sync`).

    A job is created for a model: both have the same name. Step Functions tags what it runs.
    """
    job = ("CreateTransformJob", "DescribeTransformJob", "StopTransformJob", "ListTags", "AddTags")
    jobs, models = (
        stack.format_arn(service="sagemaker", resource=kind, resource_name=f"{names.TEMPORARY_MODELS}*")
        for kind in ("transform-job", "model")
    )
    rule = stack.format_arn(service="events", resource="rule", resource_name=_WAITING)
    return [
        Grant(tuple(f"sagemaker:{name}" for name in job), (jobs,), _TEMPORARY),
        Grant(("sagemaker:CreateTransformJob",), (models,), _TEMPORARY),
        Grant(("events:PutTargets", "events:PutRule", "events:DescribeRule"), (rule,)),
    ]


class ValidationWorkflow(sfn.StateMachine):
    """A Standard state machine that may invoke `functions` (ARNs by the names the definition uses), start builds of
    what is done `at_length`, ask temporary models by transform jobs, and nothing else.

    Every step is logged, because AWS's own history ends after 90 days; the steps' data is not, because it names people
    and keys, and the ledger and the vault keep it protected.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: FunctionRuntime,
        functions: Mapping[str, str],
        at_length: Sequence[LongTask],
    ) -> None:
        services = f"arn:{cdk.Stack.of(scope).partition}:states::"
        known = {
            **functions,
            "StartBuildAndWaitArn": f"{services}:codebuild:startBuild.sync",
            "CreateTransformJobAndWaitArn": f"{services}:sagemaker:createTransformJob.sync",
            **{f"{task.node.id}Name": task.ref for task in at_length},
            **{f"{task.node.id}Logs": task.log_group.log_group_name for task in at_length},
        }
        definition, substitutions = read_definition(runtime.settings.workflow, known)
        role = make_role(
            scope,
            f"{construct_id}Role",
            service="states",
            description="What the validation workflow may do",
            grants=[
                Grant(("lambda:InvokeFunction",), tuple(functions.values())),
                *run_by_workflow(at_length),
                *_ask_temporary_models(cdk.Stack.of(scope)),
                _LOG_DELIVERY,
                TRACING,
                _SAMPLING,
            ],
        )
        super().__init__(
            scope,
            construct_id,
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=substitutions,
            state_machine_type=sfn.StateMachineType.STANDARD,
            role=role.without_policy_updates(),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=runtime.logs(scope, f"{construct_id}Logs", _log_group(scope, construct_id)),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    @property
    def executions_arn(self) -> str:
        """The ARN pattern of this machine's executions."""
        return cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
