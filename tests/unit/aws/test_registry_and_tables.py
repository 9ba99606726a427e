"""The adapters on moto: what they ask of AWS, checked against AWS's own model, and what they make of its answers.

Where a fake stands in for an adapter elsewhere, both are held to the same assertions here.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from signoff.aws.ledger_items import entry_item, entry_of
from signoff.aws.ledger_table import LedgerTable, group_cursor
from signoff.aws.sagemaker import Registry
from signoff.aws.submissions_table import SubmissionsTable
from signoff.documents import timestamps
from signoff.errors import LedgerConflict, UnknownPackage
from signoff.ledger.entries import Draft, Kind, Status, Step
from tests.support.clock import START, Clock
from tests.support.entries import (
    APPROVED,
    APPROVER,
    ARN,
    PACKAGE,
    PENDING,
    SUBMITTER,
    decided,
    evidence,
    history,
    model_created,
    refused,
    registered,
    started,
)
from tests.support.fake_registry import FakeRegistry
from tests.support.fakes import FakeLedger, FakeSubmissions

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn"
GROUP_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/churn"
SPECIFICATION = {
    "Containers": [{"Image": f"{IMAGE}@sha256:{'a' * 64}", "ModelDataUrl": "s3://vault/models/churn/1/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
REQUEST = {"ModelPackageGroupName": "churn", "InferenceSpecification": SPECIFICATION}
ROLE = "arn:aws:iam::123456789012:role/model"


def made_table(dynamodb: Any, name: str, keys: dict[str, str], indexes: dict[str, tuple[str, ...]]) -> str:
    types = {**keys, **{key: "N" if key == "version" else "S" for pair in indexes.values() for key in pair}}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        KeySchema=key_schema(tuple(keys)),
        **(
            {
                "GlobalSecondaryIndexes": [
                    {"IndexName": index, "KeySchema": key_schema(pair), "Projection": {"ProjectionType": "ALL"}}
                    for index, pair in indexes.items()
                ]
            }
            if indexes
            else {}
        ),
    )
    return name


def key_schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


# The ledger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "moto"])
def ledger(request: pytest.FixtureRequest, clock: Clock) -> LedgerTable:
    if request.param == "fake":
        return FakeLedger(clock)
    dynamodb = request.getfixturevalue("aws")("dynamodb")
    entries = made_table(dynamodb, "ledger", {"package": "S", "sequence": "N"}, {"by-kind": ("kind", "time")})
    indexes = {
        "by-next": ("next", "since"),
        "by-status": ("status", "since"),
        "by-group": ("group", "version"),
        "by-arn": ("arn", "created"),
        "by-deployed": ("deployed", "rank"),
        "by-rollback": ("rollback",),
        "by-due": ("status", "due"),
    }
    return LedgerTable(dynamodb, entries, made_table(dynamodb, "packages", {"package": "S"}, indexes), clock)


def test_what_is_appended_is_read_back_and_verifies(ledger: LedgerTable):
    ledger.append(ledger.history(PACKAGE), APPROVED)
    assert ledger.history(PACKAGE).verified() == history(*APPROVED)


def test_nothing_to_append_writes_nothing(ledger: LedgerTable):
    assert ledger.append(ledger.history(PACKAGE), []).entries == ()
    assert list(ledger.rows()) == []


def test_of_two_writers_who_read_the_same_history_one_is_told_to_look_again(ledger: LedgerTable):
    before = ledger.history(PACKAGE)
    ledger.append(before, [registered()])
    with pytest.raises(LedgerConflict):
        ledger.append(before, PENDING)
    assert [entry.kind for entry in ledger.history(PACKAGE).entries] == [Kind.REGISTERED]


def test_who_keeps_coming_second_tries_again_at_moments_of_chance_further_and_further_apart():
    ledger = FakeLedger(Clock())

    def crossed(found: Any) -> list[Any]:
        ledger.append(found, [registered()])
        return [registered()]

    with pytest.raises(LedgerConflict):
        ledger.update(PACKAGE, crossed)
    assert len(ledger.pauses) == len(set(ledger.pauses)) == 15
    assert all(0 <= pause <= min(0.05 * 2**attempt, 1.6) for attempt, pause in enumerate(ledger.pauses))
    assert sum(ledger.pauses) < 18


def test_an_update_decides_again_on_the_newer_history(ledger: LedgerTable):
    seen: list[int] = []

    def decide(found: Any) -> list[Any]:
        seen.append(len(found.entries))
        if len(seen) == 1:
            ledger.append(found, [registered()])
        return [refused()]

    assert len(ledger.update(PACKAGE, decide).entries) == 2
    assert seen == [0, 1]


def test_heads_are_found_by_step_status_group_and_arn(ledger: LedgerTable):
    ledger.append(ledger.history(PACKAGE), APPROVED)
    older = f"{ARN}@2025-01-01T00:00:00.000Z"
    ledger.append(ledger.history(older), [registered()])
    ledger.append(ledger.history("submission:churn/a@b"), [refused()])
    assert [head["package"] for head in ledger.rows_by_step(Step.CREATE_MODEL)] == [PACKAGE]
    assert [head["package"] for head in ledger.rows_by_step(Step.VALIDATE)] == [older]
    assert [head["package"] for head in ledger.rows_by_status(Status.APPROVED)] == [PACKAGE]
    assert {head["package"] for head in ledger.rows_by_group("Churn")} == {PACKAGE, older}
    assert [head["package"] for head in ledger.rows_by_arn(ARN)] == [older, PACKAGE]
    assert {head["package"] for head in ledger.rows()} == {PACKAGE, older}


def test_heads_are_found_the_newest_first_of_one_version_or_since_a_time(ledger: LedgerTable, clock: Clock):
    for version in (1, 2, 3):
        ledger.append(ledger.history(f"{ARN[:-1]}{version}@2026-03-02"), [registered(version=version)])
        clock.forward(hours=1)
    later = "2026-03-02T10:15:20.000Z"

    def versions(rows: Iterator[dict[str, Any]]) -> list[int]:
        return [row["version"] for row in rows]

    assert versions(ledger.rows_by_group("Churn", newest_first=True, page=2)) == [3, 2, 1]
    assert versions(ledger.rows_by_group("Churn", version=2)) == [2]
    assert versions(ledger.rows_by_status(Status.VALIDATING, since=later)) == [2, 3]
    assert versions(ledger.rows_by_status(Status.VALIDATING, since=later, newest_first=True, page=1)) == [3, 2]


def test_a_groups_deployed_packages_are_found_the_one_approved_last_first(ledger: LedgerTable, clock: Clock):
    keys = [f"{ARN[:-1]}{version}@2026-03-02" for version in (1, 2, 3)]
    for version, key in enumerate(keys, 1):
        deployed = [registered(version=version), *APPROVED[1:], model_created()]
        ledger.append(ledger.history(key), deployed[: -1 if version == 3 else None])
        clock.forward(hours=1)
    assert [row["version"] for row in ledger.rows_deployed("Churn", page=1)] == [2, 1]
    ledger.update(keys[1], lambda _: [decided("revoke")])
    assert [row["version"] for row in ledger.rows_deployed("Churn")] == [1]


def test_the_packages_to_which_a_rollback_waits_for_votes_are_found_among_all(ledger: LedgerTable):
    vote = Draft(Kind.VOTED, APPROVER, {"decision": "rollback"})
    ledger.append(ledger.history(PACKAGE), [*APPROVED, decided("revoke"), vote])
    ledger.append(ledger.history(f"{ARN}@2025-01-01"), [*APPROVED, decided("revoke")])
    assert [row["package"] for row in ledger.rows_of_open_rollbacks()] == [PACKAGE]
    ledger.update(PACKAGE, lambda _: [decided("rollback")])
    assert list(ledger.rows_of_open_rollbacks()) == []


def test_packages_are_found_when_they_are_due_and_not_before_what_they_are_put_off_to(ledger: LedgerTable):
    row = ledger.indexed_all([ledger.append(ledger.history(PACKAGE), PENDING).package])[PACKAGE]
    assert row["due"] == timestamps.text(START)
    assert [each["package"] for each in ledger.rows_due(Status.PENDING_APPROVAL, row["due"], 5)] == [PACKAGE]
    ledger.postpone(row, "2026-03-09T00:00:00.000Z")
    assert ledger.rows_due(Status.PENDING_APPROVAL, "2026-03-08T00:00:00.000Z", 5) == []
    assert len(ledger.rows_due(Status.PENDING_APPROVAL, "2026-03-09T00:00:00.000Z", 5)) == 1
    ledger.postpone(row, None)
    assert ledger.rows_due(Status.PENDING_APPROVAL, "2027-01-01T00:00:00.000Z", 5) == []
    ledger.reindex(PACKAGE)
    assert ledger.indexed_all([PACKAGE, "unknown"]) == {PACKAGE: row}


def test_a_package_whose_ledger_has_gone_on_is_not_put_off(ledger: LedgerTable):
    before = ledger.append(ledger.history(PACKAGE), PENDING)
    row = ledger.indexed_all([PACKAGE])[PACKAGE]
    ledger.append(before, [decided("approve")])
    ledger.postpone(row, "2027-01-01T00:00:00.000Z")
    assert ledger.indexed_all([PACKAGE])[PACKAGE]["status"] == "Approved"
    assert [each["package"] for each in ledger.rows_due(Status.APPROVED, timestamps.text(START), 5)] == [PACKAGE]


def test_the_rows_of_all_groups_are_read_in_pages_from_any_row_on(ledger: LedgerTable):
    keys = [f"{ARN[:-1]}{number}@2026-03-02T09:15:20.000Z" for number in range(3)]
    for key in keys:
        ledger.append(ledger.history(key), [registered()])
    rows, following = ledger.group_page(None)
    assert (sorted(row["package"] for row in rows), following) == (keys, None)
    rest, _ = ledger.group_page(group_cursor(rows[0]))
    assert [row["package"] for row in rest] == [row["package"] for row in rows[1:]]


def test_the_ledgers_of_baselines_are_found_among_all(ledger: LedgerTable):
    ledger.append(ledger.history(PACKAGE), [registered()])
    baseline = Draft(Kind.BASELINE_DEPLOYED, "stack", {"group": "Fraud", "model": {"arn": "arn"}})
    ledger.append(ledger.history("baseline:fraud"), [baseline])
    rows, following = ledger.baseline_page(None)
    assert ([(row["package"], row["group"]) for row in rows], following) == ([("baseline:fraud", "Fraud")], None)


def test_ledgers_are_found_by_what_happened_in_a_time(ledger: LedgerTable, clock: Clock):
    for key in (PACKAGE, "unknown:x", "unknown:y"):
        ledger.append(ledger.history(key), [refused()])
        clock.forward(days=1)
    assert list(ledger.keys_by_kind(Kind.DECISION_REFUSED)) == [PACKAGE, "unknown:x", "unknown:y"]
    assert list(ledger.keys_by_kind(Kind.DECISION_REFUSED, "2026-03-03T09:15:20.000Z", "2026-03-04T09:15:20.000Z")) == [
        "unknown:x"
    ]
    assert list(ledger.keys_by_kind(Kind.REGISTERED)) == []


def test_a_head_says_where_its_package_stands(ledger: LedgerTable):
    ledger.append(ledger.history(PACKAGE), [*PENDING, decided("approve")])
    (head,) = ledger.rows_by_step(Step.UPDATE_REGISTRY)
    assert (head["status"], head["registry_status"], head["sequence"]) == ("Approved", "Approved", 4)
    assert (head["group"], head["version"], head["since"]) == ("Churn", 3, "2026-03-02T09:15:20.000Z")
    assert head["hash"] == ledger.history(PACKAGE).head


def test_a_head_carries_what_sagemakers_batch_call_does_not(ledger: LedgerTable):
    facts = {"metadata": {"team": "risk", "cost": "4.50"}}
    ledger.append(ledger.history(PACKAGE), [registered(**facts), started(), evidence(specification="d" * 64)])
    (head,) = ledger.rows_by_group("Churn")
    assert (head["metadata"], head["submitter"]) == (facts["metadata"], SUBMITTER)
    assert (head["registered"], head["verdict"], head["specification"]) == (
        "2026-03-02T09:15:20.000Z",
        "passed",
        "d" * 64,
    )


def test_a_ledger_from_before_there_was_an_index_of_metadata_has_a_head_without(ledger: LedgerTable):
    ledger.append(ledger.history(PACKAGE), PENDING)
    (head,) = ledger.rows_by_group("Churn")
    assert ("metadata" in head, "specification" in head, head["status"]) == (False, False, "PendingApproval")


def test_an_entry_survives_its_item_with_whatever_it_holds():
    entry = history(refused(), package="unknown:x").entries[0]
    assert entry_of(entry_item(entry)) == entry
    assert entry_of(entry_item(history(*PENDING).entries[2])) == history(*PENDING).entries[2]


class Failing:
    """A DynamoDB client whose transaction fails for `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def transact_write_items(self, **_: Any) -> None:
        reasons = [{"Code": "None"}, {"Code": self.reason}]
        error = {"Error": {"Code": "TransactionCanceledException", "Message": "?"}, "CancellationReasons": reasons}
        raise ClientError(error, "TransactWriteItems")


@pytest.mark.parametrize(
    ("reason", "raised"),
    [
        ("ConditionalCheckFailed", LedgerConflict),
        ("TransactionConflict", LedgerConflict),
        ("ValidationError", ClientError),
        ("ThrottlingError", ClientError),
    ],
)
def test_only_another_writer_is_a_conflict(reason: str, raised: type[Exception]):
    table = LedgerTable(Failing(reason), "ledger", "packages", Clock())
    with pytest.raises(raised):
        table.append(history(), [registered()])


# Submissions


@pytest.fixture(params=["fake", "moto"])
def submissions(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeSubmissions()
    dynamodb = request.getfixturevalue("aws")("dynamodb")
    indexes = {"by-open": ("open", "due")}
    return SubmissionsTable(dynamodb, made_table(dynamodb, "submissions", {"submission": "S"}, indexes))


def test_open_submissions_are_found_when_it_is_time_to_look_at_them(submissions: Any):
    submissions.wait("g/waiting", ["a"], "2")
    submissions.claim("g/claimed", "a", "1", "5")
    submissions.refuse("g/refused", "a", "1")
    submissions.wait("g/gone", ["a"], "0")
    submissions.close("g/registered", "a", "arn", "1")
    assert [each["submission"] for each in submissions.open("1", "4", 9)] == ["g/waiting"]
    assert [each["submission"] for each in submissions.open("1", "6", 9)] == ["g/waiting", "g/claimed"]
    submissions.release("g/claimed", "a", "3")
    assert [each["submission"] for each in submissions.open("1", "4", 1)] == ["g/waiting"]
    assert len(submissions.open("1", "4", 9)) == 2
    assert submissions.get_all(["g/refused", "g/unknown"]).keys() == {"g/refused"}


def test_of_two_runs_of_the_sweep_the_first_to_end_keeps_its_place(submissions: Any):
    assert submissions.round() == {}
    assert submissions.keep_round({"cursors": {"rows": {"after": None}}}, None)
    assert not submissions.keep_round({"cursors": {}}, None)
    first = submissions.round()
    assert first["cursors"] == {"rows": {"after": None}}
    assert submissions.keep_round({"cursors": {"listing": "1"}}, first["token"])
    assert not submissions.keep_round({"cursors": {"listing": "2"}}, first["token"])
    assert submissions.round()["cursors"] == {"listing": "1"}
    assert submissions.open("0", "9", 9) == []


def test_a_submission_waits_is_claimed_and_is_closed(submissions: Any):
    assert submissions.get("g/s") is None
    submissions.wait("g/s", ["model.tar.gz"], "1")
    assert submissions.get("g/s") == {
        "submission": "g/s",
        "state": "waiting",
        "missing": ["model.tar.gz"],
        "since": "1",
        "open": "open",
        "due": "1",
    }
    assert submissions.claim("g/s", "a", "2", "9")
    submissions.close("g/s", "a", "arn", "3")
    assert submissions.get("g/s")["package"] == "arn"
    assert submissions.get("g/s")["state"] == "registered"


def test_a_signature_is_announced_once_and_only_of_what_nothing_is_known_of(submissions: Any):
    assert submissions.announce("g/s", "submission.json", "1")
    assert not submissions.announce("g/s", "submission.json", "2")
    row = submissions.get("g/s")
    assert (row["state"], row["missing"], row["since"], row["announced"]) == (
        *("waiting", ["submission.json"], "1", True),
    )


def test_whoever_notes_what_is_waited_for_learns_what_others_relied_on_before(submissions: Any):
    submissions.announce("g/s", "submission.json", "1")
    assert submissions.wait("g/s", ["model.tar.gz"], "2")["announced"]
    assert not submissions.wait("g/s", ["submission.json"], "3", announced=True).get("announced")
    submissions.claim("g/s", "a", "4", "9")
    assert submissions.wait("g/s", ["x"], "5") == {}


def test_a_claim_is_held_by_one_until_it_runs_out(submissions: Any):
    assert submissions.claim("g/s", "a", "2", "5")
    assert not submissions.claim("g/s", "a", "3", "6")
    assert not submissions.claim("g/s", "b", "5", "6")
    assert submissions.claim("g/s", "b", "6", "9")


def test_a_claim_whose_answer_was_lost_is_held_when_it_is_asked_for_again(aws: Any):
    dynamodb = aws("dynamodb")
    submissions = SubmissionsTable(AskedTwice(dynamodb), made_table(dynamodb, "submissions", {"submission": "S"}, {}))
    assert submissions.claim("g/s", "a", "2", "5")
    assert not submissions.claim("g/s", "a", "2", "5")


class AskedTwice:
    """A client of DynamoDB whose first answer to each PutItem is lost, so that the same request is sent again."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def put_item(self, **request: Any) -> Any:
        with suppress(ClientError):
            self._dynamodb.put_item(**request)
        return self._dynamodb.put_item(**request)


def test_a_claim_that_is_given_back_can_be_taken_again(submissions: Any):
    submissions.claim("g/s", "a", "2", "5")
    submissions.release("g/s", "another", "3")
    assert not submissions.claim("g/s", "b", "3", "6")
    submissions.release("g/s", "a", "3")
    assert submissions.claim("g/s", "b", "3", "6")


def test_waiting_does_not_take_a_claim_away(submissions: Any):
    submissions.claim("g/s", "a", "2", "5")
    submissions.wait("g/s", ["x"], "3")
    assert submissions.get("g/s")["state"] == "registering"


def test_a_refusal_ends_its_own_claim_and_no_others(submissions: Any):
    submissions.claim("g/s", "a", "2", "5")
    assert not submissions.refuse("g/s", "b", "3", claimed=True)
    assert not submissions.refuse("g/s", "a", "3")
    assert submissions.get("g/s")["state"] == "registering"
    assert submissions.refuse("g/s", "a", "3", claimed=True)
    assert submissions.get("g/s")["state"] == "refused"
    assert submissions.refuse("g/s", "c", "4")
    assert submissions.claim("g/s", "b", "4", "6")


def test_what_is_registered_stays_so(submissions: Any):
    submissions.close("g/s", "a", "arn", "1")
    submissions.close("g/s", "b", "other", "2")
    assert not submissions.refuse("g/s", "a", "3", claimed=True)
    submissions.wait("g/s", [], "4")
    submissions.release("g/s", "a", "5")
    assert not submissions.claim("g/s", "b", "9", "10")
    assert submissions.get("g/s")["package"] == "arn"


# The registry


@pytest.fixture(params=["fake", "moto"])
def registry(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeRegistry(Clock())
    return Registry(request.getfixturevalue("aws")("sagemaker"))


def test_a_group_is_created_once_with_the_tag_that_signoff_governs_it(registry: Any):
    assert registry.group_tags("churn") is None
    registry.create_group("churn")
    registry.create_group("churn")
    assert registry.group_tags("churn") == {"signoff:governed": "true"}
    assert list(registry.groups()) == [("churn", {"signoff:governed": "true"})]


def test_a_group_is_marked_as_having_its_own_policy(registry: Any):
    registry.create_group("churn")
    registry.mark_own_policy("churn")
    assert registry.group_tags("churn")["signoff:policy"] == "own"


def test_a_package_is_described_as_it_was_created(registry: Any):
    registry.create_group("churn")
    arn = registry.create_package({**REQUEST, "ModelApprovalStatus": "PendingManualApproval"})
    described = registry.describe(arn)
    assert (described["ModelPackageArn"], described["ModelPackageVersion"]) == (arn, 1)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["InferenceSpecification"]["Containers"][0]["Image"].endswith("a" * 64)
    assert described["CreationTime"].tzinfo


def test_packages_are_listed_the_newest_first(registry: Any):
    registry.create_group("churn")
    arns = [registry.create_package({**REQUEST, "ModelApprovalStatus": "Approved"}) for _ in range(2)]
    listed = [summary["ModelPackageArn"] for summary in registry.packages("churn")]
    assert sorted(listed) == sorted(arns)
    assert {summary["ModelApprovalStatus"] for summary in registry.packages("churn")} == {"Approved"}


def test_a_package_that_is_not_there_is_unknown(registry: Any):
    with pytest.raises(UnknownPackage):
        registry.describe("arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/9")


def test_a_status_is_set_with_a_description_of_one_line_and_1024_characters(registry: Any):
    registry.create_group("churn")
    arn = registry.create_package({**REQUEST, "ModelApprovalStatus": "PendingManualApproval"})
    registry.set_status(arn, "Rejected", "one\ntwo " + "x" * 5000)
    described = registry.describe(arn)
    assert described["ModelApprovalStatus"] == "Rejected"
    assert described["ApprovalDescription"].startswith("one two xxx")
    assert len(described["ApprovalDescription"]) == 1024


def test_a_model_is_created_described_and_deleted_each_once(registry: Any):
    container = {"Image": f"{IMAGE}:1", "ModelDataUrl": "s3://vault/m.tar.gz"}
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    assert registry.describe_model("m") is None
    assert registry.create_model(request)
    assert registry.describe_model("m")["PrimaryContainer"]["Image"] == f"{IMAGE}:1"
    registry.delete_model("m")
    registry.delete_model("m")
    assert registry.describe_model("m") is None
