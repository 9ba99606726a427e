"""A policy replayed over evidence that exists: what it would have held, and what nobody can know from evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from signoff.policy.files import read
from signoff.policy.policy import Policy
from signoff_cli.errors import CommandFailed
from signoff_cli.output import replays
from signoff_cli.policies.replay import Replay, replay, replay_all
from tests.support import compared
from tests.support.compared import approved, submitted
from tests.support.world import CHANGED, SUBMITTER, World

ROWS = {"uri": "s3://held-out/rows.csv", "version": "v1", "sha256": "d" * 64, "label": "0", "features": "$[1:]"}
EVALUATION = {"data": ROWS, "task": "binary", "predictions": {"kind": "label"}, "labels": ["0", "1"]}
ACCURACY = {"name": "accuracy", "path": "accuracy"}


def policy(**parts: Any) -> Policy:
    """Return a policy as its file has it, without the role that the app fills in."""
    found = read(json.dumps(parts).encode())
    assert found.policy, found.faults
    return found.policy


def evidence(world: World, arn: str) -> Any:
    return world.vault.read("evidence", str(world.evidence(arn)))


def replayed(world: World, arn: str, **parts: Any) -> Replay:
    return replay("churn/1", policy(**parts), evidence(world, arn), world.vault)


def held_by(found: Replay) -> list[str]:
    """Return the names of the checks that would hold a package."""
    return [each["name"] for each in found.told if each["status"] != "passed"]


@pytest.fixture
def world() -> World:
    return World()


def test_the_policy_that_judged_a_package_comes_to_the_same_checks_again():
    world = World(
        metrics=[{**ACCURACY, "at_least": 0.9, "against_champion": {"at_least": -0.01}}],
        submissions={"submitters": [SUBMITTER]},
        images={"repositories": ["123456789012.dkr.ecr.us-east-1.amazonaws.com/*"]},
        artifact={"forbidden_files": ["*.exe"]},
    )
    approved(world, "churn/1")
    second = submitted(world, "churn/2", {"accuracy": 0.9})
    recorded = evidence(world, second)
    assert recorded["comparison"]["champion"]["name"] == "churn/1"
    found = replayed(world, second, **world.policy)
    assert found.unknown == {}
    assert by_name(check.document for check in found.checks) == by_name(recorded["checks"])
    assert found.verdict == recorded["verdict"] == "failed"


def by_name(checks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return checks by their names; that of the submitter without its reason, which names who signed what."""
    return {each["name"]: {**each, "reason": ""} if each["name"] == "submitter" else each for each in checks}


def test_a_higher_bound_would_have_held_what_passed(world: World):
    arn = submitted(world, "churn/1")
    found = replayed(world, arn, metrics=[{**ACCURACY, "at_least": 0.96}])
    assert (found.recorded, found.verdict, found.newly_held) == ("passed", "failed", True)
    assert held_by(found) == ["metric:accuracy"]
    assert replayed(world, arn, metrics=[{**ACCURACY, "at_least": 0.9}]).verdict == "passed"


def test_a_lower_bound_would_have_let_pass_what_failed():
    world = World(metrics=[{**ACCURACY, "at_least": 0.99}])
    found = replayed(world, submitted(world, "churn/1"), metrics=[{**ACCURACY, "at_least": 0.9}])
    assert (found.recorded, found.verdict, found.newly_held) == ("failed", "passed", False)


def test_a_margin_is_held_against_the_champion_of_that_time(world: World):
    approved(world, "churn/1", {"accuracy": 0.97})
    second = submitted(world, "churn/2", {"accuracy": 0.95})
    approved(world, "churn/3", {"accuracy": 0.5})  # the champion of now
    metrics = [{**ACCURACY, "higher_is_better": True, "against_champion": {"at_least": -0.01}}]
    assert held_by(replayed(world, second, metrics=metrics)) == ["champion:accuracy"]
    wider = [{**metrics[0], "against_champion": {"at_least": -0.03}}]
    assert replayed(world, second, metrics=wider).verdict == "passed"


def test_what_would_ask_for_a_persons_word_is_told(world: World):
    approved(world, "churn/1", {"accuracy": 0.5})
    second = submitted(world, "churn/2", {"accuracy": 0.95})
    found = replayed(world, second, metrics=[{**ACCURACY, "suspicious": 0.2}])
    assert found.verdict == "passed"
    assert [(each["name"], each["asks"]) for each in found.told] == [("suspicious:accuracy", True)]


def test_who_may_not_submit_and_what_a_manifest_may_not_choose_would_be_held(world: World):
    arn = submitted(world, "churn/1", Deployment={"EnableNetworkIsolation": True})
    elsewhere = {"submissions": {"submitters": ["arn:aws:iam::123456789012:user/eve"]}}
    assert held_by(replayed(world, arn, **elsewhere)) == ["submitter"]


@pytest.mark.parametrize(
    ("parts", "held"),
    [
        ({"images": {"repositories": ["public.ecr.aws/*"]}}, ["registry"]),
        ({"images": {"repositories": ["123456789012.dkr.ecr.us-east-1.amazonaws.com/*"]}}, []),
        ({"provenance": {"required": ["CommitId", "Repository"]}}, ["provenance", "provenance"]),
        ({"comparison": {"data_sets": ["e" * 64]}}, ["data"]),
        ({"comparison": {"data_sets": ["d" * 64]}}, []),
        ({"bias": [{"facet": "age", "metric": "DPPL", "at_most": 0.1}]}, ["bias"]),
        ({"comparison": {"drift": True}}, []),
    ],
)
def test_images_provenance_and_data_sets_are_judged_again(world: World, parts: dict[str, Any], held: list[str]):
    found = replayed(world, submitted(world, "churn/1"), **parts)
    assert [name.partition(":")[0] for name in held_by(found)] == held


def with_scan(world: World, arn: str, severity: str) -> Any:
    document = evidence(world, arn)
    finding = {"id": "CVE-1", "severity": severity, "package": None, "fixed_in": None}
    scan = {"kind": "basic", "status": "COMPLETE", "completed": "2026-03-01T00:00:00.000Z", "source_updated": None}
    scan |= {"counts": {severity: 1}, "findings": [finding]}
    (image,) = document["images"]
    return {**document, "images": [{**image, "scan": scan}]}


def test_a_scan_as_it_was_recorded_is_judged_again(world: World):
    document = with_scan(world, submitted(world, "churn/1"), "HIGH")
    strict, mild = ({"images": {"block_at": severity}} for severity in ("HIGH", "CRITICAL"))
    assert held_by(replay("churn/1", policy(**strict), document, world.vault)) == [f"scan:{pinned(document)}"]
    assert replay("churn/1", policy(**mild), document, world.vault).verdict == "passed"
    accepted = {"images": {"block_at": "HIGH", "accepted": [{"id": "CVE-1", "until": "2026-03-31", "reason": "r"}]}}
    assert replay("churn/1", policy(**accepted), document, world.vault).verdict == "passed"


def pinned(document: Any) -> str:
    (image,) = document["subject"]["images"].values()
    return str(image)


# What is not known


def test_a_scan_that_was_not_recorded_is_unknown(world: World):
    arn = submitted(world, "churn/1")
    found = replayed(world, arn, images={"block_at": "HIGH"})
    assert list(found.unknown) == [f"scan:{pinned(evidence(world, arn))}"]
    assert found.verdict == "passed"


@pytest.mark.parametrize(
    ("parts", "unknown"),
    [
        ({"artifact": {"required_files": ["licence"]}}, "artifact"),
        ({"images": {"signed_by": ["arn:aws:signer:eu-west-1:123456789012:/signing-profiles/*"]}}, "images.signed_by"),
        ({"evaluation": EVALUATION}, "evaluation"),
    ],
)
def test_what_evidence_alone_does_not_tell_is_unknown_and_not_passed_over(
    world: World, parts: dict[str, Any], unknown: str
):
    found = replayed(world, submitted(world, "churn/1"), **parts)
    assert list(found.unknown) == [unknown]
    assert next(replays.lines([found.document], enforced=True)) == "churn/1: would pass as far as is known"


def test_evidence_of_version_1_has_no_champion_to_be_held_against(world: World):
    document = {
        part: value
        for part, value in evidence(world, submitted(world, "churn/1")).items()
        if part not in {"comparison", "metrics", "images", "provenance", "description", "bias"}
    }
    asked = policy(
        metrics=[{**ACCURACY, "at_least": 0.96, "against_champion": {"at_least": 0}}],
        provenance={"required": ["CommitId"]},
        bias=[{"facet": "age", "metric": "DPPL", "at_most": 0.1}],
    )
    found = replay("churn/1", asked, document, world.vault)
    assert held_by(found) == ["metric:accuracy"]
    assert set(found.unknown) == {"provenance", "champion:accuracy", "bias"}


def measured(world: World, **used: Any) -> Any:
    """Return the evidence of a second version, of which Signoff measured 0.9 by the policy `used`."""
    approved(world, "churn/1", {"accuracy": 0.97})
    document = evidence(world, submitted(world, "churn/2", {"accuracy": 0.99}))
    found = compared.measurements(compared.value("accuracy", 0.9))
    gates = [{"name": "champion:accuracy", "status": "failed", "reason": "worse"}]
    kept = world.vault.write("policies", policy(**used, evaluation=EVALUATION).document)
    metrics = {**document["metrics"], "measured": found}
    return {**document, "policy": kept.sha256, "metrics": metrics, "checks": [*document["checks"], *gates]}


def test_what_was_measured_counts_before_what_is_claimed_where_the_policy_wants_models_measured(world: World):
    document, bound = measured(world), {"metrics": [{**ACCURACY, "at_least": 0.95}]}
    trusting, wary = policy(**bound), policy(**bound, evaluation=EVALUATION)
    assert replay("churn/2", trusting, document, world.vault).verdict == "passed"
    found = replay("churn/2", wary, document, world.vault)
    assert [each["reason"] for each in found.told] == ["0.9 is below the threshold 0.95"]


def test_a_measure_beside_the_champion_stands_if_the_same_was_asked_and_is_unknown_otherwise(world: World):
    asked = {"metrics": [{**ACCURACY, "against_champion": {"at_least": -0.01}}]}
    document = measured(world, **asked)
    same = replay("churn/2", policy(**asked, evaluation=EVALUATION), document, world.vault)
    assert held_by(same) == ["champion:accuracy"]
    other = {"metrics": [{**ACCURACY, "against_champion": {"at_least": -0.2}}]}
    found = replay("churn/2", policy(**other, evaluation=EVALUATION), document, world.vault)
    assert (held_by(found), list(found.unknown)) == ([], ["champion:accuracy"])


# Whole groups


def test_a_group_is_replayed_by_version_and_what_passed_then_decides(world: World):
    submitted(world, "churn/1", {"accuracy": 0.9})
    submitted(world, "churn/2", {"accuracy": 0.97})
    strict = policy(metrics=[{**ACCURACY, "at_least": 0.95}])
    found, unread = replay_all(strict, ["churn"], world.ledger, world.vault)  # type: ignore[arg-type]
    assert [(each.name, each.newly_held) for each in found] == [("churn/1", True), ("churn/2", False)]
    assert unread == {}
    assert list(replays.lines([each.document for each in found], enforced=True)) == [
        "churn/1: would be held; it passed",
        "  failed     metric:accuracy: 0.9 is below the threshold 0.95",
        "churn/2: would pass",
    ]
    with pytest.raises(CommandFailed, match="1 of 2 packages would be held that passed"):
        replays.fail(1, 2, unread)
    (one,), _ = replay_all(strict, ["churn/2"], world.ledger, world.vault)  # type: ignore[arg-type]
    assert one.name == "churn/2"


def test_evidence_that_is_gone_fails_the_replay_of_that_package_alone(world: World):
    first = submitted(world, "churn/1")
    submitted(world, "churn/2")
    del world.vault_bucket.versions[f"evidence/{world.evidence(first)}.json"]
    found, unread = replay_all(policy(), ["churn"], world.ledger, world.vault)  # type: ignore[arg-type]
    assert [each.name for each in found] == ["churn/2"]
    assert list(unread) == ["churn/1"]
    with pytest.raises(CommandFailed, match="the evidence of churn/1 cannot be read"):
        replays.fail(0, 1, unread)


@pytest.mark.parametrize("name", ["nobody", "nobody/1"])
def test_a_name_without_packages_is_an_error(world: World, name: str):
    with pytest.raises(CommandFailed):
        replay_all(policy(), [name], world.ledger, world.vault)  # type: ignore[arg-type]


def test_a_policy_that_only_reports_is_told_to_do_so(world: World):
    (first, *_) = lines_of(world, enforced=False)
    assert first.startswith("The policy only reports")


def lines_of(world: World, *, enforced: bool) -> Iterator[str]:
    found = replayed(world, submitted(world, "churn/1", InferenceSpecification=CHANGED))
    return replays.lines([found.document], enforced=enforced)
