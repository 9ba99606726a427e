"""Measuring models by what they answered: reads the output of transform jobs, computes, and deletes the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from signoff.aws.s3 import Bucket
from signoff.aws.sagemaker import Registry
from signoff.aws.transform_jobs import TransformJobs
from signoff.aws.vault import Vault
from signoff.errors import JobRunning
from signoff.metrics import predictions, quality, scores
from signoff.metrics.pairing import certainties
from signoff.metrics.predictions import AnswerForm, Column, RowForm, Truth
from signoff.metrics.rows import BadAnswer, Task, Unmeasurable
from signoff.metrics.scores import Scores
from signoff.metrics.values import Measurements, Skipped, StoredFile
from signoff.model_package.subject import covers
from signoff.model_package.temporary_model import transform_request
from signoff.policy.evaluation import Evaluation, Predictions, Rows, Smoke
from signoff.policy.policy import Policy
from signoff.validation import answers
from signoff.validation.answers import Scored
from signoff.validation.claimed_policy import claimed_policy
from signoff.validation.expected_answers import expected
from signoff.validation.measurement import METRICS, PREFIX, Outcome
from signoff.validation.prepare_measurement import ROWS

_TIMEOUT = "States.Timeout"
_NOT_THE_MODELS = ("CapacityError", "InternalServerError")  # what reasons for a failure begin with
# What of a job says which model answers what.
_QUESTION = ("ModelName", "TransformInput", "DataProcessing")
_TOLD = 600  # characters of a job's reason

Ran = Mapping[str, Any]


class _Ended(Exception):
    """A model was not measured: the `outcome` of its check, and why."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        self.outcome = outcome
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class ModelMeasurer:
    """Measures the models of a prepared measurement. `output` is the bucket that their jobs write to."""

    registry: Registry
    jobs: TransformJobs
    vault: Vault
    output: Bucket

    def measure(self, claim: Mapping[str, Any], prepared: Mapping[str, Any], ran: Sequence[Ran]) -> dict[str, str]:
        """Return the `sha256` of the measurement's document in the vault, and delete the temporary models.

        `ran` says of each job its `name` and, if it did not succeed, the `error` and its `cause`. Raises `JobRunning`
        for a job that is still under way. Repeating it comes to the same.
        """
        policy = claimed_policy(claim, self.vault)
        parts = {part["role"]: part for part in prepared["parts"]}
        errors = {each["name"]: each for each in ran if "error" in each}
        document = {
            "package": claim["package"],
            "attempt": claim["attempt"],
            "subject": prepared["subject"],
            "evaluation": self._evaluation(policy, parts, errors),
            "smoke": self._smoke(policy, parts, errors),
        }
        stored = self.vault.write(PREFIX, document)
        for part in prepared["parts"]:
            if part["job"]:
                self.registry.delete_model(part["job"])
        return {"sha256": stored.sha256}

    def _evaluation(self, policy: Policy, parts: Mapping[str, Any], errors: Mapping[str, Ran]) -> dict[str, Any] | None:
        evaluation = policy.evaluation
        if evaluation is None:
            return None
        said = self._measured(policy, evaluation, parts["candidate"], errors)
        champion = self._measured(policy, evaluation, parts["champion"], errors) if "champion" in parts else None
        both = [said, champion] if champion and said["measured"] and champion["measured"] else []
        return {**said, "champion": champion, "paired": both and self._paired(policy, evaluation, parts, both)}

    def _paired(
        self, policy: Policy, evaluation: Evaluation, parts: Mapping[str, Any], both: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return how certain the differences are between candidate and champion, of which both were measured."""
        task, question = Task(evaluation.task, evaluation.labels), answers.question(policy.document["evaluation"])
        rows = self._truths(parts["candidate"], evaluation.data)
        kept = [answers.scored(self.vault, each["subject"], question) for each in both]
        said = [answers.read(self.vault, each) for each in kept if each]
        if len(said) < len(both):
            return []  # nothing is known of certainty without the answers of both
        pairs = zip(*(predictions.paired(task, evaluation.threshold, rows, each) for each in said), strict=True)
        return [each.document for each in certainties(task, pairs, policy.comparison.confidence)]

    def _measured(
        self, policy: Policy, evaluation: Evaluation, part: Mapping[str, Any], errors: Mapping[str, Ran]
    ) -> dict[str, Any]:
        """Return what was measured of one model: the outcome and its reason, the metrics, and the facts of the job."""
        asked = policy.document["evaluation"]
        nothing = {"subject": part.get("subject"), "measured": None, "job": None, "cost": None}
        try:
            rows = self._truths(part, evaluation.data)
            kept = self._scored(part, asked, evaluation.predictions, rows, errors)
            facts = {**nothing, "data": _data(evaluation.data, len(rows)), **_cost(part, kept, evaluation.job.minutes)}
            task = Task(evaluation.task, evaluation.labels)
            found = _score(task, evaluation, rows, answers.read(self.vault, kept))
        except _Ended as ended:
            data = _data(evaluation.data, None)
            return {**nothing, "data": data, "outcome": ended.outcome, "reason": str(ended)}
        named = task.named((metric.name, metric.path) for metric in policy.metrics)
        measurements = self._measurements(evaluation.data, found.document(task, evaluation.data.sha256), named, kept)
        skipped = (*measurements.skipped, *_skipped(found))
        outcome, reason = _judged(evaluation, found)
        return {
            **facts,
            "outcome": outcome,
            "reason": reason,
            "measured": replace(measurements, skipped=skipped).document,
        }

    def _smoke(self, policy: Policy, parts: Mapping[str, Any], errors: Mapping[str, Ran]) -> dict[str, Any] | None:
        smoke = policy.smoke
        if smoke is None:
            return None
        part, nothing = parts["smoke"], {"subject": parts["smoke"].get("subject"), "job": None, "cost": None}
        try:
            rows = self._truths(part, smoke.data)
            kept = self._scored(part, policy.document["smoke"], smoke.predictions, rows, errors)
            outcome, reason = _expected(smoke, rows, answers.read(self.vault, kept))
        except _Ended as ended:
            return {**nothing, "data": _data(smoke.data, None), "outcome": ended.outcome, "reason": str(ended)}
        facts = {**nothing, "data": _data(smoke.data, len(rows)), **_cost(part, kept, smoke.job.minutes)}
        return {**facts, "outcome": outcome, "reason": reason, "predictions": asdict(kept.predictions)}

    def _truths(self, part: Mapping[str, Any], data: Rows) -> list[Truth]:
        """Return what is true of the rows. Raises `_Ended` for rows that are none, and for what could not be asked."""
        if "refused" in part:
            raise _Ended("refused", part["refused"])
        stored = self.vault.version(part["rows"]["key"], part["rows"]["version_id"])
        try:
            return list(predictions.truths(self.vault.stream(stored), row_form(data)))
        except Unmeasurable as fault:
            raise _Ended("refused", f"{data.uri}: {fault}") from fault

    def _scored(
        self,
        part: Mapping[str, Any],
        asked: Mapping[str, Any],
        form: Predictions,
        rows: Sequence[Truth],
        errors: Mapping[str, Ran],
    ) -> Scored:
        """Return a model's answers, kept now or before. Raises `_Ended` when there are none."""
        question = answers.question(asked)
        known = answers.scored(self.vault, part["subject"], question)
        if known:
            return known
        job = self._job(part, errors.get(part["job"]), asked)
        stored = self.output.current(f"{part['job']}/{ROWS}.out")
        if stored is None:
            raise _Ended("failed", f"the transform job {part['job']} wrote no answers")
        content, ids = asked["data"]["content_type"], asked["data"]["id"]
        answer = AnswerForm(content, form.kind, form.path)
        try:
            column = None if ids is None else _column(content, ids)
            found = predictions.answers(self.output.stream(stored), answer, rows, column)
        except BadAnswer as bad:
            raise _Ended("failed", f"what the model answered cannot be used: {bad}") from bad
        return answers.keep(self.vault, part["subject"], question, found, job)

    def _job(self, part: Mapping[str, Any], error: Ran | None, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts of a job that completed. Raises `_Ended` for another, `JobRunning` for one under way."""
        name, minutes = part["job"], asked["job"]["minutes"]
        described = self.jobs.describe(name)
        if described is None:
            raise _Ended(*_not_created(error))
        request = transform_request(name, self.vault.uri(part["rows"]["key"]), "", asked["data"], asked["job"])
        if not all(covers(described.get(field), request[field]) for field in _QUESTION):
            raise _Ended("errored", f"{name} is not the transform job that Signoff asked for: somebody else made it")
        status, late = described["TransformJobStatus"], (error or {}).get("error") == _TIMEOUT
        if status == "Completed":
            return _facts(described)
        if late:
            self.jobs.stop(name)
            raise _Ended("failed", f"the model did not answer all rows within {minutes} minutes: {name} was stopped")
        if status == "Failed":
            why = str(described.get("FailureReason") or "no reason is given")[:_TOLD]
            outcome: Outcome = "errored" if why.startswith(_NOT_THE_MODELS) else "failed"
            raise _Ended(outcome, f"the transform job {name} failed: {why}")
        if status == "Stopped":
            raise _Ended("errored", f"somebody stopped the transform job {name}")
        raise JobRunning(f"{name} is {status}")

    def _measurements(
        self, data: Rows, document: Mapping[str, Any], named: Sequence[tuple[str, str]], kept: Scored
    ) -> Measurements:
        """Return the metrics of a quality `document`, which is kept, under the names that a policy gives."""
        stored = self.vault.write(METRICS, document)
        read = quality.measured(document, named)
        return replace(
            read,
            source=StoredFile(stored.uri, stored.sha256),
            predictions=kept.predictions,
            dataset=replace(read.dataset, uri=data.uri),
        )


def _score(task: Task, evaluation: Evaluation, rows: Sequence[Truth], found: Sequence[predictions.Answer]) -> Scores:
    try:
        return scores.score(task, predictions.paired(task, evaluation.threshold, rows, found))
    except BadAnswer as bad:
        raise _Ended("failed", f"what the model answered cannot be used: {bad}") from bad
    except Unmeasurable as fault:
        raise _Ended("refused", f"{evaluation.data.uri}: {fault}") from fault


def _expected(smoke: Smoke, rows: Sequence[Truth], found: Sequence[predictions.Answer]) -> tuple[Outcome, str]:
    try:
        return expected(rows, found, smoke.tolerance)
    except Unmeasurable as fault:
        raise _Ended("refused", f"{smoke.data.uri}: {fault}") from fault


def _judged(evaluation: Evaluation, found: Scores) -> tuple[Outcome, str]:
    """Return whether all metrics that the policy asks for have a value, and which have none."""
    known = {each.name for each in found.values if each.slice is None}
    why = {name: reason for name, group, reason in found.skipped if group is None}
    lacking = [f"{name} ({why.get(name, 'not computed')})" for name in evaluation.metrics if name not in known]
    if lacking:
        return "failed", f"no value of {', '.join(lacking)}"
    return "passed", f"measured on {found.rows:,} rows of {evaluation.data.uri}"


def _skipped(found: Scores) -> Iterator[Skipped]:
    for name, group, reason in found.skipped:
        yield Skipped(name if group is None else f"{group}: {name}", reason)


def _not_created(error: Ran | None) -> tuple[Outcome, str]:
    cause = str((error or {}).get("cause") or "nobody started it")[:_TOLD]
    refused = "ValidationException" in cause
    return "refused" if refused else "errored", f"SageMaker did not run the transform job: {cause}"


def _facts(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job ran on, and for how many seconds an instance was used, which is what it cost."""
    resources = described["TransformResources"]
    began, ended = described.get("TransformStartTime"), described.get("TransformEndTime")
    return {
        "name": described["TransformJobName"],
        "instance_type": resources["InstanceType"],
        "instance_count": resources["InstanceCount"],
        "seconds": round((ended - began).total_seconds()) if began and ended else None,
    }


def _cost(part: Mapping[str, Any], kept: Scored, minutes: int) -> dict[str, Any]:
    """Return the job that asked, and what this measurement cost: nothing where the model had been asked before."""
    paid = kept.job if kept.job["name"] == part["job"] else {**kept.job, "seconds": 0}
    cost = {field: paid[field] for field in ("instance_type", "instance_count", "seconds")}
    return {"job": dict(kept.job), "cost": {**cost, "minutes_allowed": minutes}}


def _data(data: Rows, rows: int | None) -> dict[str, Any]:
    return {"uri": data.uri, "version": data.version, "sha256": data.sha256, "rows": rows}


def row_form(data: Rows) -> RowForm:
    """Return where in rows everything stands: a policy has texts, CSV has positions."""

    def column(said: str) -> Column:
        return _column(data.content_type, said)

    return RowForm(
        data.content_type,
        label=column(data.label),
        id=None if data.id is None else column(data.id),
        slices={name: column(each) for name, each in data.slices.items()},
    )


def _column(content_type: str, said: str) -> Column:
    return int(said) if content_type == "text/csv" else said
