"""CodeBuild: builds are run on this machine, under their project's role; state machines wait for their end.

Supported: a source zip in S3 or none, an inline build specification in JSON, variables, a log group and a time limit.
The commands run in this interpreter's environment, whatever image the project names; of the AWS CLI, which AWS's images
have, they find what `local.patches.aws_command` knows.
"""

import contextlib
import copy
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local.patches import functions

Answer = tuple[int, dict[str, str], bytes]
Record = dict[str, Any]
_PHASES = {"install": "INSTALL", "pre_build": "PRE_BUILD", "build": "BUILD", "post_build": "POST_BUILD"}
_RUNNING = "IN_PROGRESS"
_AWS_COMMAND = Path(__file__).with_name("aws_command.py")
_under_way: dict[str, "subprocess.Popen[str]"] = {}


def install() -> None:
    """Patch CodeBuild in the running emulator."""
    from ministack.services import codebuild, stepfunctions

    codebuild._start_build = _running(codebuild._start_build)
    codebuild._stop_build = _stopping(codebuild._stop_build)
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::codebuild:startBuild"] = _run_for_state


def end_all() -> None:
    """End the builds that still run."""
    for build in list(_under_way):
        _end(build)


def _running(start: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    def start_build(request: Record) -> Answer:
        from ministack.core.responses import json_response, request_scope
        from ministack.services import codebuild

        status, headers, body = start(request)
        if status >= 300:
            return status, headers, body
        build = codebuild._builds[json.loads(body)["build"]["id"]]
        _begin(build, codebuild._projects[build["projectName"]], request)
        region, account = build["arn"].split(":")[3:5]

        def run() -> None:
            with request_scope(account, region):
                _run(build)

        answer: Answer = json_response({"build": copy.deepcopy(build)})
        threading.Thread(target=run, daemon=True).start()
        return answer

    return start_build


def _begin(build: Record, project: Record, request: Record) -> None:
    """Reset the record of a build that the emulator finished at once to one that was just submitted."""
    now = build["startTime"]
    del build["endTime"]
    build |= {"buildStatus": _RUNNING, "currentPhase": "SUBMITTED"}
    build["phases"] = [{"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED", "startTime": now, "endTime": now}]
    build["source"] = {"buildspec": "{}"} | project["source"]
    build["serviceRole"] = project["serviceRole"]
    declared = project["environment"].get("environmentVariables", [])
    variables = {each["name"]: each for each in (*declared, *request.get("environmentVariablesOverride", ()))}
    build["environment"] = project["environment"] | {"environmentVariables": list(variables.values())}
    group = project.get("logsConfig", {}).get("cloudWatchLogs", {}).get("groupName")
    if group:
        build["logs"] = {"groupName": group, "streamName": build["id"].partition(":")[2]}


def _run(build: Record) -> None:
    from ministack.services import codebuild

    timer = threading.Timer(build["timeoutInMinutes"] * 60, _time_out, (build,))
    timer.daemon = True
    timer.start()
    log = codebuild._log_sink(build)
    try:
        with tempfile.TemporaryDirectory(prefix="signoff-build-") as folder:
            source, programs = (Path(folder) / name for name in ("src", "bin"))
            source.mkdir()
            _put_command(programs)
            _go_through(build, source, programs, log)
        outcome = "SUCCEEDED"
    except Exception as error:  # any error ends the build as failed
        log(f"{type(error).__name__}: {error}")
        outcome = "FAILED"
    timer.cancel()
    if build["buildStatus"] == _RUNNING:
        codebuild._finish_build(build, outcome)


def _put_command(programs: Path) -> None:
    """Put the `aws` command into the folder `programs`."""
    programs.mkdir()
    command = programs / "aws"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{_AWS_COMMAND}" "$@"\n')
    command.chmod(0o700)


def _go_through(build: Record, folder: Path, programs: Path, log: Callable[[str], None]) -> None:
    environment = _environment(build, folder, programs)
    with _phase(build, "DOWNLOAD_SOURCE"):
        _fetch(build["source"], environment, folder)
    phases = json.loads(build["source"]["buildspec"]).get("phases", {})
    for name in [name for name in _PHASES if phases.get(name, {}).get("commands")]:
        with _phase(build, _PHASES[name]):
            _carry_out(build, phases[name]["commands"], environment, log)


@contextlib.contextmanager
def _phase(build: Record, kind: str) -> Iterator[None]:
    from ministack.services import codebuild

    build["phases"].append({"phaseType": kind, "startTime": int(time.time())})
    try:
        yield
    except Exception:
        codebuild._record_phase(build, kind, "FAILED")
        raise
    codebuild._record_phase(build, kind, "SUCCEEDED")


def _environment(build: Record, folder: Path, programs: Path) -> dict[str, str]:
    """The variables of a build: the machine's path with this interpreter first, AWS's, the project's and its own."""
    region = build["arn"].split(":")[3]
    name = f"AWSCodeBuild-{build['id'].partition(':')[2]}"
    path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {
        "PATH": path,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **functions.role_session(build["serviceRole"], name, build["arn"]),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_SRC_DIR": str(folder),
        **{each["name"]: each["value"] for each in build["environment"]["environmentVariables"]},
    }


def _fetch(source: Mapping[str, str], environment: Mapping[str, str], folder: Path) -> None:
    """Unpack the source into `folder`, read as the project's role may read it."""
    if source.get("type") != "S3":
        return
    import boto3

    bucket, _, key = source["location"].partition("/")
    s3 = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
    )
    with zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as archive:
        archive.extractall(folder)


def _carry_out(build: Record, commands: list[str], environment: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Run a phase's commands in one shell; raises CalledProcessError when one of them fails."""
    command = ["sh", "-e", "-c", "\n".join(commands)]
    with subprocess.Popen(  # noqa: S603 - what the project says, as CodeBuild does
        command,
        cwd=environment["CODEBUILD_SRC_DIR"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as process:
        _under_way[build["id"]] = process
        try:
            if build["buildStatus"] != _RUNNING:
                _end(build["id"])
            for line in process.stdout or ():
                log(line.rstrip("\n"))
            failed = process.wait()
        finally:
            del _under_way[build["id"]]
    if failed:
        raise subprocess.CalledProcessError(failed, command)


def _stopping(stop: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    def stop_build(request: Record) -> Answer:
        answer = stop(request)
        _end(request.get("id", ""))
        return answer

    return stop_build


def _time_out(build: Record) -> None:
    from ministack.services import codebuild

    if build["buildStatus"] == _RUNNING:
        codebuild._finish_build(build, "TIMED_OUT")
    _end(build["id"])


def _end(build: str) -> None:
    """Kill a build's processes."""
    process = _under_way.get(build)
    if process:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _run_for_state(resource: str, given: Record) -> Record:
    """`arn:aws:states:::codebuild:startBuild`, and `.sync` of it."""
    from ministack.services import codebuild, stepfunctions

    status, _, body = codebuild._start_build(stepfunctions._pascal_to_camel(given))
    answer = json.loads(body)
    if status >= 300:
        name = answer.get("__type", "AWSCodeBuildException").rpartition("#")[2]
        raise stepfunctions._ExecutionError(f"CodeBuild.{name}", answer.get("message", ""))
    build = codebuild._builds[answer["build"]["id"]]
    if resource.endswith(".sync"):
        while build["buildStatus"] == _RUNNING:
            time.sleep(0.05)
        if build["buildStatus"] != "SUCCEEDED":
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps({"Build": _pascal(build)}))
    return {"Build": _pascal(build)}


def _pascal(value: Any) -> Any:
    """A response's document with its fields as Step Functions spells them."""
    if isinstance(value, list):
        return [_pascal(each) for each in value]
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _pascal(each) for name, each in value.items()}
    return value
