"""What `signoff audit` prints: for people, for programs, and for spreadsheets."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.aws.ssm import GOVERNED_TAG
from signoff.documents.text import clean
from signoff.errors import LedgerBroken
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, baseline_key, package_key, submission_key
from signoff_cli.audit import report as audit_report
from signoff_cli.audit.facts import Discrepancy
from signoff_cli.commands import audit
from signoff_cli.errors import CommandFailed
from signoff_cli.main import run
from tests.support import entries
from tests.support.auditing import auditor, policy_auditor
from tests.support.world import APPROVER, SUBMITTER, World

BEN = "arn:aws:iam::123456789012:user/ben"


@pytest.fixture
def world() -> World:
    """Two votes, a refusal, a decision, a break glass, an edit that was held, and the heads of the day."""
    world = World(approvals={"needed": 2, "break_glass": [BEN]})
    first, second = world.pending(), world.submit("churn/run-8")
    world.deliver()
    world.decide(first, "approve", SUBMITTER)
    world.decide(first, "approve", reason="=HYPERLINK(1)")
    world.decide(first, "approve", BEN)
    world.deliver()
    world.registry.by_hand(second, ModelApprovalStatus="Approved")
    world.deliver()
    world.decide(second, "approve", BEN, break_glass=True, reason="INC-1")
    world.deliver()
    world.daily_checkpoint.write_once()
    return world


def report(world: World, what: str | None, *, as_json: bool = False, as_csv: bool = False, **between: str) -> None:
    audit.report(auditor(world), what, as_json, as_csv, **between)


def verify(world: World, what: str | None = None, *, as_json: bool = False, as_csv: bool = False) -> None:
    audit.verify(auditor(world), policy_auditor(world), what, as_json, as_csv, world.clock())


def rows(world: World, capsys: pytest.CaptureFixture[str], what: str | None = None) -> list[dict[str, str]]:
    report(world, what, as_csv=True)
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


# For people


def test_people_read_who_decided_what_on_which_evidence_and_how_that_is_known(
    world: World, capsys: pytest.CaptureFixture[str]
):
    report(world, "churn/1")
    said = capsys.readouterr().out
    decision = world.history(next(iter(world.registry.described))).last(Kind.DECISION_RECORDED)
    assert decision is not None
    assert said.startswith("churn/1  Approved\n")
    assert f"submitted by  {SUBMITTER}, who proved it with a signature\n" in said
    assert "OwnModel" in said
    for fact in ("evidence", "policy", "id", "proof"):
        assert str(decision.details[fact]) in said
    assert f"by       {BEN}\n" in said
    assert f"votes    {APPROVER}, {BEN}\n" in said
    assert "model churn-v1-" in said


def test_break_glass_and_what_was_set_back_cannot_be_overlooked(world: World, capsys: pytest.CaptureFixture[str]):
    report(world, "churn/2")
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "BREAK GLASS: " in line and "user/ben" in line]
    assert "was not decided by anybody: reset" in said


def test_all_ledgers_are_told_of_one_after_another(world: World, capsys: pytest.CaptureFixture[str]):
    world.decide(f"{next(iter(world.registry.described))}9", "approve")
    report(world, None)
    said = capsys.readouterr().out
    assert [name in said for name in ("churn/1  Approved", "churn/2  Approved", "\nunknown:2026-")] == [True] * 3


@given(drafts=st.lists(st.sampled_from([*entries.APPROVED, entries.refused(), Draft(Kind.VOTED, "a", {})]), max_size=6))
def test_a_ledger_that_somebody_has_written_in_can_still_be_printed(drafts: list[Draft]):
    history = History(entries.PACKAGE).extended([], entries.START)
    for draft in drafts:
        try:
            history = history.extended([draft], entries.START)
        except (KeyError, LedgerBroken):
            continue
    printed = io.StringIO()
    from signoff_cli.output.console import console

    audit_report.print_ledger(history, audit_report.document(history), console(printed))
    assert f"{len(history.entries)} entries" in printed.getvalue()


# Of a time


def test_what_happened_in_a_time_is_told_of_the_ledgers_in_which_something_did(
    world: World, capsys: pytest.CaptureFixture[str]
):
    world.clock.forward(days=3)
    first, _ = world.registry.described
    world.decide(first, "revoke", BEN, reason="Drifts")
    world.clock.forward(days=3)
    world.decide(first, "reopen", BEN)
    report(world, None, as_json=True, since="2026-03-05T00:00:00.000Z", until="2026-03-06T00:00:00.000Z")
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["package"], one["chain"]["broken_at"], one["submitter"]["arn"]) == (first, None, SUBMITTER)
    assert [(each["decision"], each["by"]) for each in one["decisions"]] == [("revoke", BEN)]
    report(world, "churn", since="2026-03-05T00:00:00.000Z", until="2026-03-06T00:00:00.000Z")
    said = capsys.readouterr().out
    assert ("Drifts" in said, "created" in said, "reopen" in said) == (True, False, False)


def test_of_a_time_in_which_nothing_happened_nothing_is_told(world: World, capsys: pytest.CaptureFixture[str]):
    report(world, None, as_csv=True, until="2026-03-02T00:00:00.000Z")
    assert len(capsys.readouterr().out.splitlines()) == 1
    report(world, None, as_json=True, since="2027-01-01T00:00:00.000Z")
    assert json.loads(capsys.readouterr().out) == []
    report(world, "fraud", since="2026-03-01T00:00:00.000Z")
    assert capsys.readouterr().out == "Nothing happened in that time.\n"


def test_a_group_is_audited_whole_with_what_was_refused_and_deleted_and_its_baseline(
    world: World, capsys: pytest.CaptureFixture[str]
):
    deleted = package_key("arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/9", entries.START)
    world.ledger.append(History(deleted), [entries.registered(group="CHURN", version=9), entries.deleted()])
    failed = Draft(Kind.REGISTRATION_FAILED, "signoff", {"faults": []})
    for prefix in ("churn/run-9", "churning/run-1"):
        world.ledger.append(History(submission_key(prefix)), [failed])
    baseline = {"group": "churn", "model": {"name": "first", "arn": "arn:first"}, "request": "1"}
    world.ledger.append(History(baseline_key("churn")), [Draft(Kind.BASELINE_DEPLOYED, "stack", baseline)])
    reader = auditor(world)
    known = [*map(str, world.ledger.histories)]
    expected = sorted(key for key in known if "churning" not in key and not key.startswith("unknown:"))
    assert reader.find_keys("churn") == reader.find_keys("Churn") == expected
    world.registry.tags.clear()  # the group is gone: every key is looked at
    assert reader.find_keys("churn") == expected


# For programs


def test_programs_read_all_of_it_as_json(world: World, capsys: pytest.CaptureFixture[str]):
    report(world, "churn", as_json=True)
    one, two = json.loads(capsys.readouterr().out)
    assert [each["outcome"] for each in one["decisions"]] == ["refused", "voted", "decided"]
    assert [each["outcome"] for each in one["models"]] == ["created"]
    assert one["submitter"] == {"arn": SUBMITTER, "channel": "proof", "registration": one["submitter"]["registration"]}
    assert one["evidence"][0]["verdict"] == "passed"
    assert one["chain"]["broken_at"] is None
    assert (two["decisions"][0]["break_glass"], two["registry_edits"][0]["outcome"]) == (True, "held")


def test_a_broken_chain_is_printed_and_fails(world: World, capsys: pytest.CaptureFixture[str]):
    key, history = next(iter(world.ledger.histories.items()))
    changed = replace(history.entries[-1], actor=BEN)
    world.ledger.histories[key] = History(key, (*history.entries[:-1], changed))
    with pytest.raises(CommandFailed, match="is broken"):
        report(world, "churn/1", as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["chain"]["broken_at"] == len(history.entries)


# For spreadsheets


def test_spreadsheets_get_a_row_for_each_decision_vote_and_refusal(world: World, capsys: pytest.CaptureFixture[str]):
    found = rows(world, capsys, "churn")
    assert [row["outcome"] for row in found] == ["refused", "voted", "decided", "decided"]
    assert [row["by"] for row in found] == [SUBMITTER, APPROVER, BEN, BEN]
    assert [row["break_glass"] for row in found] == ["", "", "", "true"]
    assert found[2]["votes"] == f"{APPROVER} {BEN}"
    assert found[0]["evidence"] == ""
    assert found[2]["evidence"] == world.evidence(found[2]["package"])
    assert {len(row) for row in found} == {len(audit_report.COLUMNS)}


def test_the_columns_stay_where_they_are():
    assert (
        *("package", "group", "version", "sequence", "time", "outcome", "decision", "by", "person", "roles"),
        *("channel", "id", "proof", "signed", "publisher", "claimed", "policy", "evidence", "subject", "votes"),
        *("break_glass", "joins", "refusal", "reason", "because", "entry_hash", "accepts"),
    ) == audit_report.COLUMNS


def test_no_cell_is_a_formula(world: World, capsys: pytest.CaptureFixture[str]):
    assert [row["reason"] for row in rows(world, capsys, "churn/1")][1] == "'=HYPERLINK(1)"


@given(said=st.text(), start=st.sampled_from(["=", "+", "-", "@", " =", "\t@", "\u3000=", "\n+"]))
def test_whatever_anybody_writes_no_cell_is_a_formula(said: str, start: str):
    decision = {"decision": "approve", "reason": f"{start}{said}", "outcome": "decided"}
    (row,) = audit_report.rows([{"package": "p", "decisions": [decision]}])
    assert row["reason"] == f"'{clean(start + said)}"
    assert all(not cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


@pytest.mark.parametrize(
    "said", ["\x1b[2J", "\x1b]0;title\x07", "\u202e", "\u2066", "\u200b", "\x00", "a\nb", "a\rb", "\x9b2J"]
)
def test_no_cell_commands_the_terminal_or_turns_the_text_around(said: str):
    decision = {"decision": "approve", "reason": said, "outcome": "decided"}
    (row,) = audit_report.rows([{"package": "p", "decisions": [decision]}])
    told = io.StringIO()
    audit_report.print_discrepancies_csv([Discrepancy(said, "ChainBroken", said)], told)
    for text in (
        row["reason"],
        *csv.reader(told.getvalue().splitlines()).__next__(),
        told.getvalue().replace("\r\n", ""),
    ):
        assert text.isprintable()


# Verifying


def test_what_fits_is_counted(world: World, capsys: pytest.CaptureFixture[str]):
    verify(world)
    entries_ = sum(len(history.entries) for history in world.ledger.histories.values())
    assert capsys.readouterr().out == f"verified: 2 packages, {entries_} entries, 2 heads\n"


def test_what_does_not_fit_is_named_with_its_entry_and_fails(world: World, capsys: pytest.CaptureFixture[str]):
    key, history = next(iter(world.ledger.histories.items()))
    world.ledger.histories[key] = History(key, history.entries[:3])
    with pytest.raises(CommandFailed, match="found 2 discrepancies"):
        verify(world, "churn")
    assert f"EntriesMissing  {key}, entry 4: " in capsys.readouterr().out


def gone(world: World, arn: str) -> str:
    """Remove a package's ledger, its row and what the vault's heads know of it. Return its key."""
    key = package_key(arn, world.registry.described[arn]["CreationTime"])
    del world.ledger.histories[key]
    for day in [each for each in world.vault_bucket.versions if each.startswith("heads/")]:
        del world.vault_bucket.versions[day]
    return key


def found(world: World, capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str]]:
    world.clock.forward(hours=2)
    with pytest.raises(CommandFailed, match="discrepanc"):
        verify(world, as_json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    return {(each["about"], each["finding"]) for each in findings if each["finding"] != "HeadsMissing"}


def test_a_ledger_that_is_gone_is_missed_because_its_package_is_there(world: World, capsys: pytest.CaptureFixture[str]):
    first, _ = world.registry.described
    world.registry.models.clear()
    assert (gone(world, first), "LedgerMissing") in found(world, capsys)


@pytest.mark.parametrize("group_tags", [{}, {GOVERNED_TAG: "true"}])
def test_nor_does_it_help_to_take_away_its_head_and_the_tags(
    world: World, capsys: pytest.CaptureFixture[str], group_tags: dict[str, str]
):
    first, _ = world.registry.described
    world.registry.models.clear()
    world.registry.tags["churn"] = group_tags
    world.registry.described[first]["CustomerMetadataProperties"] = {}
    assert (gone(world, first), "LedgerMissing") in found(world, capsys)


def test_a_ledger_that_is_gone_with_its_package_is_missed_because_its_model_is_there(
    world: World, capsys: pytest.CaptureFixture[str]
):
    first, _ = world.registry.described
    key = gone(world, first)
    del world.registry.described[first]
    assert (key, "LedgerMissing") in found(world, capsys)


def test_a_model_whose_evidence_is_gone_too_is_still_found(world: World, capsys: pytest.CaptureFixture[str]):
    first, _ = world.registry.described
    gone(world, first)
    del world.registry.described[first]
    for key in [each for each in world.vault_bucket.versions if each.startswith("evidence/")]:
        del world.vault_bucket.versions[key]
    model = next(model["ModelArn"] for name, model in world.registry.models.items() if name.startswith("churn-v1-"))
    assert (model, "EvidenceMissing") in found(world, capsys)


def test_what_is_none_of_signoffs_is_not_missed(world: World, capsys: pytest.CaptureFixture[str]):
    world.elsewhere("other-teams")
    world.registry.create_model({"ModelName": "theirs", "ExecutionRoleArn": "r"})
    world.clock.forward(hours=2)
    world.daily_checkpoint.write_once()
    verify(world)
    assert "verified: 2 packages" in capsys.readouterr().out


def test_a_package_that_was_registered_just_now_has_no_ledger_yet(world: World, capsys: pytest.CaptureFixture[str]):
    world.elsewhere("churn")
    verify(world)
    assert "verified: 2 packages" in capsys.readouterr().out


def test_a_policy_that_nobody_deployed_is_found_with_all_and_fails(world: World, capsys: pytest.CaptureFixture[str]):
    world.parameters.values["/signoff/policies/default"] = "{}"
    assert found(world, capsys) == {("/signoff/policies/default", "PolicyDiffers")}
    verify(world, "churn")


@pytest.mark.parametrize("what", ["churn", None])
def test_a_ledger_that_is_in_no_index_any_more_is_looked_for(
    world: World, what: str | None, capsys: pytest.CaptureFixture[str]
):
    key = next(iter(world.ledger.histories))
    del world.ledger.histories[key]
    with pytest.raises(CommandFailed):
        verify(world, what, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert {each["finding"] for each in said["findings"]} == {"LedgerMissing"}
    assert said["verified"]["packages"] == 2


def test_what_is_said_of_unknown_packages_is_verified_and_counts_as_no_package(
    world: World, capsys: pytest.CaptureFixture[str]
):
    world.decide(f"{next(iter(world.registry.described))}9", "approve")
    world.clock.forward(days=1)
    world.daily_checkpoint.write_once()
    verify(world, None, as_json=True)
    counts = json.loads(capsys.readouterr().out)["verified"]
    assert (counts["packages"], counts["ledgers"]) == (2, 3)


def test_a_package_that_is_in_no_index_any_more_is_looked_for_by_its_name(
    world: World, capsys: pytest.CaptureFixture[str]
):
    world.ledger.histories.clear()
    with pytest.raises(CommandFailed):
        verify(world, "churn/2", as_csv=True)
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["finding"], row["entry"]) == ("LedgerMissing", "1")


def test_what_nobody_knows_is_no_success(world: World):
    for act in (verify, report):
        with pytest.raises(CommandFailed, match="no package or group"):
            act(world, "fraud")


def test_days_without_heads_are_told_beside(world: World, capsys: pytest.CaptureFixture[str]):
    world.daily_checkpoint.write_once()
    world.clock.forward(days=3)
    world.daily_checkpoint.write_once()
    verify(world)
    said = capsys.readouterr()
    assert said.out.startswith("verified: ")
    assert "no daily checkpoint was written on" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["churn", "--all"],
        ["churn", "--json", "--csv"],
        ["churn", "--bytes"],
        ["--since", "yesterday"],
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        run(["audit", *arguments])
    assert ended.value.code == 2
    assert "Usage" in capsys.readouterr().err


def test_how_far_it_has_come_is_told_where_there_are_many(capsys: pytest.CaptureFixture[str]):
    from signoff_cli.output.console import count_progress

    items: list[Any] = list(count_progress(range(250), "ledgers verified", 250))
    assert items == list(range(250))
    assert capsys.readouterr().err.splitlines() == [
        "signoff: 100 of 250 ledgers verified",
        "signoff: 200 of 250 ledgers verified",
    ]
