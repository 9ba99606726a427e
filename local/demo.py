"""From training to a deployed model and back, on this machine: what `make demo` shows.

    python -m local.demo

Starts the engine on a free port, deploys Signoff to it, trains the examples, submits and decides on them with the
`signoff` command as two users, and rolls back. Signoff measures each model by rows that its submitter cannot read.
Exits 1 when any step has an unexpected result.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.deploy import LOCAL_CONTEXT, DeploymentError, deploy
from local.engine.process import Engine, EngineError
from local.engine.seed import seed, seed_held_out
from signoff.ledger.recorded_checks import holding

GROUP = "breast-cancer"
# What is submitted, in this order, and the final status of each.
EXPECTED = {
    "good": "Approved",
    "better": "Approved",
    "boasting": "ValidationFailed",
    "escaping": "ValidationFailed",
}
# How the group's models are measured, and what of that is held against the champion.
EVALUATION: dict[str, Any] = {
    "task": "binary",
    "labels": ["0", "1"],
    "data": {"label": "0", "id": "1", "features": "$[2:]"},
    "predictions": {"kind": "probability", "path": "[1]"},
    "metrics": ["accuracy", "auc"],
}
AGAINST_CHAMPION = {"higher_is_better": True, "against_champion": {"at_least": -0.02}}
_ROOT = Path(__file__).resolve().parent.parent
_SIGNOFF = Path(sys.executable).with_name("signoff")
_COLOURS = {"Approved": "green", "ValidationFailed": "red"}


class UnexpectedResult(Exception):
    """Raised when a step of the demonstration has an unexpected result."""


class Demo:
    """The demonstration on one engine; `folder` holds the trained examples."""

    def __init__(self, engine: Engine, folder: Path, console: Console) -> None:
        self._engine = engine
        self._folder = folder
        self._console = console

    def run(self) -> None:
        """Submit, decide and show. Raises `UnexpectedResult`."""
        self._first()
        self._better()
        self._refused()
        self._roll_back()
        self._sum_up()

    def _first(self) -> None:
        heading(self._console, "A model is submitted, as the user `submitter`, and measured by rows it has never seen")
        self._submit("good")
        heading(self._console, "Nobody signs their own model")
        mine = ("approve", f"{GROUP}/1", "--reason", "It is mine, and it is good", *self._seen(1))
        if "OwnModel" not in self._signoff("submitter", *mine, expected=1):
            raise UnexpectedResult("the submitter's approval was not refused as OwnModel")
        heading(self._console, "Somebody else does, as the user `approver`: what waits for them, and what they sign")
        self._signoff("approver", "queue")
        self._approve("good", "Right in 94 of 100 held-out cases")

    def _better(self) -> None:
        heading(self._console, "The next model is compared with the champion, by their answers to the same rows")
        self._submit("better")
        self._signoff("approver", "show", f"{GROUP}/{_version('better')}")
        (compared,) = [
            metric
            for metric in self._shown(_version("better"))["comparison"]["metrics"]
            if (metric["name"], metric["slice"]) == ("accuracy", None)
        ]
        if compared["verdict"] not in ("better", "not-worse") or compared["difference"] < 0.03:
            raise UnexpectedResult(f"the better model's accuracy is not found to be as good: {compared}")
        self._approve("better", "Right in 98 of 100, and better than the champion")

    def _refused(self) -> None:
        heading(self._console, "A claim is no measure, and no decision skips the evidence")
        if "claim:accuracy" not in self._submit("boasting"):
            raise UnexpectedResult("the boasting model's claim was not found to differ from its measure")
        boasting = _version("boasting")
        hurry = ("approve", f"{GROUP}/{boasting}", "--reason", "We are in a hurry", *self._seen(boasting))
        if "ValidationFailed" not in self._signoff("approver", *hurry, expected=1):
            raise UnexpectedResult(
                "the approval of a package that failed its validation was not refused as ValidationFailed"
            )
        heading(self._console, "An archive that would write outside its folder is refused, and its model not run")
        self._submit("escaping")

    def _submit(self, name: str) -> str:
        passes = EXPECTED[name] == "Approved"
        submission = ("submit", f"{name}/model.tar.gz", "--group", GROUP, "--wait")
        return self._signoff("submitter", *submission, expected=0 if passes else 1)

    def _approve(self, name: str, reason: str) -> None:
        package = f"{GROUP}/{_version(name)}"
        self._signoff("approver", "approve", package, "--reason", reason, *self._seen(_version(name)))
        self._signoff("approver", "watch", package, "--timeout", "60")

    def _roll_back(self) -> None:
        heading(self._console, "The champion before comes back in one step, as the user `approver`")
        reason = "98 of 100, and none of the next ten"
        if f"{GROUP}/1" not in self._signoff("approver", "rollback", GROUP, "--reason", reason, "--yes"):
            raise UnexpectedResult("the group was not rolled back to its first version")
        self._signoff("approver", "watch", f"{GROUP}/1", "--timeout", "60")
        if not self._signoff("approver", "champion", GROUP).lstrip().startswith(f"{GROUP}/1,"):
            raise UnexpectedResult("the first version is not the champion after the rollback")

    def _sum_up(self) -> None:
        shown = {name: self._shown(_version(name)) for name in EXPECTED}
        heading(self._console, "What became of each submission")
        self._console.print(_table(shown))
        for name, status in EXPECTED.items():
            model = shown[name]["model"]
            if shown[name]["status"] != status or bool(model) != (status == "Approved"):
                raise UnexpectedResult(
                    f"{name} is {shown[name]['status']} with the model {model}; it should be {status}"
                )
        self._describe(shown["good"])

    def _describe(self, shown: Mapping[str, Any]) -> None:
        import boto3

        settings = self._engine.environment()
        sagemaker = boto3.client(
            "sagemaker",
            endpoint_url=self._engine.url,
            region_name=self._engine.region,
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        )
        described = sagemaker.describe_model(ModelName=shown["model"]["name"])
        described.pop("ResponseMetadata")
        heading(self._console, "The model that SageMaker may now run (DescribeModel)")
        self._console.print(json.dumps(described, indent=2, default=str), soft_wrap=True)
        if shown["package"] not in json.dumps(described, default=str):
            raise UnexpectedResult(f"the model does not name its package {shown['package']}")

    def _seen(self, version: int) -> tuple[str, ...]:
        """Options of a script that has looked at the evidence of a version."""
        return "--evidence", str(self._shown(version)["evidence"]["sha256"]), "--yes"

    def _shown(self, version: int) -> dict[str, Any]:
        command = [str(_SIGNOFF), "show", f"{GROUP}/{version}", "--json"]
        shown = subprocess.run(command, env=self._environment("approver"), capture_output=True, text=True)  # noqa: S603
        if shown.returncode:
            raise UnexpectedResult(f"`signoff show {GROUP}/{version}` failed: {shown.stderr.strip()}")
        document: dict[str, Any] = json.loads(shown.stdout)
        return document

    def _signoff(self, user: str, *arguments: str, expected: int = 0) -> str:
        """Run the command as `user`, show what it prints as it comes, and return it. Raises `UnexpectedResult`."""
        words = [f'"{word}"' if " " in word else word for word in arguments]
        self._console.print(Text(f"\n$ signoff {' '.join(words)}", "bold"), soft_wrap=True)
        command = [str(_SIGNOFF), *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=self._folder,
            env=self._environment(user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            printed = ""
            for line in process.stdout or ():
                printed += line
                self._console.print(Text(f"  {line.rstrip()}"), soft_wrap=True)
        if process.returncode != expected:
            raise UnexpectedResult(
                f"`signoff {arguments[0]}` ended with exit code {process.returncode}, not {expected}"
            )
        return printed

    def _environment(self, user: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SIGNOFF_"))}
        return {**kept, **self._engine.environment(user), "AWS_EC2_METADATA_DISABLED": "true"}


def _version(name: str) -> int:
    return list(EXPECTED).index(name) + 1


def _table(shown: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("submission", "package", "status", "model or reason"):
        table.add_column(column, overflow="fold")
    for name, document in shown.items():
        failed = [f"{check['name']}: {check['reason']}" for check in holding(document["checks"])]
        outcome = document["model"]["name"] if document["model"] else "; ".join(failed)
        package = f"{document['group']}/{document['version']}"
        table.add_row(name, package, Text(document["status"], _COLOURS.get(document["status"], "")), Text(outcome))
    return table


def heading(console: Console, text: str) -> None:
    """Print what the next step is about."""
    console.print(Text(f"\n{text}", "bold cyan"))


def prepare(engine: Engine, folder: Path, console: Console) -> None:
    """Train the examples, and deploy Signoff to the engine with a policy that has them measured."""
    seed(engine)
    rows = folder / "held-out.csv"
    train = [sys.executable, "-m", "examples.train", str(folder), "--held-out", str(rows)]
    trained = subprocess.run(train, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    if trained.returncode:
        raise UnexpectedResult(f"the examples could not be trained:\n{trained.stdout}")
    for line in trained.stdout.splitlines():
        console.print(Text(f"  trained {line.replace(f'{folder}{os.sep}', '')}"), soft_wrap=True)
    policies = measuring_policies(folder / "policies", seed_held_out(engine, rows.read_bytes()))
    deploy(engine, context=LOCAL_CONTEXT | {"policies": str(policies)})


def measuring_policies(folder: Path, rows: Mapping[str, str]) -> Path:
    """Write the engine's policies to `folder`, the group's with an evaluation by these rows (uri, version, sha256)."""
    shutil.copytree(LOCAL_CONTEXT["policies"], folder)
    path = folder / "groups" / f"{GROUP}.json"
    policy = json.loads(path.read_bytes())
    policy["evaluation"] = {**EVALUATION, "data": {**EVALUATION["data"], **rows}}
    policy["metrics"] = [{**metric, **AGAINST_CHAMPION} for metric in policy["metrics"]]
    path.write_text(json.dumps(policy, indent=2))
    return folder


def demonstrate(console: Console, scratch: Path) -> None:
    """Run the whole demonstration. Raises `UnexpectedResult`, `EngineError` and `DeploymentError`."""
    began = time.monotonic()
    heading(console, "AWS starts on this machine, models are trained, Signoff is deployed")
    with Engine.start(log=scratch / "engine.log") as engine:
        with console.status("deploying the stack"):
            prepare(engine, scratch, console)
        console.print(f"  ready at {engine.url} after {time.monotonic() - began:.0f} s")
        Demo(engine, scratch, console).run()
    console.print(f"\nDone in {time.monotonic() - began:.0f} s. The engine is stopped; nothing is left behind.")


def main() -> int:
    """Run the demonstration and return the exit code."""
    console = Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else 160)
    scratch = Path(tempfile.mkdtemp(prefix="signoff-demo-"))
    for number in (signal.SIGINT, signal.SIGTERM):
        _interrupt_on(number)
    code = _guarded(lambda: demonstrate(console, scratch))
    if code == 1:
        sys.stderr.write(f"The engine's log and the examples are in {scratch}\n")
    else:
        shutil.rmtree(scratch, ignore_errors=True)
    return code


def _guarded(show: Callable[[], None]) -> int:
    try:
        show()
    except (UnexpectedResult, EngineError, DeploymentError) as error:
        sys.stderr.write(f"\nThe demonstration failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The engine is stopped.\n")
        return 130
    return 0


def _interrupt_on(number: signal.Signals) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(number, interrupt)


if __name__ == "__main__":
    sys.exit(main())
