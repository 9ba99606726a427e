"""What a model costs follows from what it uses and from the prices, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.costs import GIB, PRICES, Assumptions, at_rest, cost, pipeline_usage, stored, total, usage

READER = {"invocations": 1, "s3_write": 0, "s3_read": 2, "other": 0, "memory": 2048}
RECORDED = {
    "functions": {
        "RegisterModel": {"invocations": 4, "s3_write": 3, "s3_read": 5, "other": 2, "memory": 1024},
        "InspectArtifact": READER,
    },
    "states": 12,
    "streams": 2,
    "objects": 3,
    "events": 7,
    "messages": 5,
    "notifications": 2,
    "write_units": 40,
    "read_units": 9,
    "item_bytes": GIB,
    "document_bytes": 0,
}
GIVEN = Assumptions(
    artifact=GIB, read_rate=GIB // 2, own=0.1, call=0.01, started=0, start=1, range=GIB // 4, logged=GIB // 10
)


def test_what_a_model_uses_is_what_was_recorded_priced_by_its_kind() -> None:
    used = usage(RECORDED, GIVEN)
    assert (used["lambda_request"], used["state"], used["queue_request"]) == (5, 13, 15)
    assert (used["s3_write"], used["s3_read"]) == (6, 7 + 2 * 4)
    # Four invocations and ten calls under 1 GB; one invocation, two calls and two seconds of reading under 2 GB.
    assert used["lambda_gb_second"] == pytest.approx(0.4 + 0.1 + 2 * (0.1 + 0.02 + 2))
    assert used["log_gb"] == pytest.approx((5 + 26) / 10)


def test_new_environments_cost_their_start_at_each_invocation() -> None:
    more = usage(RECORDED, replace(GIVEN, started=1))["lambda_gb_second"] - usage(RECORDED, GIVEN)["lambda_gb_second"]
    assert more == pytest.approx(4 * 1 + 1 * 2)


def test_a_model_keeps_its_copy_for_good_and_its_upload_for_a_week() -> None:
    assert stored(RECORDED, GIVEN) == {"s3_gb_month": pytest.approx(37 / 30), "dynamodb_gb_month": 1}


def test_every_unit_has_a_price_with_its_source() -> None:
    parts = {"alarms": 1, "metrics": 1, "queues": 1, "sweeps": 1}
    rest, run = at_rest(parts, own_key=True), pipeline_usage({"Source": 1}, 1)
    used = {*usage(RECORDED, GIVEN), *stored(RECORDED, GIVEN), *rest, *run}
    assert used == {*PRICES}
    assert all(price.amount > 0 and price.source.startswith("https://aws.amazon.com/") for price in PRICES.values())


@given(st.dictionaries(st.sampled_from(sorted(PRICES)), st.floats(0, 1e9)), st.integers(0, 10**6))
def test_a_month_costs_what_its_models_cost(used: dict[str, float], models: int) -> None:
    assert total(used, models) == pytest.approx(models * sum(cost(used).values()))
    assert total(used, 2 * models) == pytest.approx(2 * total(used, models))
