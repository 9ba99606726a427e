"""Every parameter of the constructs for models, each a case of the test that docs/coverage.md names for it.

`BaselineModel` is the library's own Model, and takes its images and its model data: what each parameter is for shows in
the template, or in the assets that go with it.
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.jsii_node import use_bundled_node

use_bundled_node()  # before the library below starts it

import aws_cdk as cdk  # noqa: E402
import aws_cdk.aws_sagemaker_alpha as sagemaker  # noqa: E402
import jsii  # noqa: E402
from aws_cdk import aws_ec2 as ec2  # noqa: E402
from aws_cdk import aws_ecr as ecr  # noqa: E402
from aws_cdk import aws_ecr_assets as ecr_assets  # noqa: E402
from aws_cdk import aws_iam as iam  # noqa: E402
from aws_cdk import aws_kms as kms  # noqa: E402
from aws_cdk import aws_s3 as s3  # noqa: E402
from constructs import Construct  # noqa: E402

from signoff_cdk import ApprovedModel, BaselineModel  # noqa: E402
from tests.support.coverage import proven_by  # noqa: E402

ROLE = "arn:aws:iam::123456789012:role/models"
KEY = "arn:aws:kms:us-east-1:123456789012:key/3f5a2c1e-8d47-4b6f-9a0c-5e1d2b7c8f90"
Options = dict[str, Any]
Find = Callable[[cdk.Stack], Options]


def parameters(test: str) -> pytest.MarkDecorator:
    """A case for each parameter whose row names that test of this file: `call(parameter)`."""
    named = proven_by(f"tests/infrastructure/test_every_construct_parameter.py::{test}")
    return pytest.mark.parametrize("parameter", named)


class Place:
    """A directory with what images are built from and model data are, and apps that use them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory, self.other = root / "image", root / "another"
        for directory in (self.directory, self.other):
            directory.mkdir()
            (directory / "Dockerfile").write_text(f"FROM scratch\nLABEL of={directory.name}\n")
            (directory / "Other.Dockerfile").write_text("FROM scratch\n")
            (directory / "model.joblib").write_bytes(b"model")
        (self.directory / "linked").symlink_to(self.other / "model.joblib")
        self.artifact = self._archive("one.tar.gz")
        self._archive("two.tar.gz")
        (root / "sources.tar.gz").symlink_to(self.directory)

    def _archive(self, name: str) -> Path:
        path = self.root / name
        with tarfile.open(path, "w:gz") as archive:
            archive.add(self.directory / "model.joblib", name)
        return path

    def deployment(self, make: Callable[[cdk.Stack], Any]) -> str:
        """What the deployment of an app with these constructs would be: its template, and the assets published."""
        app = cdk.App(outdir=str(self.root / f"out-{len(list(self.root.iterdir()))}"))
        stack = cdk.Stack(app, "Team")
        make(stack)
        assembly = app.synth()
        assets = json.loads((Path(assembly.directory) / "Team.assets.json").read_text())
        return json.dumps([assembly.get_stack_by_name("Team").template, assets], sort_keys=True)

    def of_image(self, **options: Any) -> str:
        """The deployment of a model whose image is built from a directory."""
        directory = str(self.root / options.pop("directory", "image"))
        return self.deployment(
            lambda stack: model(stack, image=sagemaker.ContainerImage.from_asset(directory, **options))
        )

    def of_data(self, find: Find) -> str:
        """The deployment of a model whose model data are uploaded."""

        def make(stack: cdk.Stack) -> None:
            options = {"path": "one.tar.gz", **find(stack)}
            path = str(self.root / options.pop("path"))
            model(stack, model_data=sagemaker.ModelData.from_asset(path, **options))

        return self.deployment(make)

    def of_model(self, find: Find) -> str:
        """The deployment of a model."""
        return self.deployment(lambda stack: model(stack, find(stack)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def image() -> sagemaker.ContainerImage:
    return sagemaker.ContainerImage.from_dlc("sklearn-inference", "1.4.2", "683313688378")


def another_image(stack: cdk.Stack) -> sagemaker.ContainerImage:
    return sagemaker.ContainerImage.from_ecr_repository(repository(stack, "another"), "2")


def model(stack: cdk.Stack, properties: Options | None = None, **container: Any) -> BaselineModel:
    """A baseline of one container."""
    made = sagemaker.ContainerDefinition(**{"image": image(), **container})
    options = {"scope": stack, "id": "Baseline", "containers": [made], **(properties or {})}
    return BaselineModel(options.pop("scope"), options.pop("id"), group="churn", **options)


def own_name(parameter: str) -> str:
    """The name of a parameter, without that of its call."""
    return parameter.partition("(")[2].removesuffix(")") or parameter


def given(**options: Any) -> Find:
    return lambda _: options


def nothing(_: cdk.Stack) -> Options:
    return {}


# Images

CACHE = ecr_assets.DockerCacheOption(type="registry", params={"ref": "cache"})
# The options that a parameter is shown beside, and those with it.
IMAGE_OPTIONS: dict[str, tuple[Options, Options]] = {
    "directory": ({}, {"directory": "another"}),
    "asset_name": ({}, {"asset_name": "own"}),
    "build_args": ({}, {"build_args": {"VERSION": "2"}}),
    "build_contexts": ({}, {"build_contexts": {"more": "../more"}}),
    "build_secrets": ({}, {"build_secrets": {"token": cdk.DockerBuildSecret.from_src("token.txt")}}),
    "build_ssh": ({}, {"build_ssh": "default"}),
    "cache_disabled": ({}, {"cache_disabled": True}),
    "cache_from": ({}, {"cache_from": [CACHE]}),
    "cache_to": ({}, {"cache_to": CACHE}),
    "display_name": ({}, {"display_name": "The serving image"}),
    "file": ({}, {"file": "Other.Dockerfile"}),
    "invalidation": (
        {"build_args": {"VERSION": "2"}},
        {
            "build_args": {"VERSION": "2"},
            "invalidation": ecr_assets.DockerImageAssetInvalidationOptions(build_args=False),
        },
    ),
    "network_mode": ({}, {"network_mode": ecr_assets.NetworkMode.HOST}),
    "outputs": ({}, {"outputs": ["type=local,dest=out"]}),
    "platform": ({}, {"platform": ecr_assets.Platform.LINUX_ARM64}),
    "target": ({}, {"target": "serve"}),
    "extra_hash": ({}, {"extra_hash": "2"}),
    "exclude": ({}, {"exclude": ["*.joblib"]}),
    "follow_symlinks": ({}, {"follow_symlinks": cdk.SymlinkFollowMode.ALWAYS}),
    "ignore_mode": (
        {"exclude": ["/model.joblib"], "ignore_mode": cdk.IgnoreMode.GLOB},
        {"exclude": ["/model.joblib"], "ignore_mode": cdk.IgnoreMode.GIT},
    ),
}


@parameters("test_an_image_that_is_built_is_as_its_parameters_say")
def test_an_image_that_is_built_is_as_its_parameters_say(place: Place, parameter: str) -> None:
    before, after = IMAGE_OPTIONS[own_name(parameter)]

    assert place.of_image(**before) != place.of_image(**after)


def with_image(find: Callable[[cdk.Stack], sagemaker.ContainerImage]) -> Callable[[cdk.Stack], Any]:
    return lambda stack: model(stack, image=find(stack))


def repository(stack: cdk.Stack, name: str = "sklearn") -> ecr.IRepository:
    return ecr.Repository.from_repository_name(stack, "Images", name)


FOUND: dict[str, tuple[Callable[[cdk.Stack], sagemaker.ContainerImage], str]] = {
    "from_dlc(repository_name)": (lambda _: sagemaker.ContainerImage.from_dlc("pytorch-inference", "2"), "pytorch-inf"),
    "from_dlc(tag)": (lambda _: sagemaker.ContainerImage.from_dlc("pytorch-inference", "2.1"), ":2.1"),
    "from_dlc(account_id)": (
        lambda _: sagemaker.ContainerImage.from_dlc("pytorch-inference", "2.1", "683313688378"),
        "683313688378.dkr.ecr",
    ),
    "from_ecr_repository(repository)": (
        lambda stack: sagemaker.ContainerImage.from_ecr_repository(repository(stack)),
        "/sklearn:latest",
    ),
    "from_ecr_repository(tag)": (
        lambda stack: sagemaker.ContainerImage.from_ecr_repository(repository(stack), "1.2"),
        "/sklearn:1.2",
    ),
    # Binding is what a model does to its image, in itself and for itself.
    "bind(scope)": (lambda stack: sagemaker.ContainerImage.from_ecr_repository(repository(stack), "1.3"), ":1.3"),
    "bind(model)": (lambda stack: sagemaker.ContainerImage.from_ecr_repository(repository(stack), "1.3"), "ecr:Batch"),
}


@parameters("test_an_image_that_is_there_is_found_by_its_parameters")
def test_an_image_that_is_there_is_found_by_its_parameters(place: Place, parameter: str) -> None:
    find, shown = FOUND[parameter]

    assert shown in place.deployment(with_image(find))


# Model data


@jsii.implements(cdk.ILocalBundling)
class Bundled:
    """Makes one archive of whatever is bundled."""

    def try_bundle(self, output_dir: str, options: cdk.BundlingOptions, **_: Any) -> bool:
        Path(output_dir, "bundled.tar.gz").write_bytes(b"bundled")
        return True


def bundled(**options: Any) -> Find:
    """The options of model data that are bundled, which takes a directory."""

    def found(_: cdk.Stack) -> Options:
        nobody = cdk.DockerImage.from_registry("scratch")
        bundling = cdk.BundlingOptions(image=nobody, local=Bundled(), output_type=cdk.BundlingOutput.SINGLE_FILE)
        return {"path": "sources.tar.gz", "bundling": bundling, **options}

    return found


def reader(stack: cdk.Stack) -> Options:
    return {"readers": [iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())]}


def reader_and_key(stack: cdk.Stack) -> Options:
    return {**reader(stack), "source_kms_key": kms.Key.from_key_arn(stack, "Key", KEY)}


DATA_OPTIONS: dict[str, tuple[Find, Find]] = {
    "path": (nothing, given(path="two.tar.gz")),
    "display_name": (nothing, given(display_name="The model")),
    "readers": (nothing, reader),
    "asset_hash": (nothing, given(asset_hash="second")),
    "bundling": (given(path="sources.tar.gz"), bundled()),
    "asset_hash_type": (bundled(), bundled(asset_hash_type=cdk.AssetHashType.OUTPUT)),
    "exclude": (bundled(), bundled(exclude=["*.joblib"])),
    "follow_symlinks": (bundled(), bundled(follow_symlinks=cdk.SymlinkFollowMode.ALWAYS)),
    "ignore_mode": (bundled(), bundled(ignore_mode=cdk.IgnoreMode.GIT)),
}


@parameters("test_model_data_that_are_uploaded_are_as_their_parameters_say")
def test_model_data_that_are_uploaded_are_as_their_parameters_say(place: Place, parameter: str) -> None:
    before, after = DATA_OPTIONS[own_name(parameter)]

    assert place.of_data(before) != place.of_data(after)


# The library takes them for assets of other services: what is deployed of a model is the same.
WITHOUT_EFFECT: dict[str, tuple[Find, Find]] = {
    "deploy_time": (nothing, given(deploy_time=True)),
    "source_kms_key": (reader, reader_and_key),
}


@parameters("test_what_says_nothing_of_model_data_is_taken_and_changes_nothing")
def test_what_says_nothing_of_model_data_is_taken_and_changes_nothing(place: Place, parameter: str) -> None:
    before, after = WITHOUT_EFFECT[own_name(parameter)]

    assert place.of_data(before) == place.of_data(after)


@parameters("test_model_data_that_are_there_are_found_and_may_be_read")
def test_model_data_that_are_there_are_found_and_may_be_read(place: Place, parameter: str) -> None:
    def make(stack: cdk.Stack) -> None:
        bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "data-of-the-team")
        model(stack, model_data=sagemaker.ModelData.from_bucket(bucket, "models/churn.tar.gz"))

    deployment = place.deployment(make)

    shown = {
        "from_bucket(bucket)": "/data-of-the-team/",
        "from_bucket(object_key)": "/models/churn.tar.gz",
        # Binding is what a model does to its data: in itself, and so that its role may read them.
        "bind(scope)": "ModelDataUrl",
        "bind(model)": "s3:GetObject*",
    }
    assert shown[parameter] in deployment


# Containers


@parameters("test_a_container_is_as_its_definition_says")
def test_a_container_is_as_its_definition_says(place: Place, parameter: str) -> None:
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
def test_a_baseline_is_as_its_parameters_say(place: Place, parameter: str) -> None:
    before, after = MODEL_OPTIONS[own_name(parameter)]

    assert place.of_model(before) != place.of_model(after)


@parameters("test_a_container_is_added_to_a_baseline")
def test_a_container_is_added_to_a_baseline(place: Place, parameter: str) -> None:
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
def test_a_statement_is_added_to_the_role_of_a_model(place: Place, parameter: str) -> None:
    statement = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["*"])

    def to_champion(stack: cdk.Stack) -> None:
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        ApprovedModel(stack, "Champion", group="churn", role=role).add_to_role_policy(statement)

    assert own_name(parameter) == "statement"
    assert "sqs:SendMessage" in place.deployment(lambda stack: model(stack).add_to_role_policy(statement))
    assert "sqs:SendMessage" in place.deployment(to_champion)


@parameters("test_a_model_that_is_there_is_found_as_the_champion_is")
def test_a_model_that_is_there_is_found_as_the_champion_is(place: Place, parameter: str) -> None:
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
def test_baseline_and_champion_have_what_a_model_has(place: Place, parameter: str) -> None:
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
