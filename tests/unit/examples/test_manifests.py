"""The example manifests: each stands for a shape of model, and becomes one under the policy that lies beside it."""

import json
from typing import Any

import pytest

from examples import artifacts
from signoff.policy.policy import parse
from signoff_cli.manifests.schema import manifest_schema
from tests.support import shapes
from tests.support.json_schema import Schema
from tests.support.manifests import SHAPE, found
from tests.support.world import ROLE

NAMES = artifacts.names()
SCHEMA = Schema(manifest_schema(SHAPE))
WITH_POLICY = [name for name in NAMES if artifacts.policy(name)]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_no_faults(name: str) -> None:
    assert found(artifacts.manifest(name)) == {}


@pytest.mark.parametrize("name", NAMES)
def test_an_editor_finds_nothing_in_an_example(name: str) -> None:
    assert list(SCHEMA.faults(artifacts.manifest(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_becomes_a_model(name: str) -> None:
    way = shapes.example(name)

    assert (way.status, way.failed) == ("Approved", [])
    assert way.model_request["ModelName"].startswith("churn-v1-")


@pytest.mark.parametrize("name", WITH_POLICY)
def test_an_examples_policy_is_one_and_the_default_policy_would_not_do(name: str) -> None:
    policy = {
        **artifacts.policy(name),
        "deployment": {"execution_role": ROLE, **artifacts.policy(name).get("deployment", {})},
    }

    under_default = shapes.submitted(artifacts.manifest(name))

    assert parse(json.dumps(policy)).description
    assert under_default.report["faults"] or under_default.failed


@pytest.mark.parametrize("name", NAMES)
def test_an_examples_folder_holds_a_manifest_and_no_more_than_a_policy_beside_it(name: str) -> None:
    files = {path.name for path in (artifacts.MANIFESTS / name).iterdir()}

    assert {"manifest.json"} <= files <= {"manifest.json", "policy.json"}


def test_the_examples_page_lists_every_example_with_what_its_manifest_says() -> None:
    page = artifacts.MANIFESTS.with_name("README.md").read_text()

    rows = [line for line in page.splitlines() if "manifests/" in line and line.startswith("|")]

    assert [row.partition("`")[2].partition("`")[0] for row in rows] == NAMES
    for name, row in zip(NAMES, rows, strict=True):
        assert artifacts.manifest(name)["ModelPackageDescription"] in row
        assert (f"manifests/{name}/policy.json" in row) == bool(artifacts.policy(name))


def test_what_is_written_for_an_example_is_all_that_its_manifest_names() -> None:
    files = artifacts.submission(artifacts.manifest("additional-model-data"))

    assert sorted(files) == [
        *(f"adapters/north/{name}" for name in artifacts.FILES),
        *(f"base/{name}" for name in artifacts.FILES),
        "draft.tar.gz",
        "manifest.json",
    ]


def test_etags_and_digests_are_those_of_what_is_written() -> None:
    files = artifacts.submission(artifacts.manifest("complete"))
    texts = json.dumps(json.loads(files["manifest.json"]))

    assert "0" * 32 not in texts


def test_an_image_of_ones_own_takes_the_place_of_the_examples_image() -> None:
    own = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/serving:2"

    document: Any = json.loads(artifacts.submission(artifacts.manifest("pipeline"), own)["manifest.json"])

    assert {container["Image"] for container in document["InferenceSpecification"]["Containers"]} == {own}
