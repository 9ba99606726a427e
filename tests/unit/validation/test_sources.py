"""Whose bytes a package may load: in the vault and among the artifacts, those of its own group and no others."""

from typing import Any

import pytest

from signoff.ledger.entries import Status
from tests.support.model_shapes import source
from tests.support.validations import checks
from tests.support.world import IMAGE, MODEL, QUALITY, SPECIFICATION, World

MINE, THEIRS = "fraud", "churn"
LOADED = "InferenceSpecification.Containers[0].ModelDataUrl"


def governed(**policy: Any) -> World:
    """A world with a group and another one, each of which has a model in the vault and among the artifacts."""
    world = World()
    for group in (MINE, THEIRS, f"{MINE}2"):
        world.set_policy(f"groups/{group}", groups={"create": True}, **(policy if group == MINE else {}))
        world.put(f"{group}/training/model.tar.gz", MODEL)
        world.put(f"{group}/training/quality.json", QUALITY)
    return world


def registered(world: World, url: str, **fields: Any) -> str:
    """A package of one group that loads from a URL."""
    container = {"Image": IMAGE, "ModelDataUrl": url}
    arn = world.elsewhere(MINE, InferenceSpecification={**SPECIFICATION, "Containers": [container]}, **fields)
    world.deliver()
    return arn


def vault_copy(world: World, group: str) -> str:
    """The URL of the vault's copy of a submission to a group."""
    arn = world.submit(f"{group}/run-1")
    world.deliver()
    return str(world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])


def test_what_lies_in_its_own_groups_places_is_loaded():
    world = governed()
    for url in (vault_copy(world, MINE), "s3://artifacts/fraud/training/model.tar.gz", "s3://artifacts/FRAUD/x.tar.gz"):
        world.put("FRAUD/x.tar.gz", MODEL)
        assert world.state(registered(world, url)).status is Status.PENDING_APPROVAL


def test_the_vaults_copy_of_another_groups_model_is_refused():
    world = governed()
    for group in (THEIRS, f"{MINE}2"):
        arn = registered(world, vault_copy(world, group))
        status, reason = checks(world, arn)[f"source:{LOADED}"]
        assert (world.state(arn).status, status) == (Status.VALIDATION_FAILED, "failed")
        assert "is not among what group fraud has in Signoff's buckets" in reason


@pytest.mark.parametrize(
    "url",
    [
        "s3://artifacts/churn/training/model.tar.gz",
        "s3://artifacts/fraud2/training/model.tar.gz",
        "s3://artifacts/model.tar.gz",
        "s3://vault/model.tar.gz",
        "s3://vault/fraud/model.tar.gz",
        "s3://vault/models/model.tar.gz",
        "s3://vault/evidence/fraud.json",
    ],
)
def test_what_belongs_to_another_group_or_to_nobody_is_neither_copied_nor_read(url: str):
    world = governed()
    bucket, _, key = url.removeprefix("s3://").partition("/")
    world.s3.bucket(bucket).put(key, MODEL)
    arn = registered(world, url)
    assert (world.state(arn).status, checks(world, arn)[f"source:{LOADED}"][0]) == (Status.VALIDATION_FAILED, "failed")
    assert not [copied for copied in world.vault_bucket.versions if copied.startswith("models/fraud/")]


@pytest.mark.parametrize("prefix", ["s3://vault/models/", "s3://vault/", "s3://artifacts/", "s3://artifacts/churn/"])
def test_a_prefix_that_holds_other_groups_is_refused(prefix: str):
    world = governed()
    vault_copy(world, THEIRS)
    container = {"Image": IMAGE, "ModelDataSource": source(prefix)}
    arn = world.elsewhere(MINE, InferenceSpecification={"Containers": [container]})
    world.deliver()
    assert world.state(arn).status is Status.VALIDATION_FAILED


def test_another_groups_metrics_do_not_speak_for_a_model():
    world = governed(metrics=[{"name": "a", "path": "multiclass_classification_metrics.accuracy.value", "at_least": 0}])
    other = {"ModelQuality": {"Statistics": {"S3Uri": "s3://artifacts/churn/training/quality.json"}}}
    arn = registered(world, "s3://artifacts/fraud/training/model.tar.gz", ModelMetrics=other)
    failed = {name for name, (status, _) in checks(world, arn).items() if status == "failed"}
    assert failed == {"source:ModelMetrics.ModelQuality.Statistics", "metric:a"}


def test_a_policy_may_list_what_other_groups_share():
    world = governed(sources={"model_data": ["s3://artifacts/churn/training/*"]})
    arn = registered(world, "s3://artifacts/churn/training/model.tar.gz")
    assert world.state(arn).status is Status.PENDING_APPROVAL
    world.put("churn/other/model.tar.gz", MODEL)
    other = registered(world, "s3://artifacts/churn/other/model.tar.gz")
    assert world.state(other).status is Status.VALIDATION_FAILED


def test_buckets_of_the_account_are_loaded_from_as_before():
    world = governed()
    world.s3.bucket("pipelines").put("churn/model.tar.gz", MODEL)
    assert world.state(registered(world, "s3://pipelines/churn/model.tar.gz")).status is Status.PENDING_APPROVAL
