"""Warm latency on the local engine: the pipeline's two waits, and bare chains beside them in the same runs."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks.bare_chain import BareChain
from examples.train import write_submissions
from local.deploy import deploy
from local.engine.process import Engine
from local.engine.seed import seed
from local.invoke import sample_events
from local.invoke.scenario import Scenario

T = TypeVar("T")
_DEADLINE = 60.0
_LOOK_EVERY = 0.005
_BEFORE_THE_MANIFEST = 0.5

UPLOAD, APPROVAL = "upload to PendingApproval", "approval to model"
BARE, QUEUED = "bare chain", "bare chain with a queue"
Times = dict[str, list[float]]


def measure(runs: int, say: Callable[[str], None]) -> Times:
    """The seconds of each of `runs` runs of each chain, one after the other in turn, after two runs to warm up."""
    say("Starting an engine and deploying to it")
    with Engine.start() as engine, tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        image = seed(engine)
        deploy(engine)
        scenario = Scenario(engine.environment())
        write_submissions(Path(folder))
        pipeline = PipelineBenchmark(scenario, Path(folder) / "good")
        bare, queued = (BareChain(engine, scenario, image, queued=queued) for queued in (False, True))
        times: Times = {BARE: [], QUEUED: [], UPLOAD: [], APPROVAL: []}
        for run in range(-2, runs):
            taken = {BARE: through(bare), QUEUED: through(queued), **pipeline.through()}
            if run >= 0:
                for name, seconds in taken.items():
                    times[name].append(seconds)
                say(f"run {run + 1} of {runs}: " + ", ".join(f"{name} {taken[name]:.2f} s" for name in times))
        return times


def through(chain: BareChain) -> float:
    """The seconds from an upload to a bare chain until its model is there."""
    started = time.perf_counter()
    name = chain.upload()
    return _until(lambda: chain.done(name), started)[1]


class PipelineBenchmark:
    """Submissions of one folder to the deployed pipeline."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self._scenario = scenario
        self._outputs = scenario.outputs
        self._files = {path.name: path.read_bytes() for path in folder.iterdir()}

    def through(self) -> dict[str, float]:
        """The seconds of the two automatic waits of one submission."""
        prefix = f"breast-cancer/{uuid4().hex[:12]}"
        self._put(prefix, "submission.json", self._scenario.submission(prefix, self._files))
        for name in self._files.keys() - {"manifest.json"}:
            self._put(prefix, name, self._files[name])
        # What was uploaded so far is answered before the clock starts: the manifest completes the submission.
        time.sleep(_BEFORE_THE_MANIFEST)
        started = time.perf_counter()
        self._put(prefix, "manifest.json", self._files["manifest.json"])
        arn, _ = _until(lambda: self._package(prefix), started)
        _, pending = _until(lambda: self._scenario.status(arn) == "PendingApproval", started)
        time.sleep(_BEFORE_THE_MANIFEST)
        return {UPLOAD: pending, APPROVAL: self._approve(arn)}

    def _put(self, prefix: str, name: str, body: bytes) -> None:
        self._scenario.aws("s3").put_object(Bucket=self._outputs["ArtifactsBucket"], Key=f"{prefix}/{name}", Body=body)

    def _package(self, prefix: str) -> str | None:
        answer = self._scenario.aws("dynamodb").get_item(
            TableName=self._outputs["SubmissionsTable"], Key={"submission": {"S": prefix}}
        )
        package = answer.get("Item", {}).get("package", {}).get("S")
        return str(package) if package else None

    def _approve(self, arn: str) -> float:
        detail = self._decision(arn)
        entry = {"EventBusName": self._outputs["BusName"], "Source": "signoff.cli"}
        started = time.perf_counter()
        self._scenario.aws("events").put_events(
            Entries=[{**entry, "DetailType": "Model Approval Decision", "Detail": json.dumps(detail)}]
        )
        group, version = arn.split("/")[-2:]
        return _until(lambda: self._model(f"{group}-v{version}-"), started)[1]

    def _decision(self, arn: str) -> dict[str, Any]:
        sample = sample_events.sample("decision_approve", self._outputs)
        about = {**sample, "detail": {**sample["detail"], "package": arn}}
        detail: dict[str, Any] = self._scenario.signed(about)["detail"]
        return detail

    def _model(self, prefix: str) -> bool:
        pages = self._scenario.aws("sagemaker").get_paginator("list_models").paginate()
        return any(model["ModelName"].startswith(prefix) for page in pages for model in page["Models"])


def _until(look: Callable[[], T | None], started: float) -> tuple[T, float]:
    """What `look` finds, and the seconds since `started` until it does. Raises TimeoutError."""
    while not (found := look()):
        if time.perf_counter() - started > _DEADLINE:
            raise TimeoutError(f"Timed out after {_DEADLINE:.0f} s")
        time.sleep(_LOOK_EVERY)
    return found, time.perf_counter() - started
