"""The validation workflow as it is deployed: claims, errors, retries, redrives."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from signoff.ledger.entries import Kind
from tests.support.depth import some
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.submissions import as_json, honest, specification
from tests.support.waiting import eventually


def execution_of(package: Package) -> dict[str, Any]:
    """The ended execution of a package's newest attempt."""
    return package.pipeline.ended(eventually(lambda: package.state.execution))


def states_entered(package: Package, execution: str) -> list[str]:
    pages = package.pipeline.aws("stepfunctions").get_paginator("get_execution_history")
    events = [event for page in pages.paginate(executionArn=execution) for event in page["events"]]
    names = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
    return [
        name for name in names if name not in ("KeepArtifact", "InspectArtifact")
    ]  # the engine's history leaves out a Map's own states


def registered(group: Group) -> Package:
    """A registered package that no execution was started for."""
    with group.pipeline.without_rule("PackageRegistered"):
        package = group.submit().package()
        group.pipeline.witness.registration(package.arn)
    group.pipeline.quiet()
    return package


def nowhere(group: Group) -> dict[str, Any]:
    """A specification whose artifact is not in the vault."""
    return specification(f"s3://{group.pipeline.outputs['VaultBucket']}/models/{group.name}/none/model.tar.gz")


def revalidation(package: Package) -> dict[str, Any]:
    by = {"by": package.pipeline.user("submitter"), "reason": "It is there now"}
    return {"detail": {"ModelPackageArn": package.arn}, "revalidate": by}


def test_a_package_that_passes_ends_in_approval_requested(group: Group) -> None:
    package = group.pending()

    execution = execution_of(package)

    assert execution["status"] == "SUCCEEDED"
    assert states_entered(package, execution["executionArn"]) == [
        "OpenValidation",
        "IsThereAnythingToValidate",
        "InspectArtifacts",
        "IsItToBeMeasured",
        "RecordEvidence",
        "DidItPass",
        "ApprovalRequested",
    ]


def test_a_package_that_fails_ends_in_rejected(group: Group) -> None:
    package = group.submit(honest() | {"model.tar.gz": b"no archive"}).package().until("ValidationFailed")

    execution = execution_of(package)

    assert execution["status"] == "SUCCEEDED"
    assert states_entered(package, execution["executionArn"])[-1] == "Rejected"


def test_an_artifact_that_is_missing_leaves_validationerrored_and_not_a_package_in_validating(group: Group) -> None:
    group.policy()
    group.create()

    package = group.register(InferenceSpecification=nowhere(group)).until("ValidationErrored")

    execution, erred = execution_of(package), package.entries(Kind.VALIDATION_ERRORED)[0]
    assert (execution["status"], execution["error"]) == ("FAILED", "ValidationErrored")
    assert execution["cause"].startswith("ObjectMissing: ")
    assert (erred["error"], "does not exist: upload it" in erred["cause"]) == ("ObjectMissing", True)
    assert package.registry[0] == "PendingManualApproval"


@pytest.mark.deep
def test_an_erred_package_is_validated_again_when_somebody_asks_for_it(group: Group) -> None:
    group.policy()
    group.create()
    package = group.register(InferenceSpecification=nowhere(group)).until("ValidationErrored")
    vault, key = group.pipeline.outputs["VaultBucket"], f"models/{group.name}/none/model.tar.gz"
    group.pipeline.aws("s3").put_object(Bucket=vault, Key=key, Body=honest()["model.tar.gz"])

    group.pipeline.start(revalidation(package))

    started = package.until("PendingApproval").entries(Kind.VALIDATION_STARTED)[-1]
    assert (started["attempt"], started["reason"]) == (2, "It is there now")


def test_nobody_opens_another_attempt_without_being_asked(group: Group) -> None:
    group.policy()
    group.create()
    package = group.register(InferenceSpecification=nowhere(group)).until("ValidationErrored")

    execution = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    assert json.loads(execution["output"]) == {"outcome": "NothingToValidate", "status": "ValidationErrored"}
    assert package.state.attempt == 1


@pytest.mark.deep
def test_a_decided_package_is_not_validated_again(group: Group) -> None:
    package = group.pending()
    package.approve()
    before = group.everything()

    execution = group.pipeline.start(revalidation(package))

    assert json.loads(execution["output"])["outcome"] == "NothingToValidate"
    assert group.everything() == before


def test_a_policy_that_cannot_be_read_leaves_validationerrored_and_says_so(group: Group) -> None:
    package = registered(group)
    name = f"{group.pipeline.outputs['PolicyPath']}/groups/{group.name}"
    ssm = group.pipeline.aws("ssm")
    ssm.put_parameter(Name=name, Value='{"approvals": {"needed": "two"}}', Type="String")

    execution = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    erred = package.entries(Kind.VALIDATION_ERRORED)
    ssm.delete_parameter(Name=name)
    assert (execution["status"], execution["error"]) == ("FAILED", "ValidationErrored")
    assert "PolicyFault" in execution["cause"]
    assert [entry["error"] for entry in erred] == ["PolicyFault"]
    assert package.status == "ValidationErrored"


def test_an_execution_started_twice_claims_the_package_once(group: Group) -> None:
    package = registered(group)

    first = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})
    second = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    outcomes = [states_entered(package, execution["executionArn"])[-1] for execution in (first, second)]
    assert outcomes == ["ApprovalRequested", "NothingToValidate"]
    assert package.kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]


def test_of_many_executions_at_once_one_has_the_claim(group: Group) -> None:
    package, document = registered(group), {"detail": {}}
    document["detail"] = {"ModelPackageArn": package.arn}
    with ThreadPoolExecutor(3) as at_once:
        executions = list(at_once.map(group.pipeline.start, [document] * 3))

    ends = sorted(states_entered(package, execution["executionArn"])[-1] for execution in executions)
    assert ends == ["ApprovalRequested", *["NothingToValidate"] * 2]
    assert package.kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]


@pytest.mark.parametrize("function", some(["OpenValidation", "KeepArtifact", "InspectArtifact", "RecordEvidence"]))
def test_a_step_that_fails_for_a_while_is_tried_again(group: Group, function: str) -> None:
    package, pipeline = registered(group), group.pipeline
    states = pipeline.aws("stepfunctions")
    with pipeline.without_function(function):
        document = json.dumps({"detail": {"ModelPackageArn": package.arn}})
        started = states.start_execution(stateMachineArn=pipeline.outputs["ValidationArn"], input=document)
        failed = eventually(lambda: failures(package, started["executionArn"]))

    execution = pipeline.ended(started["executionArn"])

    assert failed[0] == "Lambda.TooManyRequestsException"
    assert execution["status"] == "SUCCEEDED"
    assert package.until("PendingApproval").state.attempt == 1


def failures(package: Package, execution: str) -> list[str]:
    history = package.pipeline.aws("stepfunctions").get_execution_history(executionArn=execution)
    details = ("lambdaFunctionFailedEventDetails", "taskFailedEventDetails")
    return [event[kind]["error"] for event in history["events"] for kind in details if kind in event]


def test_an_execution_that_died_is_redriven_and_goes_on_with_its_own_claim(group: Group) -> None:
    package, pipeline = registered(group), group.pipeline
    states = pipeline.aws("stepfunctions")
    execution = {"executionArn": start_and_stop(package)}
    claimed = package.kinds()

    states.redrive_execution(**execution)
    ended = pipeline.ended(execution["executionArn"])

    assert claimed == ["Registered", "ValidationStarted"]
    assert ended["status"] == "SUCCEEDED"
    assert package.until("PendingApproval").kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]


def start_and_stop(package: Package) -> str:
    """Start an execution and stop it once it has claimed the package."""
    pipeline, states = package.pipeline, package.pipeline.aws("stepfunctions")
    with pipeline.without_function("InspectArtifact"):
        document = json.dumps({"detail": {"ModelPackageArn": package.arn}})
        started = states.start_execution(stateMachineArn=pipeline.outputs["ValidationArn"], input=document)
        eventually(lambda: package.state.execution)
        eventually(lambda: failures(package, started["executionArn"]))
        states.stop_execution(executionArn=started["executionArn"])
    return str(started["executionArn"])


def test_a_package_deleted_before_its_event_came_is_nothing_to_validate(group: Group) -> None:
    package = registered(group)
    group.pipeline.aws("sagemaker").delete_model_package(ModelPackageName=package.arn)

    execution = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    assert json.loads(execution["output"]) == {"outcome": "Gone"}


def test_a_package_of_an_ungoverned_group_is_nothing_to_validate(group: Group) -> None:
    group.create()
    package = group.register(InferenceSpecification=nowhere(group))

    execution = group.pipeline.start({"detail": {"ModelPackageArn": package.arn}})

    assert json.loads(execution["output"]) == {"outcome": "Ungoverned"}
    assert package.kinds() == []


@pytest.mark.deep
def test_a_step_done_twice_records_once(group: Group) -> None:
    package, pipeline = registered(group), group.pipeline
    execution = f"{pipeline.outputs['ValidationArn']}:{uuid4()}"
    opening = {"arn": package.arn, "execution": execution}

    claims = [pipeline.invoke("OpenValidation", opening) for _ in range(2)]
    steps = [{"claim": claims[0], "artifact": artifact} for artifact in claims[0]["artifacts"]]
    found = [[whole_step(pipeline, step) for step in steps] for _ in range(2)]
    recorded = [pipeline.invoke("RecordEvidence", {"claim": claims[0], "artifacts": found[0]}) for _ in range(2)]
    late = pipeline.invoke("RecordEvidence", {"claim": claims[0], "error": {"Error": "States.Timeout", "Cause": ""}})

    assert claims[0] == claims[1]
    assert found[0] == found[1]
    assert recorded[0] == recorded[1]
    assert late["status"] == "PendingApproval"
    assert package.kinds() == ["Registered", "ValidationStarted", "EvidenceRecorded"]


def whole_step(pipeline: Pipeline, step: dict[str, Any]) -> dict[str, Any]:
    """What the workflow makes of one artifact: what is kept of it, and what is found in it."""
    kept = pipeline.invoke("KeepArtifact", step)
    return {"kept": kept, "found": pipeline.invoke("InspectArtifact", {"claim": step["claim"], "kept": kept})}


def test_several_containers_are_inspected_each_by_itself(group: Group) -> None:
    files = honest() | {"second.tar.gz": b"no archive"}
    both = specification()
    both["Containers"].append(specification("second.tar.gz")["Containers"][0])
    files["manifest.json"] = as_json({"InferenceSpecification": both})

    package = group.submit({"second.tar.gz": files.pop("second.tar.gz"), **files}).package().until("ValidationFailed")

    checks = {check["name"]: check["status"] for check in package.evidence()["checks"]}
    assert checks["artifact:InferenceSpecification.Containers[0].ModelDataUrl"] == "passed"
    assert checks["artifact:InferenceSpecification.Containers[1].ModelDataUrl"] == "failed"
