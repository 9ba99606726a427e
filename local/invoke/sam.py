"""One invocation of a function by the SAM CLI: the bundle that goes to AWS, in a container of Lambda's base image."""

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import node
from local.invoke import docker

SAM = node.ROOT / ".sam-venv" / "bin" / "sam"
# What makes a bundle that runs on this machine's processor, with the dependencies locked for Lambda's Python.
CONTEXT = {"architecture": "host", "bundle": "wheels", "ephemeral": "true", "nag": "false"}
IMAGE = f"public.ecr.aws/lambda/python:3.13-{'arm64' if platform.machine() in ('arm64', 'aarch64') else 'x86_64'}"


class InvocationFailed(Exception):
    """Raised when SAM could not run a function, or the function raised; the message ends with its last lines."""


@dataclass(frozen=True)
class FunctionResult:
    """A function's response, and what it and SAM logged."""

    response: Any
    log: str


def ready() -> None:
    """Check that SAM and Docker are installed. Raises DockerMissing or InvocationFailed naming what is missing.

    Lambda's base image (IMAGE) SAM pulls itself when it is not there.
    """
    if not SAM.exists():
        raise InvocationFailed("The SAM CLI is not installed: `make invoke` installs it")
    docker.docker("info", "--format", "{{.ServerVersion}}")


def functions() -> list[str]:
    """The constructs of the stack's functions, which are named as their files in functions/."""
    files = (node.ROOT / "functions").glob("*.py")
    return sorted("".join(word.title() for word in path.stem.split("_")) for path in files)


def function_id(assembly: Path, function: str) -> str:
    """The logical id of the function whose construct is `function`. Raises InvocationFailed when there is none."""
    for logical, resource in _template(assembly)["Resources"].items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", "")
        if resource["Type"] == "AWS::Lambda::Function" and path.split("/")[1:2] == [function]:
            return str(logical)
    raise InvocationFailed(f"The stack has no function {function!r}: choose one of {', '.join(functions())}")


def invoke(
    assembly: Path, logical: str, event: Any, environment: Mapping[str, str], credentials: Mapping[str, str]
) -> FunctionResult:
    """Invoke the function of that logical id with `event`.

    assembly: a cloud assembly synthesised with CONTEXT; environment: the function's variables; credentials: the
    AWS_* settings whose keys and region the function calls AWS with. Raises InvocationFailed.
    """
    with tempfile.TemporaryDirectory(prefix="signoff-invoke-") as scratch:
        event_file, variables = Path(scratch) / "event.json", Path(scratch) / "environment.json"
        event_file.write_text(json.dumps(event))
        variables.write_text(json.dumps({logical: dict(environment)}))
        command = [
            *(str(SAM), "local", "invoke", logical),
            *("--template", str(_declaring(assembly, logical, environment))),
            *("--event", str(event_file), "--env-vars", str(variables)),
            *("--skip-pull-image", "--add-host", docker.ADDED_HOST),
        ]
        answer = subprocess.run(  # noqa: S603 - our own command line
            command, env=_environment(credentials, scratch), capture_output=True, text=True, check=False
        )
    return _answer(answer)


def _answer(answer: "subprocess.CompletedProcess[str]") -> FunctionResult:
    # The function's response is the last line; an error is recognised by its fields.
    lines = answer.stdout.strip().splitlines()
    if answer.returncode or not lines:
        raise InvocationFailed(f"sam local invoke failed:\n{_end(answer.stderr)}")
    response = json.loads(lines[-1])
    if isinstance(response, dict) and "errorType" in response:
        message = f"{response['errorType']}: {response.get('errorMessage')}"
        raise InvocationFailed(f"The function raised {message}\n{_end(answer.stderr)}")
    return FunctionResult(response, _function_log(answer.stderr))


def _function_log(log: str) -> str:
    """What Lambda would have logged: SAM says more, of images and of what it cannot read in a template."""
    lines = log.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("START ")), 0)
    end = next((number for number, line in enumerate(lines) if line.startswith("REPORT ")), len(lines))
    return "\n".join(lines[start : end + 1])


def _end(log: str) -> str:
    return "\n".join(log.splitlines()[-30:])


def _declaring(assembly: Path, logical: str, environment: Mapping[str, str]) -> Path:
    """A template beside the assembly's own in which the function declares every variable: SAM sets no others."""
    template = _template(assembly)
    template["Resources"][logical]["Properties"]["Environment"] = {"Variables": dict.fromkeys(environment, "")}
    path = assembly / f"{logical}.template.json"
    path.write_text(json.dumps(template))
    return path


def _template(assembly: Path) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((assembly / "Signoff.template.json").read_text())
    return template


def _environment(credentials: Mapping[str, str], home: str) -> dict[str, str]:
    # SAM itself calls nothing: only the function gets AWS's endpoint.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {name: value for name, value in credentials.items() if name != "AWS_ENDPOINT_URL"}
    return kept | keys | {"SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": home}
