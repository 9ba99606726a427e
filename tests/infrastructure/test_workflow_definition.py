"""The workflow's definition: every task ends, only what may pass is tried again, and every failure says why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.functions.long_task import RUNNING, WAITING
from signoff.policy.evaluation import Job
from signoff.policy.images import LONGEST_WAIT

DEFINITION = json.loads(Path("statemachine/validation.asl.json").read_bytes())
TRANSIENT = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Transient",
    "LedgerConflict",
    # What no build can be started for, as long as too many wait.
    "CodeBuild.AccountLimitExceededException",
    "CodeBuild.SdkClientException",
    "CodeBuild.CodeBuildException",
}
THROTTLED = {"Lambda.TooManyRequestsException"}
# A function that was killed, that ran out of memory or of time; the last is the state's own clock.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
DIED = {"Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown", "States.Timeout"}

# What ECR has not finished yet, which only RecordEvidence asks about; a transform job that is still under way.
PENDING = {"ScanPending", "JobRunning"}
# What SageMaker takes no transform job for: too many at once, or it is throttled.
SAGEMAKER = {f"SageMaker.{name}" for name in ("ResourceLimitExceededException", "ResourceLimitExceeded")}
SAGEMAKER |= {f"SageMaker.{name}" for name in ("SdkClientException", "AmazonSageMakerException", "SageMakerException")}


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


STATES = dict(states(DEFINITION))
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]
FUNCTIONS = [name for name in TASKS if not name.endswith("AtLength") and name != "RunTransformJob"]
FAILURES = [name for name, state in STATES.items() if state["Type"] == "Fail"]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_timeout(name: str):
    timeout = STATES[name]["TimeoutSeconds"]
    assert timeout == "{% $states.input.job.seconds %}" if name == "RunTransformJob" else timeout > 0


@pytest.mark.parametrize("name", TASKS)
def test_a_task_tries_again_after_transient_errors_only_and_with_jitter(name: str):
    for retry in STATES[name]["Retry"]:
        assert set(retry["ErrorEquals"]) <= TRANSIENT | THROTTLED | DIED | PENDING | SAGEMAKER
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxDelaySeconds"] in {60, 180}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_throttled_is_called_again_for_hours(name: str):
    retry = next(each for each in STATES[name]["Retry"] if set(each["ErrorEquals"]) >= THROTTLED)
    mean = retry["MaxDelaySeconds"] / 2  # of a delay by chance between nothing and the longest
    assert retry["ErrorEquals"] == [*THROTTLED]
    assert 8 * 3600 < retry["MaxAttempts"] * mean < DEFINITION["TimeoutSeconds"] / 2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_died_is_called_again_a_few_times(name: str):
    retry = next(each for each in STATES[name]["Retry"] if "Lambda.Unknown" in each["ErrorEquals"])
    assert set(retry["ErrorEquals"]) == DIED
    assert 3 <= retry["MaxAttempts"] <= 5


def test_a_scan_is_waited_for_longer_than_any_policy_waits():
    pending = {"ScanPending"}
    waiting = {name: each for name in TASKS for each in STATES[name]["Retry"] if set(each["ErrorEquals"]) & pending}
    retry = waiting["RecordEvidence"]
    mean = retry["MaxDelaySeconds"] / 2
    assert (list(waiting), retry["ErrorEquals"]) == (["RecordEvidence"], [*pending])
    assert 1.25 * LONGEST_WAIT * 60 < retry["MaxAttempts"] * mean < DEFINITION["TimeoutSeconds"] / 2


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_says_what_and_why(name: str):
    assert STATES[name]["Error"]
    assert STATES[name]["Cause"]


@pytest.mark.parametrize("name", STATES)
def test_every_state_explains_itself(name: str):
    assert STATES[name]["Comment"]


def test_whatever_fails_before_the_end_is_recorded():
    caught = {name: [catch["Next"] for catch in state["Catch"]] for name, state in STATES.items() if "Catch" in state}
    assert caught == {
        "OpenValidation": ["RecordUnopened"],
        "InspectArtifacts": ["RecordError"],
        "KeepAtLength": ["KeepingFailed"],
        "InspectAtLength": ["InspectionFailed"],
        "PrepareMeasurement": ["RecordError"],
        "RunTransformJob": ["DidNotComplete"],
        "RunTransformJobs": ["RecordError"],
        "MeasureModel": ["RecordError"],
        "RecordEvidence": ["RecordError"],
    }


@pytest.mark.parametrize("name", ["KeepAtLength", "InspectAtLength"])
def test_what_is_done_at_length_has_the_time_that_a_build_has(name: str):
    build, wait = RUNNING * 60, WAITING * 60
    assert build + wait < STATES[name]["TimeoutSeconds"] < DEFINITION["TimeoutSeconds"]


def test_a_transform_job_that_is_under_way_is_waited_for_as_long_as_any_policy_allows():
    (retry,) = [each for each in STATES["MeasureModel"]["Retry"] if each["ErrorEquals"] == ["JobRunning"]]
    longest = next(each.le for each in Job.__annotations__["minutes"].__metadata__ if each.le is not None)
    assert longest * 60 < retry["MaxAttempts"] * retry["MaxDelaySeconds"] / 2 < DEFINITION["TimeoutSeconds"] / 2


def test_an_inspection_has_no_say_in_what_was_kept():
    """What KeepArtifact answered goes past the inspection, whatever that answers."""
    for name in ("InspectArtifact", "TakeWhatWasFound"):
        assert STATES[name]["Output"] == {"kept": "{% $states.input.kept %}", "found": "{% $states.result %}"}
    build = "{ 'build': $states.result.Build.Id }"
    assert STATES["InspectAtLength"]["Output"] == f"{{% $merge([$states.input, {build}]) %}}"
