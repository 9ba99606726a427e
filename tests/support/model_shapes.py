"""Submissions and packages of every shape, in a World: what is uploaded, and what it comes to."""

import json
from typing import Any

from signoff.service_model.constraints import iter_faults
from signoff.service_model.sagemaker import sagemaker_shape
from signoff.submission.layout import REPORT
from tests.support.world import IMAGE, MODEL, World

PREFIX = "churn/run-7"
WEIGHTS = {"weights/model.bin": b"weights", "weights/config/config.json": b"{}"}
MODELS = {"models/de.tar.gz": MODEL, "models/fr/paris.tar.gz": MODEL}
HUB = "s3://jumpstart-cache/llama/"
CONTENT = "arn:aws:sagemaker:us-east-1:123456789012:hub-content/hub/Model/llama/1.0.0"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:credentials"
ALGORITHM = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/trees"
OTHER_ROLE = "arn:aws:iam::123456789012:role/gpu"
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1"]}
CONFIG = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
ONE = {"Image": IMAGE, "ModelDataUrl": "model.tar.gz"}
SEVERAL = {"Image": IMAGE, "ModelDataUrl": "models/"}


def source(uri: str, kind: str = "S3Prefix", compression: str = "None", **more: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression, **more}}


def manifest(*containers: dict[str, Any], deployment: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    document = {"InferenceSpecification": {"Containers": list(containers)}} if containers else {}
    return {**document, **fields, **({"Deployment": deployment} if deployment else {})}


def files_of(
    world: World, document: dict[str, Any], files: dict[str, bytes], name: str = "run-7", *, listed: Any = None
) -> dict[str, Any]:
    """The objects of a submission of that name by key: signed, or nothing signed and first what is `listed` of them."""
    prefix, objects = f"churn/{name}", {**files, "manifest.json": document}
    if listed is None:
        return world.signed(prefix, objects)
    return {f"{prefix}/{within}": data for within, data in {"submission.json": {"objects": listed}, **objects}.items()}


def submitted(world: World, document: dict[str, Any], files: dict[str, bytes]) -> str:
    """Submit and return the ARN; nothing is delivered yet."""
    for key, data in files_of(world, document, files).items():
        world.upload(key, data)
    row = world.submissions.get(PREFIX)
    assert row["state"] == "registered", world.refusals(f"submission:{PREFIX}")
    request = world.vault.read_named(f"registrations/{row['attempt']}.json")["request"]
    assert list(iter_faults(sagemaker_shape("CreateModelPackage"), request)) == []
    return str(row["package"])


def approved(world: World, arn: str) -> dict[str, Any]:
    """Let a package be validated and approved, and return the one model that is made of it, without its name."""
    world.deliver()
    assert world.state(arn).status == "PendingApproval", checks(world, arn)
    world.decide(arn, "approve")
    world.deliver()
    ((name, model),) = world.registry.models.items()
    assert name == world.state(arn).model["name"]
    sent = {field: value for field, value in model.items() if field not in ("ModelArn", "CreationTime")}
    assert list(iter_faults(sagemaker_shape("CreateModel"), sent)) == []
    added = ("ModelName", "ModelArn", "CreationTime", "ExecutionRoleArn", "EnableNetworkIsolation")
    return {field: value for field, value in model.items() if field not in added}


def checks(world: World, arn: str) -> dict[str, str]:
    """Return the reasons of the checks that failed, by their names."""
    evidence = world.vault.read("evidence", world.state(arn).evidence["sha256"])
    return {check["name"]: check["reason"] for check in evidence["checks"] if check["status"] == "failed"}


def faults(world: World) -> dict[str, str]:
    report = json.loads(world.inbox.versions[f"{PREFIX}/{REPORT}"][-1].data)
    return {fault["path"]: fault["message"] for fault in report["faults"]}


def kept(world: World, name: str = "") -> str:
    """Return where the vault keeps the submission's object or prefix."""
    row = world.submissions.get(PREFIX) or {}
    return f"s3://vault/models/churn/{row['attempt']}/{name}"


CACHED = {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Enabled"}}
UNCACHED = {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}
PRIVATE = {"ImageConfig": {"RepositoryAccessMode": "Vpc",
                           "RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": FUNCTION}}}  # fmt: skip

UNPINNED = {
    "source_uri": (manifest(SourceUri="s3://anywhere/source"), {}, "unpinned:SourceUri"),
    "algorithm": (
        manifest(SourceAlgorithmSpecification={"SourceAlgorithms": [{"AlgorithmName": ALGORITHM}]}),
        {}, "unpinned:SourceAlgorithmSpecification"),
    "hub": (
        manifest({"Image": IMAGE, "ModelDataSource": source(HUB, HubAccessConfig={"HubContentArn": CONTENT})}),
        {}, "unpinned:InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.HubAccessConfig"),
    "manifest_file": (
        manifest({"Image": IMAGE, "ModelDataSource": source("weights/", ManifestS3Uri="files.json")}),
        {"files.json": b"[]", **WEIGHTS},
        "unpinned:InferenceSpecification.Containers[0].ModelDataSource.S3DataSource.ManifestS3Uri"),
    "managed_storage": (
        manifest(ONE, ManagedStorageType="Restricted"), {"model.tar.gz": MODEL}, "unpinned:ManagedStorageType"),
    "marketplace": (
        manifest({"ProductId": "prod-1"}), {}, "unpinned:InferenceSpecification.Containers[0].ProductId"),
}  # fmt: skip
