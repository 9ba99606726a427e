"""Checks that ask for an approver's answer: an approval names each of them, or it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.approval.decisions import Approver, Decision, Outcome, Recorded, Refusal, decide
from signoff.documents import timestamps
from signoff.ledger.entries import Status
from signoff.ledger.state import State
from signoff.policy.deployment import Deployment
from signoff.policy.policy import Policy
from tests.support.voting import ANN

POLICY = Policy(Deployment("arn:aws:iam::123456789012:role/execution"))
NOW = timestamps.parse("2026-03-02T09:15:20.000Z")
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"
SHA256 = "a" * 64


def outcome(decision: str, accepts: tuple[str, ...] = (), status: Status = Status.PENDING_APPROVAL) -> Outcome:
    asks = [{"name": f"suspicious:{name}", "status": "passed", "asks": True} for name in ("auc", "f1")]
    checks: list[dict[str, Any]] = [{"name": "submitter", "status": "passed"}, *asks]
    evidence = {"sha256": SHA256, "subject": SHA256, "checks": checks}
    state = State(status=status, group="churn", version=1, evidence=evidence, submitter="arn:aws:iam::1:user/sam")
    said = Decision(package=PACKAGE, decision=decision, reason="fine", evidence=SHA256, accepts=accepts)  # type: ignore[arg-type]
    return decide(state, said, Approver(ANN, ANN), POLICY, NOW)


@pytest.mark.parametrize("accepts", [(), ("suspicious:auc",), ("suspicious:AUC", "suspicious:f1")])
def test_an_approval_that_does_not_name_each_of_them_is_refused(accepts: tuple[str, ...]):
    refusal = outcome("approve", accepts)
    assert isinstance(refusal, Refusal)
    assert refusal.name == "NotAccepted"
    assert "suspicious:auc" in refusal.reason or accepts == ("suspicious:auc",)


def test_an_approval_that_names_them_is_recorded_with_them():
    recorded = outcome("approve", ("suspicious:f1", "suspicious:auc"))
    assert isinstance(recorded, Recorded)
    assert recorded.draft.details["accepts"] == ["suspicious:f1", "suspicious:auc"]


def test_who_rejects_accepts_nothing():
    assert isinstance(outcome("reject"), Recorded)
