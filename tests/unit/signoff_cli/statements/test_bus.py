"""Sending statements, each signed for the registry's bus and the STS of its region."""

from typing import Any

import pytest

from signoff.errors import ProofRefused
from signoff.identity import proofs
from signoff_cli.statements.bus import StatementBus
from signoff_cli.statements.signature import id_of, sign_statement
from tests.support.clock import Clock
from tests.support.fake_sts import FakeSts
from tests.support.watching import FakeEventBus

BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/signoff"
ANN = "arn:aws:iam::123456789012:user/ann"
STATEMENT = {"statement": "decision", "package": "arn:p", "decision": "reject", "reason": "because"}
STS = FakeSts(Clock(), "eu-west-1")


def sign(statement: dict[str, Any], region: str) -> dict[str, Any]:
    assert region == "eu-west-1"
    return STS.signed(statement, by=ANN)


def test_a_statement_is_signed_for_the_registrys_bus_and_sent_as_it_was_signed():
    desk = FakeEventBus()
    sent = StatementBus(desk, BUS, sign).send("Model Approval Decision", STATEMENT)
    (event,) = desk.events
    assert event.type == "Model Approval Decision"
    assert event.detail.items() >= {**STATEMENT, "audience": BUS}.items()
    claim = proofs.read(event.detail, kind="decision", audience=BUS, endpoint=STS.endpoint, region="eu-west-1")
    assert (sent.id, sent.event) == (claim.id, "event-1")


def test_what_is_sent_again_is_the_very_same():
    desk = FakeEventBus()
    sent = StatementBus(desk, BUS, sign).send("Model Approval Decision", STATEMENT)
    assert sent.repeat is not None
    assert sent.repeat() == "event-2"
    assert desk.events[0] == desk.events[1]


def test_the_id_is_that_of_what_was_signed_wherever_it_was_signed_for():
    there = sign_statement(
        {**STATEMENT, "audience": BUS}, STS.credentials(ANN), "http://127.0.0.1:4566", "eu-west-1", Clock()()
    )
    claim = proofs.read(there, kind="decision", audience=BUS, endpoint="http://127.0.0.1:4566", region="eu-west-1")
    assert id_of(there) == claim.id


def test_what_could_prove_nothing_is_not_sent():
    desk = FakeEventBus()

    def oddly(statement: dict[str, Any], region: str) -> dict[str, Any]:
        whole = sign(statement, region)
        return {**whole, "proof": whole["proof"].replace("AKIA", "short")}

    with pytest.raises(ProofRefused, match="MalformedProof"):
        StatementBus(desk, BUS, oddly).send("Model Approval Decision", STATEMENT)
    assert desk.events == []
