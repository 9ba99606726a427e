"""Lists of many packages: the index of the ledger, joined with SageMaker's batch call."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from signoff.aws.sagemaker import Registry
from signoff.errors import PolicyFault
from signoff.ledger.entries import Draft, Kind, Status
from signoff.ledger.history import History, package_key
from signoff.policy.parameter import GroupPolicy
from signoff.policy.policy import of_document
from signoff_cli.commands.listing import _LIST, _QUEUE
from signoff_cli.packages.index import Filter, ListedChampions, list_packages, list_pending, with_sagemaker
from signoff_cli.packages.policy_view import GroupPolicies
from signoff_cli.packages.queue import evaluate_all, select
from tests.support import entries
from tests.support.clock import START, Clock
from tests.support.fakes import FakeLedger

MONDAY, TUESDAY = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package"


class SageMaker:
    """Answers BatchDescribeModelPackage and nothing else, and keeps count of it."""

    def __init__(self, created: datetime = MONDAY, **errors: dict[str, str]) -> None:
        self.calls: list[list[str]] = []
        self.created = created
        self.errors = {f"{ARN}/{name}": error for name, error in errors.items()}
        self.silent: set[str] = set()

    def batch_describe_model_package(self, ModelPackageArnList: list[str]) -> dict[str, Any]:  # noqa: N803
        assert 0 < len(ModelPackageArnList) <= 100
        self.calls.append(ModelPackageArnList)
        asked = set(ModelPackageArnList) - self.silent
        found = {arn: self.summary(arn) for arn in asked if arn not in self.errors}
        return {
            "ModelPackageSummaries": found,
            "BatchDescribeModelPackageErrorMap": {arn: self.errors[arn] for arn in asked if arn in self.errors},
        }

    def summary(self, arn: str) -> dict[str, Any]:
        return {
            "ModelPackageArn": arn,
            "ModelPackageDescription": f"The model {arn[-1]}",
            "CreationTime": self.created,
            "InferenceSpecification": {"Containers": [{"Image": "one"}, {"Image": "two"}]},
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": "PendingManualApproval",
        }


GONE = {"ErrorCode": "ResourceNotFound", "ErrorResponse": "no such package"}


def package(version: int, group: str = "churn", created: datetime = MONDAY) -> str:
    return package_key(f"{ARN}/{group.lower()}/{version}", created)


def ledger_of(*histories: tuple[str, Sequence[Draft]], clock: Clock | None = None) -> FakeLedger:
    ledger = FakeLedger(clock or Clock())
    for key, drafts in histories:
        ledger.append(History(key), drafts)
    return ledger


def registered(version: int, group: str = "churn", **details: Any) -> Draft:
    return entries.registered(group=group, version=version, **details)


def pending(version: int, group: str = "churn", **details: Any) -> list[Draft]:
    return [registered(version, group, **details), entries.started(), entries.evidence()]


def listed(ledger: FakeLedger, **only: Any) -> list[dict[str, Any]]:
    """Return the whole list, by version."""
    return sorted(list_packages(ledger, Filter(**only)).rows, key=lambda row: (row["group"], row["version"]))


def queued(ledger: FakeLedger, **only: Any) -> list[dict[str, Any]]:
    return list(list_pending(ledger, Filter(**only)))


# The index


def test_a_group_is_listed_by_version_as_a_number_the_newest_first():
    ledger = ledger_of(*((package(version), [registered(version)]) for version in (10, 9, 11)))
    assert [row["version"] for row in list_packages(ledger, Filter("churn")).rows] == [11, 10, 9]


@pytest.mark.parametrize("group", [None, "churn"])
def test_a_list_ends_at_its_limit_and_says_whether_there_are_more(group: str | None):
    ledger = ledger_of(*((package(version), [registered(version)]) for version in (1, 2, 3)))
    some, whole = (list_packages(ledger, Filter(group), limit) for limit in (2, 3))
    assert (len(some.rows), some.more) == (2, True)
    assert (len(whole.rows), whole.more) == (3, False)
    assert list_packages(ledger, Filter(group)) == whole


def test_all_groups_are_listed_by_what_moved_last_whatever_its_status():
    clock = Clock()
    ledger = FakeLedger(clock)
    for version, drafts in ((1, pending(1)), (2, [registered(2)]), (3, pending(3))):
        ledger.append(History(package(version)), drafts)
        clock.forward(minutes=1)
    ledger.append(ledger.history(package(1)), [entries.decided("reject")])
    assert [row["version"] for row in list_packages(ledger, Filter()).rows] == [1, 3, 2]


def test_a_list_holds_only_packages_of_the_status_asked_for():
    ledger = ledger_of((package(1), pending(1)), (package(2), [registered(2)]))
    assert [row["version"] for row in listed(ledger, status=Status.PENDING_APPROVAL)] == [1]
    assert [row["version"] for row in listed(ledger, status=Status.VALIDATING, group="churn")] == [2]


def test_submissions_and_unknown_packages_are_not_listed_as_packages():
    refused = Draft(Kind.DECISION_REFUSED, entries.APPROVER, {"decision": "approve", "refusal": "UnknownPackage"})
    assert listed(ledger_of(("unknown:arn:aws:x", [refused]))) == []


def test_a_row_says_what_only_the_index_knows():
    (row,) = listed(ledger_of((package(1), pending(1, metadata={"team": "risk"}))))
    assert (row["submitter"], row["metadata"], row["verdict"]) == (entries.SUBMITTER, {"team": "risk"}, "passed")
    assert row["registered"] == "2026-03-02T09:15:20.000Z"


@pytest.mark.parametrize(
    ("wanted", "versions"),
    [
        (["team"], [1, 2]),
        (["team=risk"], [1]),
        (["team", "ticket"], [2]),
        (["team=risk", "ticket"], []),
        (["ticket=CHG=1"], [2]),
        (["nothing"], []),
    ],
)
def test_a_list_is_filtered_by_metadata_with_all_that_is_asked_for(wanted: list[str], versions: list[int]):
    ledger = ledger_of(
        (package(1), [registered(1, metadata={"team": "risk"})]),
        (package(2), [registered(2, metadata={"team": "core", "ticket": "CHG=1"})]),
        (package(3), [registered(3)]),
    )
    assert [row["version"] for row in listed(ledger, metadata=wanted)] == versions


@pytest.mark.parametrize(
    ("only", "versions"),
    [
        ({"submitter": "user/sam"}, [1, 3]),
        ({"submitter": entries.SUBMITTER}, [1, 3]),
        ({"submitter": "arn:aws:sts::*:assumed-role/jobs/*"}, [2]),
        ({"submitter": "sam"}, []),
        ({"verdict": "failed"}, [3]),
        ({"verdict": "passed", "submitter": "user/sam"}, [1]),
        ({"since": "2026-03-02T10:00:00.000Z"}, [2, 3]),
        ({"champion": True}, [2]),
        ({"champion": True, "status": Status.PENDING_APPROVAL}, []),
    ],
)
def test_a_list_is_filtered_by_who_submitted_how_it_came_out_since_when_and_champions(only, versions):
    clock = Clock()
    job = "arn:aws:sts::123456789012:assumed-role/jobs/run-1"
    ledger = ledger_of((package(1), pending(1)), clock=clock)
    clock.forward(hours=1)
    approved = [*pending(2, submitter=job), entries.decided("approve"), entries.updated("Approved")]
    ledger.append(History(package(2)), [*approved, entries.model_created()])
    ledger.append(History(package(3)), [registered(3), entries.started(), entries.evidence("failed")])
    assert [row["version"] for row in listed(ledger, **only)] == versions


def test_rows_are_marked_that_are_champions_of_their_groups():
    ledger = FakeLedger(clock := Clock())
    for group, version in (("churn", 1), ("churn", 2), ("fraud", 1)):
        approved = [*pending(version, group), entries.decided("approve"), entries.updated("Approved")]
        ledger.append(History(package(version, group)), [*approved, entries.model_created()])
        clock.forward(hours=1)
    ledger.append(History(package(3)), pending(3))
    rows = ListedChampions(ledger).marked(listed(ledger))
    assert [row["champion"] for row in rows] == [False, True, False, True]
    assert [row["version"] for row in listed(ledger, group="churn", champion=True)] == [2]


# What awaits a decision


def test_the_queue_begins_with_what_waits_longest():
    clock = Clock()
    ledger = FakeLedger(clock)
    for version in (3, 1, 2):
        ledger.append(History(package(version)), pending(version))
        clock.forward(minutes=1)
    ledger.append(History(package(4)), [*pending(4), entries.decided("approve")])
    assert [row["version"] for row in queued(ledger)] == [3, 1, 2]


def test_what_is_said_beside_a_package_does_not_move_it_back_in_the_queue():
    clock = Clock()
    ledger = ledger_of((package(1), pending(1)), (package(2), pending(2)), clock=clock)
    clock.forward(hours=1)
    details = {"set": {"a": "b"}, "removed": [], "added": [], "reason": "", "annotation": "0"}
    ledger.append(ledger.history(package(1)), [Draft(Kind.ANNOTATED, entries.SUBMITTER, details), entries.refused()])
    rows = queued(ledger)
    assert [(row["version"], row["since"]) for row in rows] == [(1, rows[1]["since"]), (2, rows[0]["since"])]


def test_the_queue_is_that_of_a_group_in_whatever_case_it_is_given():
    ledger = ledger_of((package(1, "Fraud"), pending(1, "Fraud")), (package(2), pending(2, metadata={"a": "b"})))
    assert [row["group"] for row in queued(ledger, group="FRAUD")] == ["Fraud"]
    assert [row["group"] for row in queued(ledger, metadata=["a=b"])] == ["churn"]


# What awaits me

ANN, BOB = entries.APPROVER, "arn:aws:iam::123456789012:user/bob"
ROLES = {"owners": {"members": [ANN, BOB]}, "risk": {"members": ["arn:aws:iam::123456789012:user/eve"]}}


class Policies:
    """One policy for all groups, or what is raised in its place."""

    def __init__(self, error: Exception | None = None, **approvals: Any) -> None:
        self.error = error
        self.read: list[str] = []
        self._policy = of_document(
            {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/r"}, "approvals": approvals}
        )

    def for_new_groups(self, groups: Iterable[str]) -> dict[str, GroupPolicy | PolicyFault]:
        self.read += groups
        if isinstance(self.error, ClientError):
            raise self.error
        fault = self.error if isinstance(self.error, PolicyFault) else None
        return {group: fault or GroupPolicy(group, self._policy) for group in groups}


def voted(actor: str) -> Draft:
    return Draft(Kind.VOTED, actor, {**entries.decided("approve", actor).details, "outstanding": "some"})


def awaits(me: str, *drafts: Draft, **approvals: Any) -> bool:
    rows = queued(ledger_of((package(1), [*pending(1), *drafts])))
    (row,) = evaluate_all(rows, GroupPolicies(Policies(**approvals)), me)
    assert list(select([row], None, everybody=True)) == [row]
    assert list(select([row], None, everybody=False)) == ([row] if row["mine"] else [])
    return bool(row["mine"])


def test_what_awaits_me_is_what_i_may_decide_on():
    assert awaits(ANN)
    assert awaits(ANN, approvers=[ANN])
    assert awaits(ANN, roles=ROLES)
    assert not awaits(ANN, approvers=[BOB])
    assert not awaits("arn:aws:iam::999999999999:user/ann")


def test_what_i_submitted_awaits_others_unless_the_policy_lets_me():
    assert not awaits(entries.SUBMITTER)
    assert awaits(entries.SUBMITTER, submitter_may_approve=True)


def test_what_i_approved_awaits_others_whichever_session_i_did_it_in():
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_{}/ann"
    assert not awaits(ANN, voted(ANN), needed=2)
    assert awaits(ANN, voted(BOB), needed=2)
    assert not awaits(session.format("Admin_1"), voted(session.format("View_2")), needed=2)


def test_a_row_of_the_queue_says_what_it_takes_still_by_roles_and_when_it_expires():
    rows = queued(ledger_of((package(1), [*pending(1), voted(ANN)])))
    policies = Policies(roles=ROLES, expiry={"after": "P14D", "action": "extend"})
    (row,) = evaluate_all(rows, GroupPolicies(policies), BOB)
    assert (row["outstanding"], row["needs"]) == ("1 more approval (1 of risk)", {"people": 1, "roles": {"risk": 1}})
    assert (row["votes"], row["lapses"]) == ([ANN], None)
    assert row["expires"] == {"at": "2026-03-16T09:15:20.000Z", "action": "extend"}
    assert list(select([row], "risk", everybody=True)) == [row]
    assert list(select([row], "owners", everybody=True)) == []


def rollback(actor: str) -> Draft:
    return Draft(Kind.VOTED, actor, {**voted(actor).details, "decision": "rollback"})


def test_a_rollback_that_waits_for_votes_is_in_the_queue_until_it_is_made_or_somebody_revokes_again():
    revoked = [*pending(1), entries.decided("approve"), entries.decided("revoke")]
    ledger = ledger_of((package(1), revoked), (package(2), [*pending(2), entries.decided("approve")]))
    assert queued(ledger) == []
    ledger.update(package(1), lambda _: [rollback(ANN)])
    waiting = queued(ledger)
    (row,) = evaluate_all(waiting, GroupPolicies(Policies(needed=2)), BOB)
    assert (row["version"], row["outstanding"], row["mine"]) == (1, "1 more approval", True)
    assert [each["mine"] for each in evaluate_all(waiting, GroupPolicies(Policies(needed=2)), ANN)] == [False]
    for ending in (entries.decided("rollback", BOB), entries.decided("revoke", BOB)):
        ledger.update(package(1), lambda _, ending=ending: [ending])
        assert queued(ledger) == []


def test_each_policy_is_read_once():
    ledger = ledger_of((package(1), pending(1)), (package(2), pending(2)), (package(1, "Fraud"), pending(1, "Fraud")))
    policies = Policies()
    list(evaluate_all(queued(ledger), GroupPolicies(policies), ANN))
    assert sorted(policies.read) == ["Fraud", "churn"]


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, "GetParameter"),
            "not for",
        ),
        (PolicyFault("not JSON"), "the policy of group churn cannot be read: not JSON"),
    ],
)
def test_what_may_await_me_is_shown_with_a_note_where_a_policy_cannot_be_read(error, note):
    policies = GroupPolicies(Policies(error))
    rows = list(evaluate_all(queued(ledger_of((package(1), pending(1)), (package(2), pending(2)))), policies, ANN))
    assert [(row["mine"], row["outstanding"], row["expires"]) for row in rows] == [(None, None, None)] * 2
    assert list(select(rows, None, everybody=False)) == rows
    assert len(policies.notes) == 1
    assert note in policies.notes[0]


def test_any_other_error_of_the_policies_store_is_told():
    down = ClientError({"Error": {"Code": "InternalServerError", "Message": "try later"}}, "GetParameter")
    with pytest.raises(ClientError, match="try later"):
        GroupPolicies(Policies(down)).policy("churn")


# Joined with SageMaker


def test_rows_carry_sagemakers_whole_summary():
    sagemaker = SageMaker()
    rows, notes = with_sagemaker(listed(ledger_of((package(1), pending(1)))), Registry(sagemaker))
    summary = sagemaker.summary(rows[0]["package"])
    assert rows[0]["registry"] == {**summary, "CreationTime": "2026-03-02T00:00:00.000Z"}
    assert (rows[0]["error"], notes) == (None, [])


def test_a_package_that_sagemaker_cannot_describe_keeps_no_other_from_being_described():
    sagemaker = SageMaker(**{"churn/1": GONE})
    ledger = ledger_of((package(1), pending(1)), (package(2), pending(2)))
    first, second = with_sagemaker(listed(ledger), Registry(sagemaker))[0]
    assert (first["registry"], first["error"]) == (None, GONE)
    assert second["registry"]["ModelPackageDescription"] == "The model 2"


def test_a_package_of_which_sagemaker_says_nothing_is_told_as_such():
    sagemaker = SageMaker()
    sagemaker.silent = {f"{ARN}/churn/1"}
    (row,), _ = with_sagemaker(listed(ledger_of((package(1), pending(1)))), Registry(sagemaker))
    assert (row["registry"], row["error"]["ErrorCode"]) == (None, "NoAnswer")


def test_a_package_whose_group_was_made_anew_is_told_from_the_one_that_has_its_arn_now():
    ledger = ledger_of((package(1, created=MONDAY), pending(1)), (package(1, created=TUESDAY), pending(1)))
    sagemaker = SageMaker(created=TUESDAY)
    old, new = with_sagemaker(listed(ledger), Registry(sagemaker))[0]
    assert (old["registry"], old["error"]["ErrorCode"]) == (None, "PackageDeleted")
    assert new["registry"]["ModelPackageStatus"] == "Completed"
    assert sagemaker.calls == [[f"{ARN}/churn/1"]]


def test_a_package_that_the_ledger_knows_to_be_deleted_is_not_asked_for():
    deleted = Draft(Kind.PACKAGE_DELETED, "signoff")
    sagemaker = SageMaker()
    (row,), _ = with_sagemaker(listed(ledger_of((package(1), [*pending(1), deleted]))), Registry(sagemaker))
    assert (row["status"], row["registry"], row["error"], sagemaker.calls) == ("Deleted", None, None, [])


@pytest.mark.parametrize(
    "error",
    [
        ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, "BatchDescribeModelPackage"
        ),
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "not for you"}}, "BatchDescribeModelPackage"),
        EndpointConnectionError(endpoint_url="https://not for you"),
    ],
)
def test_where_sagemaker_does_not_answer_the_index_is_shown_with_a_note(error: Exception):
    class Silent(SageMaker):
        def batch_describe_model_package(self, **_: Any) -> dict[str, Any]:
            raise error

    rows, notes = with_sagemaker(listed(ledger_of((package(1), pending(1)))), Registry(Silent()))
    assert [(row["status"], row["registry"], row["error"]) for row in rows] == [("PendingApproval", None, None)]
    assert len(notes) == 1
    assert "only the ledger's index is shown" in notes[0]
    assert "not for you" in notes[0]


def test_ten_thousand_versions_are_listed_by_a_hundred_calls():
    sagemaker = SageMaker(created=START)
    ledger = ledger_of(*((package(version, created=START), [registered(version)]) for version in range(1, 10_001)))
    rows, _ = with_sagemaker(listed(ledger, group="churn"), Registry(sagemaker))
    assert len(sagemaker.calls) == 100
    assert {len(call) for call in sagemaker.calls} == {100}
    assert [row["version"] for row in rows] == list(range(1, 10_001))
    assert all(row["registry"] for row in rows)


# For people


def test_people_read_who_submitted_what_since_when_and_why_it_is_not_described():
    sagemaker = SageMaker(**{"churn/2": GONE})
    ledger = ledger_of((package(1), pending(1, metadata={"team": "risk", "a": "b"})), (package(2), pending(2)))
    policies = GroupPolicies(Policies(needed=2, expiry={"after": "P14D"}))
    rows = list(evaluate_all(queued(ledger), policies, entries.APPROVER))
    first, second = with_sagemaker(rows, Registry(sagemaker))[0]
    assert {name: cell(first) for name, cell in _QUEUE.items()} == {
        "package": "churn/1",
        "submitted by": "user/sam",
        "since": "2026-03-02T09:15:20.000Z",
        "evidence": "passed",
        "needs": "2 more approvals",
        "expires": "2026-03-16T09:15:20.000Z",
        "description": "The model 1",
        "metadata": "a=b, team=risk",
    }
    assert _LIST["description"](second) == "(ResourceNotFound: no such package)"
