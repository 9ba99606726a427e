"""The deployable model agrees with the ledger: created of what was signed, retired when it no longer is."""

from typing import Any

import pytest

from signoff.errors import LedgerConflict, ModelDiffers
from signoff.ledger.entries import Draft, Kind, Status
from signoff.model_package.model_comparison import differences
from signoff.model_package.model_request import model_name, model_request
from tests.support.world import IMAGE, PINNED, ROLE, SPECIFICATION, World

CHANGED = {**SPECIFICATION, "SupportedContentTypes": ["application/json"]}
VPC = {"security_groups": ["sg-1"], "subnets": ["subnet-1", "subnet-2"]}


def on_its_way(world: World, **submitted: Any) -> str:
    """Return the ARN of a package that is approved in ledger and registry, and has no model yet."""
    arn = world.pending(**submitted)
    world.decide(arn, "approve")
    world.registry.events.clear()
    return arn


def the_model(world: World) -> dict[str, Any]:
    (model,) = world.registry.models.values()
    return model


# Creating


def test_a_signed_package_becomes_a_model_of_that_package_under_the_policys_authority():
    world = World(deployment={"execution_role": ROLE, "vpc": VPC, "tags": {"team": "growth"}})
    arn = world.approved()
    model = the_model(world)
    assert model["PrimaryContainer"] == {"ModelPackageName": arn}
    assert (model["ExecutionRoleArn"], model["EnableNetworkIsolation"]) == (ROLE, True)
    assert model["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}


def test_a_package_from_elsewhere_is_deployed_from_the_vaults_copies_with_images_by_digest():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.deliver()
    world.decide(arn, "approve")
    world.s3.bucket("pipelines").put("model.tar.gz", b"something else by now")
    world.deliver()
    container = the_model(world)["PrimaryContainer"]
    assert container["Image"] == PINNED
    assert container["ModelDataUrl"].startswith("s3://vault/models/churn/")
    assert "ModelPackageName" not in container


def test_how_the_containers_run_comes_from_the_manifest():
    world = World()
    arn = world.approved(Deployment={"PrimaryContainer": {"ContainerHostname": "first"}})
    assert the_model(world)["PrimaryContainer"] == {"ModelPackageName": arn, "ContainerHostname": "first"}


def test_only_the_package_of_the_event_is_deployed_never_the_latest_approved():
    world = World()
    first, second = world.pending(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    world.decide(first, "approve")
    world.decide(second, "approve")
    world.registry.events.clear()
    world.deployer.converge(first)
    assert the_model(world)["PrimaryContainer"]["ModelPackageName"] == first


def test_nothing_is_created_before_the_registry_says_approved():
    world = World()
    arn = world.pending()
    world.interruptions.before["FakeRegistry.set_status"] = lambda: world.deployer.converge(arn)
    world.decide(arn, "approve")
    assert world.registry.models == {}
    world.deliver()
    assert len(world.registry.models) == 1


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_status_that_nobody_signed_creates_nothing(status: str):
    world = World()
    arn = world.pending()
    world.registry.by_hand(arn, ModelApprovalStatus=status)
    world.deployer.converge(arn)
    assert world.registry.models == {}


def test_a_second_event_finds_the_model_and_does_nothing():
    world = World()
    arn = world.approved()
    before = (world.kinds(arn), list(world.registry.writes))
    world.deployer.converge(arn)
    assert (world.kinds(arn), world.registry.writes) == before


def test_packages_that_are_gone_or_none_of_ours_are_let_pass():
    world = World()
    arn = world.elsewhere()
    assert world.deployer.converge(arn) is None
    assert world.deployer.converge(f"{arn}9") is None


def test_a_model_of_that_name_which_is_another_is_never_taken_for_ours():
    world = World()
    arn = world.approved()
    name = next(iter(world.registry.models))
    other = World()
    other.registry.models[name] = {"ModelName": name, "ExecutionRoleArn": "arn:aws:iam::123456789012:role/other"}
    on_its_way(other)
    with pytest.raises(ModelDiffers, match="ExecutionRoleArn"):
        other.deployer.converge(arn)
    assert "ModelCreated" not in other.kinds(arn)


# What is signed is what is deployed


def changed_specification(world: World, arn: str) -> str:
    world.registry.by_hand(arn, InferenceSpecification=CHANGED)
    return "inference_specification"


def changed_source(world: World, arn: str) -> str:
    world.registry.by_hand(arn, SourceUri="s3://elsewhere/model.tar.gz")
    return "source_uri"


def new_version_in_the_vault(world: World, arn: str) -> str:
    key = next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))
    world.vault_bucket.put(key, b"other bytes")
    return "artifacts"


def deleted_from_the_vault(world: World, arn: str) -> str:
    del world.vault_bucket.versions[next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))]
    return "artifacts"


CHANGES = [changed_specification, changed_source, new_version_in_the_vault, deleted_from_the_vault]
every_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@every_change
def test_what_changed_between_approval_and_deployment_gets_no_model_and_a_named_reason(change: Any):
    world = World()
    arn = on_its_way(world)
    part = change(world, arn)
    world.deployer.converge(arn)
    world.deliver()
    assert "create_model" not in {call for call, _ in world.registry.writes}
    assert (world.state(arn).status, world.status(arn)) == (Status.REVOKED, "Rejected")
    assert (
        world.registry.described[arn]["ApprovalDescription"]
        == f"Revoked by Signoff: SubjectChanged: {part} not as signed"
    )


@every_change
def test_what_changes_while_the_model_is_created_is_retired_again(change: Any):
    world = World()
    arn = on_its_way(world)
    world.interruptions.before["FakeRegistry.create_model"] = lambda: [change(world, arn)]
    world.deployer.converge(arn)
    assert world.state(arn).status is Status.REVOKED
    world.deliver()
    assert (world.registry.models, world.status(arn)) == ({}, "Rejected")
    assert world.kinds(arn)[-1] == "ModelRetired"


def test_metadata_that_says_nothing_of_the_subject_changes_nothing():
    world = World()
    arn = on_its_way(world)
    world.registry.by_hand(arn, CustomerMetadataProperties={"signoff:subject": "forged", "note": "x"})
    world.deployer.converge(arn)
    assert world.state(arn).status is Status.APPROVED
    assert len(world.registry.models) == 1


# Crossing


@pytest.mark.parametrize(
    "call",
    [
        "FakeRegistry.describe",
        "FakeLedger.history",
        "FakeRegistry.create_model",
        "FakeRegistry.describe_model",
        "FakeLedger.append",
    ],
)
def test_a_revocation_that_crosses_the_creation_leaves_no_model(call: str):
    world = World()
    arn = on_its_way(world)

    def revoke_and_retire() -> None:
        world.decide(arn, "revoke")
        world.registry.events.clear()
        world.deployer.converge(arn)

    world.interruptions.before[call] = revoke_and_retire
    world.deployer.converge(arn)
    assert (world.registry.models, world.state(arn).status) == ({}, Status.REVOKED)
    world.deliver()
    assert (world.registry.models, world.status(arn), world.state(arn).next_step) == ({}, "Rejected", None)


def test_a_ledger_that_never_stands_still_is_tried_again_later_and_never_passed_over():
    world = World()
    arn = on_its_way(world)

    def somebody_else_again() -> None:
        world.interruptions.before["FakeLedger.append"] = somebody_else_again
        refusal = Draft(Kind.DECISION_REFUSED, "arn:x", {"reason": f"after {len(world.history(arn).entries)}"})
        world.ledger.update(world.history(arn).package, lambda _: [refusal])

    world.interruptions.before["FakeLedger.append"] = somebody_else_again
    with pytest.raises(LedgerConflict):
        world.deployer.converge(arn)
    world.interruptions.before.clear()
    world.deployer.converge(arn)
    assert world.state(arn).model["name"] in world.registry.models


# Retiring


def test_a_revoked_package_loses_its_model():
    world = World()
    arn = world.approved()
    world.decide(arn, "revoke")
    world.deliver()
    assert (world.registry.models, world.kinds(arn)[-1]) == ({}, "ModelRetired")


def test_a_model_that_no_entry_speaks_of_is_retired_too():
    world = World()
    arn = on_its_way(world)
    model = world.history(arn)
    world.deployer.converge(arn)
    world.ledger.histories[model.package] = model  # as if the function had died before it appended
    world.decide(arn, "revoke")
    world.deliver()
    assert world.registry.models == {}


def test_an_endpoint_in_the_way_is_named_once_and_the_model_stays():
    world = World()
    arn = world.approved()
    world.registry.endpoints["live"] = set(world.registry.models)
    world.decide(arn, "revoke")
    world.deliver()
    for _ in range(3):
        world.sweep()
    blocked = [entry.details["endpoints"] for entry in world.history(arn).entries if entry.kind == "RetirementBlocked"]
    assert blocked == [["live"]]
    assert len(world.registry.models) == 1


def test_a_model_is_retired_once_its_endpoint_is_gone():
    world = World()
    arn = world.approved()
    world.registry.endpoints["live"] = set(world.registry.models)
    world.decide(arn, "revoke")
    world.deliver()
    world.registry.endpoints.clear()
    world.sweep()
    assert (world.registry.models, world.state(arn).retirement_blocked_by) == ({}, ())


# Names and requests


def test_a_models_name_says_group_version_and_subject_and_fits():
    assert model_name("churn", 3, "abcdef0123456789") == "churn-v3-abcdef0123"
    longest = model_name("g" * 62 + "h", 12, "abcdef0123456789")
    assert len(longest) <= 63
    assert longest.endswith("-v12-abcdef0123")
    assert "--" not in model_name("a" * 48 + "-" * 10 + "b", 12, "abcdef0123456789")


def signed(**parts: Any) -> dict[str, Any]:
    policy = {"execution_role": ROLE, "network_isolation": False, "vpc": None, "tags": {}}
    artifact = {"url": "s3://b/m", "key": "models/g/1/m", "version_id": "1", "sha256": "0"}
    return {
        "deployment": {"policy": policy, "manifest": {}},
        "images": {IMAGE: PINNED},
        "artifacts": [artifact],
        **parts,
    }


@pytest.mark.parametrize(
    ("image", "url", "expanded"),
    [
        (PINNED, "s3://vault/models/g/1/m", False),
        (IMAGE, "s3://vault/models/g/1/m", True),
        (PINNED, "s3://b/m", True),
        (IMAGE, "s3://b/m", True),
    ],
)
def test_sagemaker_takes_from_the_package_only_what_nobody_can_overwrite(image: str, url: str, expanded: bool):
    described = {"InferenceSpecification": {"Containers": [{"Image": image, "ModelDataUrl": url}]}}
    artifact = {"url": url, "key": "models/g/1/m", "version_id": "1", "sha256": "0"}
    request = model_request(
        "arn", described, signed(images={image: PINNED}, artifacts=[artifact]), lambda key: f"s3://vault/{key}", "e"
    )
    pinned = {"Image": PINNED, "ModelDataUrl": "s3://vault/models/g/1/m"}
    assert request["PrimaryContainer"] == (pinned if expanded else {"ModelPackageName": "arn"})


def test_several_containers_are_expanded_in_their_order():
    environment = {"Environment": {"A": "1"}, "ContainerHostname": "two"}
    containers = [{"Image": IMAGE, "ModelDataUrl": "s3://b/m"}, {"Image": IMAGE, **environment}]
    described = {"InferenceSpecification": {"Containers": containers}}
    request = model_request("arn", described, signed(), lambda key: f"s3://vault/{key}", "e")
    assert request["Containers"] == [
        {"Image": PINNED, "ModelDataUrl": "s3://vault/models/g/1/m"},
        {"Image": PINNED, **environment},
    ]
    assert request["EnableNetworkIsolation"] is False
    assert {"Key": "signoff:evidence", "Value": "e"} in request["Tags"]


def test_differences_name_the_fields_that_sagemaker_shows_otherwise_and_no_tags():
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, "Tags": [], "VpcConfig": {"Subnets": ["a"]}}
    shown = {"ModelName": "m", "ExecutionRoleArn": "other", "VpcConfig": {"Subnets": ["a"], "More": 1}}
    assert differences(request, shown) == ["ExecutionRoleArn"]
