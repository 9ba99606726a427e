"""Every shape of model, from the submission of its example to what DescribeModel shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from examples import artifacts
from signoff.model_package.subject import covers
from tests.support.depth import few
from tests.support.groups import Group, Package
from tests.support.pipeline import Pipeline
from tests.support.shapes_on_engine import Document, Shapes
from tests.support.shell import Shell

BY_PACKAGE = {"PrimaryContainer": {"ModelPackageName": "the package"}}
UNCOMPRESSED = {"S3DataType": "S3Prefix", "CompressionType": "None"}


def multi_model(cache: str) -> Document:
    config = {"ModelCacheSetting": cache}
    return {"PrimaryContainer": {"Mode": "MultiModel", "ModelDataUrl": "models/", "MultiModelConfig": config}}


# What DescribeModel shows of each example, with the names of objects in place of their URIs in the vault.
SHOWN: dict[str, Document] = {
    "additional-model-data": BY_PACKAGE,
    "additional-specification": {
        "PrimaryContainer": {"ModelPackageName": "the package", "InferenceSpecificationName": "half-precision"}
    },
    "algorithm-source": BY_PACKAGE,
    "algorithm-source-uncompressed": BY_PACKAGE,
    "complete": BY_PACKAGE,
    "compressed-with-eula": BY_PACKAGE,
    "container-metrics": {
        "PrimaryContainer": {
            "ModelPackageName": "the package",
            "ContainerMetricsConfig": {
                "MetricsEndpoints": [{"MetricsEndpointPath": "/metrics", "MetricPublishFrequencyInSeconds": 60}]
            },
        }
    },
    "deployment-choices": {
        "PrimaryContainer": {"ModelPackageName": "the package", "ContainerHostname": "churn"},
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/churn-inference",
        "EnableNetworkIsolation": False,
        "VpcConfig": {
            "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
            "Subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-18f7e6d5c4b3a2910"],
        },
    },
    "environment-of-deployment": {
        "PrimaryContainer": {
            "ModelDataUrl": "model.tar.gz",
            "Environment": {"MODEL_SERVER_WORKERS": "4", "MODEL_SERVER_TIMEOUT": "60"},
        }
    },
    "environment-of-package": BY_PACKAGE,
    "environment-that-fetches": {**BY_PACKAGE, "EnableNetworkIsolation": False},
    "hub-access": BY_PACKAGE,
    "image-by-digest": BY_PACKAGE,
    "life-cycle": BY_PACKAGE,
    "managed-storage": BY_PACKAGE,
    "manifest-file": BY_PACKAGE,
    "marketplace-product": BY_PACKAGE,
    "multi-model-cached": multi_model("Enabled"),
    "multi-model-uncached": multi_model("Disabled"),
    "pipeline": BY_PACKAGE,
    "pipeline-direct": {
        "Containers": [
            {"ContainerHostname": "tumours", "ModelDataUrl": "tumours.tar.gz"},
            {"ContainerHostname": "scans", "ModelDataUrl": "scans.tar.gz"},
        ],
        "InferenceExecutionConfig": {"Mode": "Direct"},
    },
    "pipeline-serial": {
        "Containers": [
            {"ContainerHostname": "prepare", "ModelDataUrl": "prepare.tar.gz"},
            {"ContainerHostname": "predict", "ModelDataUrl": "predict.tar.gz"},
        ],
        "InferenceExecutionConfig": {"Mode": "Serial"},
    },
    "private-registry": {
        "PrimaryContainer": {
            "Image": f"registry.example.com/churn/serving@sha256:{'7e' * 32}",
            "ImageConfig": {
                "RepositoryAccessMode": "Vpc",
                "RepositoryAuthConfig": {
                    "RepositoryCredentialsProviderArn": (
                        "arn:aws:lambda:us-east-1:123456789012:function:registry-credentials"
                    )
                },
            },
            "ModelDataUrl": "model.tar.gz",
        },
        "VpcConfig": {
            "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
            "Subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-18f7e6d5c4b3a2910"],
        },
    },
    "security-config": BY_PACKAGE,
    "single-container": {**BY_PACKAGE, "EnableNetworkIsolation": True},
    "skip-validation": BY_PACKAGE,
    "source-uri": BY_PACKAGE,
    "source-uri-beside-specification": {"PrimaryContainer": {"ModelDataUrl": "model.tar.gz"}},
    "uncompressed-object": BY_PACKAGE,
    "uncompressed-prefix": BY_PACKAGE,
    "validation-specification": BY_PACKAGE,
}


def as_said(pipeline: Pipeline, document: Document, package: Package) -> Document:
    """A description with names where there are URIs of the vault, and of the example's image by its tag."""
    text = json.dumps(document, default=str)
    text = re.sub(rf"s3://{pipeline.outputs['VaultBucket']}/models/[^/]+/[0-9a-f]+/", "", text)
    text = re.sub(rf"{re.escape(pipeline.stack.image.rpartition(':')[0])}@sha256:[0-9a-f]+", artifacts.IMAGE, text)
    said: Document = json.loads(text.replace(f'"{package.arn}"', '"the package"'))
    return said


NAMES = few(artifacts.names())  # what each holds is tried without an engine too


@pytest.fixture(scope="module")
def shapes(pipeline: Pipeline) -> Shapes:
    made = Shapes(pipeline)
    for name in NAMES:
        made.submit(name, artifacts.manifest(name), artifacts.policy(name))
    pipeline.quiet()
    return made


@pytest.mark.parametrize("name", NAMES)
def test_an_example_goes_from_its_submission_to_the_model_that_it_asks_for(
    pipeline: Pipeline, shapes: Shapes, name: str
) -> None:
    package = shapes.submissions[name].package().until("PendingApproval")

    model = package.approve()

    shown = as_said(pipeline, model, package)
    assert covers(shown, SHOWN[name]), shown
    document = json.loads(artifacts.submission(artifacts.manifest(name))["manifest.json"])
    document.pop("Deployment", None)
    described = as_said(pipeline, package.described(), package)
    expected = as_said(pipeline, document, package)
    assert [field for field, said in expected.items() if not covers(described.get(field), said)] == []


def test_a_prefix_that_was_registered_elsewhere_is_deployed_from_the_vault(group: Group) -> None:
    pipeline, files = group.pipeline, artifacts.submission(artifacts.manifest("uncompressed-prefix"))
    group.policy()
    submission = group.submission("training-job")
    for name, body in files.items():
        if name != "manifest.json":
            submission.put(name, body)
    bucket = pipeline.outputs["ArtifactsBucket"]
    data = {"S3Uri": f"s3://{bucket}/{submission.prefix}/weights/", **UNCOMPRESSED}
    specification = artifacts.manifest("uncompressed-prefix")["InferenceSpecification"]
    (running,) = specification["Containers"]
    specification["Containers"] = [{**running, "ModelDataSource": {"S3DataSource": data}}]
    group.create()

    package = group.register(InferenceSpecification=specification).until("PendingApproval")
    model = package.approve()

    found = model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    prefix = found["S3Uri"].removeprefix(f"s3://{pipeline.outputs['VaultBucket']}/")
    listed = pipeline.aws("s3").list_objects_v2(Bucket=pipeline.outputs["VaultBucket"], Prefix=prefix)["Contents"]
    assert found == {**UNCOMPRESSED, "S3Uri": found["S3Uri"]}
    assert sorted(each["Key"].removeprefix(prefix) for each in listed) == sorted(artifacts.FILES)


def test_a_folder_is_submitted_and_its_model_shown_by_the_command(group: Group, tmp_path: Path) -> None:
    group.policy()
    for name, body in artifacts.submission(
        artifacts.manifest("multi-model-cached"), group.pipeline.stack.image
    ).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(body)
    submitter = Shell(group.pipeline, "submitter")

    submitted = submitter.signoff("submit", str(tmp_path / "models"), "--group", group.name, "--create-group", "--wait")
    (package,) = group.packages()
    model = package.approve()
    shown = json.loads(submitter.signoff("show", f"{group.name}/1", "--json").stdout)

    assert submitted.returncode == 0, submitted.stderr
    assert shown["registry"]["InferenceSpecification"] == package.described()["InferenceSpecification"]
    assert shown["model"]["described"]["PrimaryContainer"] == model["PrimaryContainer"]
    assert model["PrimaryContainer"]["MultiModelConfig"] == {"ModelCacheSetting": "Enabled"}
