"""What each kind of entry means: one table, which everything goes by."""

from __future__ import annotations

import re
from typing import Any

import pytest

from signoff.ledger.entries import DECIDED_STATUS, EFFECTS, VERDICT_STATUS, Draft, Effect, Kind, Stage, Status
from tests.support.entries import decided, evidence, history, registered, started
from tests.support.repository import ROOT
from tests.unit.pipeline.every_kind import EVERY_KIND

TO_APPROVERS = (Stage.DECISIONS, Stage.APPROVALS)


def effect(draft: Draft) -> Effect:
    return history(draft).entries[0].effect


def test_every_kind_of_entry_has_a_meaning():
    assert set(EFFECTS) == set(Kind)


@pytest.mark.parametrize("draft", EVERY_KIND, ids=lambda draft: draft.kind)
def test_the_state_stands_where_the_table_says(draft: Draft):
    before = history(registered(), started(), evidence(), decided("approve"))
    state = history(registered(), started(), evidence(), decided("approve"), draft).state
    assert state.status == (effect(draft).status or before.state.status)


@pytest.mark.parametrize(("verdict", "status"), VERDICT_STATUS.items())
def test_evidence_leads_to_the_status_of_its_verdict(verdict: str, status: Status):
    assert effect(evidence(verdict)).status is status


@pytest.mark.parametrize(("decision", "status"), DECIDED_STATUS.items())
def test_a_decision_leads_to_its_status_and_approvers_hear_of_one_that_asks_them_again(decision: str, status: Status):
    found = effect(decided(decision))
    assert found.status is status
    assert found.stages == (TO_APPROVERS if decision == "reopen" else (Stage.DECISIONS,))


@pytest.mark.parametrize(("said", "stage"), [({"joins": True}, Stage.DECISIONS), ({}, Stage.APPROVALS)])
def test_approvers_hear_of_a_vote_unless_it_joins_what_was_decided(said: dict[str, Any], stage: Stage):
    assert effect(Draft(Kind.VOTED, "ann", {"decision": "approve", **said})).stages == (stage,)


def test_the_documentation_lists_just_the_events_that_entries_are_announced_as():
    alone = Draft(Kind.DECISION_RECORDED, "ann", {"decision": "approve", "break_glass": True})
    drafts = [*EVERY_KIND, evidence("passed"), evidence("failed"), alone]
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = text[text.index("Out, with source `signoff`") : text.index("Each carries `package`")]
    assert set(re.findall(r"`([A-Z][a-z]+ [A-Z][A-Za-z ]+)`", listed)) == {
        event for draft in drafts for event in effect(draft).events
    }
