"""What takes too long for a function: asked for in the vault, inspected by somebody else, and found there."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.requirements import Requirements
from signoff.errors import DocumentMissing, ObjectMissing, TakesTooLong
from signoff.validation.inspect_artifact import ArtifactInspector, inspect_archive
from signoff.validation.long_inspection import LongInspections
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


def hurried(world: World) -> ArtifactInspector:
    return ArtifactInspector(world.vault, world.s3.owned, TimeBudget(lambda: 10))


@pytest.mark.parametrize("make", [submitted, of_a_prefix])
def test_what_is_found_at_length_is_what_would_have_been_found_at_once(make: Any):
    world, claim = make()
    at_length = LongInspections(world.vault)
    for artifact in claim["artifacts"]:
        request = at_length.ask(claim, artifact)
        carried_out = at_length.run(request, world.inspector)
        assert carried_out == at_length.found(request) == world.inspector.inspect(claim, artifact)


@pytest.mark.parametrize("make", [submitted, of_a_prefix])
def test_nothing_is_inspected_without_the_time_for_it(make: Any):
    world, claim = make()
    before = dict(world.vault_bucket.versions)
    with pytest.raises(TakesTooLong):
        hurried(world).inspect(claim, claim["artifacts"][0])
    assert world.vault_bucket.versions == before


def test_objects_elsewhere_are_copied_as_long_as_there_is_time():
    world = World()
    world.set_policy("groups/churn")
    for name, data in WEIGHTS.items():
        world.s3.bucket("pipelines").put(name, data)
    container = {"Image": IMAGE, "ModelDataSource": source("s3://pipelines/weights/")}
    specification = {"Containers": [container], "SupportedContentTypes": [], "SupportedResponseMIMETypes": []}
    claim = world.opener.open(ValidationRequest(world.elsewhere(InferenceSpecification=specification), "x1"))
    with pytest.raises(TakesTooLong):
        hurried(world).inspect(claim, claim["artifacts"][0])
    assert not [key for key in world.vault_bucket.versions if key.startswith("models/")]


def test_the_same_request_again_is_the_same_and_is_carried_out_once():
    world, claim = submitted()
    at_length, artifact = LongInspections(world.vault), claim["artifacts"][0]
    requests = {at_length.ask(claim, artifact) for _ in range(2)}
    (request,) = requests
    first = at_length.run(request, world.inspector)
    assert at_length.run(request, hurried(world)) == first


def test_two_that_carry_out_a_request_at_once_come_to_the_same():
    world, claim = submitted()
    at_length, artifact = LongInspections(world.vault), claim["artifacts"][0]
    request = at_length.ask(claim, artifact)

    class Twice(ArtifactInspector):
        def inspect(self, *asked: Any) -> dict[str, Any]:
            at_length.run(request, world.inspector)
            return world.inspector.inspect(*asked)

    assert at_length.run(request, Twice(world.vault, world.s3.owned)) == at_length.found(request)


def test_another_attempt_is_another_request():
    world, claim = submitted()
    at_length, artifact = LongInspections(world.vault), claim["artifacts"][0]
    assert at_length.ask(claim, artifact) != at_length.ask({**claim, "attempt": 2}, artifact)


def test_what_nobody_carried_out_is_not_found():
    world, claim = submitted()
    request = LongInspections(world.vault).ask(claim, claim["artifacts"][0])
    assert LongInspections(world.vault).known(request) is None
    with pytest.raises(DocumentMissing, match=r"found\.json does not exist"):
        LongInspections(world.vault).found(request)


def test_a_request_that_nobody_made_is_not_carried_out():
    world, _ = submitted()
    with pytest.raises(DocumentMissing):
        LongInspections(world.vault).run("0" * 64, world.inspector)


def test_what_cannot_be_had_is_an_error_and_leaves_nothing_to_be_found():
    world, claim = submitted()
    at_length = LongInspections(world.vault)
    request = at_length.ask(claim, {**claim["artifacts"][0], "url": "s3://pipelines/none/model.tar.gz"})
    with pytest.raises(ObjectMissing):
        at_length.run(request, world.inspector)
    assert at_length.known(request) is None


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
