"""The policy under which the demonstration has its models measured is one that can be deployed."""

from pathlib import Path

from infra import policy_files
from local.demo import GROUP, measuring_policies
from local.engine.seed import HELD_OUT_KEY

ROWS = {"uri": f"s3://held-out-123456789012/{HELD_OUT_KEY}", "version": "v1", "sha256": "0" * 64}


def test_the_groups_policy_has_its_models_measured_and_compared(tmp_path: Path) -> None:
    loaded = {each.group: each.policy for each in policy_files.load(measuring_policies(tmp_path / "policies", ROWS))}

    assert set(loaded) == {None, GROUP}
    assert loaded[None].evaluation is None
    evaluation = loaded[GROUP].evaluation
    assert evaluation is not None
    assert (evaluation.data.uri, evaluation.data.version, evaluation.data.sha256) == tuple(ROWS.values())
    assert [metric.against_champion is not None for metric in loaded[GROUP].metrics] == [True]
