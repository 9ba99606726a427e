"""An artifact that a function has no time for is inspected in a build, and nothing else about it is different."""

from typing import Any
from uuid import uuid4

import pytest

from signoff.ledger.entries import Kind
from tests.support.archives import member
from tests.support.functions import bundle
from tests.support.groups import Group, Package
from tests.support.model_shapes import source
from tests.support.pipeline import Pipeline
from tests.support.submissions import IMAGE, as_json, honest, model_archive
from tests.support.waiting import eventually

TASKS = {"KeepArtifact": "KeepAtLength", "InspectArtifact": "InspectAtLength"}


def new_builds(pipeline: Pipeline, before: list[dict[str, Any]], task: str = "InspectAtLength") -> list[dict[str, Any]]:
    known = {build["id"] for build in before}
    return [build for build in pipeline.builds(task) if build["id"] not in known]


def artifacts(package: Package) -> list[dict[str, Any]]:
    """What the evidence says of each artifact, but where the vault keeps it."""
    placed = ("url", "key", "version_id", "findings")
    found = package.evidence()["artifacts"]
    return [{name: value for name, value in each.items() if name not in placed} for each in found]


def checks(package: Package) -> list[tuple[str, str, str]]:
    return [(check["name"], check["status"], check.get("reason", "")) for check in package.evidence()["checks"]]


SUBMISSIONS = {
    "an archive that passes": (honest(), "PendingApproval"),
    "an archive that does not": (
        honest() | {"model.tar.gz": model_archive(member("../escape", b"x"))},
        "ValidationFailed",
    ),
}


@pytest.mark.parametrize(
    ("which", "function"),
    [
        ("an archive that passes", "KeepArtifact"),
        pytest.param("an archive that passes", "InspectArtifact", marks=pytest.mark.deep),
        ("an archive that does not", "InspectArtifact"),
    ],
)
def test_a_build_comes_to_the_same_as_the_function(group: Group, which: str, function: str) -> None:
    (files, status), task = SUBMISSIONS[which], TASKS[function]
    at_once, before = group.submit(files).package().until(status), group.pipeline.builds(task)

    with group.pipeline.in_a_hurry(function):
        at_length = group.submit(files).package().until(status)

    built = new_builds(group.pipeline, before, task)
    assert {build["buildStatus"] for build in built} == {"SUCCEEDED"}
    assert artifacts(at_length) == artifacts(at_once)
    assert checks(at_length) == checks(at_once)
    assert at_length.kinds() == at_once.kinds()


@pytest.mark.deep
def test_a_prefix_is_handed_over_as_a_whole(group: Group) -> None:
    container = {"Image": IMAGE, "ModelDataSource": source("weights/")}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    files = {"weights/a.json": b"{}", "weights/b.json": b"[]"}
    files["manifest.json"] = as_json({"InferenceSpecification": specification})
    before = group.pipeline.builds()

    with group.pipeline.in_a_hurry():
        package = group.submit(files).package().until("PendingApproval")

    (found,) = package.evidence()["artifacts"]
    assert len(new_builds(group.pipeline, before)) == 1
    assert found["sha256"]


@pytest.mark.parametrize(
    ("function", "error"),
    [("KeepArtifact", "KeepingFailed"), pytest.param("InspectArtifact", "InspectionFailed", marks=pytest.mark.deep)],
)
def test_a_build_that_fails_leaves_validationerrored_and_names_the_log_that_says_why(
    group: Group, function: str, error: str
) -> None:
    pipeline, task = group.pipeline, TASKS[function]
    before = pipeline.builds(task)
    with pipeline.in_a_hurry(function), pipeline.with_failing_builds(task):
        package = group.submit().package().until("ValidationErrored")

    build = new_builds(pipeline, before, task)[0]
    (erred,) = package.entries(Kind.VALIDATION_ERRORED)
    where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
    logged = [event["message"] for event in pipeline.aws("logs").get_log_events(**where)["events"]]
    assert (build["buildStatus"], erred["error"]) == ("FAILED", error)
    assert f"see the stream {where['logStreamName']} of the log group {where['logGroupName']}" in erred["cause"]
    assert any(
        "MissingSetting: BuildSettings needs the environment variables SIGNOFF_VAULT_BUCKET" in line for line in logged
    )
    assert package.registry[0] == "PendingManualApproval"


@pytest.mark.deep
def test_a_package_whose_build_failed_is_validated_again_when_somebody_asks_for_it(group: Group) -> None:
    pipeline = group.pipeline
    with pipeline.in_a_hurry(), pipeline.with_failing_builds():
        package = group.submit().package().until("ValidationErrored")

    with pipeline.in_a_hurry():
        by = {"by": pipeline.user("submitter"), "reason": "The build is mended"}
        execution = pipeline.start({"detail": {"ModelPackageArn": package.arn}, "revalidate": by})

    assert execution["status"] == "SUCCEEDED"
    assert package.until("PendingApproval").state.attempt == 2


@pytest.mark.deep
def test_a_result_is_taken_of_the_build_that_was_started_for_it_and_of_no_other(group: Group) -> None:
    with group.pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        group.pipeline.witness.registration(package.arn)
    pipeline = group.pipeline
    execution = f"{pipeline.outputs['ValidationArn']}:{uuid4()}"
    claim = pipeline.invoke("OpenValidation", {"arn": package.arn, "execution": execution})
    kept = pipeline.invoke("KeepArtifact", {"claim": claim, "artifact": claim["artifacts"][0]})

    with pipeline.in_a_hurry():
        asked = pipeline.invoke("InspectArtifact", {"claim": claim, "kept": kept})
        built = build(pipeline, asked["at_length"])
        taken = pipeline.invoke("InspectArtifact", {"claim": claim, **asked, "build": built})
        other = f"{built[:-1]}{'1' if built.endswith('0') else '0'}"
        with pytest.raises(AssertionError, match="the build has left no result"):
            pipeline.invoke("InspectArtifact", {"claim": claim, **asked, "build": other})

    assert taken == pipeline.invoke("InspectArtifact", {"claim": claim, "kept": kept})


def test_a_build_runs_no_code_but_what_was_deployed(group: Group) -> None:
    pipeline, before = group.pipeline, group.pipeline.builds()
    hostile = bundle({"signoff/__init__.py": "", "signoff/inspect_in_build.py": "print('taken over')"})

    with pipeline.with_other_code(hostile):
        build(pipeline, "any")

    (found,) = new_builds(pipeline, before)
    where = {"logGroupName": found["logs"]["groupName"], "logStreamName": found["logs"]["streamName"]}
    logged = [event["message"] for event in pipeline.aws("logs").get_log_events(**where)["events"]]
    assert found["buildStatus"] == "FAILED"
    assert "code.zip: FAILED" in logged
    assert "taken over" not in logged


def build(pipeline: Pipeline, request: str) -> str:
    """Have a build carry out a request, wait for its end, and return its id."""
    builds, project = pipeline.aws("codebuild"), pipeline.resources["InspectAtLength"]
    variables = [{"name": "SIGNOFF_REQUEST", "value": request}]
    started = builds.start_build(projectName=project, environmentVariablesOverride=variables)["build"]
    eventually(lambda: builds.batch_get_builds(ids=[started["id"]])["builds"][0]["buildStatus"] != "IN_PROGRESS")
    return str(started["id"])
