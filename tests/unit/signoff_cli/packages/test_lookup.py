from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from signoff.documents import timestamps
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History, package_key
from signoff.report.document import document, reason
from signoff_cli.errors import CommandFailed
from signoff_cli.packages.lookup import find, find_or_fail, is_package_name, spelling
from tests.support import entries
from tests.support.clock import START, Clock
from tests.support.fakes import FakeLedger

EVE = "arn:aws:iam::123456789012:user/eve"
START_TEXT = timestamps.text(START)
MONDAY, TUESDAY = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)


def ledger_of(*histories: tuple[str, list[Draft]]) -> FakeLedger:
    ledger = FakeLedger(Clock())
    for package, drafts in histories:
        ledger.append(History(package), drafts)
    return ledger


@pytest.mark.parametrize("name", ["churn/3", "a-b-1/12", entries.ARN])
def test_a_package_is_named_by_its_arn_or_by_group_and_version(name: str) -> None:
    assert is_package_name(name)


@pytest.mark.parametrize("name", ["", "churn", "churn/", "churn/0", "churn/x", "a/b/3", "churn/3\n", "-c/1"])
def test_anything_else_names_no_package(name: str) -> None:
    assert not is_package_name(name)


def test_both_names_find_the_same_package() -> None:
    ledger = ledger_of((entries.PACKAGE, [entries.registered()]))
    assert find(ledger, "Churn/3") == find(ledger, entries.ARN)
    assert find_or_fail(ledger, "Churn/3")["package"] == entries.PACKAGE


def test_an_arn_is_found_as_sagemaker_writes_it_whatever_case_it_is_given_in() -> None:
    ledger = ledger_of((entries.PACKAGE, [entries.registered()]))
    assert find_or_fail(ledger, entries.ARN.replace("churn", "Churn"))["arn"] == entries.ARN


@pytest.mark.parametrize("name", ["CHURN/3", "churn/3", "Churn/3"])
def test_a_group_is_found_whatever_case_it_is_given_in(name: str) -> None:
    ledger = ledger_of((entries.PACKAGE, [entries.registered()]))
    assert find_or_fail(ledger, name)["package"] == entries.PACKAGE


def test_a_group_of_exactly_that_name_comes_before_one_that_differs_by_case() -> None:
    old, new = package_key(entries.ARN, MONDAY), package_key(entries.ARN, TUESDAY)
    ledger = ledger_of((new, [entries.registered(group="churn")]), (old, [entries.registered(group="Churn")]))
    assert find_or_fail(ledger, "Churn/3")["package"] == old
    assert find_or_fail(ledger, "churn/3")["package"] == new


@pytest.mark.parametrize(("given", "spelled"), [("Churn", "Churn"), ("CHURN", "Churn"), ("fraud", "fraud")])
def test_a_group_is_spelled_as_the_index_has_it_or_else_as_sagemaker_does(given: str, spelled: str) -> None:
    ledger = ledger_of((entries.PACKAGE, [entries.registered()]))
    sagemaker = SimpleNamespace(group_name=lambda group: "Churn" if group.lower() == "churn" else None)
    assert spelling(ledger, sagemaker, given) == spelled


def test_a_name_in_another_case_finds_nothing_where_there_is_nothing() -> None:
    assert find(ledger_of(), "CHURN/3") is None
    assert find(ledger_of((entries.PACKAGE, [entries.registered()])), "CHURN/4") is None


def test_of_two_packages_of_one_name_the_newest_is_meant() -> None:
    old, new = package_key(entries.ARN, MONDAY), package_key(entries.ARN, TUESDAY)
    ledger = ledger_of((new, [entries.registered()]), (old, [entries.registered()]))
    assert find_or_fail(ledger, "Churn/3")["package"] == new
    assert find_or_fail(ledger, entries.ARN)["package"] == new


def test_a_package_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(CommandFailed, match="there is no package Churn/4"):
        find_or_fail(ledger_of((entries.PACKAGE, [entries.registered()])), "Churn/4")


def test_the_document_says_all_that_the_ledger_does() -> None:
    drafts = (*entries.PENDING, entries.refused(), *entries.APPROVED[3:], entries.model_created())
    history = entries.history(*drafts)
    shown = document(history)
    assert {name: shown[name] for name in ("package", "group", "version", "status", "submitter", "model")} == {
        "package": entries.ARN,
        "group": "Churn",
        "version": 3,
        "status": "Approved",
        "submitter": entries.SUBMITTER,
        "model": {"name": "churn-v3", "arn": "arn:churn-v3"},
    }
    assert shown["checks"] == [{"name": "artifact:a", "status": "passed", "reason": "because"}]
    assert shown["evidence"]["uri"] == "s3://vault/evidence/e.json"
    assert shown["evidence"]["sha256"] == "e" * 64
    assert [(made["outcome"], made["approver"]) for made in shown["decisions"]] == [
        ("refused", entries.APPROVER),
        ("recorded", entries.APPROVER),
    ]
    assert shown["decisions"][0]["refusal"] == "NotAnApprover"
    assert [entry["hash"] for entry in shown["ledger"]] == [entry.hash for entry in history.entries]


def test_a_document_names_votes_and_who_stands_by_a_decision() -> None:
    vote = Draft(Kind.VOTED, entries.APPROVER, {**entries.decided("approve").details, "outstanding": "1 more approval"})
    pending = document(entries.history(*entries.PENDING, vote))
    assert (pending["votes"], pending["asked"], pending["decided"]) == ([entries.APPROVER], START_TEXT, None)
    assert [(made["outcome"], made["outstanding"]) for made in pending["decisions"]] == [("voted", "1 more approval")]
    joined = Draft(Kind.VOTED, EVE, {**entries.decided("approve", EVE).details, "joins": True})
    approved = document(entries.history(*entries.APPROVED, joined))
    assert (approved["votes"], approved["decided"]) == ([entries.APPROVER, EVE], START_TEXT)
    assert (approved["break_glass"], approved["enforced"], approved["superseded_by"]) == (False, True, None)


def test_an_approval_by_one_alone_is_told_as_long_as_it_stands() -> None:
    draft = entries.decided("approve")
    alone = Draft(draft.kind, draft.actor, {**draft.details, "break_glass": True})
    assert document(entries.history(*entries.PENDING, alone))["break_glass"] is True
    assert document(entries.history(*entries.PENDING, alone, entries.decided("revoke")))["break_glass"] is False


def test_what_a_package_has_not_yet_is_null_or_empty() -> None:
    shown = document(entries.history(entries.registered()))
    assert (shown["model"], shown["evidence"], shown["checks"], shown["decisions"]) == (None, None, [], [])
    assert shown["status"] == "Validating"


def test_a_check_that_erred_is_shown_although_there_is_no_evidence() -> None:
    check = {"name": "metric:auc", "status": "errored", "reason": "not a number"}
    details = {**entries.EVIDENCE, "verdict": "errored", "checks": [check]}
    errored = Draft(Kind.VALIDATION_ERRORED, "signoff", details)
    history = entries.history(entries.registered(), entries.started(), errored)
    assert document(history)["checks"] == [check]
    assert reason(history) == "metric:auc: not a number"


def test_the_reason_of_a_failure_names_each_failed_check() -> None:
    failed = entries.history(entries.registered(), entries.started(), entries.evidence("failed"))
    assert reason(failed) == "artifact:a: because"


def test_the_reason_of_an_error_is_the_errors_own() -> None:
    assert reason(entries.history(entries.registered(), entries.started(), entries.errored())) == "E: c"


def test_a_package_that_passed_has_no_reason_even_when_an_earlier_attempt_erred() -> None:
    again = (entries.registered(), entries.started(), entries.errored(), entries.started(2), entries.evidence())
    assert reason(entries.history(*again)) is None
