"""The whole command over AWS's own adapters, against an account in memory."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from signoff.aws.clients import client
from signoff.aws.ledger_table import LedgerTable
from signoff.ledger.entries import Draft, Kind
from signoff.ledger.history import History
from signoff.runtime.clock import utc_now
from signoff_cli.commands import completion
from signoff_cli.statements.signature import id_of
from tests.support import entries
from tests.support.command_line import OUTPUTS, CloudFormation, create_table, failure, run

SEEN = entries.EVIDENCE["sha256"]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS account with credentials, a region and two stacks, one of them Signoff's."""
    with mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        client.cache_clear()
        answer = CloudFormation().answer
        client("cloudformation").meta.events.register("before-call.cloudformation.DescribeStacks", answer)
        yield
        client.cache_clear()


@pytest.fixture
def ledger(account: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LedgerTable:
    """The ledger in as much of Signoff's stack as the command reads and writes."""
    where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    client("s3").create_bucket(Bucket="artifacts", **where)
    # Whom moto takes the caller for.
    listed = {"needed": 2, "approvers": ["arn:aws:iam::*:user/*", "arn:aws:sts::*:user/*"]}
    policy = {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/models"}, "approvals": listed}
    client("ssm").put_parameter(Name="/signoff/policies/default", Value=json.dumps(policy), Type="String")
    client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    create_table("ledger", ("package", "sequence"), ("kind", "time"))
    indexes = (("group", "version"), ("arn", "created"), ("status", "since"), ("deployed", "rank"), ("rollback",))
    create_table("packages", ("package",), *indexes)
    return LedgerTable(client("dynamodb"), "ledger", "packages", utc_now)


def test_without_a_region_the_command_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    client.cache_clear()
    assert "set AWS_REGION" in failure(capsys, ["list"])


def test_aws_region_is_enough_of_a_region() -> None:
    settings = {**os.environ, "AWS_REGION": "eu-west-1"}
    command = [sys.executable, "-m", "signoff_cli.main", "list"]
    ended = subprocess.run(command, capture_output=True, text=True, env=settings)  # noqa: S603 -- our own command
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("signoff: there are no AWS credentials")


def test_without_credentials_the_command_says_what_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.cache_clear()
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # which may have credentials of another test
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert "there are no AWS credentials" in failure(capsys, ["list"])
    client.cache_clear()


def test_without_a_stack_the_command_says_where_it_looked(account: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no CloudFormation stack Elsewhere in eu-west-1" in failure(capsys, ["list", "--stack", "Elsewhere"])


def test_a_stack_of_something_else_is_told_from_signoff(account: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "it is not a Signoff" in failure(capsys, ["list", "--stack", "Other"])


def test_packages_are_listed_and_shown_from_the_ledger(ledger: LedgerTable, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    assert run("list", "--json", "--no-registry") == 0
    assert [row["package"] for row in json.loads(capsys.readouterr().out)] == [entries.ARN]
    assert run("list", "--group", "Churn", "--status", "Approved") == 0
    assert capsys.readouterr().out == "No packages.\n"
    assert run("show", "Churn/3", "--json") == 0
    parse_version = json.loads(capsys.readouterr().out)
    assert run("show", entries.ARN, "--json") == 0
    assert json.loads(capsys.readouterr().out) == parse_version
    assert (parse_version["status"], len(parse_version["ledger"])) == ("PendingApproval", 3)
    assert parse_version["policy"]["in_force"] == "default"
    assert (parse_version["outstanding"], parse_version["needs"]) == ("2 more approvals", {"people": 2, "roles": {}})
    assert (parse_version["votes"], parse_version["break_glass"], parse_version["enforced"]) == ([], False, True)


def test_a_moment_is_given_as_a_date_a_time_or_how_long_ago(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    for since, found in (
        ("2026-03-02", 1),
        ("2026-03-02T10:00:00Z", 1),
        ("7d", 1),
        ("2w", 1),
        ("P7D", 1),
        ("PT0S", 0),
        ("0m", 0),
    ):
        assert run("list", "--since", since, "--json", "--no-registry") == 0
        assert len(json.loads(capsys.readouterr().out)) == found, since


def test_a_shell_completes_what_the_stack_knows_and_nothing_where_there_is_none(ledger: LedgerTable) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    here: Any = SimpleNamespace(params={})
    elsewhere: Any = SimpleNamespace(params={"stack": "Elsewhere"})
    assert completion.packages(here, "Churn/") == [("Churn/3", "PendingApproval")]
    assert completion.groups(here, "") == [("churn", "")]
    assert completion.packages(elsewhere, "Churn/") == []


def test_the_queue_is_ones_own_unless_it_is_asked_for_everybodys(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    me = client("sts").get_caller_identity()["Arn"]
    mine = (entries.registered(submitter=me), entries.started(), entries.evidence())
    ledger.append(History(entries.PACKAGE), mine)
    assert run("queue", "--no-registry") == 0
    assert capsys.readouterr().out == "No package is waiting for your decision.\n"
    assert run("queue", "--all", "--no-registry") == 0
    told = capsys.readouterr().out
    assert "3 more approvals" in told  # nobody knows who submitted it: this account's caller is no IAM user
    assert told.splitlines()[1].split()[-1] == "no"
    assert run("queue", "--all", "--role", "risk", "--no-registry") == 0
    assert capsys.readouterr().out == "No package is waiting for a decision.\n"


def test_a_revocation_names_whoever_is_champion_then(ledger: LedgerTable, capsys: pytest.CaptureFixture[str]) -> None:
    answering(ledger)
    first = (entries.registered(version=2), *entries.APPROVED[1:], entries.model_created("churn-v2"))
    ledger.append(History(entries.PACKAGE.replace("churn/3", "churn/2")), first)
    ledger.append(History(entries.PACKAGE), (*entries.APPROVED, entries.model_created()))
    assert run("revoke", "Churn/3", "--reason", "Drifts", "--yes") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "The champion of Churn is now Churn/2."
    assert run("revoke", "Churn/2", "--reason", "Drifts", "--yes", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["outcome"], document["champion"][:26]) == ("recorded", "Churn now has no champion:")


def answering(ledger: LedgerTable) -> None:
    """Have whatever is decided recorded at once, as the pipeline records it."""
    me = client("sts").get_caller_identity()["Arn"]
    client("events").create_event_bus(Name="signoff")

    def record(params: dict[str, Any], **_: Any) -> None:
        statement = json.loads(params["Entries"][0]["Detail"])
        head = next(ledger.rows_by_arn(statement["package"]))
        draft = entries.decided(statement["decision"], me)
        said = Draft(draft.kind, me, {**draft.details, "reason": statement["reason"], "id": id_of(statement)})
        ledger.update(head["package"], lambda _: [said])

    client("events").meta.events.register("provide-client-params.events.PutEvents", record)


def test_a_group_is_rolled_back_to_the_champion_before(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(ledger)
    first = (entries.registered(version=2), *entries.APPROVED[1:], entries.model_created("churn-v2"))
    former = entries.PACKAGE.replace("churn/3", "churn/2")
    superseded = Draft(Kind.SUPERSEDED, "signoff", {"by": entries.ARN, "by_version": 3, "model": "churn-v2"})
    ledger.append(History(former), (*first, superseded))
    ledger.append(History(entries.PACKAGE), (*entries.APPROVED, entries.model_created()))
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        told = failure(capsys, ["rollback", "Churn", "--reason", "Version 3 drifts"])
        again = failure(capsys, ["rollback", "Churn", "--to", "3", "--reason", "Or not"])
    assert "rollback Churn/2" in told
    assert "was champion before version 3" in told
    assert "rollback Churn/3" in again
    assert run("rollback", "Churn", "--reason", "Version 3 drifts", "--yes") == 0
    assert capsys.readouterr().out.startswith("the group is rolled back to Churn/2.")
    assert ledger.history(former).state.decision["reason"] == "Version 3 drifts"


def test_the_champion_of_a_group_is_shown_and_so_is_that_a_package_is_it(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "group Churn has no champion" in failure(capsys, ["champion", "Churn"])
    ledger.append(History(entries.PACKAGE), (*entries.APPROVED, entries.model_created()))
    client("ssm").put_parameter(Name="/signoff/champions/churn", Value="arn:churn-v3", Type="String")
    assert run("champion", "Churn") == 0
    assert capsys.readouterr().out.startswith("Churn/3, model arn:churn-v3, approved by user/ann")
    assert run("champion", "Churn", "--json") == 0
    assert json.loads(capsys.readouterr().out)["agrees"] is True
    assert run("show", "Churn/3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["champion"] is True
    assert run("show", "Churn/3") == 0
    assert "champion      of Churn" in capsys.readouterr().out


def test_where_sagemaker_does_not_answer_a_list_is_the_index_alone_and_says_so(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    error = {"Error": {"Code": "AccessDeniedException", "Message": "user/sam is not authorized"}}
    forbid(monkeypatch, "sagemaker", "BatchDescribeModelPackage", error)
    assert run("queue", "--json") == 0
    printed = capsys.readouterr()
    assert [(row["package"], row["verdict"], row["registry"]) for row in json.loads(printed.out)] == [
        (entries.ARN, "passed", None)
    ]
    assert "only the ledger's index is shown: user/sam is not authorized" in printed.err


def forbid(monkeypatch: pytest.MonkeyPatch, service: str, operation: str, error: dict[str, Any]) -> None:
    """Have AWS answer an operation with `error`."""
    answer = (SimpleNamespace(status_code=400), {**error, "ResponseMetadata": {}})
    client(service).meta.events.register(f"before-call.{service}.{operation}", lambda **_: answer)


def test_a_settled_package_is_watched_to_its_last_entry(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    assert run("watch", "Churn/3", "--json") == 0
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["Registered", "ValidationStarted", "EvidenceRecorded"]


def test_a_package_that_nobody_knows_is_refused_by_its_name(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no package Churn/4" in failure(capsys, ["show", "Churn/4"])


def test_a_tampered_ledger_is_not_shown(ledger: LedgerTable, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    removed = {"package": {"S": entries.PACKAGE}, "sequence": {"N": "2"}}
    client("dynamodb").delete_item(TableName="ledger", Key=removed)
    assert "does not follow" in failure(capsys, ["show", "Churn/3"])


def submission(folder: Path) -> Path:
    document = {"InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": "model.tar.gz"}]}}
    (folder / "manifest.json").write_text(json.dumps(document))
    (folder / "model.tar.gz").write_bytes(b"bytes of a model")
    return folder / "model.tar.gz"


def test_what_was_uploaded_is_signed_last(
    ledger: LedgerTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uploaded: list[str] = []
    s3 = client("s3")
    s3.meta.events.register("before-parameter-build.s3.PutObject", lambda params, **_: uploaded.append(params["Key"]))
    assert run("submit", str(submission(tmp_path)), "--group", "churn") == 0
    prefix = re.search(r"s3://artifacts/(churn/\d{8}T\d{6}Z-[0-9a-f]{8})/ \(2 files", capsys.readouterr().out)
    assert prefix is not None
    assert uploaded == [f"{prefix[1]}/{name}" for name in ("manifest.json", "model.tar.gz", "submission.json")]
    written = json.loads(s3.get_object(Bucket="artifacts", Key=uploaded[-1])["Body"].read())
    assert written["proof"].startswith("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity")
    assert written["objects"] == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("manifest.json", "model.tar.gz")
    }
    expected = ("submission", OUTPUTS["BusArn"], prefix[1])
    assert (written["statement"], written["audience"], written["submission"]) == expected


def test_a_submission_whose_files_are_not_all_there_uploads_nothing(
    ledger: LedgerTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = submission(tmp_path)
    (tmp_path / "manifest.json").write_text('{"ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "q.json"}}}}')
    assert "names q.json" in failure(capsys, ["submit", str(artifact), "--group", "churn"])
    assert client("s3").list_objects_v2(Bucket="artifacts")["KeyCount"] == 0


def test_a_submission_that_nobody_registers_ends_with_its_time(
    ledger: LedgerTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("submit", str(submission(tmp_path)), "--group", "churn", "--wait", "--timeout", "0") == 1
    assert "timed out waiting for the registration of the submission churn/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("group", "options", "told"),
    [
        ("chrun", [], "there is no group chrun; did you mean churn? the policy default does not let"),
        ("chrun", ["--create-group"], "the policy default does not let a submission create it (`groups.create`)"),
        ("fraud", [], "there is no group fraud; with --create-group the submission asks for it"),
        ("churn", ["--no-manifest"], "the policy default has no `registration_defaults`, so a submission"),
    ],
)
def test_what_its_group_would_not_take_is_told_before_anything_is_uploaded(
    ledger: LedgerTable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    group: str,
    options: list[str],
    told: str,
) -> None:
    may_be_created(group == "fraud")
    said = failure(capsys, ["submit", str(submission(tmp_path)), "--group", group, *options])
    assert told in said
    assert "Nothing was uploaded" in said
    assert client("s3").list_objects_v2(Bucket="artifacts")["KeyCount"] == 0


def test_a_submission_that_asks_for_its_group_signs_that(
    ledger: LedgerTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    may_be_created(True)
    assert run("submit", str(submission(tmp_path)), "--group", "fraud", "--create-group") == 0
    assert capsys.readouterr().out.startswith("policy    default\n")
    keys = [each["Key"] for each in client("s3").list_objects_v2(Bucket="artifacts")["Contents"]]
    (signed,) = [key for key in keys if key.endswith("submission.json")]
    assert json.loads(client("s3").get_object(Bucket="artifacts", Key=signed)["Body"].read())["create_group"] is True


def may_be_created(create: bool) -> None:
    """Let the default policy say whether submissions may create groups."""
    policy = {"deployment": {"execution_role": "arn:aws:iam::123456789012:role/m"}, "groups": {"create": create}}
    named = {"Name": "/signoff/policies/default", "Type": "String", "Overwrite": True}
    client("ssm").put_parameter(Value=json.dumps(policy), **named)


def test_a_group_that_sagemaker_could_not_name_so_is_refused(
    ledger: LedgerTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = failure(capsys, ["submit", str(submission(tmp_path)), "--group", "no_underscores"])
    assert "cannot be the name of a model package group" in told


def test_nothing_is_decided_when_nobody_is_there_to_confirm_it(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        told = failure(capsys, ["approve", "Churn/3", "--reason", "fine"])
    assert "give --yes. Nothing was decided" in told
    assert "s3://vault/evidence/e.json" in told
    assert "it is recorded, and the package still needs 1 more approval" in told


@pytest.mark.parametrize("evidence", [(), ("--evidence", "newest"), ("--evidence", f"{SEEN}0"), ("--evidence", "")])
def test_no_script_approves_evidence_that_it_does_not_name(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], evidence: tuple[str, ...]
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    assert run("approve", "Churn/3", "--reason", "fine", *evidence, "--yes") == 2
    assert "`.evidence.sha256` of `signoff show PACKAGE --json`" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("how", [("--yes",), ()])
def test_evidence_that_is_not_the_packages_any_more_is_not_approved_and_nothing_is_sent(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    told = failure(capsys, ["approve", "Churn/3", "--reason", "fine", "--evidence", "0" * 64, *how])
    assert f"the package's evidence is {SEEN} now, not {'0' * 64}" in told
    assert "PutEvents" not in told


def test_no_script_rolls_back_to_evidence_that_nobody_has_approved_unless_it_names_it(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(ledger)
    ledger.append(History(entries.PACKAGE), (*entries.APPROVED, entries.model_created(), entries.decided("revoke")))
    words = ("rollback", "Churn", "--to", "3", "--reason", "INC-77", "--yes")
    assert run(*words) == 2
    assert "`.evidence.sha256`" in capsys.readouterr().err
    assert run(*words, "--evidence", SEEN) == 0


def test_an_annotation_is_confirmed_before_it_is_sent(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(History(entries.PACKAGE), entries.PENDING)
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        told = failure(capsys, ["annotate", "Churn/3", "--set", "ticket=CHG-1=2", "--remove", "draft"])
    assert "give --yes. Nothing was changed" in told
    assert "ticket = CHG-1=2" in told


def test_a_decision_that_stands_already_is_told_and_not_sent(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    me = client("sts").get_caller_identity()["Arn"]
    ledger.append(History(entries.PACKAGE), (*entries.PENDING, entries.decided("approve", me)))
    assert run("approve", "Churn/3", "--reason", "fine", "--evidence", SEEN, "--yes") == 0
    assert capsys.readouterr().out == "Churn/3 is approved already by user/moto: because. Nothing was changed.\n"


@pytest.mark.parametrize(
    ("drafts", "says"),
    [
        (entries.APPROVED, "it is Approved: only a package that was not decided on can be validated again"),
        ((entries.registered(), entries.started()), "it is being validated already, by x1"),
    ],
)
def test_only_a_package_that_awaits_no_validation_and_no_more_decision_is_validated_again(
    ledger: LedgerTable, capsys: pytest.CaptureFixture[str], drafts: Sequence[Any], says: str
) -> None:
    ledger.append(History(entries.PACKAGE), drafts)
    assert says in failure(capsys, ["revalidate", "Churn/3"])
