"""Services act under the roles they are given: state machines invoke, start and stop, rules start executions.

https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
"""

import contextvars
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.patches.role_use import refusal

Record = dict[str, Any]
_log = logging.getLogger(__name__)
_role: contextvars.ContextVar[str] = contextvars.ContextVar("role", default="")
# What a task is named by that is refused, and the service that its cause names, by the beginning of what refuses it.
_REFUSED = {
    "lambda": ("Lambda.AWSLambdaException", "AWSLambda"),
    "codebuild": ("CodeBuild.AWSCodeBuildException", "AWSCodeBuild"),
    "sagemaker": ("SageMaker.AmazonSageMakerException", "AmazonSageMaker"),
    "events": ("States.Runtime", "AmazonCloudWatchEvents"),
}
_SYNC = ".sync"
# The rules by which Step Functions hears of the end of what it waits for, and what its role may do to them.
_RULES = {
    "codebuild": "StepFunctionsGetEventForCodeBuildStartBuildRule",
    "sagemaker": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
}
_TO_RULES = ("events:PutTargets", "events:PutRule", "events:DescribeRule")


def install() -> None:
    """Patch what acts under a role in the running emulator."""
    from ministack.services import eventbridge, stepfunctions

    stepfunctions._execute_task = _under_its_role(stepfunctions._execute_task, stepfunctions)
    stepfunctions._invoke_resource = _if_allowed(stepfunctions._invoke_resource, stepfunctions)
    eventbridge._invoke_target = _if_its_role_may(eventbridge._invoke_target)


def needed(resource: str, given: Mapping[str, Any], region: str, account: str) -> Iterator[tuple[str, str]]:
    """Yield the actions, and on what, that a task on `resource` with these arguments needs, as AWS documents it.

    The role of a task that is waited for (`.sync`) must also be able to ask, to stop, and to hear of the end.
    """

    def arn(service: str, named: str) -> str:
        return f"arn:aws:{service}:{region}:{account}:{named}"

    if ":function:" in resource or "states:::lambda:invoke" in resource:
        yield "lambda:InvokeFunction", str(given["FunctionName"] if resource.endswith("lambda:invoke") else resource)
        return
    service, _, action = resource.partition(":states:::")[2].partition(":")
    actions: tuple[str, ...]
    if service == "codebuild":
        actions, named = ("StartBuild", "StopBuild", "BatchGetBuilds"), arn(service, f"project/{given['ProjectName']}")
    elif action.startswith("createTransformJob"):
        yield "sagemaker:CreateTransformJob", arn(service, f"model/{given['ModelName']}")
        actions = ("CreateTransformJob", "DescribeTransformJob", "StopTransformJob", "AddTags", "ListTags")
        named = arn(service, f"transform-job/{given['TransformJobName']}")
    else:
        return
    yield from ((f"{service}:{each}", named) for each in (actions if action.endswith(_SYNC) else actions[:1]))
    if action.endswith(_SYNC):
        yield from ((each, arn("events", f"rule/{_RULES[service]}")) for each in _TO_RULES)


def _under_its_role(execute: Callable[..., Any], states: Any) -> Callable[..., Any]:
    def execute_task(state: Record, given: Any, execution: Record, context: Record) -> Any:
        machine = states._state_machines.get(execution["stateMachineArn"]) or {}
        token = _role.set(str(machine.get("roleArn", "")))
        try:
            return execute(state, given, execution, context)
        finally:
            _role.reset(token)

    return execute_task


def _if_allowed(invoke: Callable[..., Any], states: Any) -> Callable[..., Any]:
    """A task that its state machine's role does not allow fails with the error that the integration has on AWS."""

    def invoke_resource(resource: str, given: Any) -> Any:
        from ministack.core.responses import get_account_id, get_region

        for action, named in needed(resource, given or {}, get_region(), get_account_id()) if _role.get() else ():
            denied = refusal(_role.get(), "states", action, named)
            if denied:
                error, service = _REFUSED[action.partition(":")[0]]
                code = "Error Code: AccessDeniedException; Request ID: -; Proxy: null"
                raise states._ExecutionError(error, f"{denied} (Service: {service}; Status Code: 403; {code})")
        return invoke(resource, given)

    return invoke_resource


def _if_its_role_may(invoke: Callable[..., None]) -> Callable[..., None]:
    """A rule starts an execution under its target's role, or does nothing."""

    def invoke_target(target: Record, event: Record, rule: Record, view: Any = None) -> None:
        machine, role = str(target.get("Arn", "")), str(target.get("RoleArn", ""))
        denied = ":states:" in machine and refusal(role, "events", "states:StartExecution", machine)
        if denied:
            _log.warning("the rule %s starts nothing: %s", rule.get("Name"), denied)
        else:
            invoke(target, event, rule, view)

    return invoke_target
