"""Each group's champion is published: the package approved last whose model exists, else the baseline, else none."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.deployment.champions import Champions
from signoff.governance.champions import Champion, ranked
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History, baseline_key
from tests.support.clock import START, Clock
from tests.support.depth import examples
from tests.support.fakes import FakeLedger, FakeParameters
from tests.support.interruptions import Died
from tests.support.world import CHAMPIONS, World

BASELINE = "arn:aws:sagemaker:us-east-1:123456789012:model/baseline"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Churn/1"


def three_approved(world: World) -> list[str]:
    """Return the ARNs of the packages of one group, approved a minute after one another."""
    arns = []
    for number in (1, 2, 3):
        arns.append(world.approved(prefix=f"churn/run-{number}"))
        world.clock.forward(minutes=1)
    return arns


def model(world: World, arn: str) -> str:
    return str(world.state(arn).model["arn"])


def revoke(world: World, arn: str) -> None:
    world.decide(arn, "revoke")
    world.deliver()


def baseline(world: World, kind: Kind = Kind.BASELINE_DEPLOYED, arn: str = BASELINE) -> None:
    drafts = [Draft(kind, STACK, {"group": "churn", "model": {"name": "baseline", "arn": arn}})]
    world.ledger.update(baseline_key("churn"), lambda _: drafts)


# Who is champion


def test_a_group_without_an_approved_package_has_no_champion():
    world = World()
    world.pending()
    assert world.published() == {}


def test_the_model_of_an_approved_package_is_published_once_it_exists():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    assert world.published() == {}
    world.deliver()
    assert world.published() == {"churn": model(world, arn)}


def test_the_package_approved_last_is_champion_whatever_its_version():
    world = World()
    older, newer = world.pending(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    for arn in (newer, older):
        world.decide(arn, "approve")
        world.clock.forward(minutes=1)
    world.deliver()
    assert world.published() == {"churn": model(world, older)}


def test_of_two_approved_in_the_same_millisecond_the_higher_version_is_champion():
    world = World()
    arns = [world.pending(prefix=f"churn/run-{number}") for number in (1, 2)]
    for arn in reversed(arns):
        world.decide(arn, "approve")
    world.deliver()
    assert world.published() == {"churn": model(world, arns[1])}


def test_when_a_champion_is_retired_the_former_one_is_it_again():
    world = World()
    first, second, third = three_approved(world)
    revoke(world, third)
    assert world.published() == {"churn": model(world, second)}
    revoke(world, first)
    assert world.published() == {"churn": model(world, second)}
    revoke(world, second)
    assert world.published() == {}


def test_groups_have_each_their_own_champion():
    world = World()
    churn, fraud = world.approved(prefix="churn/run-1"), world.approved(prefix="fraud/run-1")
    assert world.published() == {"churn": model(world, churn), "fraud": model(world, fraud)}


def test_a_revoked_model_that_an_endpoint_keeps_alive_is_champion_no_more():
    world = World()
    arn = world.approved()
    world.registry.endpoints["live"] = set(world.registry.models)
    revoke(world, arn)
    assert world.state(arn).model is not None
    assert world.published() == {}


def test_without_an_approved_package_the_baseline_is_champion_and_gives_way_to_the_first():
    world = World()
    baseline(world)
    world.champions.publish("churn")
    assert world.published() == {"churn": BASELINE}
    arn = world.approved()
    assert world.published() == {"churn": model(world, arn)}
    revoke(world, arn)
    assert world.published() == {"churn": BASELINE}


def test_of_several_baselines_the_one_deployed_last_counts_until_it_is_gone():
    world = World()
    for arn in ("a", "b", "a", "c"):
        baseline(world, arn=arn)
    state = world.ledger.history(baseline_key("churn")).verified().state
    assert state.baselines == dict.fromkeys(("b", "a", "c"), STACK)
    baseline(world, Kind.BASELINE_RETIRED, "c")
    world.champions.publish("churn")
    assert world.published() == {"churn": "a"}


def test_nothing_is_written_when_the_parameter_says_it_already():
    world = World()
    arn = world.approved()
    before = list(world.parameters.writes)
    world.deployer.converge(arn)
    assert world.parameters.writes == before


# Before a model goes, nobody is sent to it any more


def test_the_former_champion_is_published_before_the_model_is_deleted():
    world = World()
    _first, second, third = three_approved(world)
    seen: list[dict[str, str]] = []
    world.interruptions.before["FakeRegistry.delete_model"] = lambda: seen.append(world.published())
    revoke(world, third)
    assert seen == [{"churn": model(world, second)}]


# The index may be behind, events may cross


class LaggingLedger(FakeLedger):
    """A ledger whose index shows what it was when it was last `caught_up`."""

    def __init__(self, now: Clock) -> None:
        super().__init__(now)
        self.caught_up()

    def caught_up(self) -> None:
        self.shown = list(super().rows())

    def rows(self) -> Iterator[dict[str, Any]]:
        yield from self.shown


def lagging(world: World) -> tuple[LaggingLedger, Champions]:
    """Return the world's ledger with an index that lags from now on, and champions that read it."""
    ledger = LaggingLedger(world.clock)
    ledger.histories = world.ledger.histories
    ledger.caught_up()
    return ledger, Champions(world.parameters, CHAMPIONS, ledger)


def history(world: World, arn: str) -> History:
    return world.history(arn)


def test_the_package_just_converged_counts_before_the_index_knows_it():
    world = World()
    arn = world.pending()
    _, champions = lagging(world)
    world.decide(arn, "approve")
    world.deliver()
    assert champions.of("churn", history(world, arn)) == Champion(model(world, arn), history(world, arn).package)


def test_a_package_that_no_ledger_knows_yet_is_no_champion():
    world = World()
    world.set_policy("groups/churn")
    arn = world.elsewhere()
    world.deployer.converge(arn)
    assert world.published() == {}


def test_a_package_that_only_the_index_still_calls_approved_is_not_published():
    world = World()
    first, second, third = three_approved(world)
    ledger, champions = lagging(world)
    revoke(world, third)
    revoke(world, second)
    assert [head["status"] for head in ledger.rows_by_group("churn")] == ["Approved"] * 3
    champions.publish("churn")
    assert world.published() == {"churn": model(world, first)}


def test_of_two_that_publish_at_once_the_newer_stays_whoever_writes_last():
    world = World()
    older, newer = world.approved(prefix="churn/run-1"), world.pending(prefix="churn/run-2")
    del world.parameters.values[f"{CHAMPIONS}/churn"]

    def the_newer_comes_first() -> None:
        world.clock.forward(minutes=1)
        world.decide(newer, "approve")
        world.deliver()

    world.interruptions.before["FakeParameters.put_parameter"] = the_newer_comes_first
    world.deployer.converge(older)
    assert world.published() == {"churn": model(world, newer)}


def test_a_revocation_that_crosses_the_publication_leaves_no_champion():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    world.registry.events.clear()

    def revoked() -> None:
        world.decide(arn, "revoke")
        world.registry.events.clear()
        world.deployer.converge(arn)

    world.interruptions.before["FakeParameters.put_parameter"] = revoked
    world.deployer.converge(arn)
    world.deliver()
    world.sweep()
    assert world.state(arn).status is Status.REVOKED
    assert world.published() == {}


# The sweep


def test_the_sweep_publishes_what_a_function_that_died_did_not():
    world = World()
    arn = world.pending()
    world.decide(arn, "approve")
    world.interruptions.before["FakeParameters.put_parameter"] = died
    with pytest.raises(Died):
        world.deliver()
    for queue, _ in world.waiting():
        queue.clear()
    assert world.sweep() == {"champion": 1}
    assert world.published() == {"churn": model(world, arn)}
    assert world.sweep() == {}


def died() -> None:
    raise Died


@pytest.mark.parametrize("value", ["arn:aws:sagemaker:us-east-1:123456789012:model/mallory", "nonsense"])
def test_the_sweep_sets_back_what_somebody_else_wrote(value: str):
    world = World()
    arn = world.approved()
    world.parameters.put_parameter(f"{CHAMPIONS}/churn", value)
    assert world.sweep() == {"champion": 1}
    assert world.published() == {"churn": model(world, arn)}


def test_the_sweep_leaves_alone_what_was_written_just_now_for_it_may_be_ahead_of_the_index():
    world = World()
    world.approved(prefix="churn/run-1")
    ledger, champions = lagging(world)
    newer = world.approved(prefix="churn/run-2")
    assert champions.repair("churn", world.clock() - START.resolution) is False
    assert world.published() == {"churn": model(world, newer)}
    ledger.caught_up()
    assert champions.repair("churn", world.clock()) is False


# The adapter


def test_a_champion_is_published_changed_and_taken_back(aws: Any):
    ssm, clock = aws("ssm"), Clock()
    world = World()
    champions = Champions(ssm, CHAMPIONS, world.ledger)
    assert champions.published("churn") is None
    assert champions.publish("churn") is False
    for arn in ("arn:a", "arn:b"):
        baseline(world, arn=arn)
        assert champions.publish("churn") is True
        parameter = ssm.get_parameter(Name=f"{CHAMPIONS}/churn")["Parameter"]
        assert (parameter["Value"], parameter["Type"]) == (arn, "String")
    for arn in ("arn:a", "arn:b"):
        baseline(world, Kind.BASELINE_RETIRED, arn)
    assert champions.publish("churn") is True
    assert champions.published("churn") is None
    assert champions.repair("churn", clock()) is False


@pytest.mark.parametrize("operation", ["get_parameter", "put_parameter", "delete_parameter"])
def test_a_parameter_store_that_is_down_is_an_error_and_no_missing_parameter(operation: str):
    world = World()
    (world.approved if operation == "put_parameter" else world.pending)()
    parameters = FakeParameters(world.clock)
    if operation == "delete_parameter":
        parameters.put_parameter(f"{CHAMPIONS}/churn", "stale")

    def down(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "down"}}, operation)

    setattr(parameters, operation, down)
    with pytest.raises(ClientError, match="down"):
        Champions(parameters, CHAMPIONS, world.ledger).publish("churn")


# The choice, whatever the heads

heads = st.lists(
    st.fixed_dictionaries(
        {
            "package": st.uuids().map(str),
            "version": st.integers(1, 99),
            "status": st.sampled_from(["Approved", "Approved", "Revoked", "PendingApproval"]),
            "decided": st.sampled_from(["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z", "2026-02-01"]),
        },
        optional={"model": st.sampled_from(["arn:a", "arn:b"])},
    )
)


@given(heads)
@settings(max_examples=examples(100))
def test_the_best_is_approved_has_a_model_and_nobody_was_approved_later(found: list[dict[str, Any]]):
    best = next(iter(ranked(found)), None)
    live = [head for head in found if head["status"] == "Approved" and "model" in head]
    assert (best is None) == (not live)
    if best:
        (chosen,) = [head for head in live if head["package"] == best.package]
        assert all((chosen["decided"], chosen["version"]) >= (head["decided"], head["version"]) for head in live)


@given(heads, st.randoms())
def test_the_choice_does_not_depend_on_the_order_in_which_the_index_tells(found: list[dict[str, Any]], random: Any):
    shuffled = list(found)
    random.shuffle(shuffled)
    unique = len({(head["decided"], head["version"]) for head in found}) == len(found)
    assert not unique or ranked(shuffled) == ranked(found)
