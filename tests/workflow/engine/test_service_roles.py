"""Services act under the roles that they are given, and do nothing that those may not, as on AWS."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.functions import create_function
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that checks signatures and evaluates policies."""
    folder = tmp_path_factory.mktemp("guarded")
    with Engine.start(
        auth=True, log=folder / "engine.log", wait_scale=0.05, role_use=folder / "role-use.jsonl"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def functions(guarded: Engine) -> tuple[str, str]:
    """Two functions, which answer at once."""
    code, names = {"main.py": "def handler(event, context):\n    return 'done'\n"}, ("first", "second")
    own = role(guarded, "lambda", "logs:PutLogEvents", "*")
    first, second = (create_function(guarded, f"{name}-{uuid4().hex[:8]}", code, Role=own) for name in names)
    return first, second


def role(engine: Engine, service: str, action: str, *resources: str) -> str:
    """A role of a service that may do one thing to these resources."""
    iam, name = client(engine, "iam"), f"role-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust})
    )
    statement = {"Effect": "Allow", "Action": action, "Resource": list(resources)}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName=name, PolicyName="Allowed", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def machine(engine: Engine, role_arn: str, *tasks: dict[str, Any]) -> str:
    """A state machine of these tasks, one after the other."""
    names = [f"Task{number}" for number, _ in enumerate(tasks)]
    then: list[dict[str, Any]] = [*({"Next": name} for name in names[1:]), {"End": True}]
    states = {name: {"Type": "Task", **task, **next_} for name, task, next_ in zip(names, tasks, then, strict=True)}
    definition = {"QueryLanguage": "JSONata", "StartAt": names[0], "States": states}
    made = client(engine, "stepfunctions").create_state_machine(
        name=f"machine-{uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role_arn
    )
    return str(made["stateMachineArn"])


def run(engine: Engine, machine_arn: str) -> dict[str, Any]:
    """An execution of a state machine, once it has ended."""
    states = client(engine, "stepfunctions")
    execution = states.start_execution(stateMachineArn=machine_arn)["executionArn"]

    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(look, what="the execution to end")


def noted(engine: Engine, role_arn: str) -> set[tuple[str, str, tuple[str, ...]]]:
    """What was noted of a role: actions and resources, each with what lets the role do that."""
    lines = engine.log.with_name("role-use.jsonl").read_text(encoding="utf-8").splitlines()
    notes = [json.loads(line) for line in lines]
    ours = [note for note in notes if note["role"] == role_arn.rpartition("/")[2]]
    assert all(note["allowed"] is bool(note["granted"]) for note in ours)
    return {(note["action"], note["resource"], tuple(note["granted"])) for note in ours}


def test_a_state_machine_invokes_the_functions_that_its_role_names_and_no_other(
    guarded: Engine, functions: tuple[str, str]
) -> None:
    tasks = [{"Resource": function} for function in functions]
    one = role(guarded, "states", "lambda:InvokeFunction", functions[0])

    whole = run(guarded, machine(guarded, role(guarded, "states", "lambda:InvokeFunction", *functions), *tasks))
    part = run(guarded, machine(guarded, one, *tasks))

    assert whole["status"] == "SUCCEEDED"
    assert (part["status"], part["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {functions[1]}" in part["cause"]
    assert "Error Code: AccessDeniedException" in part["cause"]
    assert noted(guarded, one) == {
        ("lambda:InvokeFunction", functions[0], (functions[0],)),
        ("lambda:InvokeFunction", functions[1], ()),
    }


def test_a_state_machine_waits_for_builds_that_its_role_may_start_stop_and_hear_of(guarded: Engine) -> None:
    project = f"arn:aws:codebuild:{guarded.region}:{guarded.account}:project/any"
    task = {"Resource": "arn:aws:states:::codebuild:startBuild.sync", "Arguments": {"ProjectName": "any"}}

    ended = run(guarded, machine(guarded, role(guarded, "states", "codebuild:StartBuild", project), task))

    assert ended["error"] == "CodeBuild.AWSCodeBuildException"
    assert f"is not authorized to perform: codebuild:StopBuild on resource: {project}" in ended["cause"]


def test_a_rule_starts_what_its_role_may_start(guarded: Engine, functions: tuple[str, str]) -> None:
    states, events = client(guarded, "stepfunctions"), client(guarded, "events")
    may = role(guarded, "states", "lambda:InvokeFunction", *functions)
    started, refused = (machine(guarded, may, {"Resource": functions[0]}) for _ in range(2))
    starting, source = role(guarded, "events", "states:StartExecution", started), f"test-{uuid4().hex[:8]}"
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    targets = [{"Id": str(n), "Arn": arn, "RoleArn": starting} for n, arn in enumerate((refused, started))]
    events.put_targets(Rule=source, Targets=targets)

    events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])

    eventually(lambda: states.list_executions(stateMachineArn=started)["executions"], what="the execution")
    assert states.list_executions(stateMachineArn=refused)["executions"] == []
