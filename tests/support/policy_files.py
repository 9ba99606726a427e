"""Policies, and what `signoff policy check` finds in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from signoff_cli.policies.check import check

ALICE, BOB = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/bob"
RISK = "arn:aws:iam::123456789012:role/risk-*"


ROWS: dict[str, Any] = {
    "uri": "s3://held-out/churn.csv",
    "version": "v1",
    "sha256": "ab" * 32,
    "label": "0",
    "features": "$[1:]",
}
EVALUATION: dict[str, Any] = {
    "data": ROWS,
    "task": "binary",
    "labels": ["0", "1"],
    "predictions": {"kind": "probability"},
}
SMOKE: dict[str, Any] = {"data": ROWS, "predictions": {"kind": "probability"}}


def write(folder: Path, document: Any, name: str = "churn.json") -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def data(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def faults(document: Any) -> dict[str, str]:
    return {fault.path: fault.message for fault in check("p", data(document)).faults}


def warned(document: Any) -> dict[str, str]:
    checked = check("p", data(document))
    assert checked.faults == ()
    return {warning.path: warning.message for warning in checked.warnings}


def told(**document: Any) -> dict[str, str]:
    checked = check("p", data(document))
    assert checked.faults == ()
    return {topic: " ".join(each) for topic, each in checked.sentences.items()}


def approvals(**fields: Any) -> dict[str, Any]:
    return {"approvals": fields}


def asserted(*principals: str) -> dict[str, Any]:
    return approvals(approvers=[ALICE, BOB], identity="asserted", publishers={"acme.tickets": principals})
