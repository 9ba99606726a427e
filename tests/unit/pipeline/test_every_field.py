"""Every field of SageMaker's calls, each a case of the test that docs/coverage.md names for it.

What a test is asked to prove comes from the rules of that page, so a field that SageMaker adds is a case at once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from examples import artifacts
from signoff.aws.sagemaker import Registry
from signoff.report.document import document
from signoff_cli.packages.index import Filter, list_packages
from signoff_cli.packages.sagemaker import with_sagemaker as shown_with
from tests.support import shapes
from tests.support.coverage import proven_by
from tests.support.field_paths import at
from tests.support.filled_sagemaker import FilledSageMaker
from tests.support.manifests import found as faults_of
from tests.support.shapes import Document, Way
from tests.support.variants import SECOND, in_additional_specification, ways


def fields(test: str) -> pytest.MarkDecorator:
    """A case for each field whose row names that test of this file."""
    return pytest.mark.parametrize("path", proven_by(f"tests/unit/pipeline/test_every_field.py::{test}"))


def holding(path: str, value: Any) -> Any:
    """A document that holds `value` at a path and nothing else."""
    head, _, rest = path.partition(".")
    inner = holding(rest, value) if rest else value
    return {head.removesuffix("[]"): [inner] if head.endswith("[]") else inner}


def is_of(said: Any, found: Any) -> bool:
    """Whether `found` is what somebody `said`, or the image by its digest, or the vault's copy of the object."""
    copied = isinstance(found, str) and found.startswith("s3://vault/models/") and found.endswith(f"/{said}")
    return bool(said == found) or copied or (said, found) == (artifacts.IMAGE, shapes.PINNED)


# CreateModelPackage


@fields("test_what_a_manifest_says_reaches_create_model_package")
def test_what_a_manifest_says_reaches_create_model_package(path: str) -> None:
    saying = [way for way in ways() if at(way.document, path)]

    assert saying
    for way in saying:
        asked = at(way.package_request, path)
        assert all(any(is_of(said, found) for found in asked) for said in at(way.document, path))


@fields("test_signoff_sets_it_and_refuses_a_manifest_that_does")
def test_signoff_sets_it_and_refuses_a_manifest_that_does(path: str) -> None:
    way = shapes.example("single-container")

    (found,) = at(way.package_request, path)

    assert found in (shapes.GROUP, "PendingManualApproval", way.package_request["ClientToken"])
    assert "is set by Signoff" in faults_of({**artifacts.manifest("single-container"), path: found})[path]


@fields("test_a_manifest_that_sets_it_is_refused_by_its_name")
def test_a_manifest_that_sets_it_is_refused_by_its_name(path: str) -> None:
    told = {**artifacts.manifest("single-container"), **holding(path, True)}

    faults = faults_of(told)

    assert any(name in faults for name in (path, path.partition("[")[0]))
    assert not any(at(way.package_request, path) for way in ways())


@fields("test_the_package_that_was_made_is_reported_and_listed")
def test_the_package_that_was_made_is_reported_and_listed(path: str) -> None:
    way = shapes.example("single-container")

    described = way.world.registry.describe(way.arn)

    assert at(described, path) == [way.report["package"]]
    assert [row["package"] for row in list_packages(way.world.ledger, Filter()).rows] == [way.arn]


# UpdateModelPackage


def update_requests(way: Way) -> list[Document]:
    """The UpdateModelPackage requests that were sent on a way."""
    requests = []
    for arn, changed in way.updates:
        sagemaker = FilledSageMaker()
        Registry(sagemaker).update_package(arn, **changed)
        requests.append(sagemaker.asked["UpdateModelPackage"])
    return requests


def pending(name: str = "single-container") -> Way:
    """A package of an example that awaits a decision."""
    return shapes.submitted(artifacts.manifest(name), artifacts.policy(name))


@fields("test_a_decision_updates_the_package")
def test_a_decision_updates_the_package(path: str) -> None:
    way = pending()

    way.world.decide(way.arn, "reject", reason="Recall fell")

    (found,) = at(update_requests(way)[-1], path)
    assert found in (way.arn, "Rejected") or "Recall fell" in found


@fields("test_an_annotation_updates_the_package")
def test_an_annotation_updates_the_package(path: str) -> None:
    way = pending("complete")

    way.world.annotate(way.arn, set={"ticket": "CHG-1"}, remove=["seed"])

    assert at(update_requests(way)[-1], path) in (["CHG-1"], ["seed"])
    metadata = way.world.registry.describe(way.arn)["CustomerMetadataProperties"]
    assert metadata["ticket"] == "CHG-1"
    assert "seed" not in metadata


@cache
def added() -> list[tuple[Document, Document]]:
    """Additional specifications, each as it was to be added to a package and as SageMaker was asked to add it."""
    found = []
    for each in ways():
        specification = each.package_request.get("AdditionalInferenceSpecifications", [None])[0]
        # What says that a container of it runs in Mode MultiModel is a deployment, which an annotation is not.
        if specification and not str(at(specification, "Containers[].ModelDataUrl")[:1]).endswith("/']"):
            way = pending()
            assert way.world.annotate(way.arn, add_specifications=[specification]) is None
            asked = update_requests(way)[-1]["AdditionalInferenceSpecificationsToAdd"]
            found.append((holding("AdditionalInferenceSpecificationsToAdd[]", specification), {"asked": asked}))
    return found


@fields("test_an_annotation_adds_specifications_with_all_that_they_say")
def test_an_annotation_adds_specifications_with_all_that_they_say(path: str) -> None:
    within = path.removeprefix("AdditionalInferenceSpecificationsToAdd")

    saying = [(said, asked) for said, asked in added() if at(said, path)]

    assert saying
    assert all(at(asked, f"asked{within}") == at(said, path) for said, asked in saying)


@fields("test_whoever_changes_what_runs_revokes_the_approval")
def test_whoever_changes_what_runs_revokes_the_approval(path: str) -> None:
    approved = next(way for way in ways() if at(way.package_request, path) and way.models)
    way = shapes.deployed(approved.document, approved.policy)
    described = way.world.registry.describe(way.arn)

    way.world.registry.by_hand(way.arn, **_with_another(described, path))
    way.world.deliver()

    assert (way.status, way.world.registry.models) == ("Revoked", {})


def _with_another(described: Mapping[str, Any], path: str) -> Document:
    """The field of a package that a path begins with, with another value at the path."""
    top = path.partition(".")[0]
    changed = {top: copy.deepcopy(described[top])}
    parent, _, name = path.removesuffix("[]").removesuffix("{}").rpartition(".")
    holder = next(each for each in (at(changed, parent) if parent else [changed]) if name in each)
    holder[name] = _other(holder[name])
    return changed


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [*value, _other(value[0])]
    return {**value, "ANOTHER": "1"} if isinstance(value, dict) else f"{value}2"


@fields("test_what_others_may_change_leaves_the_approval_alone_and_is_shown")
def test_what_others_may_change_leaves_the_approval_alone_and_is_shown(path: str) -> None:
    approved = next(way for way in ways() if at(way.package_request, path))
    way = shapes.deployed(approved.document, approved.policy)
    changed = _with_another(way.world.registry.describe(way.arn), path)

    way.world.registry.by_hand(way.arn, **changed)
    way.world.deliver()
    shown, _ = shown_with(document(way.world.history(way.arn)), way.world.registry)

    assert (way.status, len(way.world.registry.models)) == ("Approved", 1)
    assert at(shown, f"registry.{path}") == at(changed, path)


@fields("test_an_update_that_is_repeated_changes_nothing")
def test_an_update_that_is_repeated_changes_nothing(path: str) -> None:
    way = pending()
    way.world.decide(way.arn, "reject")
    once = update_requests(way)

    way.world.decide(way.arn, "reject")
    way.world.deliver()

    assert update_requests(way) == once
    assert {request.get(path, way.arn) for request in once} == {way.arn}


# CreateModel


@fields("test_create_model_is_asked_for_what_the_manifest_says")
def test_create_model_is_asked_for_what_the_manifest_says(path: str) -> None:
    asked = [(said_of_model(way, path), at(way.models[0], path)) for way in ways() if way.models]
    saying = [(said, found) for said, found in asked if said and found]

    assert saying
    for said, found in saying:
        # Signoff and the policy have tags of their own beside them.
        ours = found if not path.startswith("Tags") else [value for value in found if value in said]
        assert ours
        assert all(any(is_of(each, value) for each in said) for value in ours)


def said_of_model(way: Way, path: str) -> list[Any]:
    """All that a manifest, or the policy where it says nothing, says of a field of CreateModel."""
    deployment = way.document.get("Deployment", {})
    within = path.removeprefix("PrimaryContainer").removeprefix("Containers[]")
    chosen = at(deployment, "Containers[].InferenceSpecificationName") or at(
        deployment, "PrimaryContainer.InferenceSpecificationName"
    )
    specifications = [
        each for each in way.document.get("AdditionalInferenceSpecifications", []) if each["Name"] in chosen
    ] or [way.document.get("InferenceSpecification", {})]
    said = at(deployment, path)
    if within != path:
        said += at(deployment, f"PrimaryContainer{within}") + at(deployment, f"Containers[]{within}")
        said += [value for each in specifications for value in at(each, f"Containers[]{within}")]
    return said


def test_what_the_manifest_does_not_choose_of_a_deployment_is_the_policys() -> None:
    policy = {
        "groups": {"create": True},
        "deployment": {
            "execution_role": "arn:aws:iam::123456789012:role/own",
            "network_isolation": False,
            "vpc": {"security_groups": ["sg-1"], "subnets": ["subnet-1"]},
            "tags": {"team": "growth"},
        },
    }

    request = shapes.deployed(artifacts.manifest("single-container"), policy).model_request

    assert (request["ExecutionRoleArn"], request["EnableNetworkIsolation"]) == (
        "arn:aws:iam::123456789012:role/own",
        False,
    )
    assert request["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert {"Key": "team", "Value": "growth"} in request["Tags"]


@fields("test_signoff_names_the_model")
def test_signoff_names_the_model(path: str) -> None:
    names = [name for way in ways() if way.models for name in at(way.models[0], path)]

    assert names
    assert all(name.startswith(f"{shapes.GROUP}-v1-") for name in names)
    told = {**artifacts.manifest("single-container"), "Deployment": {path: "mine"}}
    assert "is set by Signoff" in faults_of(told)[f"Deployment.{path}"]


@fields("test_a_model_is_made_from_the_package_where_that_says_everything")
def test_a_model_is_made_from_the_package_where_that_says_everything(path: str) -> None:
    way = shapes.example("single-container")

    assert at(way.model_request, path) == [way.arn]
    told = {**artifacts.manifest("single-container"), "Deployment": holding(path, way.arn)}
    assert "is set by Signoff" in faults_of(told)[f"Deployment.{path}"]


@fields("test_several_containers_are_written_out_instead")
def test_several_containers_are_written_out_instead(path: str) -> None:
    pipeline = artifacts.manifest("pipeline-direct")

    way = shapes.deployed(in_additional_specification(pipeline))

    assert at(way.document, "Deployment.Containers[].InferenceSpecificationName") == [SECOND, SECOND]
    assert [url.rpartition("/")[2] for url in at(way.model_request, "Containers[].ModelDataUrl")] == [
        "tumours.tar.gz",
        "scans.tar.gz",
    ]
    assert not any(at(each.models[0], path) for each in ways() if each.models)


@fields("test_the_model_that_was_made_is_in_the_ledger")
def test_the_model_that_was_made_is_in_the_ledger(path: str) -> None:
    way = shapes.example("single-container")

    (model,) = way.world.registry.models.values()

    assert at(model, path) == [(way.world.state(way.arn).model or {})["arn"]]
