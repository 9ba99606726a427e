"""A piece of evidence of version 2, as far as people are shown it, and packages that are compared in a world."""

from __future__ import annotations

from typing import Any

from tests.support.world import World

DATA = {"Sha256": "d" * 64}

CHAMPION = {
    "name": "churn/2",
    "group": "churn",
    "version": 2,
    "package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2",
    "ledger": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2@2026-03-01T09:15:20.000Z",
    "evidence": {"uri": "s3://vault/evidence/c.json", "sha256": "c" * 64},
    "baseline": False,
}


def value(name: str, number: float, **more: Any) -> dict[str, Any]:
    """Return a metric's value as measurements have it."""
    nothing = {"standard_deviation": None, "best_constant": None, "slice": None}
    return {"name": name, "value": number, "path": f"metrics.{name}.value", **nothing, **more}


def measurements(*values: dict[str, Any]) -> dict[str, Any]:
    """Return `Measurements.document` with these values."""
    dataset = {"sha256": "d" * 64, "uri": None, "rows": 569}
    return {
        "format": "model-monitor-binary",
        "document": {"uri": "s3://vault/models/churn/q/quality.json", "sha256": "a" * 64},
        "dataset": dataset,
        "values": list(values),
        "confusion": None,
        "skipped": [],
        "predictions": None,
    }


def row(name: str, candidate: float, champion: float, verdict: str, **more: Any) -> dict[str, Any]:
    """Return a row of the comparison."""
    nothing = {"interval": None, "bound": None, "method": None, "slice": None, "unit": None}
    difference = round(candidate - champion, 9)
    said = {"name": name, "candidate": candidate, "champion": champion, "difference": difference, "verdict": verdict}
    return {**said, **nothing, **more}


AUC = row("auc", 0.991, 0.987, "inconclusive", interval=[-0.002, 0.01], bound="no worse than by 0.005")
LATENCY = row("latency", 12.5, 14, "better", unit="ms")
SLICE = row("auc", 0.94, 0.96, "worse", slice="age<30", bound="no worse than by 0.005")
CHECKS = [
    {"name": "artifact:model", "status": "passed", "reason": "a readable archive of 3 members"},
    {
        "name": "metric:auc",
        "status": "passed",
        "reason": "0.991 is at least 0.9",
        "expected": ">= 0.9",
        "observed": 0.991,
    },
    {"name": "champion:auc", "status": "passed", "reason": "it cannot be told apart", "asks": True},
    {"name": "champion:auc [age<30]", "status": "failed", "reason": "worse by 0.02"},
]
DESCRIPTION = {"description": "Tumours, benign or malignant", "task": "CLASSIFICATION", "domain": "MACHINE_LEARNING"}
CHANGED = [
    {"part": "InferenceSpecification.Containers[0].Image", "before": "sklearn:1.6", "after": "sklearn:1.7"},
    {"part": "model.tar.gz code/inference.py", "before": None, "after": "sha256 9f86d0"},
]
SCAN = {
    "kind": "enhanced",
    "status": "ACTIVE",
    "completed": "2026-03-02T08:00:00Z",
    "source_updated": None,
    "counts": {"HIGH": 2, "LOW": 0, "MEDIUM": 5},
    "findings": [],
}
IMAGES = [
    {"image": "123.dkr.ecr/sklearn:1.7", "digest": "sha256:aaaaaaaa", "scan": SCAN, "signed": True},
    {"image": "public.ecr.aws/x@sha256:b", "digest": "sha256:b", "scan": None, "signed": None},
]
COMPARISON = {
    "champion": CHAMPION,
    "same_bytes": [],
    "data": "same",
    "because": None,
    "basis": "claimed",
    "metrics": [AUC, LATENCY, SLICE],
    "changed": CHANGED,
}
EVIDENCE: dict[str, Any] = {
    "evidence_version": 2,
    "description": DESCRIPTION,
    "checks": CHECKS,
    "metrics": {"claimed": measurements(value("auc", 0.991), value("f1", 0.9712345)), "measured": None},
    "comparison": COMPARISON,
    "images": IMAGES,
    "evaluation": None,
    "smoke": None,
    "bias": [],
    "provenance": {},
}
FIRST: dict[str, Any] = {
    **EVIDENCE,
    "checks": CHECKS[:2],
    "comparison": {
        "champion": None,
        "same_bytes": [],
        "data": "unknown",
        "because": "the group has no champion",
        "basis": None,
        "metrics": [],
        "changed": [],
    },
}


def submitted(world: World, prefix: str, quality: Any = None, **changed: Any) -> str:
    """Submit a model with that quality document, have it validated, and return its ARN. All are about the same data."""
    files = world.files(prefix, EvaluationData=DATA, **changed)
    files |= {f"{prefix}/quality.json": quality or {"accuracy": 0.95}}
    objects = {key.removeprefix(f"{prefix}/"): data for key, data in files.items() if "submission" not in key}
    for key, data in world.signed(prefix, objects).items():
        world.upload(key, data)
    world.deliver()
    return str((world.submissions.get(prefix) or {})["package"])


def approved(world: World, prefix: str, quality: Any = None) -> str:
    """Submit such a model, approve it, and return its ARN."""
    arn = submitted(world, prefix, quality)
    world.decide(arn, "approve")
    world.deliver()
    return arn
