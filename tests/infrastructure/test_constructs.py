"""The constructs for other teams' apps: what they synthesise to, and that every example in their document runs."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.jsii_node import use_bundled_node

use_bundled_node()  # before the library below starts it

import aws_cdk as cdk  # noqa: E402
import aws_cdk.aws_sagemaker_alpha as sagemaker  # noqa: E402
from aws_cdk import aws_ec2 as ec2  # noqa: E402
from aws_cdk import aws_ecr as ecr  # noqa: E402
from aws_cdk import aws_iam as iam  # noqa: E402
from aws_cdk import aws_kms as kms  # noqa: E402
from aws_cdk import aws_s3 as s3  # noqa: E402
from aws_cdk.assertions import Annotations, Match, Template  # noqa: E402

from examples.cdk.app import BaselineStack, EndpointStack  # noqa: E402
from infra import names  # noqa: E402
from signoff_cdk.approved_model import CHAMPIONS, ApprovedModel  # noqa: E402
from signoff_cdk.baseline_model import RECORDER, BaselineModel  # noqa: E402
from tests.support.iam import listed  # noqa: E402
from tests.support.repository import ROOT  # noqa: E402

DOCUMENT = ROOT / "docs" / "constructs.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
ROLE = "arn:aws:iam::123456789012:role/models"
SECURITY_GROUP = "sg-0123456789abcdef0"


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A directory with a Dockerfile and an artifact at the paths that the examples name."""
    directory, artifact = tmp_path / "path/to/Dockerfile/directory", tmp_path / "path/to/artifact/file.tar.gz"
    directory.mkdir(parents=True)
    artifact.parent.mkdir(parents=True)
    (directory / "Dockerfile").write_text("FROM scratch\n")
    (directory / "model.joblib").write_bytes(b"model")
    with tarfile.open(artifact, "w:gz") as archive:
        archive.add(directory / "model.joblib", "model.joblib")
    return tmp_path


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "out"))


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Team")


def synthesised(stack: cdk.Stack) -> dict[str, Any]:
    """Return a stack's template."""
    document: dict[str, Any] = Template.from_stack(stack).to_json()
    return document


def only(stack: cdk.Stack, kind: str) -> dict[str, Any]:
    """Return the properties of a stack's only resource of a type."""
    (found,) = [each for each in synthesised(stack)["Resources"].values() if each["Type"] == kind]
    properties: dict[str, Any] = found["Properties"]
    return properties


def dlc() -> sagemaker.ContainerImage:
    return sagemaker.ContainerImage.from_dlc("sklearn-inference", "1.4.2", "683313688378")


def baseline(stack: cdk.Stack, **properties: Any) -> BaselineModel:
    containers = [sagemaker.ContainerDefinition(image=dlc())]
    return BaselineModel(stack, "Baseline", **{"group": "churn", "containers": containers, **properties})


# The document


@pytest.mark.parametrize("number", range(1, len(EXAMPLES)))
def test_every_example_in_the_document_makes_what_it_shows(number: int, app: cdk.App, places: Path) -> None:
    stack = cdk.Stack(app, "Team")
    path = SimpleNamespace(join=lambda *parts: str(places.joinpath(*parts)))
    shown: dict[str, Any] = {"self": stack, "path": path}
    exec(compile(EXAMPLES[number], f"example {number}", "exec"), shown)  # noqa: S102 -- our own document
    if {"image", "model_data"} & set(shown) and "model" not in shown:
        data = shown.get("model_data")
        baseline(stack, containers=[sagemaker.ContainerDefinition(image=shown.get("image", dlc()), model_data=data)])
    templates = [each.template for each in app.synth().stacks_recursively]
    assert any(template.get("Resources") or "champions" in json.dumps(template) for template in templates)


def test_the_document_has_the_sections_and_the_examples_of_the_librarys_own() -> None:
    text = DOCUMENT.read_text()
    headings = ("Installation", "Single Container Model", "Inference Pipeline Model", "Container Images", "Asset Image")
    more = ("ECR Image", "DLC Image", "Model Artifacts", "Asset Model Data", "S3 Model Data", "Network Isolation")
    assert all(f"# {heading}\n" in text for heading in (*headings, *more))
    assert len(EXAMPLES) >= 14


def test_the_parameters_are_those_that_signoff_publishes() -> None:
    assert (CHAMPIONS, RECORDER) == (names.CHAMPIONS, names.BASELINE_RECORDER)


# The champion


def test_the_champion_is_looked_up_by_cloudformation_at_each_deployment(stack: cdk.Stack) -> None:
    model = ApprovedModel(stack, "Champion", group="churn")
    variant = sagemaker.InstanceProductionVariantProps(model=model, variant_name="champion")
    sagemaker.EndpointConfig(stack, "Config", instance_production_variants=[variant])
    (name, parameter), *_ = synthesised(stack)["Parameters"].items()
    assert parameter == {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/signoff/champions/churn"}
    (produced,) = only(stack, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert json.dumps(produced["ModelName"]).count(f'"Ref": "{name}"') == 1
    assert stack.resolve(model.model_arn) == {"Ref": name}
    assert stack.resolve(model.model_name) == produced["ModelName"]


def test_the_champion_goes_into_a_serverless_variant_too(stack: cdk.Stack) -> None:
    variant = sagemaker.ServerlessProductionVariantProps(
        model=ApprovedModel(stack, "Champion", group="churn"),
        variant_name="champion",
        max_concurrency=1,
        memory_size_in_mb=1024,
    )
    sagemaker.EndpointConfig(stack, "Config", serverless_production_variant=variant)
    (produced,) = only(stack, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert "Ref" in json.dumps(produced["ModelName"])


def test_several_champions_are_looked_up_once_for_each_group(stack: cdk.Stack) -> None:
    for number, group in enumerate(("churn", "fraud", "churn")):
        ApprovedModel(stack, f"Champion{number}", group=group)
    defaults = [each["Default"] for each in synthesised(stack)["Parameters"].values()]
    assert [name for name in defaults if "champions" in name] == [
        "/signoff/champions/churn",
        "/signoff/champions/fraud",
    ]


def test_a_group_is_the_same_in_whatever_case_it_is_written(app: cdk.App, stack: cdk.Stack) -> None:
    made = baseline(cdk.Stack(app, "Models"))
    ApprovedModel(stack, "Champion", group="Churn", baseline=made)
    assert "/signoff/champions/churn" in json.dumps(synthesised(stack)["Parameters"])


def test_champions_are_looked_up_where_another_signoff_publishes_them(stack: cdk.Stack) -> None:
    ApprovedModel(stack, "Champion", group="churn", champions="/risk/champions")
    assert "/risk/champions/churn" in json.dumps(synthesised(stack)["Parameters"])


def test_what_is_granted_and_added_goes_to_the_role_that_was_given(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", ROLE)
    model = ApprovedModel(stack, "Champion", group="churn", role=role)
    kms.Key(stack, "Key").grant_decrypt(model)
    model.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))
    policy = only(stack, "AWS::IAM::Policy")
    assert model.role is not None
    assert policy["Roles"] == ["models"]
    assert {"kms:Decrypt", "s3:GetObject"} <= {each["Action"] for each in policy["PolicyDocument"]["Statement"]}


def test_without_a_role_a_statement_is_added_nowhere_which_is_a_warning(stack: cdk.Stack) -> None:
    model = ApprovedModel(stack, "Champion", group="churn")
    model.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))
    Annotations.from_stack(stack).has_warning("/Team/Champion", Match.string_like_regexp("give `role`"))
    assert model.role is None
    assert "AWS::IAM::Policy" not in json.dumps(synthesised(stack))


def test_connections_are_those_of_the_security_groups_that_were_given(stack: cdk.Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", SECURITY_GROUP)
    model = ApprovedModel(stack, "Champion", group="churn", security_groups=[group])
    model.connections.allow_from_any_ipv4(ec2.Port.tcp(443))
    assert only(stack, "AWS::EC2::SecurityGroupIngress")["GroupId"] == SECURITY_GROUP
    with pytest.raises(RuntimeError, match="without configuring a VPC"):
        _ = ApprovedModel(stack, "Other", group="churn").connections


@pytest.mark.parametrize("group", ["", "-churn", "churn/1", "c" * 64, "chürn"])
def test_a_name_that_no_group_can_have_is_refused(stack: cdk.Stack, group: str) -> None:
    for make in (lambda: ApprovedModel(stack, "Champion", group=group), lambda: baseline(stack, group=group)):
        with pytest.raises(ValueError, match="cannot be the name"):
            make()


def test_a_group_may_be_known_only_when_the_stack_is_deployed(stack: cdk.Stack) -> None:
    chosen = cdk.CfnParameter(stack, "Group")
    baseline(stack, group=chosen.value_as_string)
    assert only(stack, "Custom::SignoffBaseline")["Group"] == {"Ref": "Group"}


# The baseline


def test_a_baseline_is_deployed_before_the_stack_that_serves_the_champion(app: cdk.App, places: Path) -> None:
    artifact = str(places / "path/to/artifact/file.tar.gz")
    models = BaselineStack(app, "TeamModels", group="churn", model=artifact, image="sklearn:1.2")
    serving = EndpointStack(app, "TeamServing", group="churn", baseline=models.baseline)
    assert [each.node.path for each in serving.dependencies] == ["TeamModels"]


def test_champion_and_baseline_in_one_stack_or_of_two_groups_are_refused(app: cdk.App, stack: cdk.Stack) -> None:
    made = baseline(stack)
    with pytest.raises(ValueError, match="in a stack of its own"):
        ApprovedModel(stack, "Champion", group="churn", baseline=made)
    with pytest.raises(ValueError, match="the baseline of churn, not of fraud"):
        ApprovedModel(cdk.Stack(app, "Serving"), "Champion", group="fraud", baseline=made)


def test_a_baseline_is_recorded_by_signoffs_function_with_the_model_that_the_stack_makes(stack: cdk.Stack) -> None:
    baseline(stack, review="https://git.example.com/pull/7")
    template = synthesised(stack)
    ((logical, _),) = [pair for pair in template["Resources"].items() if pair[1]["Type"] == "AWS::SageMaker::Model"]
    (recorder,) = [name for name, each in template["Parameters"].items() if each["Default"] == RECORDER]
    assert only(stack, "Custom::SignoffBaseline") == {
        "ServiceToken": {"Ref": recorder},
        "ServiceTimeout": "600",
        "Group": "churn",
        "ModelName": {"Fn::GetAtt": [logical, "ModelName"]},
        "ModelArn": {"Ref": logical},
        "ModelLogicalId": logical,
        "Review": "https://git.example.com/pull/7",
    }


def test_a_baseline_is_recorded_where_another_signoff_says(stack: cdk.Stack) -> None:
    baseline(stack, recorder="/risk/recorder")
    assert "/risk/recorder" in json.dumps(synthesised(stack)["Parameters"])
    assert "Review" not in only(stack, "Custom::SignoffBaseline")


def test_a_single_container_has_image_data_host_name_and_environment(stack: cdk.Stack, places: Path) -> None:
    container = sagemaker.ContainerDefinition(
        image=dlc(),
        model_data=sagemaker.ModelData.from_bucket(s3.Bucket.from_bucket_name(stack, "Bucket", "data"), "model.tar.gz"),
        container_hostname="classifier",
        environment={"A": "1"},
    )
    baseline(stack, containers=[container])
    primary = only(stack, "AWS::SageMaker::Model")["PrimaryContainer"]
    assert (primary["ContainerHostname"], primary["Environment"]) == ("classifier", {"A": "1"})
    assert json.dumps(primary["ModelDataUrl"]).endswith('/data/model.tar.gz"]]}')


def test_an_inference_pipeline_has_its_containers_in_their_order(stack: cdk.Stack) -> None:
    made = [sagemaker.ContainerDefinition(image=dlc_named(stack, name), container_hostname=name) for name in "abc"]
    model = baseline(stack, containers=made[:2])
    model.add_container(image=made[2].image, container_hostname="c")
    shown = only(stack, "AWS::SageMaker::Model")
    assert [each["ContainerHostname"] for each in shown["Containers"]] == ["a", "b", "c"]
    assert "PrimaryContainer" not in shown


def dlc_named(stack: cdk.Stack, name: str) -> sagemaker.ContainerImage:
    return sagemaker.ContainerImage.from_ecr_repository(ecr.Repository.from_repository_name(stack, name, name), "1")


@pytest.mark.parametrize(("count", "why"), [(0, "at least 1 container"), (16, "more than 15 containers")])
def test_a_model_has_1_to_15_containers(stack: cdk.Stack, count: int, why: str) -> None:
    made = [sagemaker.ContainerDefinition(image=dlc_named(stack, f"image{number}")) for number in range(count)]
    baseline(stack, containers=made)
    with pytest.raises(RuntimeError, match=why):
        synthesised(stack)


def in_a_vpc(stack: cdk.Stack) -> ec2.Vpc:
    return ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)


def test_a_baseline_is_put_into_the_network_that_it_is_given(stack: cdk.Stack) -> None:
    isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    model = baseline(stack, vpc=in_a_vpc(stack), vpc_subnets=isolated, allow_all_outbound=False)
    model.connections.allow_to_any_ipv4(ec2.Port.tcp(443))
    network = only(stack, "AWS::SageMaker::Model")["VpcConfig"]
    assert all("Isolated" in subnet["Ref"] for subnet in network["Subnets"])
    (egress,) = only(stack, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert egress["FromPort"] == 443


def test_a_baseline_may_use_security_groups_that_are_there(stack: cdk.Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", SECURITY_GROUP)
    baseline(stack, vpc=in_a_vpc(stack), security_groups=[group])
    assert only(stack, "AWS::SageMaker::Model")["VpcConfig"]["SecurityGroupIds"] == [SECURITY_GROUP]


def test_isolation_role_and_name_are_as_the_app_says(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", ROLE)
    baseline(stack, network_isolation=True, role=role, model_name="first")
    shown = only(stack, "AWS::SageMaker::Model")
    assert (shown["EnableNetworkIsolation"], shown["ExecutionRoleArn"], shown["ModelName"]) == (True, ROLE, "first")


# Images and data, as the library binds them


def assets(app: cdk.App, kind: str) -> list[dict[str, Any]]:
    """Return the assets of a kind (`files`, `dockerImages`) that a deployment of the app would publish."""
    manifests = Path(app.synth().directory).glob("*.assets.json")
    found = [each for path in manifests for each in json.loads(path.read_text()).get(kind, {}).values()]
    return [each for each in found if not str(each["source"].get("path", "")).endswith(".template.json")]


def primary_container(stack: cdk.Stack) -> str:
    return json.dumps(only(stack, "AWS::SageMaker::Model")["PrimaryContainer"])


def test_an_image_is_built_from_a_directory_with_the_options_it_is_given(
    app: cdk.App, stack: cdk.Stack, places: Path
) -> None:
    directory = str(places / "path/to/Dockerfile/directory")
    image = sagemaker.ContainerImage.from_asset(directory, build_args={"VERSION": "2"}, target="serve")
    baseline(stack, containers=[sagemaker.ContainerDefinition(image=image)])
    (asset,) = assets(app, "dockerImages")
    assert (asset["source"]["dockerBuildArgs"], asset["source"]["dockerBuildTarget"]) == ({"VERSION": "2"}, "serve")
    (destination,) = asset["destinations"].values()
    assert destination["imageTag"] in primary_container(stack)


@pytest.mark.parametrize(("tag", "shown"), [("1.2", "/sklearn:1.2"), (None, "/sklearn:latest")])
def test_an_image_comes_from_a_repository_by_its_tag(stack: cdk.Stack, tag: str | None, shown: str) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Images", "sklearn")
    image = sagemaker.ContainerImage.from_ecr_repository(repository, *([tag] if tag else []))
    baseline(stack, containers=[sagemaker.ContainerDefinition(image=image)])
    assert shown in primary_container(stack)


@pytest.mark.parametrize(("account", "shown"), [("683313688378", "683313688378.dkr.ecr"), (None, "Fn::FindInMap")])
def test_an_image_is_one_of_aws_deep_learning_containers(stack: cdk.Stack, account: str | None, shown: str) -> None:
    image = sagemaker.ContainerImage.from_dlc("huggingface-pytorch-inference", "2.1", account)
    baseline(stack, containers=[sagemaker.ContainerDefinition(image=image)])
    assert shown in primary_container(stack)
    assert "/huggingface-pytorch-inference:2.1" in primary_container(stack)


def test_model_data_is_uploaded_from_a_file_with_the_options_it_is_given(
    app: cdk.App, stack: cdk.Stack, places: Path
) -> None:
    reader = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    artifact = str(places / "path/to/artifact/file.tar.gz")
    data = sagemaker.ModelData.from_asset(artifact, readers=[reader], asset_hash="v1", deploy_time=False)
    baseline(stack, containers=[sagemaker.ContainerDefinition(image=dlc(), model_data=data)])
    (asset,) = assets(app, "files")
    (destination,) = asset["destinations"].values()
    assert destination["objectKey"] in primary_container(stack)
    granted = [each["Properties"]["Roles"] for each in policies(stack)]
    assert any("Reader" in json.dumps(roles) for roles in granted)


def policies(stack: cdk.Stack) -> Iterator[dict[str, Any]]:
    yield from (each for each in synthesised(stack)["Resources"].values() if each["Type"] == "AWS::IAM::Policy")


def test_model_data_that_is_no_gzipped_tar_file_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"extension \.tar\.gz"):
        sagemaker.ModelData.from_asset("model.zip")


def test_model_data_lies_in_a_bucket_which_the_model_may_read(stack: cdk.Stack) -> None:
    data = sagemaker.ModelData.from_bucket(s3.Bucket(stack, "Data"), "path/to/file.tar.gz")
    baseline(stack, containers=[sagemaker.ContainerDefinition(image=dlc(), model_data=data)])
    assert "/path/to/file.tar.gz" in primary_container(stack)
    actions = [action for each in policies(stack) for action in actions_of(each)]
    assert "s3:GetObject*" in actions


def actions_of(policy: dict[str, Any]) -> list[str]:
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    return [action for statement in statements for action in listed(statement["Action"])]
