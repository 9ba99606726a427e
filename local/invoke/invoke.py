"""Invokes one of the functions in a container of Lambda's base image, against the local engine.

    python -m local.invoke.invoke RegisterModel s3_model_uploaded [--port N]

Without a port, an engine is started, prepared for the sample event, and stopped: only the container acts there, so all
changes are the function's. With one, the event goes to a function of the
stack on the engine that listens there, as it is.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from examples.train import write_submissions
from local.deploy import DeploymentError, deploy, synthesise
from local.engine import users
from local.engine.process import Engine, EngineError
from local.engine.seed import seed
from local.invoke import docker, sam, sample_events
from local.invoke.scenario import Scenario, ScenarioNotReached


@dataclass(frozen=True)
class Invocation:
    """The result of one invocation: its response, its log, what it changed, and its duration in seconds."""

    response: Any
    log: str
    changes: list[str]
    seconds: float


def invoke(scenario: Scenario, port: int, assembly: Path, function: str, name: str) -> Invocation:
    """Invoke `function` (a construct of the stack) with the sample event `name`, against the engine at `port`.

    Raises InvocationFailed, DockerMissing or UnknownSample.
    """
    logical = sam.function_id(assembly, function)
    deployed = scenario.physical(logical)
    event = sample_events.sample(name, scenario.outputs)
    before = scenario.facts()
    with docker.reachable(port) as url:
        # Signatures are for the endpoint that the function calls.
        if event["source"] == "aws.s3":
            scenario.sign(event["detail"]["object"]["key"].rpartition("/")[0], url)
        given = scenario.input(deployed, function, scenario.signed(event, url))
        variables = scenario.environment(deployed) | {"AWS_ENDPOINT_URL": url}
        started = time.monotonic()
        answer = sam.invoke(assembly, logical, given, variables, users.environment(url))
    return Invocation(answer.response, answer.log, _changes(before, scenario.facts()), time.monotonic() - started)


def prepare(scenario: Scenario, assembly: Path, function: str, name: str) -> None:
    """Bring the stack to the state for the sample event `name`, with only `function` left to act."""
    event = sample_events.sample(name, scenario.outputs)
    deployed = scenario.physical(sam.function_id(assembly, function))
    with tempfile.TemporaryDirectory(prefix="signoff-sample-") as folder:
        write_submissions(Path(folder))
        scenario.prepare(deployed, event, Path(folder) / "good")


def _changes(before: Sequence[str], after: Sequence[str]) -> list[str]:
    gone = [f"- {line}" for line in before if line not in after]
    return gone + [f"+ {line}" for line in after if line not in before]


def on_own_engine(function: str, name: str, say: Callable[[str], None]) -> Invocation:
    """Start an engine, deploy to it, prepare it, invoke, and stop it. Raises what each of those raises."""
    say("Starting an engine and deploying to it, and bundling for Lambda")
    with Engine.start() as engine, tempfile.TemporaryDirectory(prefix="signoff-assembly-") as scratch:
        seed(engine)
        assembly = Path(scratch) / "cdk.out"
        with ThreadPoolExecutor(1) as other:
            bundled = other.submit(synthesise, assembly, context=sam.CONTEXT, settings=engine.environment())
            deploy(engine)
            bundled.result()
        scenario = Scenario(engine.environment())
        say(f"Preparing the state for {name}")
        prepare(scenario, assembly, function, name)
        say(f"Invoking {function} in a container")
        return invoke(scenario, engine.port, assembly, function, name)


def on_engine_at(port: int, function: str, name: str, say: Callable[[str], None]) -> Invocation:
    """Invoke against the engine that listens on `port` of loopback. Raises as `invoke` does, or botocore's errors."""
    settings = users.environment(f"http://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory(prefix="signoff-assembly-") as scratch:
        say("Bundling for Lambda")
        assembly = Path(scratch) / "cdk.out"
        synthesise(assembly, context=sam.CONTEXT, settings=settings)
        say(f"Invoking {function} in a container")
        return invoke(Scenario(settings), port, assembly, function, name)


def report(invocation: Invocation) -> str:
    """The invocation's result as text for a person."""
    changes = invocation.changes or ["nothing"]
    answer = json.dumps(invocation.response, indent=2)
    return "\n".join(
        [
            *("", "What it logged:", invocation.log.strip()),
            *("", f"What it returned, after {invocation.seconds:.1f} s with the container's start:", answer),
            *("", "What it changed:", *(f"  {line}" for line in changes)),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Invoke what the command line says and print what came of it; exits with 1 and the reason when it failed."""
    parser = argparse.ArgumentParser(prog="make invoke", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("function", choices=sam.functions(), metavar="FUNCTION", help=", ".join(sam.functions()))
    parser.add_argument("event", choices=sample_events.names(), metavar="EVENT", help=", ".join(sample_events.names()))
    parser.add_argument("--port", type=int, help="where a running engine listens; without, one is started")
    options = parser.parse_args(arguments)
    try:
        sam.ready()
        invocation = (
            on_engine_at(options.port, options.function, options.event, _say)
            if options.port
            else on_own_engine(options.function, options.event, _say)
        )
    except _FAILURES as failure:
        sys.exit(f"signoff: {failure}")
    print(report(invocation))  # noqa: T201


_FAILURES = (
    *(
        docker.DockerMissing,
        sam.InvocationFailed,
        sample_events.UnknownSample,
        ScenarioNotReached,
        DeploymentError,
        EngineError,
    ),
    *(botocore.exceptions.ClientError, botocore.exceptions.EndpointConnectionError),
)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
