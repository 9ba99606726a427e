"""The bare chain that the pipeline's latency is compared with: an upload that ends in one SageMaker call.

S3 -> EventBridge -> Lambda -> Step Functions -> CreateModel, made of nothing that a real system would add: the
function is ten lines without a library beside boto3. `queued` puts an SQS queue between EventBridge and the function,
as the pipeline does before every one of its own.
"""

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

from local.engine.process import Engine
from local.invoke.scenario import Scenario

FUNCTION = """
import json, os
import boto3

states = boto3.client("stepfunctions")

def handler(event, context):
    for uploaded in [json.loads(r["body"]) for r in event["Records"]] if "Records" in event else [event]:
        given = json.dumps({"name": uploaded["detail"]["object"]["key"]})
        states.start_execution(stateMachineArn=os.environ["MACHINE"], input=given)
"""
ROLE = "bare"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com", "sagemaker.amazonaws.com"]},
    "Action": "sts:AssumeRole",
}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class BareChain:
    """One bare chain on an engine. An object's key becomes the name of the model that is created."""

    def __init__(self, engine: Engine, scenario: Scenario, image: str, *, queued: bool) -> None:
        self._scenario = scenario
        self._name = f"bare-{'queued' if queued else 'direct'}"
        role = f"arn:aws:iam::{engine.account}:role/{ROLE}"
        self._role()
        machine = self._machine(role, image)
        function = self._function(role, machine)
        target = self._queue(function) if queued else function
        self._bucket(target)

    def upload(self) -> str:
        """Upload an object; returns the name of the model that will be created from it."""
        name = f"model-{uuid4().hex[:12]}"
        self._scenario.aws("s3").put_object(Bucket=self._name, Key=name, Body=b"x")
        return name

    def done(self, name: str) -> bool:
        """Whether that model exists."""
        sagemaker = self._scenario.aws("sagemaker")
        try:
            sagemaker.describe_model(ModelName=name)
        except sagemaker.exceptions.ClientError:
            return False
        return True

    def _role(self) -> None:
        """Make the role of function, state machine and model: one that may do anything, as no real system would."""
        iam = self._scenario.aws("iam")
        try:
            iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy(TRUST))
        except iam.exceptions.EntityAlreadyExistsException:
            return
        iam.put_role_policy(RoleName=ROLE, PolicyName="everything", PolicyDocument=_policy(EVERYTHING))

    def _machine(self, role: str, image: str) -> str:
        answer = self._scenario.aws("stepfunctions").create_state_machine(
            name=self._name, definition=json.dumps(_machine(role, image)), roleArn=role
        )
        return str(answer["stateMachineArn"])

    def _function(self, role: str, machine: str) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bare.py", FUNCTION)
        answer = self._scenario.aws("lambda").create_function(
            FunctionName=self._name,
            Runtime="python3.13",
            Handler="bare.handler",
            Role=role,
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {"MACHINE": machine}},
            Timeout=30,
        )
        return str(answer["FunctionArn"])

    def _queue(self, function: str) -> str:
        sqs = self._scenario.aws("sqs")
        url = sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
        self._scenario.aws("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=arn, BatchSize=1)
        return arn

    def _bucket(self, target: str) -> None:
        s3, events = self._scenario.aws("s3"), self._scenario.aws("events")
        s3.create_bucket(Bucket=self._name)
        settings: dict[str, Any] = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=self._name, NotificationConfiguration=settings)
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self._name]}}}
        events.put_rule(Name=self._name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=self._name, Targets=[{"Id": "target", "Arn": target}])


def _machine(role: str, image: str) -> dict[str, Any]:
    """The state machine: one state, which creates a model of the name that it is given."""
    create = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:createModel",
        "Arguments": {
            "ModelName": "{% $states.input.name %}",
            "ExecutionRoleArn": role,
            "PrimaryContainer": {"Image": image},
        },
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "CreateModel", "States": {"CreateModel": create}}


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
