"""Statements with proofs, as they are signed and as they are changed, and what reading them says."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from signoff.errors import ProofRefused
from signoff.identity.proofs import Claim, check_fresh, read
from tests.support.clock import START, Clock
from tests.support.fake_sts import FakeSts

AUDIENCE = "arn:aws:events:us-east-1:123456789012:event-bus/signoff"
ANN, SESSION = "arn:aws:iam::123456789012:user/ann", "arn:aws:sts::123456789012:assumed-role/ops/ben"
DECISION = {
    "statement": "decision",
    "audience": AUDIENCE,
    "package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/1",
    "decision": "approve",
    "reason": "Precise enough, ümlauts & <signs> too",
    "evidence": "e" * 64,
}
STS = FakeSts(Clock())
ENDPOINT, REGION = STS.endpoint, STS.region
BY_ANN, BY_SESSION = STS.signed(DECISION, ANN), STS.signed(DECISION, SESSION)


def reading(statement: Mapping[str, Any], **other: str) -> Claim:
    return read(
        statement, **{"kind": "decision", "audience": AUDIENCE, "endpoint": ENDPOINT, "region": REGION, **other}
    )


def refusal(statement: Mapping[str, Any], **other: str) -> tuple[str, str]:
    """The name and the reason with which a statement is refused."""
    with pytest.raises(ProofRefused) as refused:
        reading(statement, **other)
    assert str(refused.value) == f"{refused.value.name}: {refused.value.reason}"
    return refused.value.name, refused.value.reason


def with_proof(change: Callable[[str], str], of: Mapping[str, Any] = BY_SESSION) -> dict[str, Any]:
    """A good statement whose proof is changed; the change must be one."""
    changed = change(of["proof"])
    assert changed != of["proof"]
    return {**of, "proof": changed}


def aged(claim: Claim, **span: float) -> str:
    """The name of the refusal of a claim at an age, or nothing."""
    try:
        check_fresh(claim, START + timedelta(**span))
    except ProofRefused as refused:
        return refused.name
    return ""
