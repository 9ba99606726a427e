"""Whom a candidate is compared with, on which data, and what its evidence says of that."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from signoff.metrics.values import measurements_of
from tests.support.archives import honest, member, tar
from tests.support.tarballs import stored_gzip
from tests.support.validations import evidence
from tests.support.world import ACCURATE, MANIFEST, SUBMITTER, World

WEIGHTS = b"other weights"
OTHER_MODEL = stored_gzip(tar(member("model.txt", WEIGHTS)))
DATA = {"Sha256": "d" * 64, "Uri": "s3://data/held-out.csv"}


def submitted(world: World, prefix: str, accuracy: float = 0.95, **changed: Any) -> str:
    """Submit a model with that accuracy, have it validated, and return its ARN."""
    objects = {
        "model.tar.gz": changed.pop("model", stored_gzip(honest())),
        "quality.json": {"accuracy": accuracy, "loss": 0.1, "note": "a text"},
        "manifest.json": {**MANIFEST, **changed},
    }
    for key, data in world.signed(prefix, objects).items():
        world.upload(key, data)
    world.deliver()
    return str((world.submissions.get(prefix) or {})["package"])


def approved(world: World, prefix: str, **changed: Any) -> str:
    arn = submitted(world, prefix, **changed)
    world.decide(arn, "approve")
    world.deliver()
    return arn


def comparison(world: World, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = evidence(world, arn)["comparison"]
    return found


def test_evidence_has_all_metrics_and_what_is_none():
    world = World()
    claimed = evidence(world, submitted(world, "churn/1", EvaluationData=DATA))["metrics"]["claimed"]
    found = measurements_of(claimed)
    assert {each.name: each.value for each in found.values} == {"accuracy": 0.95, "loss": 0.1}
    assert [(each.path, each.reason) for each in found.skipped] == [("note", "a text")]
    assert (found.dataset.sha256, found.dataset.uri) == (DATA["Sha256"], DATA["Uri"])


def test_a_metric_has_the_name_that_the_policy_gives_it():
    world = World(metrics=[{**ACCURATE[0], "name": "hits", "path": "accuracy"}])
    claimed = evidence(world, submitted(world, "churn/1"))["metrics"]["claimed"]
    assert {each["name"] for each in claimed["values"]} == {"hits", "loss"}


def test_the_first_version_of_a_group_is_compared_with_none():
    world = World()
    found = comparison(world, submitted(world, "churn/1"))
    assert (found["champion"], found["because"]) == (None, "the group has no champion yet")


def test_a_candidate_is_compared_with_the_deployed_package_and_not_with_a_newer_one_that_was_revoked():
    world = World()
    first = approved(world, "churn/1", EvaluationData=DATA)
    second = approved(world, "churn/2", EvaluationData=DATA)
    world.decide(second, "revoke")
    world.deliver()
    found = comparison(world, submitted(world, "churn/3", EvaluationData=DATA))
    assert found["champion"] == {
        "name": "churn/1",
        "group": "churn",
        "version": 1,
        "package": first,
        "ledger": world.history(first).package,
        "evidence": {name: world.state(first).evidence[name] for name in ("uri", "sha256")},
        "baseline": False,
    }


def test_a_package_that_still_awaits_its_approval_is_no_champion():
    world = World()
    submitted(world, "churn/1")
    assert comparison(world, submitted(world, "churn/2"))["champion"] is None


@pytest.mark.parametrize(
    ("before", "after", "data", "because"),
    [
        (DATA, DATA, "same", None),
        (DATA, {"Sha256": "e" * 64}, "other", "the champion was measured on another data set"),
        (DATA, None, "unknown", "the data set is not named by both"),
        (None, None, "unknown", "the data set is not named by both"),
    ],
    ids=["same", "other", "unnamed by the candidate", "unnamed by both"],
)
def test_claims_are_about_the_same_data_only_where_both_name_it(
    before: Any, after: Any, data: str, because: str | None
):
    world = World()
    approved(world, "churn/1", **({"EvaluationData": before} if before else {}))
    found = comparison(world, submitted(world, "churn/2", **({"EvaluationData": after} if after else {})))
    assert found["data"] == data
    assert (found["because"] or "").startswith(because or "")


def test_what_changed_since_the_champion_is_told_down_to_files():
    world = World()
    approved(world, "churn/1")
    arn = submitted(world, "churn/2", model=OTHER_MODEL, ModelPackageDescription="a better one")
    changed = {each["part"]: (each["before"], each["after"]) for each in comparison(world, arn)["changed"]}
    name = "InferenceSpecification.Containers[0].ModelDataUrl"
    assert changed["description"] == (None, "a better one")
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    assert changed[f"{name}: model.txt"] == (None, f"text, 13 bytes, sha256 {sha256}")
    assert f"{name}: sha256" in changed
    assert not any("models/churn" in str(text) for pair in changed.values() for text in pair)


def test_the_same_bytes_as_an_earlier_version_are_recognised():
    world = World()
    submitted(world, "churn/1")
    submitted(world, "churn/2", model=OTHER_MODEL)
    assert comparison(world, submitted(world, "churn/3"))["same_bytes"] == ["churn/1"]


def test_a_champion_whose_evidence_is_gone_is_named_all_the_same():
    world = World()
    arn = approved(world, "churn/1")
    world.vault_bucket.versions.pop(f"evidence/{world.state(arn).evidence['sha256']}.json")
    found = comparison(world, submitted(world, "churn/2"))
    assert found["champion"]["name"] == "churn/1"
    assert found["because"].startswith("the champion's evidence cannot be read: ")


NO_WORSE = {"name": "accuracy", "path": "accuracy", "higher_is_better": True, "against_champion": {"at_least": -0.01}}


def two_candidates(**comparison: Any) -> tuple[World, str]:
    """Return a world where a candidate was validated before another of its group became champion, and its ARN."""
    world = World(metrics=[NO_WORSE], comparison=comparison)
    one, other = (submitted(world, f"churn/{number}", EvaluationData=DATA) for number in (1, 2))
    world.decide(one, "approve")
    world.deliver()
    return world, other


def test_an_approval_beside_another_champion_than_the_evidence_names_is_refused():
    world, arn = two_candidates()
    refusal = world.decide(arn, "approve")
    assert refusal.name == "ChampionChanged"
    assert "compares it with none, and the champion is" in refusal.reason
    assert world.state(arn).status == "PendingApproval"


def test_once_revalidated_it_may_be_approved():
    world, arn = two_candidates()
    world.validate(arn, by=SUBMITTER)
    world.deliver()
    assert comparison(world, arn)["champion"]["name"] == "churn/1"
    world.decide(arn, "approve")
    world.deliver()
    assert world.state(arn).status == "Approved"


def test_a_policy_may_let_it_be_approved_all_the_same():
    world, arn = two_candidates(stale_champion=False)
    world.decide(arn, "approve")
    assert world.state(arn).status == "Approved"
