"""Every parameter of images and model data, each a case of the test that docs/coverage.md names for it.

`BaselineModel` takes the library's own: what each parameter is for shows in the template, or in the assets beside it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.jsii_node import use_bundled_node

use_bundled_node()  # before the library below starts it

import aws_cdk as cdk  # noqa: E402
import aws_cdk.aws_sagemaker_alpha as sagemaker  # noqa: E402
import jsii  # noqa: E402
from aws_cdk import aws_ecr_assets as ecr_assets  # noqa: E402
from aws_cdk import aws_iam as iam  # noqa: E402
from aws_cdk import aws_kms as kms  # noqa: E402
from aws_cdk import aws_s3 as s3  # noqa: E402

from tests.support.constructs import AssetFolder, Find, Options, given, model, nothing, own_name, repository  # noqa: E402
from tests.support.coverage import proven_by  # noqa: E402

KEY = "arn:aws:kms:us-east-1:123456789012:key/3f5a2c1e-8d47-4b6f-9a0c-5e1d2b7c8f90"


def parameters(test: str) -> pytest.MarkDecorator:
    """A case for each parameter whose row names that test of this file: `call(parameter)`."""
    named = proven_by(f"tests/infrastructure/test_every_image_and_data_parameter.py::{test}")
    return pytest.mark.parametrize("parameter", named)


@pytest.fixture
def place(tmp_path: Path) -> AssetFolder:
    return AssetFolder(tmp_path)


# Images

CACHE = ecr_assets.DockerCacheOption(type="registry", params={"ref": "cache"})
# The options that a parameter is shown beside, and those with it; what the library makes is made by the test.
IMAGE_OPTIONS: dict[str, tuple[Options, Options]] = {
    "directory": ({}, {"directory": "another"}),
    "asset_name": ({}, {"asset_name": "own"}),
    "build_args": ({}, {"build_args": {"VERSION": "2"}}),
    "build_contexts": ({}, {"build_contexts": {"more": "../more"}}),
    "build_secrets": ({}, {"build_secrets": lambda: {"token": cdk.DockerBuildSecret.from_src("token.txt")}}),
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
    "network_mode": ({}, {"network_mode": lambda: ecr_assets.NetworkMode.HOST}),
    "outputs": ({}, {"outputs": ["type=local,dest=out"]}),
    "platform": ({}, {"platform": lambda: ecr_assets.Platform.LINUX_ARM64}),
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
def test_an_image_that_is_built_is_as_its_parameters_say(place: AssetFolder, parameter: str) -> None:
    before, after = map(made, IMAGE_OPTIONS[own_name(parameter)])

    assert place.of_image(**before) != place.of_image(**after)


def made(options: Options) -> Options:
    return {name: option() if callable(option) else option for name, option in options.items()}


def with_image(find: Callable[[cdk.Stack], sagemaker.ContainerImage]) -> Callable[[cdk.Stack], Any]:
    return lambda stack: model(stack, image=find(stack))


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
def test_an_image_that_is_there_is_found_by_its_parameters(place: AssetFolder, parameter: str) -> None:
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
def test_model_data_that_are_uploaded_are_as_their_parameters_say(place: AssetFolder, parameter: str) -> None:
    before, after = DATA_OPTIONS[own_name(parameter)]

    assert place.of_data(before) != place.of_data(after)


# The library takes them for assets of other services: what is deployed of a model is the same.
WITHOUT_EFFECT: dict[str, tuple[Find, Find]] = {
    "deploy_time": (nothing, given(deploy_time=True)),
    "source_kms_key": (reader, reader_and_key),
}


@parameters("test_what_says_nothing_of_model_data_is_taken_and_changes_nothing")
def test_what_says_nothing_of_model_data_is_taken_and_changes_nothing(place: AssetFolder, parameter: str) -> None:
    before, after = WITHOUT_EFFECT[own_name(parameter)]

    assert place.of_data(before) == place.of_data(after)


@parameters("test_model_data_that_are_there_are_found_and_may_be_read")
def test_model_data_that_are_there_are_found_and_may_be_read(place: AssetFolder, parameter: str) -> None:
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
