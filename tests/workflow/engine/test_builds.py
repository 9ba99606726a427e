"""CodeBuild in the engine runs what a project says, and Step Functions waits for it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.functions import bundle
from tests.support.waiting import eventually
from tests.workflow.engine.test_state_machines import StateMachine


class BuildProject:
    """A project whose source is a zip of `files`, and whose builds run `commands`."""

    def __init__(self, engine: Engine, files: dict[str, str], *commands: str, **phases: list[str]) -> None:
        self.engine, self.builds, self.name = engine, client(engine, "codebuild"), f"project-{uuid4().hex[:8]}"
        client(engine, "s3").create_bucket(Bucket=self.name)
        client(engine, "s3").put_object(Bucket=self.name, Key="code/source.zip", Body=bundle(files))
        told = {name: {"commands": lines} for name, lines in {"build": list(commands), **phases}.items()}
        self.builds.create_project(
            name=self.name,
            source={
                "type": "S3",
                "location": f"{self.name}/code/source.zip",
                "buildspec": json.dumps({"version": "0.2", "phases": told}),
            },
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:6.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "GREETING", "value": "Hello"}, {"name": "WHOM", "value": "nobody"}],
            },
            serviceRole=f"arn:aws:iam::{engine.account}:role/builder",
        )

    def run(self, **variables: str) -> dict[str, Any]:
        """A build that has ended."""
        return self.ended(self.start(**variables))

    def start(self, **variables: str) -> str:
        override = [{"name": name, "value": value} for name, value in variables.items()]
        started = self.builds.start_build(projectName=self.name, environmentVariablesOverride=override)["build"]
        assert started["buildStatus"] == "IN_PROGRESS"
        return str(started["id"])

    def ended(self, build: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            (found,) = self.builds.batch_get_builds(ids=[build])["builds"]
            return found if found["buildStatus"] != "IN_PROGRESS" else None

        return eventually(look, what=f"{build} to end")

    def log(self, build: dict[str, Any]) -> list[str]:
        where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        return [event["message"] for event in client(self.engine, "logs").get_log_events(**where)["events"]]

    def state(self, **more: Any) -> dict[str, Any]:
        """A state that runs a build, with what its input says, and waits for it."""
        variable = {"Name": "WHOM", "Value": "{% $states.input.whom %}", "Type": "PLAINTEXT"}
        arguments = {"ProjectName": self.name, "EnvironmentVariablesOverride": [variable]}
        resource = "arn:aws:states:::codebuild:startBuild.sync"
        return {"Type": "Task", "Resource": resource, "Arguments": arguments, **more}


def phases(build: dict[str, Any]) -> dict[str, str]:
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


def test_a_build_runs_its_projects_commands_on_its_source_with_its_variables(engine: Engine) -> None:
    project = BuildProject(
        engine, {"say.py": "import os; print(os.environ['GREETING'], os.environ['WHOM'])"}, "python say.py"
    )

    build = project.run(WHOM="world")

    assert (build["buildStatus"], project.log(build)) == ("SUCCEEDED", ["Hello world"])
    assert phases(build) == dict.fromkeys(("SUBMITTED", "DOWNLOAD_SOURCE", "BUILD", "COMPLETED"), "SUCCEEDED")


def test_a_build_acts_under_its_projects_role(engine: Engine) -> None:
    source = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    project = BuildProject(engine, {"who.py": source}, "python who.py")

    build = project.run()

    session = f"AWSCodeBuild-{build['id'].partition(':')[2]}"
    assert project.log(build) == [f"arn:aws:sts::{engine.account}:assumed-role/builder/{session}"]


def test_a_build_fails_with_the_first_command_that_does(engine: Engine) -> None:
    project = BuildProject(
        engine, {}, "echo once; exit 3", "echo never", install=["echo before"], post_build=["echo never"]
    )

    build = project.run()

    assert build["buildStatus"] == "FAILED"
    assert phases(build)["INSTALL"] == "SUCCEEDED"
    assert phases(build)["BUILD"] == "FAILED"
    assert project.log(build)[:2] == ["before", "once"]
    assert "never" not in project.log(build)


def test_a_build_whose_source_is_not_there_fails(engine: Engine) -> None:
    project = BuildProject(engine, {}, "echo never")
    client(engine, "s3").delete_object(Bucket=project.name, Key="code/source.zip")

    build = project.run()

    assert (build["buildStatus"], phases(build)["DOWNLOAD_SOURCE"]) == ("FAILED", "FAILED")


def test_a_build_that_is_stopped_ends_with_all_that_it_started(engine: Engine) -> None:
    source = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)"
    project = BuildProject(engine, {"on.py": source}, "python on.py", "echo never")
    build = project.start()
    (running,) = project.builds.batch_get_builds(ids=[build])["builds"]
    eventually(lambda: "begun" in written(project, running))

    project.builds.stop_build(id=build)

    assert project.ended(build)["buildStatus"] == "STOPPED"
    # What it wrote is read until nothing is left that could write.
    eventually(lambda: "CalledProcessError" in " ".join(written(project, running)))
    assert "never" not in written(project, running)


def written(project: BuildProject, build: dict[str, Any]) -> list[str]:
    try:
        return project.log(build)
    except ClientError:  # nothing was written yet
        return []


def test_a_state_waits_for_a_build_and_has_what_became_of_it(engine: Engine) -> None:
    project = BuildProject(engine, {"say.py": "import os; print(os.environ['WHOM'])"}, "python say.py")

    ended = StateMachine(engine, {"First": project.state(End=True)}).run({"whom": "world"})

    build = json.loads(ended["output"])["Build"]
    assert (ended["status"], build["BuildStatus"], build["ProjectName"]) == ("SUCCEEDED", "SUCCEEDED", project.name)
    assert project.log(project.ended(build["Id"])) == ["world"]


def test_a_state_fails_with_its_build_and_names_it(engine: Engine) -> None:
    project = BuildProject(engine, {}, "exit 1")
    caught = [{"ErrorEquals": ["States.TaskFailed"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}]
    states = {"First": project.state(Catch=caught, End=True), "Caught": {"Type": "Succeed"}}

    ended = StateMachine(engine, states).run({"whom": "world"})

    build = json.loads(json.loads(ended["output"])["Cause"])["Build"]
    assert build["BuildStatus"] == "FAILED"
    assert build["Arn"] == f"arn:aws:codebuild:us-east-1:{engine.account}:build/{build['Id']}"


@pytest.mark.parametrize("suffix", ["", ".sync"])
def test_a_project_that_is_not_there_is_an_error_by_codebuilds_name(engine: Engine, suffix: str) -> None:
    state = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::codebuild:startBuild{suffix}",
        "Arguments": {"ProjectName": "none"},
        "End": True,
    }

    ended = StateMachine(engine, {"First": state}).run()

    assert (ended["status"], ended["error"]) == ("FAILED", "CodeBuild.ResourceNotFoundException")
