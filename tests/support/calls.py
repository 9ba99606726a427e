"""Which calls to AWS each function makes, counted in memory by the action that they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.faults.faults import INVOKE
from tests.faults.faulty_world import FaultyWorld
from tests.faults.journey import one_after_the_other
from tests.faults.page import OPERATIONS
from tests.support.model_shapes import manifest, source
from tests.support.world import ACCURATE, IMAGE

# What an adapter's call asks AWS beside what it is listed with.
BESIDE = {"FakeRegistry.group": "sagemaker:ListTags", "FakeBucket.tag": "s3:GetObjectTagging"}
ASKED = "lambda:InvokeFunction"
# What a function, or the workflow, does for a submission. Announce, which tells others, is counted by itself.
SUBMISSION = (
    *("RegisterModel", "KeepSignature", "OpenValidation", "KeepArtifact", "InspectArtifact", "RecordEvidence"),
)

Calls = Counter[tuple[str, str]]


def calls_of_a_submission(files: Mapping[str, Any] | None = None) -> Calls:
    """Return how often each function makes each call from the first upload to `PendingApproval`.

    The submission is signed, to a group that exists; its objects are an archive, a quality document and the manifest,
    or else `files`.
    """
    world = FaultyWorld(metrics=ACCURATE if files is None else [])
    with one_after_the_other():
        world.uploads(world.files("churn/run-1"))
        begun = len(world.interruptions.noted)
        world.uploads(world.files("churn/run-2") if files is None else world.signed("churn/run-2", files))
    assert [str(status) for status in world.statuses().values() if status] == ["PendingApproval"] * 2
    return counted(world, begun)


def counted(world: FaultyWorld, begun: int) -> Calls:
    """Return the calls that were noted since `begun`."""
    found: Calls = Counter()
    for function, operation, _ in world.interruptions.noted[begun:]:
        if operation != INVOKE:
            found[function, OPERATIONS[operation]] += 1
        if operation in BESIDE:
            found[function, BESIDE[operation]] += 1
    asked = sum(each[:2] == ("KeepSignature", INVOKE) for each in world.interruptions.noted[begun:])
    found["RegisterModel", ASKED] = asked - 1  # but for the event of the upload
    return found


def files_under_a_prefix(objects: int) -> dict[str, Any]:
    """Return what a submission consists of whose model is so many objects under one prefix."""
    document = manifest({"Image": IMAGE, "ModelDataSource": source("weights/")})
    weights = {f"weights/part-{number:04}.json": b"{}" for number in range(objects)}
    return {**weights, "manifest.json": document}


def calls_of_objects(objects: int) -> Calls:
    """Return the calls of a submission whose model is so many objects under one prefix."""
    return calls_of_a_submission(files_under_a_prefix(objects))


def of(functions: tuple[str, ...], calls: Calls) -> int:
    """Return how many calls `functions` make together."""
    return sum(count for (function, _), count in calls.items() if function in functions)
