"""Every parameter of models and containers, each a case of the test that docs/coverage.md names for it.

`BaselineModel` is the library's own Model; what each parameter is for shows in the template.
"""

from pathlib import Path
from typing import Any

import pytest

from infra.jsii_node import use_bundled_node

use_bundled_node()  # before the library below starts it

import aws_cdk as cdk  # noqa: E402
import aws_cdk.aws_sagemaker_alpha as sagemaker  # noqa: E402
from aws_cdk import aws_ec2 as ec2  # noqa: E402
from aws_cdk import aws_iam as iam  # noqa: E402
from constructs import Construct  # noqa: E402

from signoff_cdk.approved_model import ApprovedModel  # noqa: E402
from signoff_cdk.baseline_model import BaselineModel  # noqa: E402
from tests.support.constructs import AssetFolder, Find, Options, another_image, given, image, model, nothing, own_name  # noqa: E402
from tests.support.coverage import proven_by  # noqa: E402

ROLE = "arn:aws:iam::123456789012:role/models"


def parameters(test: str) -> pytest.MarkDecorator:
    """A case for each parameter whose row names that test of this file: `call(parameter)`."""
    named = proven_by(f"tests/infrastructure/test_every_model_parameter.py::{test}")
    return pytest.mark.parametrize("parameter", named)


@pytest.fixture
def place(tmp_path: Path) -> AssetFolder:
    return AssetFolder(tmp_path)


@parameters("test_a_container_is_as_its_definition_says")
def test_a_container_is_as_its_definition_says(place: AssetFolder, parameter: str) -> None:
    given = {
        "image": image(),
        "container_hostname": "classifier",
        "environment": {"THREADS": "4"},
        "model_data": sagemaker.ModelData.from_asset(str(place.artifact)),
    }

    deployment = place.deployment(lambda stack: model(stack, **given))

    shown = {"image": "/sklearn-inference:1.4.2", "container_hostname": '"ContainerHostname": "classifier"'}
    shown |= {"environment": '"Environment": {"THREADS": "4"}', "model_data": "ModelDataUrl"}
    assert shown[own_name(parameter)] in deployment
    assert getattr(sagemaker.ContainerDefinition(**given), own_name(parameter)) == given[own_name(parameter)]


# Models


def in_vpc(stack: cdk.Stack) -> Options:
    return {"vpc": ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)}


def in_vpc_with(**options: Any) -> Find:
    return lambda stack: {**in_vpc(stack), **options}


def own_security_group(stack: cdk.Stack) -> Options:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    return {**in_vpc(stack), "security_groups": [group]}


def own_role(stack: cdk.Stack) -> Options:
    return {"role": iam.Role.from_role_arn(stack, "Role", ROLE)}


def two_containers(stack: cdk.Stack) -> Options:
    return {"containers": [sagemaker.ContainerDefinition(image=each) for each in (image(), another_image(stack))]}


MODEL_OPTIONS: dict[str, tuple[Find, Find]] = {
    "id": (nothing, given(id="Another")),
    "scope": (nothing, lambda stack: {"scope": Construct(stack, "Inner")}),
    "containers": (nothing, two_containers),
    "model_name": (nothing, given(model_name="first")),
    "network_isolation": (nothing, given(network_isolation=True)),
    "role": (nothing, own_role),
    "vpc": (nothing, in_vpc),
    "vpc_subnets": (in_vpc, in_vpc_with(vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC))),
    "security_groups": (in_vpc, own_security_group),
    "allow_all_outbound": (in_vpc, in_vpc_with(allow_all_outbound=False)),
}


@parameters("test_a_baseline_is_as_its_parameters_say")
def test_a_baseline_is_as_its_parameters_say(place: AssetFolder, parameter: str) -> None:
    before, after = MODEL_OPTIONS[own_name(parameter)]

    assert place.of_model(before) != place.of_model(after)


@parameters("test_a_container_is_added_to_a_baseline")
def test_a_container_is_added_to_a_baseline(place: AssetFolder, parameter: str) -> None:
    def make(stack: cdk.Stack) -> None:
        data = sagemaker.ModelData.from_asset(str(place.artifact))
        environment = {"THREADS": "4"}
        model(stack).add_container(
            image=another_image(stack), container_hostname="second", environment=environment, model_data=data
        )

    deployment = place.deployment(make)

    shown = {"image": "/another:2", "container_hostname": '"ContainerHostname": "second"'}
    shown |= {"environment": '"Environment": {"THREADS": "4"}', "model_data": "ModelDataUrl"}
    assert shown[own_name(parameter)] in deployment
    assert '"Containers": [' in deployment


@parameters("test_a_statement_is_added_to_the_role_of_a_model")
def test_a_statement_is_added_to_the_role_of_a_model(place: AssetFolder, parameter: str) -> None:
    statement = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["*"])

    def to_champion(stack: cdk.Stack) -> None:
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        ApprovedModel(stack, "Champion", group="churn", role=role).add_to_role_policy(statement)

    assert own_name(parameter) == "statement"
    assert "sqs:SendMessage" in place.deployment(lambda stack: model(stack).add_to_role_policy(statement))
    assert "sqs:SendMessage" in place.deployment(to_champion)


@parameters("test_a_model_that_is_there_is_found_as_the_champion_is")
def test_a_model_that_is_there_is_found_as_the_champion_is(place: AssetFolder, parameter: str) -> None:
    call = parameter.partition("(")[0]

    def make(stack: cdk.Stack) -> None:
        arn = stack.format_arn(service="sagemaker", resource="model", resource_name="churn-v1")
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
        options = {
            "from_model_arn": {"model_arn": arn},
            "from_model_name": {"model_name": "churn-v1"},
            "from_model_attributes": {"model_arn": arn, "role": role, "security_groups": [group]},
        }
        found = getattr(BaselineModel, call)(stack, "Found", **options[call])
        variant = sagemaker.InstanceProductionVariantProps(model=found, variant_name="first")
        sagemaker.EndpointConfig(stack, "Config", instance_production_variants=[variant])
        if call == "from_model_attributes":
            found.connections.allow_from_any_ipv4(ec2.Port.tcp(443))
            found.add_to_role_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["*"]))

    deployment = place.deployment(make)

    assert "churn-v1" in deployment
    shown = {"role": "sqs:SendMessage", "security_groups": '"GroupId": "sg-0123456789abcdef0"'}
    assert shown.get(own_name(parameter), "churn-v1") in deployment


@parameters("test_baseline_and_champion_have_what_a_model_has")
def test_baseline_and_champion_have_what_a_model_has(place: AssetFolder, parameter: str) -> None:
    stack = cdk.Stack(cdk.App(outdir=str(place.root / "out")), "Team")
    options = own_security_group(stack)
    role = iam.Role.from_role_arn(stack, "Role", ROLE)
    baseline = model(stack, {**options, "role": role})
    champion = ApprovedModel(stack, "Champion", group="fraud", role=role, security_groups=options["security_groups"])

    found = [getattr(each, parameter) for each in (baseline, champion)]

    assert all(found)
    if parameter == "role":
        assert [each.role_arn for each in found] == [ROLE, ROLE]
    if parameter == "connections":
        assert [len(each.security_groups) for each in found] == [1, 1]
