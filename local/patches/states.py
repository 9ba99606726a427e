"""Step Functions: idempotent StartExecution, RedriveExecution, computed time limits, names in SageMaker's results."""

import contextvars
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Answer = tuple[int, dict[str, str], Any]


def install() -> None:
    """Patch Step Functions in the running emulator."""
    from ministack import app
    from ministack.services import stepfunctions

    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
    stepfunctions._SDK_MEMBER_NAME_OVERRIDES.update(
        {
            (shape, "SupportedResponseMIMETypes"): "SupportedResponseMimeTypes"
            for shape in ("InferenceSpecification", "AdditionalInferenceSpecificationDefinition")
        }
    )
    stepfunctions._execute_task = _with_computed_limits(stepfunctions._execute_task, stepfunctions)
    stepfunctions._start_execution = _idempotent(stepfunctions._start_execution, stepfunctions)
    app.SERVICE_HANDLERS["states"] = _with_redrive(app.SERVICE_HANDLERS["states"], stepfunctions)


def _with_computed_limits(execute: Callable[..., Any], states: Any) -> Callable[..., Any]:
    """A task's TimeoutSeconds may be a JSONata expression, which the emulator evaluates nowhere."""

    def execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = states._jsonata_state_field(state, "TimeoutSeconds", "number", given, context)
            state = state | {"TimeoutSeconds": seconds}
        return execute(state, given, execution, context)

    return execute_task


def _idempotent(start: Callable[[dict[str, Any]], Answer], states: Any) -> Callable[[dict[str, Any]], Answer]:
    def start_execution(data: dict[str, Any]) -> Answer:
        machine = states._resolve_state_machine_arn(data.get("stateMachineArn", ""))
        if machine and data.get("name"):
            arn = machine.replace(":stateMachine:", ":execution:", 1) + ":" + data["name"]
            known = states._executions.get(arn)
            if known and known["status"] == "RUNNING" and known["input"] == data.get("input", "{}"):
                return states.json_response({"executionArn": arn, "startDate": known["startDate"]})  # type: ignore[no-any-return]
        return start(data)

    return start_execution


def _with_redrive(handle: Callable[..., Awaitable[Answer]], states: Any) -> Callable[..., Awaitable[Answer]]:
    async def handle_request(method: str, path: str, headers: dict[str, str], body: Any, query: Any) -> Answer:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return states._finalize_response(_redrive(states, json.loads(body)))  # type: ignore[no-any-return]
        return await handle(method, path, headers, body, query)

    return handle_request


def _redrive(states: Any, request: dict[str, Any]) -> Answer:
    arn = request["executionArn"]
    execution = states._executions.get(arn)
    if execution is None:
        return states.error_response_json("ExecutionDoesNotExist", f"Execution {arn} not found", 400)  # type: ignore[no-any-return]
    if execution["status"] not in ("FAILED", "ABORTED", "TIMED_OUT"):
        message = f"Execution {arn} is {execution['status']} and cannot be redriven"
        return states.error_response_json("ExecutionNotRedrivable", message, 400)  # type: ignore[no-any-return]
    # AWS resumes at the failed state; here the execution restarts with the same input and ARN, which is stricter:
    # each of the workflow's steps must be repeatable.
    redriven = states.now_iso()
    execution.update({"status": "RUNNING", "stopDate": None, "output": None})
    execution.pop("error", None), execution.pop("cause", None)
    execution["redriveCount"] = execution.get("redriveCount", 0) + 1
    states._add_event(execution, "ExecutionRedriven", {})
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(states._run_execution, arn), daemon=True).start()
    return states.json_response({"redriveDate": redriven})  # type: ignore[no-any-return]
