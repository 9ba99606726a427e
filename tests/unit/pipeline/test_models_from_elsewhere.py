"""Packages that were registered elsewhere, and whose registration they cannot borrow."""

from typing import Any

import pytest

from tests.support.model_shapes import (
    CACHED,
    MODELS,
    ONE,
    UNPINNED,
    WEIGHTS,
    approved,
    checks,
    manifest,
    source,
    submitted,
)
from tests.support.world import IMAGE, MODEL, PINNED, SUBMITTER, World

# Packages from elsewhere


def elsewhere(world: World, *containers: dict[str, Any], **objects: bytes) -> str:
    for name, data in objects.items():
        world.s3.bucket("pipelines").put(name, data)
    return world.elsewhere(InferenceSpecification={"Containers": list(containers)})


def governed(**policy: Any) -> World:
    world = World()
    world.set_policy("groups/churn", **policy)
    return world


def test_a_prefix_from_elsewhere_is_copied_whole_and_deployed_from_the_vault():
    world = governed()
    container = {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/", ETag="1")}
    arn = elsewhere(world, container, **WEIGHTS)
    deployed = approved(world, arn)["PrimaryContainer"]
    where = deployed["ModelDataSource"]["S3DataSource"]["S3Uri"]
    assert deployed == {"Image": PINNED, "ModelDataSource": source(where)}
    copies = [each.key for each in world.vault.under(where.removeprefix("s3://vault/"))]
    assert [copy.partition("/all/")[2] for copy in copies] == ["config/config.json", "model.bin"]


def test_the_folders_that_the_console_makes_are_no_files_of_a_prefix():
    world = governed()
    world.s3.bucket("pipelines").put("weights/", b"")
    world.s3.bucket("pipelines").put("weights/config/", b"")
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}, **WEIGHTS)
    world.deliver()
    where = approved(world, arn)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"]
    copies = [each.key.partition("/all/")[2] for each in world.vault.under(where.removeprefix("s3://vault/"))]
    assert copies == ["config/config.json", "model.bin"]


def test_what_is_changed_elsewhere_after_approval_is_not_what_is_deployed():
    world = governed()
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}, **WEIGHTS)
    world.deliver()
    world.s3.bucket("pipelines").put("weights/model.bin", b"other weights")
    where = approved(world, arn)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"]
    key = where.removeprefix("s3://vault/") + "model.bin"
    assert world.vault_bucket.get(key) == b"weights"


def test_the_only_object_of_a_prefix_may_be_loaded_by_itself_too():
    world = governed()
    additional = [{"ChannelName": "all", **source("s3://pipelines/deep/")}]
    container = {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/deep/er/model.tar.gz"}
    arn = elsewhere(world, {**container, "AdditionalModelDataSources": additional}, **{"deep/er/model.tar.gz": MODEL})
    assert approved(world, arn)["PrimaryContainer"]["Image"] == PINNED


def test_a_prefix_without_an_object_is_an_error_that_says_what_to_do():
    world = governed()
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/none/")})
    world.deliver()
    assert world.state(arn).status == "ValidationErrored"
    assert "there are no objects under s3://pipelines/none/" in world.history(arn).entries[-1].details["cause"]


def test_objects_that_cannot_be_the_files_of_one_folder_fail_by_their_names():
    world = governed()
    objects = {"weights/a": b"1", "weights/a/b": b"2", "weights/": b"3"}
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}, **objects)
    world.deliver()
    (reason,) = checks(world, arn).values()
    assert "a/b: Cannot be a file of the model: a is also a file" in reason
    assert ": no file can have this name" in reason


def test_a_prefix_of_more_objects_than_can_be_inspected_is_an_error():
    world = governed()
    many = {f"many/{number}": b"" for number in range(1001)}
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/many/")}, **many)
    world.deliver()
    assert "more than 1000 objects" in world.history(arn).entries[-1].details["cause"]


def test_a_groups_defaults_say_that_its_packages_from_elsewhere_are_multi_model():
    world = governed(registration_defaults={"Deployment": {"PrimaryContainer": CACHED}})
    arn = elsewhere(world, {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/models/"}, **MODELS)
    container = approved(world, arn)["PrimaryContainer"]
    assert {field: container[field] for field in CACHED} == CACHED
    assert container["ModelDataUrl"].startswith("s3://vault/models/churn/")


def test_defaults_that_do_not_fit_a_package_from_elsewhere_fail_it_by_name():
    world = governed(registration_defaults={"Deployment": {"PrimaryContainer": CACHED}})
    arn = world.elsewhere()
    world.deliver()
    assert "deployment:InferenceSpecification.Containers[0]" in checks(world, arn)


def test_a_package_from_elsewhere_loses_nothing_silently_when_it_is_written_out():
    world = governed()
    extra = {"S3Uri": "s3://pipelines/lookup.csv", "S3DataType": "S3Object"}
    container = {"Image": IMAGE, "ModelDataUrl": "s3://pipelines/model.tar.gz", "AdditionalS3DataSource": extra}
    arn = elsewhere(world, container, **{"lookup.csv": b"1"})
    world.deliver()
    assert "cannot hold AdditionalS3DataSource" in " ".join(checks(world, arn).values())


def test_a_package_that_sagemaker_describes_in_both_forms_is_made_in_one():
    world = governed()
    url = "s3://pipelines/model.tar.gz"
    container = {"Image": IMAGE, "ModelDataUrl": url, "ModelDataSource": source(url, "S3Object", "Gzip")}
    assert set(approved(world, elsewhere(world, container))["PrimaryContainer"]) == {"Image", "ModelDataUrl"}


# A registration is nobody else's


def borrowed(world: World, arn: str, **changed: Any) -> str:
    """Register a package like that of `arn`, as somebody else, hint and all, with fields `changed`."""
    described = world.registry.describe(arn)
    asked = ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri", "CustomerMetadataProperties")
    fields = {field: described[field] for field in asked if field in described}
    ours, world.registry.actor = world.registry.actor, "arn:aws:iam::123456789012:user/mallory"
    other = world.registry.create_package({"ModelPackageGroupName": "churn", **fields, **changed})
    world.registry.actor = ours
    return other


@pytest.mark.parametrize("kind", ["source_uri", "algorithm"])
def test_a_package_without_containers_keeps_its_submitter_and_lends_it_to_no_other(kind: str):
    document, files, _ = UNPINNED[kind]
    world = World(sources={"unpinned": [kind]})
    arn = submitted(world, document, files)
    other = borrowed(world, arn, SourceUri="s3://mallorys/source")
    world.deliver()
    assert world.state(arn).submitter == SUBMITTER
    assert world.state(other).submitter == "arn:aws:iam::123456789012:user/mallory"


@pytest.mark.parametrize(
    "more",
    [
        {"Environment": {"HF_MODEL_ID": "org/name"}},
        {"AdditionalModelDataSources": [{"ChannelName": "evil", **source("s3://mallorys/weights/")}]},
        {"ModelDataSource": source("s3://mallorys/weights/")},
        {"ProductId": "prod-1"},
    ],
)
def test_a_package_that_runs_more_than_was_registered_has_another_submitter(more: dict[str, Any]):
    world = World()
    arn = submitted(world, manifest(ONE), {"model.tar.gz": MODEL})
    specification = world.registry.describe(arn)["InferenceSpecification"]
    specification["Containers"][0].update(more)
    other = borrowed(world, arn, InferenceSpecification=specification)
    world.deliver()
    assert world.state(other).submitter == "arn:aws:iam::123456789012:user/mallory"


def test_what_sagemaker_adds_to_a_description_does_not_cost_the_submitter_the_registration():
    world = World()
    arn = submitted(world, manifest(ONE), {"model.tar.gz": MODEL})
    (container,) = world.registry.described[arn]["InferenceSpecification"]["Containers"]
    url = container["ModelDataUrl"]
    container |= {"ImageDigest": "sha256:" + "a" * 64, "ModelDataETag": "1", "Environment": {}, "IsCheckpoint": False}
    container["ModelDataSource"] = source(url, "S3Object", "Gzip", ETag="1")
    world.deliver()
    assert world.state(arn).submitter == SUBMITTER
