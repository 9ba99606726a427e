"""Runs a transform job from its containers' start to its output, and says what became of it."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.sagemaker.account import Document, TransformJob
from local.transforms import records
from local.transforms.container import BadAnswer, Container, ContainerFailed
from local.transforms.data_processing import DataProcessing
from local.transforms.objects import Objects, Unreadable
from local.transforms.records import NotRecords, Record, TooLarge

Log = Callable[[str], None]
_MEGABYTE = 1024 * 1024
_DEFAULT_PAYLOAD, _DEFAULT_TIMEOUT, _DEFAULT_RETRIES = 6, 600, 3
_SEE_LOGS = "{}: See job logs for more information"


def run(job: TransformJob, objects: Objects, log: Log) -> None:
    """Run a job to its end; whatever happens, it ends."""
    try:
        reason = None if job.stopping else _outcome(job, objects, log)
    except (ContainerFailed, Unreadable) as failure:
        reason = str(failure)
    except Exception as error:  # the engine's own fault, which must not leave the job in progress for ever
        log(f"[sagemaker logs]: {error!r}")
        reason = "InternalServerError: We encountered an internal error. Please try again."
    job.end(reason)


def _outcome(job: TransformJob, objects: Objects, log: Log) -> str | None:
    """Transform every input, and store what came of each; returns why the job has failed, or None."""
    job.begin()
    outputs, reason = {}, None
    with _serving(job, objects, log) as containers:
        transform = Transform(job.described, containers, log)
        for url, name, content in objects.inputs(job.described["TransformInput"]):
            try:
                outputs[f"{name}.out"] = transform.output(url, content)
            except (BadAnswer, NotRecords, TooLarge) as failure:
                log(f"[sagemaker logs]: {url.partition('://')[2]}: {_said(failure)}")
                server_failed = isinstance(failure, BadAnswer) and not failure.refused
                reason = _SEE_LOGS.format("AlgorithmError" if server_failed else "ClientError")
            if job.stopping:
                break
    # A job that is stopped stores nothing.
    for name, content in outputs.items() if not job.stopping else ():
        objects.write(f"{job.described['TransformOutput']['S3OutputPath'].rstrip('/')}/{name}", content)
    return reason


@contextlib.contextmanager
def _serving(job: TransformJob, objects: Objects, log: Log) -> Iterator[list[Container]]:
    """The job's containers, each with its model's data, started and ready; they end with the block."""
    containers: list[Container] = []

    def kill() -> None:
        for container in containers:
            container.kill()

    with tempfile.TemporaryDirectory(prefix="signoff-transform-") as scratch:
        job.cancel = kill
        try:
            for number, described in enumerate(job.containers):
                folder = Path(scratch) / f"container-{number}"
                (folder / "model").mkdir(parents=True)
                if described.get("ModelDataUrl"):
                    objects.extract(described["ModelDataUrl"], folder / "model")
                environment = {**(described.get("Environment") or {}), **_told(job.described)}
                containers.append(Container(described.get("Image", ""), environment, folder, log))
                if job.stopping:
                    break
                containers[-1].wait_until_ready()
            yield containers
        finally:
            kill()


def _told(job: Document) -> dict[str, str]:
    """The variables that a job sets: its own, and what it asks of the containers."""
    strategy = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}.get(job.get("BatchStrategy", ""))
    asked = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": job.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategy,
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": job.get("MaxConcurrentTransforms"),
    }
    given = {name: str(value) for name, value in asked.items() if value is not None}
    return {**(job.get("Environment") or {}), "SAGEMAKER_BATCH": "true", **given}


def _said(failure: Exception) -> str:
    return f"Bad HTTP status received from algorithm: {failure}" if isinstance(failure, BadAnswer) else str(failure)


class Transform:
    """How one job sends an object's records to its containers, each container's answer being the next one's request."""

    def __init__(self, job: Document, containers: Sequence[Container], log: Log) -> None:
        self._given, self._result = job["TransformInput"], job["TransformOutput"]
        self._containers = containers
        self._processing = DataProcessing(job)
        self._strategy = job.get("BatchStrategy", "MultiRecord")
        self._payload = job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD)
        self._concurrent = max(job.get("MaxConcurrentTransforms") or 1, 1)
        client = job.get("ModelClientConfig") or {}
        self._timeout = client.get("InvocationsTimeoutInSeconds", _DEFAULT_TIMEOUT)
        self._retries = client.get("InvocationsMaxRetries", _DEFAULT_RETRIES)
        log(
            f"[sagemaker logs]: MaxConcurrentTransforms={self._concurrent}, MaxPayloadInMB={self._payload}, "
            f"BatchStrategy={self._strategy}"
        )

    def output(self, url: str, content: bytes) -> bytes:
        """What is stored for an object; raises BadAnswer, NotRecords, TooLarge."""
        split = self._given["SplitType"]
        parts = records.split(content, split)
        batches = list(records.mini_batches(parts, split, self._strategy, self._payload * _MEGABYTE))
        with ThreadPoolExecutor(self._concurrent) as pool:
            answers = list(pool.map(self._answer, batches))
        return records.assembled(answers, self._result["AssembleWith"])

    def _answer(self, batch: list[Record]) -> bytes:
        return self._processing.joined(batch, self._asked([self._processing.filtered(each) for each in batch]))

    def _asked(self, batch: list[Record]) -> bytes:
        body, kind = records.payload(batch, self._given["SplitType"]), self._given.get("ContentType", "")
        accept = {"Accept": self._result["Accept"]} if self._result["Accept"] else {}
        for container in self._containers:
            headers = accept | ({"Content-Type": kind} if kind else {})
            body, kind = self._invoked(container, body, headers, self._retries)
        return body

    def _invoked(self, container: Container, body: bytes, headers: dict[str, str], retries: int) -> tuple[bytes, str]:
        try:
            return container.invoke(body, headers, self._timeout)
        except BadAnswer as failure:
            if failure.refused or not retries:
                raise
        return self._invoked(container, body, headers, retries - 1)
