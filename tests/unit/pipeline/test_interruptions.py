"""Every function may die between any two calls to AWS, or have any one call fail; tried again, all ends the same."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.validation.open_validation import ValidationRequest
from tests.support.deliveries import GRACE
from tests.support.depth import few
from tests.support.interruptions import Died
from tests.support.model_shapes import CACHED, MODELS, SEVERAL, WEIGHTS, files_of, manifest, source, submitted
from tests.support.world import ACCURATE, IMAGE, QUALITY, SPECIFICATION, World

Act = Callable[[], Any]
# The calls by which a function shows in SageMaker what it has recorded.
SHOWN = {"FakeRegistry.describe": 1, "FakeRegistry.update_package": 1, "FakeLedger.history": 1}


def registers(world: World) -> Act:
    *others, (last, data) = world.files("churn/run-7").items()
    for key, earlier in others:
        world.upload(key, earlier)
    world.put(last, data)
    return lambda: world.registrar.uploaded(last)


def registers_what_was_signed_before_it_was_all_there(world: World) -> Act:
    *others, (signed, statement) = world.files("churn/run-7").items()
    for key, earlier in [(signed, statement), *others[1:]]:
        world.upload(key, earlier)
    world.clock.forward(hours=1)
    key, data = others[0]
    world.put(key, data)
    return lambda: world.registrar.uploaded(key)


def refuses_a_signature(world: World) -> Act:
    files = world.files("churn/run-7")
    for key, earlier in files.items():
        world.put(key, earlier)
    world.put("churn/run-7/submission.json", world.submission("churn/run-8", {}))
    return lambda: world.registrar.uploaded("churn/run-7/submission.json")


def records_that_something_was_exchanged(world: World) -> Act:
    files = world.files("churn/run-7")
    return records_evidence(world, uploaded={**files, "churn/run-7/quality.json": {**QUALITY, "more": 1}})


def registers_a_prefix(world: World) -> Act:
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    *others, (last, data) = files_of(world, document, WEIGHTS).items()
    for key, earlier in others:
        world.upload(key, earlier)
    world.put(last, data)
    return lambda: world.registrar.uploaded(last)


def inspects_a_prefix_from_elsewhere(world: World) -> Act:
    world.set_policy("groups/churn")
    for name, data in WEIGHTS.items():
        world.s3.bucket("pipelines").put(name, data)
    container = {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}
    arn = world.elsewhere(InferenceSpecification={**SPECIFICATION, "Containers": [container]})
    world.registry.events.clear()
    claim = world.opener.open(ValidationRequest(arn, "x1"))

    def inspects_and_records() -> None:
        found = world.inspected(claim)
        world.recorder.record(claim, found)

    return inspects_and_records


def creates_a_model_of_a_prefix(world: World) -> Act:
    document = manifest(SEVERAL, deployment={"PrimaryContainer": CACHED})
    arn = submitted(world, document, MODELS)
    world.deliver()
    world.decide(arn, "approve")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def refuses_a_manifest(world: World) -> Act:
    world.put("churn/run-7/manifest.json", {"Nonsense": 1})
    return lambda: world.registrar.uploaded("churn/run-7/manifest.json")


def refuses_an_image_that_is_not_there(world: World) -> Act:
    act = registers(world)
    world.images.digests.clear()
    return act


def opens_a_validation(world: World) -> Act:
    return opens(world, world.submit())


def opens_the_validation_of_a_package_registered_elsewhere(world: World) -> Act:
    world.set_policy("groups/churn")
    return opens(world, world.elsewhere())


def opens(world: World, arn: str) -> Act:
    world.registry.events.clear()
    world.executions.started.append(("x1", {"detail": {"ModelPackageArn": arn}}))  # goes on afterwards
    return lambda: world.opener.open(ValidationRequest(arn, "x1"))


def records_evidence(world: World, uploaded: dict[str, Any] | None = None) -> Act:
    for key, data in (uploaded or world.files("churn/run-7")).items():
        world.upload(key, data)
    (arn,) = world.registry.described
    world.registry.events.clear()
    claim = world.opener.open(ValidationRequest(arn, "x1"))
    found = world.inspected(claim)
    return lambda: world.recorder.record(claim, found)


def records_a_failure(world: World) -> Act:
    world.set_policy("default", groups={"create": True}, metrics=[{**ACCURATE[0], "at_least": 0.99}])
    return records_evidence(world)


def records_an_error(world: World) -> Act:
    claim = world.opener.open(ValidationRequest(world.submit(), "x1"))
    world.registry.events.clear()
    return lambda: world.recorder.record_error(claim, {"Error": "ObjectMissing", "Cause": "gone"})


def deciding(world: World, arn: str, verb: str) -> Act:
    """Sign a decision now; the same statement is what comes twice."""
    statement = world.statement(arn, verb)
    return lambda: world.decision_handler.apply(statement)


def approves(world: World) -> Act:
    arn = world.pending()
    return deciding(world, arn, "approve")


def rejects(world: World) -> Act:
    arn = world.pending()
    return deciding(world, arn, "reject")


def revokes(world: World) -> Act:
    arn = world.approved()
    return deciding(world, arn, "revoke")


def counts_a_vote_of_several(world: World) -> Act:
    world.set_policy("default", groups={"create": True}, approvals={"needed": 2})
    arn = world.pending()
    return deciding(world, arn, "approve")


def begins_to_enforce(world: World) -> Act:
    world.set_policy("default", groups={"create": True}, mode="report")
    arn = world.pending()
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    world.deliver()
    world.set_policy("default", groups={"create": True})
    return lambda: world.reconciler.reconcile({"ModelPackageArn": arn})


def reopens_what_was_rejected(world: World) -> Act:
    arn = world.pending()
    world.decide(arn, "reject")
    world.deliver()
    return deciding(world, arn, "reopen")


def refuses_a_decision(world: World) -> Act:
    arn = world.approved()
    return deciding(world, arn, "reject")


def sets_a_status_back(world: World) -> Act:
    arn = world.pending()
    world.registry.by_hand(arn, ModelApprovalStatus="Approved")
    event = world.registry.events.pop()
    return lambda: world.reconciler.reconcile(event)


def revokes_what_was_changed(world: World) -> Act:
    arn = world.approved()
    world.registry.by_hand(arn, InferenceSpecification={**SPECIFICATION, "SupportedContentTypes": ["text/x"]})
    event = world.registry.events.pop()
    return lambda: world.reconciler.reconcile(event)


def creates_a_model(world: World) -> Act:
    arn = world.pending()
    world.decide(arn, "approve")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def creates_no_model_of_what_was_changed(world: World) -> Act:
    act = creates_a_model(world)
    artifact = next(key for key in world.vault_bucket.versions if key.endswith("model.tar.gz"))
    world.vault_bucket.put(artifact, b"another model")
    return act


def retires_a_model(world: World) -> Act:
    arn = world.approved()
    world.decide(arn, "revoke")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def retires_the_champion_for_the_one_before_it(world: World) -> Act:
    world.approved(prefix="churn/run-1")
    arn = world.approved(prefix="churn/run-2")
    world.decide(arn, "revoke")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def cannot_retire_a_model_in_use(world: World) -> Act:
    arn = world.approved()
    world.registry.endpoints["live"] = set(world.registry.models)
    world.decide(arn, "revoke")
    world.registry.events.clear()
    return lambda: world.deployer.converge(arn)


def annotates(world: World) -> Act:
    arn = world.pending(CustomerMetadataProperties={"draft": "yes"})
    return lambda: world.annotate(arn, set={"ticket": "CHG-1"}, remove=["draft"], event="e-1")


def adds_a_specification(world: World) -> Act:
    arn = world.pending()
    container = world.registry.describe(arn)["InferenceSpecification"]["Containers"][0]
    return lambda: world.annotate(arn, add_specifications=[{"Name": "gpu", "Containers": [container]}], event="e-1")


def refuses_an_annotation(world: World) -> Act:
    arn = world.approved()
    return lambda: world.annotate(arn, set={"signoff:verdict": "passed"}, event="e-1")


def retires_the_model_of_a_deleted_package(world: World) -> Act:
    key = world.history(arn := world.approved()).package
    world.registry.delete_package(arn)
    world.clock.forward(minutes=20)
    world.sweeper.run(GRACE)
    world.queues["deployments"].messages.clear()
    return lambda: world.deployer.retire(key)


SCENARIOS = [
    annotates,
    adds_a_specification,
    refuses_an_annotation,
    retires_the_model_of_a_deleted_package,
    registers,
    registers_what_was_signed_before_it_was_all_there,
    refuses_a_signature,
    records_that_something_was_exchanged,
    registers_a_prefix,
    inspects_a_prefix_from_elsewhere,
    creates_a_model_of_a_prefix,
    refuses_a_manifest,
    refuses_an_image_that_is_not_there,
    opens_a_validation,
    opens_the_validation_of_a_package_registered_elsewhere,
    records_evidence,
    records_a_failure,
    records_an_error,
    approves,
    rejects,
    revokes,
    counts_a_vote_of_several,
    begins_to_enforce,
    reopens_what_was_rejected,
    refuses_a_decision,
    sets_a_status_back,
    revokes_what_was_changed,
    creates_a_model,
    creates_no_model_of_what_was_changed,
    retires_a_model,
    retires_the_champion_for_the_one_before_it,
    cannot_retire_a_model_in_use,
]
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)


def prepared(scenario: Callable[[World], Act]) -> tuple[World, Act]:
    world = World()
    return world, scenario(world)


def undisturbed(scenario: Callable[[World], Act]) -> tuple[int, dict[str, Any]]:
    """Return how many calls a scenario makes and what it comes to."""
    world, act = prepared(scenario)
    world.interruptions.arm(None)
    act()
    calls = world.interruptions.calls
    world.deliver()
    return calls, world.outcome()


@every_scenario
def test_a_function_that_dies_before_any_call_and_is_tried_again_comes_to_the_same(scenario: Callable[[World], Act]):
    calls, expected = undisturbed(scenario)
    assert calls > 1
    for call in few(range(1, calls + 1)):
        world, act = prepared(scenario)
        world.interruptions.arm(call)
        with pytest.raises(Died):
            act()
        world.interruptions.arm(None)
        world.submissions.expire_claims()
        act()
        world.deliver()
        assert world.outcome() == expected, f"died before call {call} of {calls}"


@every_scenario
def test_a_function_whose_call_fails_and_is_tried_again_at_once_comes_to_the_same(scenario: Callable[[World], Act]):
    calls, expected = undisturbed(scenario)
    survived = []
    for call in few(range(1, calls + 1), first=1):
        world, act = prepared(scenario)
        world.interruptions.arm(call, throttled)
        try:
            act()
            survived.append(world.interruptions.failed)
        except ClientError:
            world.interruptions.arm(None)
            act()
        world.interruptions.arm(None)
        world.deliver()
        assert world.outcome() == expected, f"throttled at call {call} of {calls}"
    # What is only shown is tried again within the function, and fails nothing.
    others = [name for name in survived if not name.startswith("FakeLineage.")]
    assert {name for name in others if others.count(name) > SHOWN.get(name, 0)} == set()


@every_scenario
def test_an_event_that_comes_twice_changes_nothing(scenario: Callable[[World], Act]):
    _, expected = undisturbed(scenario)
    world, act = prepared(scenario)
    act()
    act()
    world.deliver()
    act()
    world.deliver()
    assert world.outcome() == expected


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "Any")
