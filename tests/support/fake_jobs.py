"""Transform jobs in memory: the models of a fake registry answer rows in a fake bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from signoff.documents.timestamps import Clock
from tests.support.fake_bucket import FakeS3
from tests.support.fake_registry import FakeRegistry

# What a model, as it was created, answers to a row without its label.
Model = Callable[[Mapping[str, Any], list[str]], str]


class JobFails(Exception):
    """Raised by a model that SageMaker cannot ask: the job fails for that reason."""


def echo(_model: Mapping[str, Any], features: list[str]) -> str:
    """Answer the first feature."""
    return features[0]


class FakeTransformJobs:
    """Runs jobs at once. `model` answers; `refusal` is the error and the cause with which no job is created."""

    def __init__(self, s3: FakeS3, registry: FakeRegistry, now: Clock) -> None:
        self._s3, self._registry, self._now = s3, registry, now
        self.described: dict[str, dict[str, Any]] = {}
        self.model: Model = echo
        self.refusal: tuple[str, str] | None = None
        self.lasts = timedelta(seconds=90)

    def describe(self, name: str) -> dict[str, Any] | None:
        return self.described.get(name)

    def stop(self, name: str) -> None:
        if self.described[name]["TransformJobStatus"] == "InProgress":
            self.described[name]["TransformJobStatus"] = "Stopped"

    def under_way(self, named: str, before: datetime) -> Iterator[str]:
        for name, job in self.described.items():
            if named in name and job["TransformJobStatus"] == "InProgress" and job["CreationTime"] < before:
                yield name

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run one of a measurement's jobs, as the workflow does, and return what it hands on."""
        name, request = job["name"], job["request"]
        if self.refusal:
            error, cause = self.refusal
            return {"name": name, "error": error, "cause": cause}
        described = self.described[name] = {**request, "CreationTime": self._now(), "TransformJobStatus": "InProgress"}
        if self.lasts.total_seconds() > job["seconds"]:
            return {"name": name, "error": "States.Timeout", "cause": ""}
        described |= {"TransformStartTime": self._now(), "TransformEndTime": self._now() + self.lasts}
        try:
            self._answer(name, request)
        except JobFails as failed:
            described |= {"TransformJobStatus": "Failed", "FailureReason": str(failed)}
            return {"name": name, "error": "States.TaskFailed", "cause": str(failed)}
        described["TransformJobStatus"] = "Completed"
        return {"name": name}

    def _answer(self, name: str, request: Mapping[str, Any]) -> None:
        model = self._registry.models[request["ModelName"]]
        bucket, _, key = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"][5:].partition("/")
        rows = [line.split(",") for line in (self._s3.bucket(bucket).get(key) or b"").decode().splitlines()]
        first = int(request["DataProcessing"]["InputFilter"].removeprefix("$[").removesuffix(":]"))
        joined = request["DataProcessing"]["JoinSource"] == "Input"
        answers = [(row, self.model(model, row[first:])) for row in rows]
        lines = [",".join([*(row if joined else ()), answer]) for row, answer in answers]
        output, _, prefix = request["TransformOutput"]["S3OutputPath"][5:].partition("/")
        self._s3.bucket(output).put(f"{prefix}{key.rpartition('/')[2]}.out", "\n".join([*lines, ""]).encode())
