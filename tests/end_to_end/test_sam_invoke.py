"""The bundle that goes to AWS, run by `sam local invoke` on Lambda's Python against the engine.

Nothing else shows that the bundled code imports and works there: the engine runs the functions on its own Python.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examples.train import write_submissions
from local.deploy import synthesise
from local.invoke import docker, sam, sample_events
from local.invoke.invoke import Invocation, invoke
from local.invoke.scenario import Scenario
from tests.support.deployed import Deployed, assembly_in, deployed, shared_directory
from tests.support.waiting import eventually

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/breast-cancer/1"


def _missing() -> str:
    """Why no function can be run in a container here, or nothing when one can."""
    try:
        sam.ready()
        docker.docker("image", "inspect", sam.IMAGE)
    except (docker.DockerMissing, sam.InvocationFailed) as reason:
        return str(reason)
    return ""


@dataclass
class Bench:
    """A stack whose functions do not read their queues: containers do it in their place."""

    stack: Deployed
    stage: Scenario
    assembly: Path

    def invoke(self, function: str, event: str) -> Invocation:
        """Run a function in a container with a sample event; fails when it left the event for another try."""
        invocation = invoke(self.stage, self.stack.engine.port, self.assembly, function, event)
        assert invocation.response == {"batchItemFailures": []}, invocation.log
        return invocation

    def kinds(self) -> list[str]:
        """The kinds of the package's ledger entries, in order."""
        table = self.stage.outputs["LedgerTable"]
        items = self.stack.client("dynamodb").scan(TableName=table)["Items"]
        items.sort(key=lambda item: int(item["sequence"]["N"]))
        return [item["kind"]["S"] for item in items if item["package"]["S"].startswith(PACKAGE)]

    def described(self) -> dict[str, Any]:
        """The package as SageMaker describes it."""
        described: dict[str, Any] = self.stack.client("sagemaker").describe_model_package(ModelPackageName=PACKAGE)
        return described


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if reason := _missing():
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("sam")
    with deployed(directory, assembly_in(shared_directory(tmp_path_factory.getbasetemp()))) as stack:
        stage = Scenario(stack.engine.environment())
        stage.hold_queues()
        synthesise(directory / "cdk.out", context=sam.CONTEXT, settings=stack.engine.environment())
        yield Bench(stack, stage, directory / "cdk.out")


def test_the_bundle_takes_a_submission_from_upload_to_model_in_containers_of_lambdas_python(bench, tmp_path):
    write_submissions(tmp_path)
    upload = sample_events.sample("s3_model_uploaded", bench.stage.outputs)
    bench.stage.upload(tmp_path / "good", upload["detail"]["object"]["key"].rpartition("/")[0])

    bench.invoke("RegisterModel", "s3_model_uploaded")
    assert bench.described()["ModelApprovalStatus"] == "PendingManualApproval"
    assert bench.kinds()[0] == "Registered"
    report = upload["detail"]["object"]["key"].replace("manifest.json", "registration-report.json")
    body = bench.stack.client("s3").get_object(Bucket=bench.stage.outputs["ArtifactsBucket"], Key=report)["Body"]
    assert json.load(body)["package"] == PACKAGE

    eventually(lambda: bench.stage.status(PACKAGE) == "PendingApproval", what="the validation to pass")
    bench.invoke("ApplyDecision", "decision_approve")
    assert bench.described()["ModelApprovalStatus"] == "Approved"
    assert bench.kinds()[-2:] == ["DecisionRecorded", "RegistryUpdated"]

    bench.invoke("CreateModel", "registry_approved")
    assert bench.kinds()[-1] == "ModelCreated"
    sagemaker = bench.stack.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    container = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert container["ModelPackageName"] == PACKAGE

    assert bench.invoke("CreateModel", "registry_approved").changes == []
