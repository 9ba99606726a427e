"""What takes too long for a function: asked for in the vault, inspected by somebody else, and found there."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.requirements import Requirements
from signoff.errors import DocumentMissing, ObjectMissing, TakesTooLong, Transient
from signoff.validation.inspect_artifact import ArtifactInspector, inspect_archive
from signoff.validation.keep_artifact import ArtifactKeeper
from signoff.validation.long_tasks import INSPECTION, KEEPING, LongTasks, Task
from signoff.validation.open_validation import ValidationRequest
from signoff.validation.time_budget import TimeBudget
from tests.support.archives import FILES, honest, member, tar
from tests.support.model_shapes import WEIGHTS, files_of, manifest, source
from tests.support.world import IMAGE, World


def claimed(world: World) -> dict[str, Any]:
    """Return the claim on the package of what has been uploaded."""
    (arn,) = world.registry.described
    world.registry.events.clear()
    return world.opener.open(ValidationRequest(arn, "x1"))


def submitted() -> tuple[World, dict[str, Any]]:
    world = World()
    world.submit()
    return world, claimed(world)


def of_a_prefix() -> tuple[World, dict[str, Any]]:
    world = World()
    for key, data in files_of(
        world, manifest({"Image": IMAGE, "ModelDataSource": source("weights/")}), WEIGHTS
    ).items():
        world.upload(key, data)
    return world, claimed(world)


def keeping(world: World) -> tuple[LongTasks, Task]:
    return LongTasks(world.vault, KEEPING), world.keeper.keep


def inspecting(world: World) -> tuple[LongTasks, Task]:
    return LongTasks(world.vault, INSPECTION), world.inspector.inspect


def no_time() -> TimeBudget:
    return TimeBudget(lambda: 10)


def kept(world: World, claim: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["kept"] for each in world.inspected(claim)]


@pytest.mark.parametrize("make", [submitted, of_a_prefix])
def test_what_is_kept_and_found_at_length_is_what_would_have_been_at_once(make: Any):
    world, claim = make()
    for tasks, task in (keeping(world), inspecting(world)):
        for artifact in kept(world, claim):
            request = tasks.ask(claim, artifact)
            carried_out = tasks.run(request, "b-1", task)
            assert carried_out == tasks.found(request, "b-1") == task(claim, artifact)


@pytest.mark.parametrize("make", [submitted, of_a_prefix])
def test_nothing_is_inspected_without_the_time_for_it(make: Any):
    world, claim = make()
    artifact, before = kept(world, claim)[0], dict(world.vault_bucket.versions)
    with pytest.raises(TakesTooLong):
        ArtifactInspector(world.vault, no_time()).inspect(claim, artifact)
    assert world.vault_bucket.versions == before


@pytest.mark.parametrize("make", [submitted, of_a_prefix])
def test_nothing_is_hashed_without_the_time_for_it(make: Any):
    world, claim = make()
    with pytest.raises(TakesTooLong):
        ArtifactKeeper(world.vault, world.s3.owned, no_time()).keep(claim, claim["artifacts"][0])


def test_objects_elsewhere_are_copied_as_long_as_there_is_time():
    world = World()
    world.set_policy("groups/churn")
    for name, data in WEIGHTS.items():
        world.s3.bucket("pipelines").put(name, data)
    container = {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}
    specification = {"Containers": [container], "SupportedContentTypes": [], "SupportedResponseMIMETypes": []}
    claim = world.opener.open(ValidationRequest(world.elsewhere(InferenceSpecification=specification), "x1"))
    with pytest.raises(TakesTooLong):
        ArtifactKeeper(world.vault, world.s3.owned, no_time()).keep(claim, claim["artifacts"][0])
    assert not [key for key in world.vault_bucket.versions if key.startswith("models/")]


@pytest.mark.parametrize("of", [keeping, inspecting])
def test_what_there_is_no_time_for_is_asked_for_and_taken_once_it_is_there(of: Any):
    world, claim = submitted()
    artifact = kept(world, claim)[0]
    tasks, task = of(world)

    def hurried(*_: Any) -> dict[str, Any]:
        raise TakesTooLong("no time")

    assert tasks.begin(task, claim, artifact) == task(claim, artifact)
    asked = tasks.begin(hurried, claim, artifact)
    found = tasks.run(asked["at_length"], "b-1", task)
    assert tasks.found(asked["at_length"], "b-1") == found == task(claim, artifact)


def test_each_task_leaves_its_results_where_the_other_cannot():
    world, claim = submitted()
    (keep, _), (inspect, task) = keeping(world), inspecting(world)
    artifact = kept(world, claim)[0]
    request = inspect.ask(claim, artifact)
    inspect.run(request, "b-1", task)
    with pytest.raises(DocumentMissing):
        keep.found(request, "b-1")
    assert {key.split("/")[0] for key in world.vault_bucket.versions if request in key} == {"requests", "inspected"}


def test_the_same_request_again_is_the_same():
    world, claim = submitted()
    tasks, _ = keeping(world)
    assert len({tasks.ask(claim, claim["artifacts"][0]) for _ in range(2)}) == 1


@pytest.mark.parametrize("of", [keeping, inspecting])
def test_a_build_that_was_taken_over_leaves_no_result_for_another_ones_request(of: Any):
    world, claim = submitted()
    artifact = kept(world, claim)[0]
    tasks, task = of(world)
    request = tasks.ask(claim, artifact)
    tasks.run(request, "taken-over", lambda *_: {"sha256": artifact["sha256"], "refusals": [], "refusal_count": 0})
    with pytest.raises(DocumentMissing):
        tasks.found(request, "b-1")
    assert tasks.run(request, "b-1", task) == tasks.found(request, "b-1") == task(claim, artifact)


def test_a_transient_error_is_tried_again_twice():
    world, claim = submitted()
    tasks, task = keeping(world)
    request, failures = tasks.ask(claim, claim["artifacts"][0]), iter([Transient("later"), Transient("later")])

    def failing(*asked: Any) -> dict[str, Any]:
        for failure in failures:
            raise failure
        return task(*asked)

    assert tasks.run(request, "b-1", failing) == task(claim, claim["artifacts"][0])


def test_another_attempt_is_another_request():
    world, claim = submitted()
    (tasks, _), artifact = keeping(world), claim["artifacts"][0]
    assert tasks.ask(claim, artifact) != tasks.ask({**claim, "attempt": 2}, artifact)


def test_what_nobody_carried_out_is_not_found():
    world, claim = submitted()
    tasks, _ = keeping(world)
    request = tasks.ask(claim, claim["artifacts"][0])
    with pytest.raises(DocumentMissing, match=r"\.json does not exist"):
        tasks.found(request, "b-1")


@pytest.mark.parametrize("of", [keeping, inspecting])
def test_a_request_that_nobody_made_is_not_carried_out(of: Any):
    tasks, task = of(submitted()[0])
    with pytest.raises(DocumentMissing):
        tasks.run("0" * 64, "b-1", task)


def test_what_cannot_be_had_is_an_error_and_leaves_nothing_to_be_found():
    world, claim = submitted()
    tasks, task = keeping(world)
    request = tasks.ask(claim, {**claim["artifacts"][0], "url": "s3://pipelines/none/model.tar.gz"})
    with pytest.raises(ObjectMissing):
        tasks.run(request, "b-1", task)
    with pytest.raises(DocumentMissing):
        tasks.found(request, "b-1")


@given(st.integers(0, 60))
def test_wherever_the_time_runs_out_that_is_no_fault_of_the_archive(chunks: int):
    nested = member("inner.tar.gz", gzip.compress(honest()))
    data = gzip.compress(tar(*(member(name, content) for name, content in FILES.items()), nested), mtime=0)
    step = len(data) // 50
    left = iter([900.0] * (chunks + 2) + [0.0] * 100)
    pace = TimeBudget(lambda: next(left))
    pace.expect(len(data))
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    if chunks < len(pieces):
        with pytest.raises(TakesTooLong):
            inspect_archive(pace.keep(pieces), Requirements())
    else:
        assert inspect_archive(pace.keep(pieces), Requirements()) == inspect_archive(pieces, Requirements())
