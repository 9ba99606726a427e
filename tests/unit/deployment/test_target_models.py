"""Models in further accounts and regions: each place by itself agrees with the ledger, on copies of what was signed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.errors import RegistryRefused
from signoff.ledger.entries import Kind, Status, Step
from signoff.model_package.images import in_region
from tests.support.depth import deep
from tests.support.interruptions import Died
from tests.support.world import PINNED, ROLE, World

STEP = 1 if deep() else 5  # from one call before which the function dies to the next
THEIRS = "arn:aws:iam::222222222222:role/signoff/SignoffModels"
NEXT_DOOR, OVERSEAS, OURS_OVERSEAS = "222222222222/us-east-1", "222222222222/eu-west-1", "123456789012/eu-west-1"
VPC = {"security_groups": ["sg-9"], "subnets": ["subnet-9"]}


def target(place: str, **fields: Any) -> dict[str, Any]:
    account, region = place.split("/")
    return {"account": account, "region": region, "execution_role": THEIRS, **fields}


def world_of(*targets: dict[str, Any], **deployment: Any) -> World:
    return World(deployment={"execution_role": ROLE, "targets": list(targets), **deployment})


def model_in(world: World, place: str) -> dict[str, Any]:
    (model,) = world.places.of(place).models.values()
    return model


def elsewhere(world: World, arn: str) -> dict[str, bool]:
    return {place: there.model is not None for place, there in world.state(arn).targets.items()}


def failures(world: World, arn: str) -> list[str]:
    return [e.details["because"] for e in world.history(arn).entries if e.kind is Kind.DEPLOYMENT_FAILED]


# Creating


def test_a_signed_package_becomes_a_model_in_every_place_that_its_policy_names():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS))
    arn = world.approved()
    state = world.state(arn)
    assert elsewhere(world, arn) == {NEXT_DOOR: True, OVERSEAS: True}
    assert state.model is not None
    assert state.model["arn"].startswith("arn:aws:sagemaker:us-east-1:123456789012:model/")
    assert world.kinds(arn).count("ModelCreated") == 3
    assert state.next_step is None


def test_a_model_elsewhere_runs_under_the_places_own_role_and_network_and_the_policys_isolation():
    world = world_of(target(NEXT_DOOR, vpc=VPC), vpc={"security_groups": ["sg-1"], "subnets": ["subnet-1"]})
    world.approved()
    model = model_in(world, NEXT_DOOR)
    assert (model["ExecutionRoleArn"], model["EnableNetworkIsolation"]) == (THEIRS, True)
    assert model["VpcConfig"] == {"SecurityGroupIds": ["sg-9"], "Subnets": ["subnet-9"]}


def test_a_model_elsewhere_is_written_out_on_the_vaults_copies_and_images_by_digest():
    world = world_of(target(NEXT_DOOR))
    world.approved()
    container = model_in(world, NEXT_DOOR)["PrimaryContainer"]
    assert container["Image"] == PINNED
    assert container["ModelDataUrl"].startswith("s3://vault/models/churn/")
    assert "ModelPackageName" not in container


def test_a_model_in_another_region_loads_that_regions_own_copy():
    world = world_of(target(OVERSEAS))
    arn = world.approved()
    url = model_in(world, OVERSEAS)["PrimaryContainer"]["ModelDataUrl"]
    key = url.removeprefix("s3://vault-eu-west-1/")
    assert world.s3.bucket("vault-eu-west-1").get(key) == world.vault_bucket.get(key)
    assert world.state(arn).targets[OVERSEAS].model["vault"] == "vault-eu-west-1"


def test_an_image_in_another_region_is_the_one_of_the_same_digest_there():
    world = world_of(target(OVERSEAS))
    world.approved()
    assert model_in(world, OVERSEAS)["PrimaryContainer"]["Image"] == PINNED.replace("us-east-1", "eu-west-1")


def test_a_package_whose_image_is_not_in_a_targets_region_fails_by_its_name_there():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS), {"region": "eu-west-1", "execution_role": ROLE})
    world.images.nowhere_else = True
    arn = world.pending()
    (failed,) = [check for check in world.state(arn).evidence["checks"] if check["status"] == "failed"]
    assert failed["name"] == f"image:{PINNED.replace('us-east-1', 'eu-west-1')}"
    assert "is not in its repository" in failed["reason"]
    assert world.state(arn).status is Status.VALIDATION_FAILED


@pytest.mark.parametrize(
    ("image", "there"),
    [
        ("1.dkr.ecr.us-east-1.amazonaws.com/own", "1.dkr.ecr.us-east-1.amazonaws.com/own"),
        ("registry.example.com/own@sha256:aa", "registry.example.com/own@sha256:aa"),
        (PINNED, PINNED.replace("us-east-1", "eu-west-1")),
        (
            PINNED.replace("sklearn", "of.us-east-1.x"),
            PINNED.replace("us-east-1", "eu-west-1", 1).replace("sklearn", "of.us-east-1.x"),
        ),
        (PINNED.replace("dkr.ecr", "dkr.ecr-fips"), PINNED.replace("dkr.ecr.us-east-1", "dkr.ecr-fips.eu-west-1")),
        (
            PINNED.replace("dkr.ecr", "dkr-ecr").replace("amazonaws.com", "on.aws"),
            PINNED.replace("dkr.ecr.us-east-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"),
        ),
    ],
)
def test_an_image_of_ecr_has_the_same_name_in_each_region_but_for_the_regions(image: str, there: str):
    assert in_region(image, "eu-west-1") == there


def test_the_registrys_own_account_has_models_in_other_regions_too():
    world = world_of({"region": "eu-west-1", "execution_role": ROLE})
    arn = world.approved()
    assert elsewhere(world, arn) == {OURS_OVERSEAS: True}


def test_a_package_without_targets_says_nothing_of_other_places():
    world = World()
    arn = world.approved()
    (created,) = (entry for entry in world.history(arn).entries if entry.kind is Kind.MODEL_CREATED)
    assert world.state(arn).targets == {}
    assert "places" not in created.details


def test_a_repeated_event_makes_nothing_twice():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS))
    arn = world.approved()
    before = world.kinds(arn)
    world.deployer.converge(arn)
    assert world.kinds(arn) == before
    assert len(world.places.of(OVERSEAS).models) == 1


def test_targets_that_were_not_signed_are_not_deployed_to():
    world = World()
    arn = world.pending()
    world.set_policy(
        "default", groups={"create": True}, deployment={"execution_role": ROLE, "targets": [target(NEXT_DOOR)]}
    )
    world.decide(arn, "approve")
    world.deliver()
    assert world.state(arn).targets == {}
    assert world.places.of(NEXT_DOOR).models == {}


# What fails


def test_a_place_that_cannot_be_reached_keeps_no_other_waiting():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS))
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    assert elsewhere(world, arn) == {NEXT_DOOR: False, OVERSEAS: True}
    assert failures(world, arn) == [f"the role of {NEXT_DOOR} cannot be assumed"]
    assert world.state(arn).next_step is Step.CREATE_MODEL
    assert world.state(arn).stuck


def test_the_sweep_tries_again_where_a_model_is_missing_and_says_the_same_only_once():
    world = world_of(target(NEXT_DOOR))
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    world.sweep()
    assert len(failures(world, arn)) == 1
    world.places.closed.clear()
    assert world.sweep() == {"create_model": 1}
    assert elsewhere(world, arn) == {NEXT_DOOR: True}
    assert not world.state(arn).stuck


def test_a_region_without_a_vault_is_said_to_have_none():
    world = world_of(target("222222222222/ap-south-1"))
    assert failures(world, world.approved()) == ["there is no vault in ap-south-1"]


def test_what_sagemaker_refuses_there_is_kept_in_its_own_words_with_what_to_look_at():
    world = world_of(target(NEXT_DOOR))
    world.places.failures[NEXT_DOOR] = RegistryRefused("Access denied for image 123.dkr.ecr/x")
    (because,) = failures(world, world.approved())
    assert because.startswith("SageMaker refused: Access denied for image")
    assert "must be allowed to read model data and images" in because


def test_what_may_pass_in_a_moment_is_raised_once_every_place_has_had_its_turn():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS))
    error = {"Error": {"Code": "ThrottlingException", "Message": "slow"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    world.places.failures[NEXT_DOOR] = ClientError(error, "CreateModel")
    arn = world.pending()
    world.decide(arn, "approve")
    with pytest.raises(ClientError, match="slow"):
        world.deliver()
    assert elsewhere(world, arn) == {NEXT_DOOR: False, OVERSEAS: True}
    assert failures(world, arn) == []


def test_another_error_of_aws_is_recorded_by_its_name():
    world = world_of(target(NEXT_DOOR))
    error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    world.places.failures[NEXT_DOOR] = ClientError(error, "CreateModel")
    assert failures(world, world.approved()) == ["AccessDeniedException: no"]


def test_a_copy_that_is_not_what_was_signed_is_not_deployed():
    world = world_of(target(OVERSEAS))
    arn = world.pending()
    key = world.vault.read("evidence", world.state(arn).evidence["sha256"])["artifacts"][0]["key"]
    world.s3.bucket("vault-eu-west-1").put(key, b"somebody else's")
    world.decide(arn, "approve")
    world.deliver()
    assert elsewhere(world, arn) == {OVERSEAS: False}
    assert "not a copy of" in failures(world, arn)[0]


def test_an_object_whose_key_only_begins_like_that_of_a_copy_is_none_of_it():
    world = world_of(target(OVERSEAS))
    arn = world.pending()
    key = world.vault.read("evidence", world.state(arn).evidence["sha256"])["artifacts"][0]["key"]
    world.s3.bucket("vault-eu-west-1").put(f"{key}.sig", b"another artifact")
    world.decide(arn, "approve")
    world.deliver()
    assert elsewhere(world, arn) == {OVERSEAS: True}


def test_a_copy_in_another_region_is_compared_by_s3s_own_digests_and_not_read():
    world = world_of(target(OVERSEAS))
    arn = world.pending()
    world.vault_bucket.reads.clear()
    world.decide(arn, "approve")
    world.deliver()
    assert elsewhere(world, arn) == {OVERSEAS: True}
    assert (world.vault_bucket.reads, world.s3.bucket("vault-eu-west-1").reads) == ([], [])


@pytest.mark.parametrize("tampers", [False, True])
def test_a_copy_in_another_region_of_which_s3_has_no_digest_is_read(tampers: bool):
    world = world_of(target(OVERSEAS))
    world.places.closed.add(OVERSEAS)
    arn = world.approved()
    bucket = world.s3.bucket("vault-eu-west-1")
    bucket.checksums = False
    (key,) = bucket.versions
    if tampers:
        bucket.versions[key][-1].data = b"other bytes under the same name"
    world.places.closed.clear()
    world.sweep()
    assert bucket.reads == [key]
    assert elsewhere(world, arn) == {OVERSEAS: not tampers}


def test_a_later_version_over_a_copy_is_not_deployed():
    world = world_of(target(OVERSEAS))
    world.places.closed.add(OVERSEAS)
    arn = world.approved()
    bucket = world.s3.bucket("vault-eu-west-1")
    (key,) = bucket.versions
    bucket.versions[key][-1].data = b"other bytes under the same name"
    world.places.closed.clear()
    world.sweep()
    assert elsewhere(world, arn) == {OVERSEAS: False}
    assert "does not match what was signed" in failures(world, arn)[-1]


def test_another_model_of_that_name_is_left_alone():
    world = world_of(target(NEXT_DOOR))
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    name = world.state(arn).model["name"]
    world.places.of(NEXT_DOOR).create_model({"ModelName": name, "ExecutionRoleArn": "arn:another"})
    world.places.closed.clear()
    world.sweep()
    assert "does not match what was signed" in failures(world, arn)[-1]
    assert model_in(world, NEXT_DOOR)["ExecutionRoleArn"] == "arn:another"


def test_wherever_the_function_dies_every_place_has_its_one_model_in_the_end():
    tried, deaths = 0, 0
    while deaths == tried:
        at, tried = 1 + tried * STEP, tried + 1
        world = world_of(target(NEXT_DOOR), target(OVERSEAS))
        arn = world.pending()
        world.decide(arn, "approve")
        world.interruptions.arm(at)
        try:
            world.deployer.converge(arn)
        except Died:
            deaths += 1
        world.interruptions.arm(None)
        world.deliver()
        world.sweep()
        assert elsewhere(world, arn) == {NEXT_DOOR: True, OVERSEAS: True}, at
        assert [len(world.places.of(place).models) for place in (NEXT_DOOR, OVERSEAS)] == [1, 1], at
    assert deaths > 20 // STEP


def test_a_revocation_after_the_function_died_anywhere_leaves_a_model_nowhere():
    tried, deaths = 0, 0
    while deaths == tried:
        at, tried = 1 + tried * STEP, tried + 1
        world = world_of(target(NEXT_DOOR), target(OVERSEAS))
        arn = world.pending()
        world.decide(arn, "approve")
        world.interruptions.arm(at)
        try:
            world.deployer.converge(arn)
        except Died:
            deaths += 1
        world.interruptions.arm(None)
        world.decide(arn, "revoke")
        world.deliver()
        world.sweep()
        models = [world.registry.models, *(world.places.of(place).models for place in (NEXT_DOOR, OVERSEAS))]
        assert (world.state(arn).status, models) == (Status.REVOKED, [{}, {}, {}]), at
    assert deaths > 20 // STEP


# Retiring


def test_a_revoked_package_has_a_model_nowhere():
    world = world_of(target(NEXT_DOOR), target(OVERSEAS))
    arn = world.approved()
    world.decide(arn, "revoke")
    world.deliver()
    assert elsewhere(world, arn) == {NEXT_DOOR: False, OVERSEAS: False}
    assert [world.places.of(place).models for place in (NEXT_DOOR, OVERSEAS)] == [{}, {}]
    assert world.kinds(arn).count("ModelRetired") == 3
    assert world.state(arn).next_step is None


def test_a_model_in_use_elsewhere_stays_until_it_is_no_longer():
    world = world_of(target(NEXT_DOOR))
    arn = world.approved()
    name = world.state(arn).model["name"]
    world.places.of(NEXT_DOOR).endpoints["live"] = {name}
    world.decide(arn, "revoke")
    world.deliver()
    world.sweep()
    assert world.state(arn).targets[NEXT_DOOR].blocked_by == ("live",)
    assert (world.kinds(arn).count("RetirementBlocked"), world.state(arn).next_step) == (1, Step.RETIRE_MODEL)
    world.places.of(NEXT_DOOR).endpoints.clear()
    world.sweep()
    assert elsewhere(world, arn) == {NEXT_DOOR: False}


def test_a_model_that_no_entry_tells_of_is_retired_too():
    world = world_of(target(NEXT_DOOR))
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    world.places.of(NEXT_DOOR).create_model({"ModelName": world.state(arn).model["name"]})
    world.places.closed.clear()
    world.decide(arn, "revoke")
    world.deliver()
    assert world.places.of(NEXT_DOOR).models == {}


def test_a_package_that_changed_before_a_place_had_its_model_is_revoked():
    world = world_of(target(NEXT_DOOR))
    world.places.closed.add(NEXT_DOOR)
    arn = world.approved()
    world.registry.by_hand(arn, SourceUri="s3://another/source")
    world.registry.events.clear()
    world.places.closed.clear()
    world.deployer.converge(arn)
    assert world.state(arn).status is Status.REVOKED
    assert world.status(arn) == "Rejected"
    assert world.places.of(NEXT_DOOR).models == {}


def test_a_deleted_packages_models_are_retired_everywhere():
    world = world_of(target(NEXT_DOOR))
    arn = world.approved()
    key = world.history(arn).package
    del world.registry.described[arn]
    world.sweep()
    assert world.ledger.history(key).state.status is Status.DELETED
    assert world.places.of(NEXT_DOOR).models == {}
