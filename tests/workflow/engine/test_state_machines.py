"""Step Functions in the engine does what the pipeline relies on."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.functions import create_function
from tests.support.waiting import eventually

STATES = Path(__file__).resolve().parents[3] / "statemachine" / "validation.asl.json"
VALIDATION = json.loads(STATES.read_bytes())["States"]


class StateMachine:
    """A state machine of JSONata states, and what became of its executions."""

    def __init__(self, engine: Engine, states: dict[str, Any], start: str = "First") -> None:
        self.states = client(engine, "stepfunctions")
        definition = {"QueryLanguage": "JSONata", "StartAt": start, "States": states}
        self.arn: str = self.states.create_state_machine(
            name=f"machine-{uuid4().hex[:8]}",
            definition=json.dumps(definition),
            roleArn=f"arn:aws:iam::{engine.account}:role/any",
        )["stateMachineArn"]

    def run(self, event: Any = None) -> dict[str, Any]:
        execution = self.states.start_execution(stateMachineArn=self.arn, input=json.dumps(event or {}))
        return self.ended(execution["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            described: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return eventually(look, what=f"{execution} to end")


def task(function: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": function, "Arguments": "{% $states.input %}", **more}


@pytest.fixture
def picky(engine: Engine) -> str:
    """A function that fails with class Picky until it has been called as often as its event says."""
    source = (
        "import os\n"
        "import boto3\n"
        "class Picky(Exception): pass\n"
        "def handler(event, context):\n"
        "    table = boto3.client('dynamodb')\n"
        "    item = table.update_item(TableName=os.environ['TABLE'], Key={'k': {'S': event['id']}},\n"
        "        UpdateExpression='ADD calls :one', ExpressionAttributeValues={':one': {'N': '1'}},\n"
        "        ReturnValues='ALL_NEW')['Attributes']\n"
        "    calls = int(item['calls']['N'])\n"
        "    if calls <= event['failures']: raise Picky(str(calls))\n"
        "    return calls\n"
    )
    name = f"picky-{uuid4().hex[:8]}"
    client(engine, "dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return create_function(engine, name, {"main.py": source}, Environment={"Variables": {"TABLE": name}})


def test_an_exception_is_caught_by_its_class(engine: Engine, picky: str) -> None:
    caught = [
        {"ErrorEquals": ["Other"], "Next": "Wrong"},
        {"ErrorEquals": ["Picky"], "Output": "{% $states.errorOutput %}", "Next": "Right"},
    ]
    states = {"First": task(picky, Catch=caught, End=True), "Right": {"Type": "Succeed"}, "Wrong": {"Type": "Fail"}}

    ended = StateMachine(engine, states).run({"id": "a", "failures": 1})

    output = json.loads(ended["output"])
    assert (ended["status"], output["Error"]) == ("SUCCEEDED", "Picky")
    assert json.loads(output["Cause"])["errorMessage"] == "1"


def test_an_exception_is_retried_by_its_class(engine: Engine, picky: str) -> None:
    retry = [{"ErrorEquals": ["Picky"], "IntervalSeconds": 2, "MaxAttempts": 3, "JitterStrategy": "FULL"}]

    ended = StateMachine(engine, {"First": task(picky, Retry=retry, End=True)}).run({"id": "a", "failures": 2})

    assert (ended["status"], ended["output"]) == ("SUCCEEDED", "3")


def test_a_throttled_function_is_retried_by_the_name_that_lambda_gives_it(engine: Engine, picky: str) -> None:
    functions, none = client(engine, "lambda"), {"ReservedConcurrentExecutions": 0}
    retry = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1, "MaxAttempts": 9}]
    machine = StateMachine(engine, {"First": task(picky, Retry=retry, End=True)})
    functions.put_function_concurrency(FunctionName=picky, **none)
    arn = machine.states.start_execution(stateMachineArn=machine.arn, input='{"id": "a", "failures": 0}')[
        "executionArn"
    ]

    def throttled() -> bool:
        return "TooManyRequests" in str(machine.states.get_execution_history(executionArn=arn)["events"])

    eventually(throttled)
    functions.delete_function_concurrency(FunctionName=picky)

    assert machine.ended(arn)["output"] == "1"


def test_a_task_ends_when_its_time_is_up(engine: Engine) -> None:
    name = f"slow-{uuid4().hex[:8]}"
    slow = create_function(engine, name, {"main.py": "import time\ndef handler(event, context): time.sleep(5)"})

    ended = StateMachine(engine, {"First": task(slow, TimeoutSeconds=1, End=True)}).run()

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


@pytest.mark.parametrize(
    ("once", "of_function", "of_task", "error"),
    [
        ("os._exit(1)", {}, {}, "Runtime.ExitError"),
        ("time.sleep(9)", {"Timeout": 2}, {}, "Sandbox.Timedout"),
        ("time.sleep(9)", {}, {"TimeoutSeconds": 2}, "States.Timeout"),
    ],
    ids=["exits", "has no time left", "does not answer"],
)
def test_a_function_that_dies_once_is_called_again_by_the_workflows_own_retriers(
    engine: Engine, tmp_path: Path, once: str, of_function: Any, of_task: Any, error: str
) -> None:
    source = (
        "import os, time\n"
        "from pathlib import Path\n"
        "def handler(event, context):\n"
        "    called = Path(event['called'])\n"
        "    if not called.exists():\n"
        "        called.touch()\n"
        f"        {once}\n"
        "    return 'as without'\n"
    )
    function = create_function(engine, f"dies-{uuid4().hex[:8]}", {"main.py": source}, **of_function)
    retriers = VALIDATION["RecordEvidence"]["Retry"]
    machine = StateMachine(engine, {"First": task(function, Retry=retriers, End=True, **of_task)})

    ended = machine.run({"called": str(tmp_path / "called")})

    assert (ended["status"], ended["output"]) == ("SUCCEEDED", '"as without"')
    assert error in str(machine.states.get_execution_history(executionArn=ended["executionArn"])["events"])


def test_a_map_runs_its_states_for_each_item(engine: Engine) -> None:
    each = {
        "StartAt": "Double",
        "States": {"Double": {"Type": "Pass", "Output": "{% $states.input * 2 %}", "End": True}},
    }
    mapped = {"Type": "Map", "Items": "{% $states.input.items %}", "MaxConcurrency": 2, "ItemProcessor": each}
    mapped |= {"Assign": {"sum": "{% $sum($states.result) %}"}, "Next": "Last"}
    last = {"Type": "Pass", "Output": "{% $sum %}", "End": True}

    ended = StateMachine(engine, {"First": mapped, "Last": last}).run({"items": [1, 2, 3]})

    assert (ended["status"], ended["output"]) == ("SUCCEEDED", "12")


def test_starting_the_same_execution_again_while_it_runs_is_the_same_execution(engine: Engine) -> None:
    machine = StateMachine(engine, {"First": {"Type": "Wait", "Seconds": 100, "End": True}})
    start = {"stateMachineArn": machine.arn, "name": "one", "input": "{}"}

    first, again = machine.states.start_execution(**start), machine.states.start_execution(**start)

    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machine.states.start_execution(**start | {"input": '{"other": 1}'})
    machine.states.stop_execution(executionArn=first["executionArn"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machine.states.start_execution(**start)
    assert again["executionArn"] == first["executionArn"]
    assert again["startDate"] == first["startDate"]


def test_a_failed_execution_is_redriven_under_its_own_arn(engine: Engine, picky: str) -> None:
    machine = StateMachine(engine, {"First": task(picky, End=True)})
    failed = machine.run({"id": "a", "failures": 1})

    machine.states.redrive_execution(executionArn=failed["executionArn"])

    redriven = machine.ended(failed["executionArn"])
    assert (failed["status"], redriven["status"], redriven["output"]) == ("FAILED", "SUCCEEDED", "2")
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        machine.states.redrive_execution(executionArn=failed["executionArn"])


def test_a_rule_starts_an_execution_with_the_event_as_its_input(engine: Engine) -> None:
    machine, events = StateMachine(engine, {"First": {"Type": "Succeed"}}), client(engine, "events")
    source = f"test-{uuid4().hex[:8]}"
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=source, Targets=[{"Id": "s", "Arn": machine.arn, "RoleArn": "arn:aws:iam::1:role/x"}])

    events.put_events(Entries=[{"Source": source, "DetailType": "Something", "Detail": '{"a": 1}'}])

    listed = eventually(lambda: machine.states.list_executions(stateMachineArn=machine.arn)["executions"])
    event = json.loads(machine.ended(listed[0]["executionArn"])["input"])
    assert (event["source"], event["detail-type"], event["detail"]) == (source, "Something", {"a": 1})


def test_sagemaker_is_called_from_a_state_and_answers_in_step_functions_names(engine: Engine) -> None:
    sagemaker, group = client(engine, "sagemaker"), f"group-{uuid4().hex[:8]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": "image"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    describe = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeModelPackage",
        "Arguments": {"ModelPackageName": "{% $states.input.arn %}"},
        "End": True,
    }
    machine = StateMachine(engine, {"First": describe})

    found, missing = machine.run({"arn": arn}), machine.run({"arn": arn + "7"})

    described = json.loads(found["output"])
    assert described["InferenceSpecification"]["SupportedResponseMimeTypes"] == ["text/csv"]
    assert described["ModelPackageVersion"] == 1
    assert missing["error"] == "SageMaker.ValidationException"
