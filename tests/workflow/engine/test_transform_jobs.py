"""Transform jobs in the engine really run a model in its image's server, and Step Functions waits for them."""

import json
from typing import Any
from uuid import uuid4

import pytest
from sklearn.datasets import load_breast_cancer

from examples.train import all_measurements, archive
from local.engine.process import Engine
from local.engine.seed import seed
from tests.support.aws import client
from tests.support.waiting import eventually
from tests.workflow.engine.test_state_machines import StateMachine

FEATURES, TARGETS = load_breast_cancer(return_X_y=True)
ROWS = FEATURES[:40]
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


class Place:
    """A bucket with data to score, and the models made in it."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.bucket, self.image = engine, f"scores-{uuid4().hex[:8]}", seed(engine)
        self.s3, self.sagemaker = client(engine, "s3"), client(engine, "sagemaker")
        self.s3.create_bucket(Bucket=self.bucket)
        rows = "".join(f"{number},{','.join(map(repr, row))}\n" for number, row in enumerate(ROWS.tolist()))
        self.s3.put_object(Bucket=self.bucket, Key="held-out/rows.csv", Body=rows.encode())

    def model(self, data: bytes, image: str | None = None) -> str:
        name = f"model-{uuid4().hex[:8]}"
        self.s3.put_object(Bucket=self.bucket, Key=f"{name}.tar.gz", Body=data)
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=f"arn:aws:iam::{self.engine.account}:role/execution",
            EnableNetworkIsolation=True,
            PrimaryContainer={
                "Image": image or self.image,
                "ModelDataUrl": f"s3://{self.bucket}/{name}.tar.gz",
                "Environment": ENVIRONMENT,
            },
        )
        return name

    def job(self, model: str, **more: Any) -> dict[str, Any]:
        """A request: rows with an id, which the model does not get and the output begins with."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/held-out/rows.csv"}
        return {
            "TransformJobName": f"job-{uuid4().hex[:8]}",
            "ModelName": model,
            "MaxConcurrentTransforms": 2,
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {
                "S3OutputPath": f"s3://{self.bucket}/out/{model}",
                "Accept": "text/csv",
                "AssembleWith": "Line",
            },
            "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-2,-1]"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **more,
        }

    def state(self, job: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
            "Arguments": job,
            **more,
        }

    def log(self, job: dict[str, Any]) -> str:
        logs, group = client(self.engine, "logs"), "/aws/sagemaker/TransformJobs"
        stream = f"{job['TransformJobName']}/i-0"
        return "\n".join(e["message"] for e in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"])


@pytest.fixture
def place(engine: Engine) -> Place:
    return Place(engine)


def test_a_workflow_scores_rows_as_the_model_itself_does(place: Place) -> None:
    model = all_measurements().fit(FEATURES, 1 - TARGETS)
    job = place.job(place.model(archive(model, {})))

    ended = StateMachine(place.engine, {"First": place.state(job, Next="Last"), "Last": {"Type": "Succeed"}}).run()

    described = json.loads(ended["output"])
    assert (ended["status"], described["TransformJobStatus"]) == ("SUCCEEDED", "Completed")
    assert described["CreationTime"] <= described["TransformStartTime"] <= described["TransformEndTime"]
    key = f"out/{job['ModelName']}/rows.csv.out"
    output = place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read().decode()
    expected = zip(model.predict(ROWS), model.predict_proba(ROWS)[:, 1], strict=True)
    assert output == "".join(f"{id_},{label},{float(p)!r}\n" for id_, (label, p) in enumerate(expected))
    tags = client(place.engine, "sagemaker").list_tags(ResourceArn=described["TransformJobArn"])["Tags"]
    assert tags == [{"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}]


def test_a_model_that_does_not_load_fails_the_job_and_its_state(place: Place) -> None:
    code = b"import os\nprint('variables', sorted(os.environ), flush=True)\ndef model_fn(where): 1 / 0"
    job = place.job(place.model(archive("no estimator", {"code/inference.py": code})))

    ended = StateMachine(place.engine, {"First": place.state(job, End=True)}).run()

    described = json.loads(ended["cause"])
    assert (ended["error"], described["TransformJobStatus"]) == ("States.TaskFailed", "Failed")
    assert described["FailureReason"].startswith("AlgorithmError: Model container failed to respond to ping.")
    assert "ZeroDivisionError" in place.log(job)
    assert "'SAGEMAKER_BATCH'" in place.log(job)
    assert "AWS_" not in place.log(job)
    assert place.s3.list_objects_v2(Bucket=place.bucket, Prefix="out/")["KeyCount"] == 0


def test_a_request_that_the_model_refuses_fails_the_job(place: Place) -> None:
    # text is no number, which is an error of the model's own code
    place.s3.put_object(Bucket=place.bucket, Key="held-out/rows.csv", Body=b"0,1,2\n")
    job = place.job(place.model(archive(all_measurements().fit(FEATURES, TARGETS), {})))

    place.sagemaker.create_transform_job(**job)
    described = ended_job(place, job)

    assert described["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert "Bad HTTP status received from algorithm: 500" in place.log(job)


@pytest.mark.parametrize("how", ["stop", "timeout"])
def test_a_state_that_is_given_up_stops_its_job(place: Place, how: str) -> None:
    slow = b"import time\ndef model_fn(where):\n  while True: time.sleep(1)"
    job = place.job(place.model(archive("no estimator", {"code/inference.py": slow})))
    state = place.state(job, End=True) | ({"TimeoutSeconds": "{% $states.input.seconds %}"} if how == "timeout" else {})
    machine = StateMachine(place.engine, {"First": state})

    execution = machine.states.start_execution(stateMachineArn=machine.arn, input='{"seconds": 1}')["executionArn"]
    if how == "stop":
        eventually(lambda: "TransformStartTime" in described_job(place, job), what="the job to begin")
        machine.states.stop_execution(executionArn=execution)

    assert ended_job(place, job)["TransformJobStatus"] == "Stopped"
    assert machine.ended(execution).get("error") == ("States.Timeout" if how == "timeout" else None)


def test_what_sagemaker_refuses_is_an_error_by_the_integrations_name(place: Place) -> None:
    ended = StateMachine(place.engine, {"First": place.state(place.job("absent"), End=True)}).run()

    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert ended["cause"].startswith('Could not find model "arn:aws:sagemaker:us-east-1:')


def described_job(place: Place, job: dict[str, Any]) -> dict[str, Any]:
    found = place.sagemaker.list_transform_jobs(NameContains=job["TransformJobName"])["TransformJobSummaries"]
    if not found:
        return {}
    described: dict[str, Any] = place.sagemaker.describe_transform_job(TransformJobName=job["TransformJobName"])
    return described


def ended_job(place: Place, job: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = described_job(place, job)
        return found if found.get("TransformJobStatus") in ("Completed", "Failed", "Stopped") else None

    return eventually(look, what=f"{job['TransformJobName']} to end")
