"""Facts of a report, out of the whole pipeline in memory; and the same, of somebody hostile."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

from signoff.policy.policy import parse
from signoff.report.facts import ReportFacts
from signoff.report.read import ReportReader
from tests.support.archives import member, tar
from tests.support.quality_documents import BINARY, reading
from tests.support.tarballs import stored_gzip
from tests.support.world import MANIFEST, World

DATA = {"Sha256": "d" * 64, "Uri": "s3://data/held-out.csv"}
METRICS = [
    {
        "name": "auc",
        "path": "binary_classification_metrics.auc.value",
        "at_least": 0.9,
        "against_champion": {"at_least": -0.005},
    }
]


def quality(auc: float) -> dict[str, Any]:
    document = deepcopy(BINARY)
    document["binary_classification_metrics"]["auc"] = reading(auc)
    return document


def submitted(world: World, prefix: str, auc: float, **changed: Any) -> str:
    objects = {
        "model.tar.gz": stored_gzip(tar(member("model.txt", prefix.encode()))),
        "quality.json": quality(auc),
        "manifest.json": {**MANIFEST, "EvaluationData": DATA, **changed},
    }
    for key, data in world.signed(prefix, objects).items():
        world.upload(key, data)
    world.deliver()
    return str((world.submissions.get(prefix) or {})["package"])


def facts_of(world: World, arn: str) -> ReportFacts:
    policy = parse(world.deployed_policies["default"])
    return ReportReader(world.ledger, world.vault).facts(world.history(arn).verified(), policy)


@cache
def candidate() -> ReportFacts:
    """The third version of a group, which waits for approval beside the second."""
    world = World(metrics=METRICS)
    for version, auc in ((1, 0.91), (2, 0.93)):
        arn = submitted(world, f"churn/{version}", auc)
        world.decide(arn, "approve")
        world.deliver()
    return facts_of(world, submitted(world, "churn/3", 0.95, ModelPackageDescription="Who leaves <soon>"))


def spoiled(value: Any, text: str) -> Any:
    """Return `value` with every text in it that is not one of Signoff's own words replaced."""
    if isinstance(value, dict):
        return {name: each if name in OWN else spoiled(each, text) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [spoiled(each, text) for each in value]
    return text if isinstance(value, str) else value


# Fields whose values are words of Signoff's, which it looks up.
OWN = {"status", "verdict", "outcome", "decision", "severity", "rule", "kind", "action", "data", "basis", "channel"}
OWN |= {"points", "sha256", "uri"}


def spoiled_facts(text: str) -> ReportFacts:
    facts = candidate()
    known = spoiled(facts.document, text)
    known["findings"] = [
        {
            "artifact": text,
            "errors": 1,
            "warnings": 0,
            "findings": [{"member": text, "rule": "a-rule", "severity": "error", "reason": text}],
        }
    ]
    return replace(
        facts,
        document=known,
        evidence=spoiled(facts.evidence, text),
        champion_evidence=spoiled(facts.champion_evidence, text),
        notes=[text],
    )
