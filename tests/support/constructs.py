"""Apps with the constructs for models in them, and what their deployment would be."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.jsii_node import use_bundled_node

use_bundled_node()  # before the library below starts it

import aws_cdk as cdk  # noqa: E402
import aws_cdk.aws_sagemaker_alpha as sagemaker  # noqa: E402
from aws_cdk import aws_ecr as ecr  # noqa: E402

from signoff_cdk.baseline_model import BaselineModel  # noqa: E402

Options = dict[str, Any]
Find = Callable[[cdk.Stack], Options]


class AssetFolder:
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


def image() -> sagemaker.ContainerImage:
    return sagemaker.ContainerImage.from_dlc("sklearn-inference", "1.4.2", "683313688378")


def repository(stack: cdk.Stack, name: str = "sklearn") -> ecr.IRepository:
    return ecr.Repository.from_repository_name(stack, "Images", name)


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
