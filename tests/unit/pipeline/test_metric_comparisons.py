"""A group through its versions: each is held against the champion, and the evidence says what it comes to."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.documents.canonical_json import digest
from signoff.ledger.entries import Status
from tests.support.archives import honest
from tests.support.quality_documents import BIAS, CONSTRAINTS
from tests.support.tarballs import stored_gzip
from tests.support.validations import evidence
from tests.support.world import MANIFEST, World

DATA = {"Sha256": "d" * 64}
OTHER_DATA = {"Sha256": "e" * 64}
HELD_OUT = [{"name": "accuracy", "path": "accuracy", "at_least": 0.5, "against_champion": {"at_least": -0.01}}]


def quality(right: int, wrong: int) -> dict[str, Any]:
    """A quality document with a matrix of as many negatives and positives."""
    rows = (right + wrong) // 2
    return {
        "accuracy": right / (right + wrong),
        "confusion_matrix": {"0": {"0": rows, "1": 0}, "1": {"0": wrong, "1": rows - wrong}},
    }


def submitted(world: World, prefix: str, document: dict[str, Any], data: Any = None, **more: Any) -> str:
    """Submit a model with that quality document, have it validated, and return its ARN."""
    metrics = {**MANIFEST["ModelMetrics"], **more.pop("metrics", {})}
    objects = {
        "model.tar.gz": stored_gzip(honest()),
        "quality.json": document,
        **more.pop("objects", {}),
        "manifest.json": {**MANIFEST, "EvaluationData": data or DATA, "ModelMetrics": metrics, **more},
    }
    for key, content in world.signed(prefix, objects).items():
        world.upload(key, content)
    world.deliver()
    return str((world.submissions.get(prefix) or {})["package"])


def row(world: World, arn: str) -> dict[str, Any]:
    (found,) = evidence(world, arn)["comparison"]["metrics"]
    return dict(found)


def checks(world: World, arn: str) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in evidence(world, arn)["checks"]}


@pytest.fixture
def deployed() -> World:
    """A group whose champion gets 9,700 of 10,000 rows right, compared by a margin of a hundredth."""
    world = World(metrics=HELD_OUT)
    arn = submitted(world, "churn/1", quality(9700, 300))
    assert checks(world, arn)["champion:accuracy"]["status"] == "skipped"
    world.decide(arn, "approve")
    world.deliver()
    return world


@pytest.mark.parametrize(
    ("right", "verdict", "status", "asks"),
    [
        (9900, "better", Status.PENDING_APPROVAL, None),
        (9690, "not-worse", Status.PENDING_APPROVAL, None),
        (9610, "inconclusive", Status.PENDING_APPROVAL, True),
        (9000, "worse", Status.VALIDATION_FAILED, None),
    ],
)
def test_a_candidate_is_held_against_the_champion(
    deployed: World, right: int, verdict: str, status: Status, asks: bool | None
):
    arn = submitted(deployed, "churn/2", quality(right, 10_000 - right))
    found, check = row(deployed, arn), checks(deployed, arn)["champion:accuracy"]
    assert (found["verdict"], deployed.state(arn).status, check.get("asks")) == (verdict, status, asks)
    assert (found["candidate"], found["champion"]) == (right / 10_000, 0.97)
    assert found["interval"][0] < found["difference"] < found["interval"][1]
    assert evidence(deployed, arn)["comparison"]["basis"] == "claimed"
    assert digest(evidence(deployed, arn)) == deployed.state(arn).evidence["sha256"]


def test_a_candidate_on_other_data_is_not_compared_and_is_held(deployed: World):
    arn = submitted(deployed, "churn/2", quality(9990, 10), OTHER_DATA)
    found, check = row(deployed, arn), checks(deployed, arn)["champion:accuracy"]
    assert (found["difference"], found["verdict"]) == (None, "not-compared")
    assert (check["status"], check["blocks"]) == ("errored", True)
    assert "the champion was measured on another data set" in check["reason"]
    assert deployed.state(arn).status is Status.VALIDATION_FAILED


def test_claims_about_a_data_set_that_the_policy_does_not_list_are_held():
    world = World(metrics=HELD_OUT, comparison={"data_sets": [DATA["Sha256"]]})
    assert checks(world, submitted(world, "churn/1", quality(9700, 300)))["data"]["status"] == "passed"
    arn = submitted(world, "churn/2", quality(9700, 300), OTHER_DATA)
    assert checks(world, arn)["data"]["status"] == "failed"
    assert world.state(arn).status is Status.VALIDATION_FAILED


def biased(world: World, report: dict[str, Any], **more: Any) -> str:
    named = {"Report": {"ContentType": "application/json", "S3Uri": "bias.json"}}
    return submitted(
        world, "churn/1", quality(9700, 300), metrics={"Bias": named}, objects={"bias.json": report}, **more
    )


def test_the_bias_report_of_a_submission_is_held_against_the_policys_bounds():
    bounds = [{"facet": "ForeignWorker", "metric": metric, "at_most": 0.18} for metric in ("DPL", "DPPL", "CDDL")]
    world = World(metrics=[], bias=bounds)
    arn = biased(world, BIAS)
    found = checks(world, arn)
    assert found["bias:ForeignWorker:DPL [1]"]["status"] == "passed"
    assert found["bias:ForeignWorker:DPPL [1]"]["status"] == "failed"
    assert (found["bias:ForeignWorker:CDDL [1]"]["status"], found["bias:ForeignWorker:CDDL [1]"]["blocks"]) == (
        "errored",
        True,
    )
    assert len(evidence(world, arn)["bias"]) == 5
    assert "ModelMetrics.Bias.Report" in {each["name"] for each in evidence(world, arn)["artifacts"]}


def test_a_package_without_the_bias_report_that_a_policy_needs_fails():
    world = World(metrics=[], bias=[{"facet": "a", "metric": "DPL", "at_most": 0.1}])
    arn = submitted(world, "churn/1", quality(9700, 300))
    assert checks(world, arn)["bias:a:DPL"]["reason"] == "the package names no bias report (ModelMetrics.Bias)"


def test_drift_from_a_packages_own_baselines_is_checked_where_the_policy_wants_it():
    baseline = {"Constraints": {"ContentType": "application/json", "S3Uri": "constraints.json"}}
    constraints = {"version": 0.0, "binary_classification_constraints": {}}
    limits = CONSTRAINTS["binary_classification_constraints"]
    constraints["binary_classification_constraints"] = {"accuracy": {**limits["recall"], "threshold": 0.98}}
    more = {
        "objects": {"constraints.json": constraints},
        "DriftCheckBaselines": {"ModelQuality": baseline},
    }
    quiet = World(metrics=[])
    assert "drift:accuracy" not in checks(quiet, submitted(quiet, "churn/1", quality(9700, 300), **dict(more)))
    world = World(metrics=[], comparison={"drift": True})
    arn = submitted(world, "churn/1", quality(9700, 300), **more)
    assert checks(world, arn)["drift:accuracy"]["reason"] == "0.97 is below the baseline's threshold 0.98"
    assert world.state(arn).status is Status.VALIDATION_FAILED
