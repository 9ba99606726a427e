"""Signoff has models measured on data that their submitters need not know, and believes no claim beyond that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from signoff.errors import JobRunning, Transient
from signoff.model_package.temporary_model import NAME
from signoff.validation.open_validation import ValidationRequest
from signoff_cli.audit.evidence_format import evidence_schema
from tests.support.fake_jobs import JobFails
from tests.support.interruptions import Died
from tests.support.json_schema import Schema
from tests.support.validations import checks, evidence
from tests.support.world import IMAGE, MEASURING, PINNED, World

# The true label, an id, the region, and what the model gets: the probability that the echoing model answers.
ROWS = b"1,a,EU,0.9\n0,b,EU,0.2\n1,c,US,0.4\n0,d,US,0.1\n"
DATA: dict[str, Any] = {
    "uri": "s3://held-out/churn/rows.csv",
    "sha256": hashlib.sha256(ROWS).hexdigest(),
    "label": "0",
    "slices": {"region": "2"},
    "features": "$[3:]",
}
EVALUATION: dict[str, Any] = {"task": "binary", "labels": ["0", "1"], "predictions": {"kind": "probability"}}
# What QUALITY of the tests' submissions claims is 0.97; the echoing model gets three of four rows right.
ACCURACY = {"name": "accuracy", "path": "multiclass_classification_metrics.accuracy.value", "at_least": 0.1}


def world(smoke: bool = False, rows: bytes = ROWS, **evaluation: Any) -> World:
    made = World()
    version = made.s3.bucket("held-out").put("churn/rows.csv", rows).version_id
    data = {**DATA, "version": version, "sha256": hashlib.sha256(rows).hexdigest(), **evaluation.pop("data", {})}
    policy: dict[str, Any] = {"groups": {"create": True}, "metrics": [ACCURACY]}
    if smoke:
        policy["smoke"] = {"data": {**data, "slices": {}}, "predictions": {"kind": "value"}, **evaluation}
    else:
        policy["evaluation"] = {"data": data, **EVALUATION, "tolerance": 1, **evaluation}
    made.set_policy("default", **policy)
    return made


def test_a_model_is_measured_by_what_it_answers() -> None:
    there = world(metrics=["auc", "f1"])
    arn = there.pending()
    found = evidence(there, arn)

    measured = found["metrics"]["measured"]
    values = {(each["name"], each["slice"]): each["value"] for each in measured["values"]}
    assert (values["accuracy", None], values["auc", None], values["recall", "region=US"]) == (0.75, 1, 0)
    assert (measured["format"], measured["dataset"]["rows"], measured["dataset"]["uri"]) == (
        "model-monitor-binary",
        4,
        DATA["uri"],
    )
    assert measured["dataset"]["sha256"] == DATA["sha256"]
    assert checks(there, arn)["evaluation"] == ("passed", f"measured on 4 rows of {DATA['uri']}")
    assert found["evaluation"]["cost"] == {
        "instance_type": "ml.m5.large",
        "instance_count": 1,
        "seconds": 90,
        "minutes_allowed": 60,
    }
    assert found["evaluation"]["data"]["rows"] == 4
    kept = there.vault.read("measured/predictions", measured["predictions"]["sha256"])
    assert kept["answers"] == [0.9, 0.2, 0.4, 0.1]


def test_the_temporary_model_is_what_would_be_deployed_without_a_network_and_under_signoffs_role() -> None:
    there = world()
    models: list[Mapping[str, Any]] = []

    def answer(model: Mapping[str, Any], features: list[str]) -> str:
        models.append(model)
        return features[0]

    there.jobs.model = answer
    arn = there.pending()

    model = models[0]
    (artifact,) = [each for each in evidence(there, arn)["artifacts"] if each["kind"] == "archive"]
    assert (model["ExecutionRoleArn"], model["EnableNetworkIsolation"]) == (MEASURING, True)
    assert model["PrimaryContainer"]["Image"] == PINNED != IMAGE
    assert model["PrimaryContainer"]["ModelDataUrl"] == there.vault.uri(artifact["key"])
    assert not [name for name in there.registry.models if name.startswith(NAME)]


def test_the_model_gets_no_label_and_rows_nobody_can_exchange() -> None:
    there = world()
    got: list[list[str]] = []

    def answer(_: Mapping[str, Any], features: list[str]) -> str:
        got.append(features)
        return features[0]

    there.jobs.model = answer
    there.pending()
    there.s3.bucket("held-out").put("churn/rows.csv", b"1,a,EU,1\n")
    second = there.pending(prefix="churn/run-8", InferenceSpecification=_other())

    assert got == [["0.9"], ["0.2"], ["0.4"], ["0.1"]] * 2
    assert checks(there, second)["evaluation"][0] == "passed"


def _other() -> dict[str, Any]:
    from tests.support.world import SPECIFICATION

    return {**SPECIFICATION, "SupportedContentTypes": ["text/csv", "application/json"]}


def test_a_claim_that_the_measure_contradicts_fails_by_name() -> None:
    there = world(tolerance=0.05)
    arn = there.submit()
    there.deliver()

    found = checks(there, arn)
    assert found["claim:accuracy"] == (
        "failed",
        "the submitter claims 0.97, and 0.75 was measured: further away than 0.05",
    )
    assert found["evaluation"][0] == "passed"
    assert there.state(arn).status == "ValidationFailed"


def judged(there: World, arn: str) -> dict[str, tuple[str, str]]:
    """The checks of the last entry that has any, of an error too."""
    entries = [entry for entry in there.history(arn).entries if "checks" in entry.details]
    return {check["name"]: (check["status"], check["reason"]) for check in entries[-1].details["checks"]}


def failing(reason: str) -> Callable[..., str]:
    def model(_model: Mapping[str, Any], _features: list[str]) -> str:
        raise JobFails(reason)

    return model


@pytest.mark.parametrize(
    ("reason", "status", "package"),
    [
        ("AlgorithmError: the container did not answer /ping", "failed", "ValidationFailed"),
        ("ClientError: Model container failed to load", "failed", "ValidationFailed"),
        ("CapacityError: Unable to provision requested ML compute capacity", "errored", "ValidationErrored"),
        ("InternalServerError: We encountered an internal error", "errored", "ValidationErrored"),
    ],
)
def test_a_model_that_does_not_start_fails_and_sagemakers_own_failures_are_errors(
    reason: str, status: str, package: str
) -> None:
    there = world()
    there.jobs.model = failing(reason)
    arn = there.submit()
    there.deliver()

    found = judged(there, arn)["evaluation"]
    assert (found[0], reason in found[1]) == (status, True)
    assert there.state(arn).status == package
    assert not [name for name in there.registry.models if name.startswith(NAME)]


def test_what_sagemaker_could_not_do_is_tried_again_and_then_measured() -> None:
    there = world()
    there.jobs.model = failing("CapacityError: none left")
    arn = there.submit()
    there.deliver()
    there.jobs.model = lambda _, features: features[0]
    there.sweep(minutes=20)

    assert there.state(arn).status == "PendingApproval"
    assert checks(there, arn)["evaluation"][0] == "passed"


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        ("... (Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded)", "errored"),
        ("MultiModel mode is not supported (Error Code: ValidationException)", "errored"),
    ],
)
def test_a_job_that_sagemaker_does_not_take_is_told_and_what_stays_wrong_blocks(cause: str, status: str) -> None:
    there = world()
    there.jobs.refusal = ("SageMaker.AmazonSageMakerException", cause)
    arn = there.submit()
    there.deliver()

    assert judged(there, arn)["evaluation"] == (status, f"SageMaker did not run the transform job: {cause}")
    expected = "ValidationFailed" if "ValidationException" in cause else "ValidationErrored"
    assert there.state(arn).status == expected


def test_a_job_that_takes_too_long_is_stopped_and_fails() -> None:
    there = world(job={"minutes": 5})
    there.jobs.lasts = timedelta(minutes=6)
    arn = there.submit()
    there.deliver()

    (job,) = there.jobs.described.values()
    assert job["TransformJobStatus"] == "Stopped"
    assert "did not answer all rows within 5 minutes" in checks(there, arn)["evaluation"][1]
    assert there.state(arn).status == "ValidationFailed"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("high", "row 1: the answer is 'high', no finite number"),
        ("1.5", "row 1: [1.5] are not probabilities, from 0 to 1"),
        ("", "the model answered 0 rows, and there are more"),
        ("0.1\n0.1", "the model answered more than the 4 rows there are"),
    ],
)
def test_nonsense_fails_by_name(answer: str, words: str) -> None:
    there = world()
    there.jobs.model = lambda _, __: answer
    arn = there.submit()
    there.deliver()

    status, reason = checks(there, arn)["evaluation"]
    assert (status, words in reason) == ("failed", True), reason


def test_a_metric_that_the_policy_asks_for_and_that_has_no_value_fails() -> None:
    there = world(rows=b"1,a,EU,0.9\n1,b,EU,0.2\n", metrics=["auc", "f1"])
    arn = there.submit()
    there.deliver()

    assert checks(there, arn)["evaluation"] == ("failed", "no value of auc (all rows have the same true label)")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"version": "v999"}, "has no version v999"),
        ({"sha256": "ab" * 32}, "and the policy names another"),
        ({"label": "7"}, "row 1 has no column 7"),
        ({"label": "1"}, "row 1: the true label is 'a', none of 0, 1"),
    ],
)
def test_rows_that_are_not_what_the_policy_says_are_nobodys_pass(data: dict[str, str], words: str) -> None:
    there = world(data=data)
    arn = there.submit()
    there.deliver()

    status, reason = checks(there, arn)["evaluation"]
    assert (status, words in reason) == ("errored", True), reason
    assert there.state(arn).status == "ValidationFailed"


def test_nothing_of_what_an_inspection_refuses_is_run() -> None:
    there = world()
    policy = {**there.policy, "artifact": {"required_files": ["nowhere.txt"]}}
    there.set_policy("default", **policy)
    arn = there.submit()
    there.deliver()

    status, reason = checks(there, arn)["evaluation"]
    assert (status, "the inspection found errors" in reason) == ("errored", True)
    assert not there.jobs.described
    assert not there.registry.models


def test_no_image_is_run_from_where_the_policy_takes_none() -> None:
    there = world()
    elsewhere = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/approved/*"
    there.set_policy("default", **{**there.policy, "images": {"repositories": [elsewhere]}})
    arn = there.submit()
    there.deliver()

    status, reason = checks(there, arn)["evaluation"]
    assert (status, "the policy allows no images from" in reason) == ("errored", True)
    assert not there.jobs.described
    assert not there.registry.models


def test_the_champion_is_asked_once_and_a_model_that_was_asked_not_again() -> None:
    there = world()
    first = there.approved()
    asked = len(there.jobs.described)
    there.validate(first, by="ann", reason="again")
    second = there.pending(prefix="churn/run-8", InferenceSpecification=_other())
    found = evidence(there, second)["evaluation"]

    assert (asked, len(there.jobs.described)) == (1, 2)
    assert found["champion"]["outcome"] == "passed"
    assert found["champion"]["cost"]["seconds"] == 0
    assert found["cost"]["seconds"] == 90


def test_a_champion_that_was_never_measured_is_asked_beside_the_candidate() -> None:
    there = world()
    measuring = there.policy
    there.set_policy("default", **{**measuring, "evaluation": None})
    there.approved()
    there.set_policy("default", **measuring)
    second = there.pending(prefix="churn/run-8", InferenceSpecification=_other())

    assert len(there.jobs.described) == 2
    assert evidence(there, second)["evaluation"]["champion"]["cost"]["seconds"] == 90


def test_what_both_models_answered_says_how_certain_their_difference_is() -> None:
    rows = b"".join(b"%d,%d,EU,0.%d\n" % (at % 2, at, 9 if at % 2 and at % 5 else 1) for at in range(200))
    there = world(rows=rows)
    margin = {"name": "accuracy", "path": ACCURACY["path"], "against_champion": {"at_least": -0.01}}
    there.set_policy("default", **{**there.policy, "metrics": [margin], "comparison": {"points": "fail"}})
    there.approved()
    there.jobs.model = lambda _, features: "0.1"
    second = there.pending(prefix="churn/run-8", InferenceSpecification=_other())
    found = evidence(there, second)["comparison"]
    row = next(each for each in found["metrics"] if (each["name"], each["slice"]) == ("accuracy", None))

    assert (found["basis"], found["data"], row["candidate"], row["champion"]) == ("measured", "same", 0.5, 0.9)
    assert (row["verdict"], row["method"]) == ("worse", "paired bootstrap and McNemar's exact test, p < 0.0001")
    assert row["interval"][0] < -0.4 < row["interval"][1] < -0.3
    assert checks(there, second)["champion:accuracy"][0] == "failed"
    assert "paired" not in evidence(there, second)["evaluation"]


def test_answers_with_ids_are_those_of_their_rows() -> None:
    there = world(data={"id": "1"})
    arn = there.pending()
    there.jobs.model = lambda _, features: f"{features[0]}"

    assert checks(there, arn)["evaluation"][0] == "passed"


def test_a_smoke_test_holds_answers_against_expected_ones() -> None:
    there = world(smoke=True, data={"label": "3"}, tolerance=0.001)
    arn = there.pending()

    assert checks(there, arn)["smoke"] == ("passed", "all 4 rows are answered as expected")
    assert evidence(there, arn)["smoke"]["cost"]["seconds"] == 90

    there.jobs.model = lambda _, features: str(float(features[0]) + 0.01)
    other = there.submit(prefix="churn/run-8", InferenceSpecification=_other())
    there.deliver()
    status, reason = checks(there, other)["smoke"]
    assert (status, reason[:56]) == ("failed", "4 of 4 rows are answered otherwise than expected, row 1:")


def test_a_smoke_test_that_expects_what_is_no_number_is_the_policys_fault() -> None:
    there = world(smoke=True, data={"label": "1"})
    arn = there.submit()
    there.deliver()

    status, reason = checks(there, arn)["smoke"]
    assert (status, "row 1: 'a' is no number, and the model answers numbers" in reason) == ("errored", True)


@pytest.mark.parametrize("fault", [Died, Transient])
def test_a_measurement_comes_to_the_same_wherever_a_function_dies_or_a_call_fails(fault: type[BaseException]) -> None:
    def measured(at: int | None) -> tuple[dict[str, Any], int]:
        there = world()
        arn = there.submit()
        claim = there.opener.open(ValidationRequest(arn, "x1"))
        inspected = there.inspected(claim)
        there.interruptions.arm(at, fault)
        prepared = _until_done(there, lambda: there.preparer.prepare(claim, inspected))
        ran = [there.jobs.run(job) for job in prepared["jobs"]]
        found = _until_done(there, lambda: there.measurer.measure(claim, prepared, ran))
        calls = there.interruptions.calls
        there.recorder.record(claim, inspected, found["sha256"])
        assert not there.registry.models
        return evidence(there, arn), calls

    expected, calls = measured(None)
    assert calls > 15
    for at in range(1, calls + 1):
        assert measured(at)[0] == expected, at


def _until_done(there: World, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run a step of the workflow, and again when its function died or failed for a moment."""
    try:
        return step()
    except (Died, Transient):
        return step()


def test_a_job_that_is_still_under_way_is_waited_for() -> None:
    there = world()
    claim = there.opener.open(ValidationRequest(there.submit(), "x1"))
    prepared = there.preparer.prepare(claim, there.inspected(claim))
    (job,) = prepared["jobs"]
    there.jobs.run(job)
    there.jobs.described[job["name"]]["TransformJobStatus"] = "InProgress"
    twice = [{"name": job["name"], "error": "SageMaker.ResourceInUseException", "cause": "exists"}]

    with pytest.raises(JobRunning):
        there.measurer.measure(claim, prepared, twice)
    there.jobs.described[job["name"]]["TransformJobStatus"] = "Completed"
    assert there.measurer.measure(claim, prepared, twice)


def test_a_job_that_somebody_else_made_under_its_name_measures_nothing() -> None:
    there = world()
    arn = there.submit()
    claim = there.opener.open(ValidationRequest(arn, "x1"))
    inspected = there.inspected(claim)
    prepared = there.preparer.prepare(claim, inspected)
    (job,) = prepared["jobs"]
    told = {**job["request"], "DataProcessing": {"InputFilter": "$[0:]", "JoinSource": "None"}}
    there.jobs.run({**job, "request": told})
    measured = there.measurer.measure(claim, prepared, [{"name": job["name"], "error": "in use", "cause": ""}])
    there.recorder.record(claim, inspected, measured["sha256"])

    assert judged(there, arn)["evaluation"][0] == "errored"
    assert "somebody else made it" in judged(there, arn)["evaluation"][1]


def test_a_package_that_changed_while_it_was_measured_has_not_been_measured() -> None:
    there = world()
    arn = there.submit()
    claim = there.opener.open(ValidationRequest(arn, "x1"))
    inspected = there.inspected(claim)
    measured = there.measured(claim, inspected)
    there.registry.by_hand(arn, InferenceSpecification={**_other()})

    assert there.recorder.record(claim, inspected, measured)["verdict"] == "errored"


def test_the_sweep_stops_and_deletes_what_dead_validations_leave() -> None:
    there = world()
    claim = there.opener.open(ValidationRequest(there.submit(), "x1"))
    prepared = there.preparer.prepare(claim, there.inspected(claim))
    there.jobs.lasts = timedelta(days=2)
    (left,) = prepared["jobs"]
    there.jobs.run(left)
    for name in ("somebodys-signoff-eval-like-name", "another"):
        there.registry.create_model({"ModelName": name})

    assert "temporary job" not in there.sweep(hours=12)
    assert there.sweep(hours=2)["temporary job"] == 1
    assert there.jobs.described[left["name"]]["TransformJobStatus"] == "Stopped"
    assert left["name"] in there.registry.models
    assert there.sweep(hours=70)["temporary model"] == 1
    assert left["name"] not in there.registry.models
    assert {*there.registry.models} >= {"somebodys-signoff-eval-like-name", "another"}


def refused() -> tuple[World, str]:
    there = world()
    there.set_policy("default", **{**there.policy, "artifact": {"required_files": ["nowhere.txt"]}})
    return there, there.submit()


def beside_the_champion() -> tuple[World, str]:
    there = world()
    there.approved()
    return there, there.submit(prefix="churn/run-8", InferenceSpecification=_other())


def measured(smoke: bool) -> tuple[World, str]:
    there = world(smoke=smoke)
    return there, there.submit()


@pytest.mark.parametrize(
    "case",
    [refused, beside_the_champion, lambda: measured(smoke=True), lambda: measured(smoke=False)],
    ids=["refused", "beside the champion", "smoke", "evaluation"],
)
def test_evidence_of_what_was_measured_fits_the_published_schema(case: Callable[[], tuple[World, str]]) -> None:
    there, arn = case()
    there.deliver()
    assert list(Schema(evidence_schema(closed=True)).faults(evidence(there, arn))) == []
