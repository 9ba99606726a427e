"""Which calls to AWS a decision leads to, in each function, until nothing is left to do; counted in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from tests.faults.faults import INVOKE
from tests.faults.faulty_world import FaultyWorld
from tests.faults.journey import one_after_the_other
from tests.faults.page import OPERATIONS
from tests.support.model_shapes import manifest, source
from tests.support.world import IMAGE, MODEL

# What an adapter's call asks AWS beside what it is listed with.
BESIDE = {"FakeRegistry.group": "sagemaker:ListTags", "FakeBucket.tag": "s3:GetObjectTagging"}
DECIDING, DEPLOYING, TELLING = "ApplyDecision", "CreateModel", "Announce"
ARCHIVE = {"model.tar.gz": MODEL, "manifest.json": manifest({"Image": IMAGE, "ModelDataUrl": "model.tar.gz"})}
OWN = {"groups": {"create": True}}

Calls = Counter[tuple[str, str]]


def submitted(world: FaultyWorld, run: str, files: Mapping[str, Any] = ARCHIVE) -> str:
    """Submit and validate a package of these files, and return its ARN."""
    before = set(world.registry.described)
    world.uploads(world.signed(f"churn/{run}", files))
    (arn,) = set(world.registry.described) - before
    return arn


def decided(world: FaultyWorld, arn: str, decision: str) -> None:
    """Have an approver decide, a minute later, and let everything follow that follows by itself."""
    world.clock.forward(minutes=1)
    world.decides(arn, decision)
    world._handle_all()


def group_of(approved: int, *, own_policy: bool = True) -> FaultyWorld:
    """Return the world with a group of so many approved versions, each superseded by the next, but for the last."""
    world = FaultyWorld(**OWN)
    if own_policy:
        world.set_policy("groups/churn", **OWN)
    for number in range(min(approved, 3)):
        if number == 2:
            for version in range(approved - 3):
                _copy_first(world, version + 1000)
        decided(world, submitted(world, f"run-{number}"), "approve")
    return world


def _copy_first(world: FaultyWorld, version: int) -> None:
    """Add a version that is as the first one: approved, deployed and superseded."""
    first = next(iter(world.ledger.histories.values()))
    key = first.package.replace("/1@", f"/{version}@")
    other = {Kind.REGISTERED: {"version": version}}
    entries = [Draft(each.kind, each.actor, {**each.details, **other.get(each.kind, {})}) for each in first.entries]
    world.ledger.histories[key] = History(key).extended(entries, world.clock())
    world._entries[key] = len(entries)  # nothing of it is announced


def calls_of(world: FaultyWorld, act: Callable[[], None]) -> Calls:
    """Return the calls that each function makes because of an act."""
    begun = len(world.interruptions.noted)
    with one_after_the_other():
        act()
    return counted(world.interruptions.noted[begun:])


def counted(noted: Iterable[tuple[str, str, bool]]) -> Calls:
    """Return how often each function makes each call."""
    found: Calls = Counter()
    for function, operation, _ in noted:
        if operation != INVOKE:
            found[function, OPERATIONS[operation]] += 1
        if operation in BESIDE:
            found[function, BESIDE[operation]] += 1
    return found


def by(calls: Calls, *functions: str) -> int:
    """Return how many calls these functions make together."""
    return sum(count for (function, _), count in calls.items() if function in functions)


def under_a_prefix(objects: int) -> dict[str, Any]:
    """Return what a submission consists of whose model is so many objects under one prefix."""
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    return {**{f"weights/part-{number:04}.json": b"{}" for number in range(objects)}, "manifest.json": document}


def in_containers(artifacts: int) -> dict[str, Any]:
    """Return what a submission consists of whose model has so many containers, each with an archive."""
    names = [f"model-{number}.tar.gz" for number in range(artifacts)]
    containers = [{"Image": IMAGE, "ModelDataUrl": name, "ContainerHostname": f"c{name[6:-7]}"} for name in names]
    return {**dict.fromkeys(names, MODEL), "manifest.json": manifest(*containers)}
