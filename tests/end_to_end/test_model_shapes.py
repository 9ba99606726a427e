"""Every shape of model, from the submission of its example to what DescribeModel shows; and those that are refused."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from examples import artifacts
from signoff.subject import covers
from tests.support.groups import Group, Package, Submission
from tests.support.pipeline import Pipeline
from tests.support.shell import Shell

Document = dict[str, Any]
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


class Shapes:
    """The submissions of this file, all of them uploaded at once: each to a group of its own."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.submissions: dict[str, Submission] = {}

    def submit(self, name: str, document: Document, policy: Document | None = None) -> None:
        """Submit a manifest with the files that it names, under a policy of its group's own or the default one."""
        group = Group(self._pipeline, f"{name[:40].rstrip('-')}-{uuid4().hex[:8]}")
        if policy:
            group.policy(**copy.deepcopy(policy))
        self.submissions[name] = group.submit(artifacts.submission(document, self._pipeline.stack.image))


def as_said(pipeline: Pipeline, document: Document, package: Package) -> Document:
    """A description with names where there are URIs of the vault, and of the example's image by its tag."""
    text = json.dumps(document, default=str)
    text = re.sub(rf"s3://{pipeline.outputs['VaultBucket']}/models/[^/]+/[0-9a-f]+/", "", text)
    text = re.sub(
        rf"{re.escape(pipeline.stack.image.rpartition(':')[0])}@sha256:(?!4d4d)[0-9a-f]+", artifacts.IMAGE, text
    )
    said: Document = json.loads(text.replace(f'"{package.arn}"', '"the package"'))
    return said


@pytest.fixture(scope="module")
def shapes(pipeline: Pipeline) -> Shapes:
    made = Shapes(pipeline)
    for name in artifacts.names():
        made.submit(name, artifacts.manifest(name), artifacts.policy(name))
    pipeline.quiet()
    return made


@pytest.mark.parametrize("name", artifacts.names())
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
    assert [field for field, said in document.items() if not covers(described.get(field), said)] == []


# Refused by the API's rules or by the policy


def changed(name: str, change: Callable[[Document], Any]) -> Document:
    """An example's manifest with something else in it."""
    document = copy.deepcopy(artifacts.manifest(name))
    change(document)
    return document


def container(document: Document) -> Document:
    first: Document = document["InferenceSpecification"]["Containers"][0]
    return first


def source(document: Document) -> Document:
    found: Document = container(document)["ModelDataSource"]["S3DataSource"]
    return found


def sixteen(document: Document) -> None:
    document["InferenceSpecification"]["Containers"] = [container(document)] * 16


def primary(**fields: Any) -> Callable[[Document], None]:
    return lambda document: document.update(Deployment={"PrimaryContainer": fields})


FIRST = "InferenceSpecification.Containers[0]"
SOURCE = f"{FIRST}.ModelDataSource.S3DataSource"
PRIMARY = "Deployment.PrimaryContainer"
REFUSED: dict[str, tuple[Document, str, str]] = {
    "has model data in two forms": (
        changed("uncompressed-prefix", lambda document: container(document).update(ModelDataUrl="model.tar.gz")),
        FIRST,
        "both ModelDataUrl and ModelDataSource",
    ),
    "has a prefix that does not end in a slash": (
        changed("uncompressed-prefix", lambda document: source(document).update(S3Uri="weights")),
        f"{SOURCE}.S3Uri",
        "must end in /",
    ),
    "has an object that ends in a slash": (
        changed("uncompressed-object", lambda document: source(document).update(S3Uri="weights/")),
        f"{SOURCE}.S3Uri",
        "must not end in /",
    ),
    "compresses a prefix": (
        changed("uncompressed-prefix", lambda document: source(document).update(CompressionType="Gzip")),
        f"{SOURCE}.CompressionType",
        "must be None",
    ),
    "has an archive where it loads many": (
        changed("multi-model-cached", lambda document: container(document).update(ModelDataUrl="model.tar.gz")),
        FIRST,
        "it needs a ModelDataUrl that ends in /",
    ),
    "has a prefix where it loads one archive": (
        changed("single-container", lambda document: container(document).update(ModelDataUrl="models/")),
        f"{FIRST}.ModelDataUrl",
        "only a container of Mode MultiModel loads",
    ),
    "caches one model": (
        changed("single-container", primary(MultiModelConfig={"ModelCacheSetting": "Enabled"})),
        f"{PRIMARY}.MultiModelConfig",
        "is for a container of Mode MultiModel",
    ),
    "has more containers than 15": (changed("pipeline", sixteen), "InferenceSpecification.Containers", "at most 15"),
    "names some containers of a pipeline": (
        changed("pipeline", lambda document: container(document).update(ContainerHostname="prepare")),
        "InferenceSpecification.Containers",
        "on every container where one has it",
    ),
    "is called directly by no names": (
        changed(
            "pipeline", lambda document: document.update(Deployment={"InferenceExecutionConfig": {"Mode": "Direct"}})
        ),
        "Deployment.InferenceExecutionConfig.Mode",
        "needs a ContainerHostname on each",
    ),
    "has credentials for Amazon ECR": (
        changed(
            "private-registry",
            lambda document: document["Deployment"]["PrimaryContainer"]["ImageConfig"].update(
                RepositoryAccessMode="Platform"
            ),
        ),
        f"{PRIMARY}.ImageConfig.RepositoryAuthConfig",
        "is for RepositoryAccessMode Vpc",
    ),
    "chooses a specification that is not there": (
        changed("additional-specification", primary(InferenceSpecificationName="double")),
        f"{PRIMARY}.InferenceSpecificationName",
        "must be the Name of one",
    ),
    "finds two sources by one channel": (
        changed(
            "additional-model-data",
            lambda document: container(document)["AdditionalModelDataSources"][1].update(ChannelName="adapter-north"),
        ),
        f"{FIRST}.AdditionalModelDataSources",
        "a ChannelName of its own",
    ),
    "has tags beside its group": (
        changed("single-container", lambda document: document.update(Tags=[{"Key": "team", "Value": "growth"}])),
        "Tags",
        "uses the tags of the group",
    ),
    "is unversioned": (
        changed("single-container", lambda document: document.update(ModelPackageName="churn")),
        "ModelPackageName",
        "unversioned",
    ),
    "is for the marketplace": (
        changed("single-container", lambda document: document.update(CertifyForMarketplace=True)),
        "CertifyForMarketplace",
        "unversioned",
    ),
    "names the package of its model": (
        changed("single-container", primary(ModelPackageName="another")),
        f"{PRIMARY}.ModelPackageName",
        "is Signoff's to set",
    ),
    "has too large an environment": (
        changed(
            "single-container",
            lambda document: container(document).update(Environment={f"NAME_{n}": "x" * 1000 for n in range(40)}),
        ),
        "InferenceSpecification.Containers",
        "SageMaker takes 32,768",
    ),
    "chooses what the policy does not offer": (
        artifacts.manifest("deployment-choices"),
        "Deployment.ExecutionRoleArn",
        "is not what the policy of the group offers",
    ),
    "is tested under a role of its own choice": (
        artifacts.manifest("validation-specification"),
        "ValidationSpecification.ValidationRole",
        "is the policy's to set",
    ),
}
# Examples that the default policy takes in, and fails: which of their checks.
FAILED = {
    "algorithm-source": "unpinned:SourceAlgorithmSpecification",
    "environment-that-fetches": f"environment:{FIRST}.HF_MODEL_ID",
    "hub-access": f"unpinned:{SOURCE}.HubAccessConfig",
    "managed-storage": "unpinned:ManagedStorageType",
    "manifest-file": f"unpinned:{SOURCE}.ManifestS3Uri",
    "marketplace-product": f"unpinned:{FIRST}.ProductId",
    "private-registry": f"deployment:{FIRST}",
    "source-uri": "unpinned:SourceUri",
}


@pytest.fixture(scope="module")
def refused(pipeline: Pipeline) -> Shapes:
    made = Shapes(pipeline)
    for name, (document, _, _) in REFUSED.items():
        made.submit(name.replace(" ", "-"), document)
    for name in FAILED:
        made.submit(name, artifacts.manifest(name))
    pipeline.quiet()
    return made


@pytest.mark.parametrize("name", REFUSED)
def test_a_shape_is_refused_by_name_that(refused: Shapes, name: str) -> None:
    _, path, message = REFUSED[name]

    report = refused.submissions[name.replace(" ", "-")].report()

    told = [fault["message"] for fault in report["faults"] if fault["path"].startswith(path)]
    assert report["outcome"] == "refused"
    assert any(message in each for each in told), report["faults"]


@pytest.mark.parametrize("name", FAILED)
def test_what_nobody_can_pin_or_inspect_fails_unless_the_policy_accepts_it(refused: Shapes, name: str) -> None:
    package = refused.submissions[name].package().until("ValidationFailed")

    failed = [check["name"] for check in package.evidence()["checks"] if check["status"] == "failed"]

    assert failed == [FAILED[name]]
    assert FAILED[name] in package.registry[1]
    assert package.models() == []


def test_an_etag_that_is_not_the_objects_is_refused(pipeline: Pipeline, group: Group) -> None:
    document = artifacts.manifest("compressed-with-eula")
    files = artifacts.submission(document, pipeline.stack.image)

    report = group.submit({**files, "manifest.json": json.dumps(document).encode()}).report()

    (fault,) = report["faults"]
    assert fault["path"] == f"{SOURCE}.ETag"
    assert "is not the ETag of model.tar.gz as it was uploaded" in fault["message"]


def test_a_prefix_of_which_no_object_was_listed_is_refused(group: Group) -> None:
    files = artifacts.submission(artifacts.manifest("uncompressed-prefix"))

    submission = group.submit({"manifest.json": files["manifest.json"]})

    (fault,) = submission.report()["faults"]
    assert fault["message"] == "submission.json lists no object under weights/, which the manifest names"


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

    submitted = submitter.signoff("submit", str(tmp_path / "models"), "--group", group.name, "--wait")
    (package,) = group.packages()
    model = package.approve()
    shown = json.loads(submitter.signoff("show", f"{group.name}/1", "--json").stdout)

    assert submitted.returncode == 0, submitted.stderr
    assert shown["registry"]["InferenceSpecification"] == package.described()["InferenceSpecification"]
    assert shown["model"]["described"]["PrimaryContainer"] == model["PrimaryContainer"]
    assert model["PrimaryContainer"]["MultiModelConfig"] == {"ModelCacheSetting": "Enabled"}
