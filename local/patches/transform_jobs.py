"""Transform jobs run beside the engine's event loop, and state machines wait for them.

A job reads and writes S3 as its model's execution role. What its containers print, and what SageMaker says of them,
is in one stream of the log group `/aws/sagemaker/TransformJobs`.
"""

import contextvars
import http
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from local.patches import functions
from local.sagemaker.account import TransformJob
from local.transforms import run
from local.transforms.objects import Objects

Record = dict[str, Any]
Condition = Callable[[], bool]
_LOG_GROUP = "/aws/sagemaker/TransformJobs"
_TASK = "arn:aws:states:::sagemaker:createTransformJob"
_MODELLED = ("ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound")
_given_up: contextvars.ContextVar[Condition] = contextvars.ContextVar("given_up", default=lambda: False)


def install() -> None:
    """Let the running emulator's state machines create transform jobs, and stop those that they give up."""
    from ministack.services import stepfunctions

    stepfunctions._SERVICE_DISPATCH[_TASK] = _run_for_state
    stepfunctions._run_execution = _until_aborted(stepfunctions._run_execution, stepfunctions)
    stepfunctions._invoke_resource_with_timeout = _until_late(stepfunctions._invoke_resource_with_timeout)


def start(job: TransformJob) -> None:
    """Run a job in a thread of its own."""
    from ministack.core.responses import request_scope

    region, account = job.described["TransformJobArn"].split(":")[3:5]

    def work() -> None:
        with request_scope(account, region):
            run.run(job, Objects(_client(job, region)), _log(job))

    threading.Thread(target=work, daemon=True).start()


def _client(job: TransformJob, region: str) -> Any:
    import boto3

    session = functions.role_session(job.role, "SageMaker", job.described["TransformJobArn"])
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        region_name=region,
        aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=session["AWS_SESSION_TOKEN"],
    )


def _log(job: TransformJob) -> Callable[[str], None]:
    from ministack.services import codebuild

    stream = f"{job.described['TransformJobName']}/i-0"
    write: Callable[[str], None] = codebuild._log_sink({"logs": {"groupName": _LOG_GROUP, "streamName": stream}})
    return write


def _until_aborted(execute: Callable[[str], None], states: Any) -> Callable[[str], None]:
    """What a state waits for is given up when its execution is stopped."""

    def run_execution(arn: str) -> None:
        execution = states._executions.get(arn) or {}
        token = _given_up.set(lambda: execution.get("status") != "RUNNING")
        try:
            execute(arn)
        finally:
            _given_up.reset(token)

    return run_execution


def _until_late(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """What a state waits for is given up when its TimeoutSeconds are over."""

    def invoke_with_timeout(*args: Any) -> Any:
        late, aborted = threading.Event(), _given_up.get()
        token = _given_up.set(lambda: late.is_set() or aborted())
        try:
            return invoke(*args)
        finally:
            late.set()
            _given_up.reset(token)

    return invoke_with_timeout


def _run_for_state(resource: str, given: Record) -> Record:
    """`sagemaker:createTransformJob`, and `.sync` of it: the job's description when it has ended.

    Step Functions tags the jobs that it waits for, and stops those that it gives up.
    """
    from ministack.services import stepfunctions

    if not resource.endswith(".sync"):
        return _ask("CreateTransformJob", given)
    managed = [{"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}]
    _ask("CreateTransformJob", given | {"Tags": [*given.get("Tags", []), *managed]})
    name = {"TransformJobName": given["TransformJobName"]}
    described, given_up = _ask("DescribeTransformJob", name), _given_up.get()
    while described["TransformJobStatus"] in ("InProgress", "Stopping"):
        if given_up() and described["TransformJobStatus"] == "InProgress":
            _ask("StopTransformJob", name)
        time.sleep(0.05)
        described = _ask("DescribeTransformJob", name)
    # Of what was given up, the emulator drops the result; an error would end an aborted execution once more.
    if described["TransformJobStatus"] != "Completed" and not given_up():
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    return described


def _ask(action: str, request: Record) -> Record:
    """SageMaker's answer as the optimized integration gives it: the API's names, times in milliseconds, its errors."""
    from ministack import app
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    credential = f"AWS4-HMAC-SHA256 Credential=test/20260101/{get_region()}/sagemaker/aws4_request"
    headers = {"x-amz-target": f"SageMaker.{action}", "authorization": credential}
    sagemaker, body = app.SERVICE_HANDLERS["sagemaker"], json.dumps(request)
    status, _, content = app.call_service_handler_sync(sagemaker, "POST", "/", headers, body, {})
    answer: Record = json.loads(content)
    if status != http.HTTPStatus.OK:
        code = answer["__type"]
        name = f"{code}Exception" if code in _MODELLED else "AmazonSageMakerException"
        where = f"(Service: AmazonSageMaker; Status Code: {status}; Error Code: {code}; Request ID: -; Proxy: null)"
        raise stepfunctions._ExecutionError(f"SageMaker.{name}", f"{answer['message']} {where}")
    return {name: round(value * 1000) if name.endswith("Time") else value for name, value in answer.items()}
