"""A burst that AWS throttles: SageMaker by a token bucket, Lambda by executions at once. All of it ends, none twice."""

from collections import Counter
from collections.abc import Iterator

import pytest

from local.patches.quotas import Quotas
from tests.support.groups import Group
from tests.support.pipeline import Pipeline
from tests.support.waiting import eventually

UPLOADS = 12
READERS = ("RegisterModel", "KeepSignature", "ApplyDecision", "CreateModel", "Sweep")


@pytest.fixture
def throttled(pipeline: Pipeline) -> Iterator[None]:
    """Four executions at once, for which queues are read as `-c queueConcurrency=2` says, and two packages a second."""
    pipeline.quiet()
    mappings = [pipeline.resource(f"{reader}Inbox") for reader in READERS]
    lambda_ = pipeline.aws("lambda")
    before = [lambda_.get_event_source_mapping(UUID=mapping)["ScalingConfig"] for mapping in mappings]
    for mapping in mappings:
        lambda_.update_event_source_mapping(UUID=mapping, ScalingConfig={"MaximumConcurrency": 2})
    pipeline.stack.engine.limit(Quotas({"CreateModelPackage": 2, "UpdateModelPackage": 2}, concurrency=4))
    yield
    pipeline.stack.engine.limit(Quotas())
    for mapping, scaling in zip(mappings, before, strict=True):
        lambda_.update_event_source_mapping(UUID=mapping, ScalingConfig=scaling)


@pytest.mark.usefixtures("throttled")
def test_a_burst_of_uploads_ends_with_a_package_for_each(group: Group) -> None:
    group.policy()
    submissions = [group.submit() for _ in range(UPLOADS)]
    pipeline = group.pipeline

    def statuses() -> Counter[str]:
        return Counter(str(row["status"]) for row in pipeline.table("PackagesTable", group.name))

    eventually(lambda: statuses() == {"PendingApproval": UPLOADS}, seconds=180, what="the burst to end")
    pipeline.quiet()

    assert len(group.packages()) == UPLOADS
    assert len({submission.package().arn for submission in submissions}) == UPLOADS
    assert [pipeline.waiting(queue, "DeadLetters") for queue in ("Register", "Signature", "Validation")] == [0, 0, 0]
