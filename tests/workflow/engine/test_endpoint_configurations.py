"""An endpoint configuration of a template is one of SageMaker's, and another model makes another configuration."""

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.engine.process import Engine
from tests.support.aws import client
from tests.support.waiting import eventually
from tests.workflow.engine.test_model_registry import IMAGE

KIND = "AWS::SageMaker::EndpointConfig"


@pytest.fixture
def models(engine: Engine) -> list[str]:
    """The names of two models."""
    sagemaker, names = client(engine, "sagemaker"), [f"model-{uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        container = {"Image": IMAGE}
        role = "arn:aws:iam::123456789012:role/execution"
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    return names


def template(model: str) -> str:
    variant = {"ModelName": model, "VariantName": "all", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    variant["InitialVariantWeight"] = 1
    made = {"Type": KIND, "Properties": {"ProductionVariants": [variant]}}
    outputs = {"Arn": {"Value": {"Ref": "It"}}, "Name": {"Value": {"Fn::GetAtt": ["It", "EndpointConfigName"]}}}
    return json.dumps({"Resources": {"It": made}, "Outputs": outputs})


def settled(engine: Engine, stack: str) -> dict[str, str]:
    """Return a stack's outputs once nothing happens to it any more."""
    cloudformation = client(engine, "cloudformation")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return found if found["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} else None

    return {each["OutputKey"]: each["OutputValue"] for each in eventually(look, what=f"{stack} to settle")["Outputs"]}


def model_of(engine: Engine, name: str) -> str | None:
    """Return the model that a configuration runs, or None when there is no such configuration."""
    try:
        described = client(engine, "sagemaker").describe_endpoint_config(EndpointConfigName=name)
    except ClientError:
        return None
    return str(described["ProductionVariants"][0]["ModelName"])


def test_a_configuration_is_replaced_when_its_model_changes_and_goes_with_its_stack(
    engine: Engine, models: list[str]
) -> None:
    cloudformation, stack = client(engine, "cloudformation"), f"stack-{uuid4().hex[:8]}"

    cloudformation.create_stack(StackName=stack, TemplateBody=template(models[0]))
    first = settled(engine, stack)
    assert first["Arn"].endswith(f":endpoint-config/{first['Name']}")
    assert model_of(engine, first["Name"]) == models[0]

    cloudformation.update_stack(StackName=stack, TemplateBody=template(models[1]))
    second = settled(engine, stack)
    assert model_of(engine, second["Name"]) == models[1]
    eventually(lambda: model_of(engine, first["Name"]) is None, what="the former configuration to go")

    cloudformation.delete_stack(StackName=stack)
    eventually(lambda: model_of(engine, second["Name"]) is None, what="the configuration to go with its stack")
