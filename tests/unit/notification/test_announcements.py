"""What the bus is told of the ledger's entries; and the settings that a function reads."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import MissingSetting
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import submission_key
from signoff.notification.announcements import announcements
from signoff.runtime.settings import from_environment
from tests.support.entries import (
    APPROVED,
    APPROVER,
    ARN,
    PENDING,
    annotated,
    blocked,
    decided,
    deleted,
    errored,
    evidence,
    history,
    model_created,
    model_retired,
    refused,
    registered,
    reverted,
    started,
    subject_changed,
    updated,
)


def said(kind: Kind, **details: Any) -> Draft:
    return Draft(kind, APPROVER, details)


def announced(*drafts: Draft, package: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    entry = (history(*drafts, package=package) if package else history(*drafts)).entries[-1]
    return [(event.type, event.detail) for event in announcements(entry)]


@pytest.mark.parametrize(
    ("drafts", "types"),
    [
        ([registered()], []),
        ([registered(), started()], []),
        (PENDING, ["Validation Completed", "Approval Requested"]),
        ([registered(), started(), evidence("failed")], ["Validation Completed"]),
        ([registered(), started(), errored()], ["Validation Completed"]),
        ([*PENDING, decided("approve")], ["Decision Recorded"]),
        ([*PENDING, refused()], ["Decision Refused"]),
        ([*APPROVED, subject_changed()], ["Decision Recorded"]),
        ([*APPROVED, model_created()], ["Model Created"]),
        ([*APPROVED, model_retired()], ["Model Retired"]),
        ([*APPROVED, blocked("live")], []),
        ([*PENDING, updated("Approved")], []),
        ([*PENDING, reverted("Approved")], ["Registry Edit Held"]),
        ([*PENDING, said(Kind.VOTED, decision="approve")], ["Vote Recorded"]),
        ([*PENDING, said(Kind.DECISION_RECORDED, decision="reopen", break_glass=False)], ["Decision Recorded"]),
        (
            [*PENDING, said(Kind.DECISION_RECORDED, decision="approve", break_glass=True)],
            ["Decision Recorded", "Break Glass Used"],
        ),
        ([*PENDING, said(Kind.REMINDED, reminder="P7D", waiting_since="2026-03-02")], ["Approval Reminder"]),
        ([*PENDING, said(Kind.EXPIRED, after="P14D", waiting_since="2026-03-02")], ["Approval Expired"]),
        ([*APPROVED, said(Kind.IMAGE_FINDINGS_CHANGED, found=["CVE-1"])], ["Image Findings Changed"]),
        ([*APPROVED, said(Kind.SUPERSEDED, by="arn:4", by_version=4)], ["Model Superseded"]),
        ([*APPROVED, said(Kind.REINSTATED, after="arn:4", after_version=4)], ["Model Reinstated"]),
        ([*PENDING, said(Kind.REGISTRY_OBSERVED, found="Approved")], ["Registry Observed"]),
        ([*PENDING, said(Kind.ENFORCEMENT_CHANGED, enforced=True)], ["Enforcement Changed"]),
        ([*PENDING, annotated(ticket="CHG-1")], ["Package Annotated"]),
        ([*PENDING, deleted()], ["Package Deleted"]),
    ],
)
def test_each_kind_of_entry_is_announced_as_what_it_means(drafts: list[Draft], types: list[str]):
    assert [type_ for type_, _ in announced(*drafts)] == types


def test_every_announcement_says_which_package_it_is_about_and_where_it_stands_in_the_ledger():
    ((_, detail),) = announced(*PENDING, decided("approve"))
    facts = {"package": ARN, "group": "Churn", "version": 3, "time": "2026-03-02T09:15:20.000Z", "sequence": 4}
    assert facts.items() <= detail.items()
    assert (detail["actor"], detail["decision"], detail["reason"]) == (APPROVER, "approve", "because")


def test_an_entrys_own_facts_never_stand_in_for_the_ledgers():
    forged = Draft(Kind.DECISION_REFUSED, APPROVER, {"package": "forged", "sequence": 99, "group": "forged"})
    ((_, detail),) = announced(*PENDING, forged)
    assert (detail["package"], detail["sequence"], detail["actor"]) == (ARN, 4, APPROVER)


def test_a_refused_submission_is_announced_by_its_prefix():
    failed = Draft(Kind.REGISTRATION_FAILED, "signoff", {"group": "churn", "faults": [{"path": "a", "message": "b"}]})
    ((type_, detail),) = announced(failed, package=submission_key("churn/sam@home"))
    assert (type_, detail["package"], detail["group"]) == ("Registration Failed", "churn/sam@home", "churn")
    assert detail["faults"] == [{"path": "a", "message": "b"}]


@given(st.integers(0, 300_000), st.sampled_from(["x", "é", "\N{GRINNING FACE}", "\\"]))
def test_an_announcement_always_fits_an_event(length: int, character: str):
    failed = Draft(Kind.REGISTRATION_FAILED, "signoff", {"faults": [{"path": "", "message": character * length}]})
    ((_, detail),) = announced(failed, package=submission_key("churn/run"))
    assert len(json.dumps(detail)) < 200_000
    assert detail["package"] == "churn/run"


@dataclass(frozen=True)
class Settings:
    vault_bucket: str
    bus_name: str


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIGNOFF_VAULT_BUCKET", "vault")
    monkeypatch.setenv("SIGNOFF_BUS_NAME", "signoff")
    assert from_environment(Settings) == Settings("vault", "signoff")


def test_every_missing_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIGNOFF_BUS_NAME", "")
    with pytest.raises(MissingSetting, match="SIGNOFF_VAULT_BUCKET, SIGNOFF_BUS_NAME"):
        from_environment(Settings)
