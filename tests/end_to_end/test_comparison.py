"""A group's candidates beside their champions: what the evidence says, what people see, and what comes of it."""

import json
from typing import Any

from signoff.ledger.entries import Kind
from tests.support.groups import Group, Package
from tests.support.shell import Shell
from tests.support.submissions import Files, as_json, manifest, metrics, model_archive

ACCURACY = {
    "name": "accuracy",
    "path": "binary_classification_metrics.accuracy.value",
    "at_least": 0.5,
    "against_champion": {"at_least": -0.05},
}
DATA = "d" * 64


def candidate(right: int, data: str = DATA, weights: bytes = b"", **fields: Any) -> Files:
    """A submission of a model that is right about that many of a thousand rows, half of each class."""
    each = right // 2
    matrix = {"0": {"0": each, "1": 500 - each}, "1": {"0": 500 - each, "1": each}}
    scores = {"confusion_matrix": matrix, "accuracy": {"value": right / 1000, "standard_deviation": "NaN"}}
    return {
        "model_quality.json": as_json({"binary_classification_metrics": scores}),
        "model.tar.gz": model_archive(**{"weights.txt": weights or f"{right}".encode()}),
        "manifest.json": as_json(manifest(ModelMetrics=metrics(), EvaluationData={"Sha256": data}, **fields)),
    }


def compared(package: Package) -> tuple[str | None, str | None, str]:
    """The champion of a package's evidence, the verdict about its accuracy, and the outcome of that gate."""
    evidence = package.evidence()
    rows = [row for row in evidence["comparison"]["metrics"] if row["name"] == "accuracy"]
    (gate,) = [check for check in evidence["checks"] if check["name"] == "champion:accuracy"]
    champion = evidence["comparison"]["champion"]
    named = champion and champion["name"].rpartition("/")[2]
    return named, rows[0]["verdict"] if rows else None, gate["status"]


def row_of(page: str) -> list[str]:
    """The words of the row about the accuracy."""
    return next(line.split() for line in page.splitlines() if line.startswith("accuracy "))


def test_each_candidate_is_judged_beside_the_champion_of_its_time(group: Group) -> None:
    group.policy(metrics=[ACCURACY])
    first = group.pending(candidate(900))
    first.approve()
    better = group.pending(candidate(960, ModelPackageDescription="Trained on a year more"))
    seen = better.pipeline.witness.heard("Approval Requested", better.arn)
    approver = Shell(group.pipeline, "approver")
    shown = json.loads(approver.signoff("show", f"{group.name}/2", "--json").stdout)
    page = approver.signoff("show", f"{group.name}/2").stdout
    verified = approver.signoff("evidence", f"{group.name}/2", "--verify")
    asked = approver.signoff("policy", "show", group.name).stdout
    beside = approver.signoff("compare", f"{group.name}/1", f"{group.name}/2").stdout
    report = approver.signoff("report", f"{group.name}/2").stdout
    better.approve()
    within = group.pending(candidate(950))
    beyond = group.submit(candidate(800)).package().until("ValidationFailed")
    uncertain = group.pending(candidate(910))
    elsewhere = group.submit(candidate(970, data="e" * 64)).package().until("ValidationFailed")
    same = group.pending(candidate(960))
    uncertain.decide("approve")
    better.decide("revoke")
    uncertain.decide("approve", accepts=["champion:accuracy"])
    after = group.pending(candidate(940))

    assert f"| `accuracy` | `{row_of(page)[1]}" in report
    assert compared(first)[0] is None
    assert compared(better) == ("1", "better", "passed")
    assert compared(within) == ("2", "not-worse", "passed")
    assert compared(beyond) == ("2", "worse", "failed")
    assert compared(uncertain) == ("2", "inconclusive", "passed")
    assert compared(elsewhere) == ("2", "not-compared", "errored")
    assert same.evidence()["comparison"]["same_bytes"] == [f"{group.name}/2"]
    assert compared(after)[0] == "1"
    assert shown["comparison"] == better.evidence()["comparison"]
    assert "Trained on a year more" in str(shown["description"])
    assert len(seen) == 1
    assert [row["verdict"] for row in seen[0]["detail"]["comparison"]["metrics"]] == ["better"]
    assert "Trained on a year more" in page.splitlines()[1]
    assert f"compared with the champion {group.name}/1, claimed on the same data" in page
    assert row_of(page)[-2:] == ["better,", "passed"]
    assert f"{group.name} under the policy groups/{group.name}" in asked
    assert row_of(beside)[1:] == ["0.9", "0.96", "+0.06"]
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert {line.split()[0] for line in verified.stdout.splitlines()} == {"same"}
    assert "same       comparison.champion.evidence" in verified.stdout

    refused = [entry["refusal"] for entry in uncertain.entries(Kind.DECISION_REFUSED)]
    assert refused == ["NotAccepted", "ChampionChanged"]
