"""Deploying a CDK app to the engine with the CDK's own command line, exactly as to AWS."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local import node
from local.engine.process import Engine
from local.engine.users import ACCOUNT

Outputs = dict[str, str]
Progress = Callable[[str], None]

# Where a laptop's stack differs from AWS's: it can be torn down, its functions find their dependencies in the
# engine's environment, submissions may ask for new groups, as nobody reviews a policy for each, and the rules for a
# stack in AWS are not checked each time it starts.
LOCAL_CONTEXT = {
    "ephemeral": "true",
    "bundle": "source",
    "nag": "false",
    "policies": str(node.ROOT / "local" / "policies"),
    "projects": "true",
    "heldOutBuckets": f"held-out-{ACCOUNT}",
    "projectPrincipals": "arn:aws:iam:::user/*",
}
_LAST_LINES = 30


class DeploymentError(Exception):
    """Raised when the CDK's command line fails; the message ends with its last lines."""


def _silent(line: str) -> None:
    del line


def deploy(
    engine: Engine,
    progress: Progress = _silent,
    *,
    assembly: Path | None = None,
    stack: str = "Signoff",
    context: Mapping[str, str] = LOCAL_CONTEXT,
    account: str | None = None,
    region: str | None = None,
    bootstrap: bool = True,
) -> Outputs:
    """Bootstrap the account, unless it is, and deploy `stack` to it; returns the stack's outputs by their keys.

    Account and region are the engine's own unless others are given.

    `assembly` is a directory that `synthesise` made; without it the app in cdk.json is synthesised here, while
    the account is bootstrapped. `progress` gets the command line's output line by line. Raises DeploymentError.
    """
    with tempfile.TemporaryDirectory(prefix="signoff-deploy-") as scratch, ThreadPoolExecutor(2) as both:
        settings = engine.environment(None, account, region)
        place = f"aws://{account or engine.account}/{region or engine.region}"
        bootstrapped = both.submit(_bootstrap, place, settings, progress) if bootstrap else None
        synthesised = assembly or Path(scratch) / "cdk.out"
        if assembly is None:
            synthesise(synthesised, progress, context=context, settings=settings)
        if bootstrapped is not None:
            bootstrapped.result()
        outputs = Path(scratch) / "outputs.json"
        arguments = ["deploy", stack, "--app", str(synthesised), "--outputs-file", str(outputs)]
        _cdk([*arguments, "--require-approval", "never", "--progress", "events"], settings, progress)
        deployed: dict[str, Outputs] = json.loads(outputs.read_text())
        return deployed[stack]


def synthesise(
    directory: Path,
    progress: Progress = _silent,
    *,
    context: Mapping[str, str] = LOCAL_CONTEXT,
    settings: Mapping[str, str] | None = None,
    app: str | None = None,
) -> None:
    """Write the app's cloud assembly to `directory`: one serves any number of deployments. Raises DeploymentError."""
    arguments = ["synth", "--quiet", "--output", str(directory)]
    arguments += ["--app", app] if app else []
    for name, value in context.items():
        arguments += ["--context", f"{name}={value}"]
    _cdk(arguments, settings or {}, progress)


def _bootstrap(place: str, settings: Mapping[str, str], progress: Progress) -> None:
    # Where there is no cdk.json, the command has no app to synthesise before it begins.
    with tempfile.TemporaryDirectory(prefix="signoff-bootstrap-") as nowhere:
        _cdk(["bootstrap", place], settings, progress, Path(nowhere))


def _cdk(arguments: list[str], settings: Mapping[str, str], progress: Progress, directory: Path = node.ROOT) -> None:
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="signoff-cdk-") as home:
        command = [*node.program("cdk"), *arguments, "--no-notices", "--no-color", "--ci"]
        with subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=directory,
            env=_environment(settings, home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    progress(lines[-1])
            except BaseException:
                process.kill()
                raise
    if process.returncode:
        raise DeploymentError(f"cdk {arguments[0]} failed:\n" + "\n".join(lines[-_LAST_LINES:]))


def _environment(settings: Mapping[str, str], home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nodes = node.environment()
    # cdk.json says `python`: that of this environment, whether or not it is activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), nodes["PATH"]])
    cdk = {"CDK_HOME": home, "CDK_DISABLE_CLI_TELEMETRY": "true", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    return kept | nodes | {"PATH": path} | cdk | dict(settings)
