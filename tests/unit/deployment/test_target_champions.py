"""Each place where a group's models are made has the group's champion there: the last approved whose model exists."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.governance.champions import ranked
from signoff.ledger.entries import Draft, Kind, Step
from signoff.ledger.history import baseline_key
from tests.support.depth import deep
from tests.support.interruptions import Died
from tests.support.world import CHAMPIONS, ROLE, World

STEP = 1 if deep() else 5  # from one call before which the function dies to the next
THEIRS = "arn:aws:iam::222222222222:role/signoff/SignoffModels"
NEXT_DOOR, OVERSEAS, OURS_OVERSEAS = "222222222222/us-east-1", "222222222222/eu-west-1", "123456789012/eu-west-1"
PLACES = (NEXT_DOOR, OVERSEAS, OURS_OVERSEAS)


def world_of(*places: str) -> World:
    targets = [dict(zip(("account", "region"), place.split("/"), strict=True)) for place in places]
    return World(
        deployment={"execution_role": ROLE, "targets": [{**each, "execution_role": THEIRS} for each in targets]}
    )


def two_approved(world: World) -> list[str]:
    arns = []
    for number in (1, 2):
        arns.append(world.approved(prefix=f"churn/run-{number}"))
        world.clock.forward(minutes=1)
    return arns


def model(world: World, arn: str, place: str) -> str:
    there = world.state(arn).targets[place].model
    assert there is not None
    return str(there["arn"])


def revoke(world: World, arn: str) -> None:
    world.decide(arn, "revoke")
    world.deliver()


def lose_events(world: World) -> None:
    for queue, _ in world.waiting():
        queue.clear()


def denied(*_: Any, **__: Any) -> None:
    error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    raise ClientError(error, "PutParameter")


def test_an_approved_package_is_published_in_each_place_by_its_model_there():
    world = world_of(*PLACES)
    arn = world.approved()
    assert {place: world.published(place) for place in PLACES} == {
        place: {"churn": model(world, arn, place)} for place in PLACES
    }
    assert model(world, arn, OVERSEAS).startswith("arn:aws:sagemaker:eu-west-1:222222222222:model/")


def test_a_place_in_which_no_models_are_made_has_no_champion():
    world = world_of(NEXT_DOOR)
    world.approved()
    assert (set(world.places.stores), world.published(OVERSEAS)) == ({NEXT_DOOR}, {})


def test_when_a_champion_is_retired_the_former_one_takes_its_place_everywhere():
    world = world_of(NEXT_DOOR, OVERSEAS)
    first, second = two_approved(world)
    revoke(world, second)
    assert [world.published(place)["churn"] for place in (NEXT_DOOR, OVERSEAS)] == [
        model(world, first, place) for place in (NEXT_DOOR, OVERSEAS)
    ]
    revoke(world, first)
    assert [world.published(place) for place in (NEXT_DOOR, OVERSEAS)] == [{}, {}]


def test_a_package_without_a_model_in_a_place_is_no_champion_there():
    world = world_of(NEXT_DOOR, OVERSEAS)
    first = world.approved(prefix="churn/run-1")
    world.clock.forward(minutes=1)
    world.places.closed.add(NEXT_DOOR)
    second = world.approved(prefix="churn/run-2")
    assert world.published(NEXT_DOOR) == {"churn": model(world, first, NEXT_DOOR)}
    assert world.published(OVERSEAS) == {"churn": model(world, second, OVERSEAS)}
    world.places.closed.clear()
    world.sweep()
    assert world.published(NEXT_DOOR) == {"churn": model(world, second, NEXT_DOOR)}


def test_a_baseline_is_champion_in_the_registrys_own_account_and_region_only():
    world = world_of(NEXT_DOOR)
    baseline = {"group": "churn", "model": {"name": "baseline", "arn": "arn:baseline"}}
    world.ledger.update(baseline_key("churn"), lambda _: [Draft(Kind.BASELINE_DEPLOYED, "arn:stack", baseline)])
    revoke(world, world.approved())
    assert (world.published(), world.published(NEXT_DOOR)) == ({"churn": "arn:baseline"}, {})


def test_the_former_champion_is_published_before_the_model_is_deleted_there():
    world = world_of(NEXT_DOOR)
    first, second = two_approved(world)
    former = model(world, first, NEXT_DOOR)
    seen: list[dict[str, str]] = []

    def at_the_second_deletion() -> None:
        world.interruptions.before["FakeRegistry.delete_model"] = lambda: seen.append(world.published(NEXT_DOOR))

    world.interruptions.before["FakeRegistry.delete_model"] = at_the_second_deletion
    revoke(world, second)
    assert seen == [{"churn": former}]


def test_a_revoked_model_that_an_endpoint_there_keeps_alive_is_champion_no_more():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    world.places.of(NEXT_DOOR).endpoints["live"] = {world.state(arn).model["name"]}
    revoke(world, arn)
    assert world.state(arn).targets[NEXT_DOOR].model is not None
    assert world.published(NEXT_DOOR) == {}


def test_the_models_of_a_deleted_package_are_champions_nowhere():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    del world.registry.described[arn]
    world.sweep()
    assert (world.published(), world.published(NEXT_DOOR)) == ({}, {})


def test_a_repeated_event_writes_nothing_and_sets_back_what_somebody_else_wrote():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    store = world.places.store(NEXT_DOOR)
    before = list(store.writes)
    world.deployer.converge(arn)
    assert store.writes == before
    store.put_parameter(f"{CHAMPIONS}/churn", "arn:mallory")
    world.deployer.converge(arn)
    assert world.published(NEXT_DOOR) == {"churn": model(world, arn, NEXT_DOOR)}


def test_an_account_that_does_not_let_signoff_publish_is_told_of_and_tried_again_by_the_sweep():
    world = world_of(NEXT_DOOR, OVERSEAS)
    vars(world.places.store(NEXT_DOOR))["put_parameter"] = denied
    arn = world.approved()
    state = world.state(arn)
    assert state.targets[NEXT_DOOR].failed == "AccessDeniedException: no"
    assert (state.next_step, world.published(OVERSEAS)) == (Step.CREATE_MODEL, {"churn": model(world, arn, OVERSEAS)})
    del vars(world.places.store(NEXT_DOOR))["put_parameter"]
    assert world.sweep() == {"create_model": 1}
    assert world.published(NEXT_DOOR) == {"churn": model(world, arn, NEXT_DOOR)}


def test_a_model_stays_until_nobody_is_sent_to_it_any_more():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    vars(world.places.store(NEXT_DOOR))["delete_parameter"] = denied
    revoke(world, arn)
    assert len(world.places.of(NEXT_DOOR).models) == 1
    del vars(world.places.store(NEXT_DOOR))["delete_parameter"]
    assert world.sweep() == {"retire_model": 1}
    assert (world.published(NEXT_DOOR), world.places.of(NEXT_DOOR).models) == ({}, {})


@pytest.mark.parametrize("call", ["FakeParameters.get_parameter", "FakeParameters.put_parameter"])
def test_a_revocation_that_crosses_the_publication_there_leaves_no_champion(call: str):
    world = world_of(NEXT_DOOR)
    arn = world.pending()
    world.decide(arn, "approve")
    lose_events(world)

    def revoked() -> None:
        world.decide(arn, "revoke")
        lose_events(world)
        world.deployer.converge(arn)

    def armed() -> None:
        world.interruptions.before[call] = revoked

    def there() -> None:  # the second model that is made
        world.interruptions.before["FakeRegistry.create_model"] = armed

    world.interruptions.before["FakeRegistry.create_model"] = there
    world.deployer.converge(arn)
    assert (world.published(NEXT_DOOR), world.places.of(NEXT_DOOR).models) == ({}, {})


def test_a_revocation_that_crosses_a_convergence_which_only_publishes_leaves_no_champion():
    world = world_of(NEXT_DOOR)
    arn = world.approved()
    world.places.store(NEXT_DOOR).values.clear()
    world.interruptions.before["FakeParameters.put_parameter"] = lambda: revoke(world, arn)
    world.deployer.converge(arn)
    assert (world.published(NEXT_DOOR), world.places.of(NEXT_DOOR).models) == ({}, {})


def test_of_two_that_are_published_at_once_the_newer_stays_whoever_writes_last():
    world = world_of(NEXT_DOOR)
    older, newer = world.approved(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    world.places.store(NEXT_DOOR).values.clear()

    def the_newer_comes_first() -> None:
        world.clock.forward(minutes=1)
        world.decide(newer, "approve")
        world.deliver()

    world.interruptions.before["FakeParameters.put_parameter"] = the_newer_comes_first
    world.deployer.converge(older)
    assert world.published(NEXT_DOOR) == {"churn": model(world, newer, NEXT_DOOR)}


@pytest.mark.parametrize("decision", ["approve", "revoke"])
def test_wherever_the_function_dies_the_champion_there_is_right_in_the_end(decision: str):
    tried, deaths = 0, 0
    while deaths == tried:
        at, tried = 1 + tried * STEP, tried + 1
        world = world_of(NEXT_DOOR)
        former = world.approved(prefix="churn/run-1")
        world.clock.forward(minutes=1)
        arn = (world.pending if decision == "approve" else world.approved)(prefix="churn/run-2")
        world.decide(arn, decision)
        world.interruptions.arm(at)
        try:
            world.deployer.converge(arn)
        except Died:
            deaths += 1
        world.interruptions.arm(None)
        world.deliver()
        world.sweep()
        champion = arn if decision == "approve" else former
        assert world.published(NEXT_DOOR) == {"churn": model(world, champion, NEXT_DOOR)}, at
    assert deaths > 20 // STEP


def test_the_choice_of_a_place_looks_at_the_models_of_that_place_only():
    head = {"status": "Approved", "version": 1, "decided": "2026-01-01", "package": "first", "model": "arn:home"}
    later = {**head, "version": 2, "decided": "2026-01-02", "package": "second", "elsewhere": {OVERSEAS: "arn:there"}}
    found = {place: [each.model for each in ranked([head, later], place)] for place in (None, OVERSEAS, NEXT_DOOR)}
    assert found == {None: ["arn:home", "arn:home"], OVERSEAS: ["arn:there"], NEXT_DOOR: []}
