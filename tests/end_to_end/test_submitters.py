"""Who submits is who signed, by the word of the engine's STS, and what they signed is what is deployed."""

import json
from pathlib import Path

import pytest

from local.__main__ import _ready
from signoff.ledger.entries import Kind
from signoff.submission.layout import SIGNER, TO_BE_SIGNED
from tests.end_to_end.test_registration_refusals import assert_refused
from tests.support.commands import signoff
from tests.support.groups import Group
from tests.support.shell import Shell
from tests.support.submissions import as_json, honest, manifest, measured
from tests.support.waiting import eventually

SIGNED = "submission.json"


def test_the_command_signs_and_the_ledger_shows_who_it_was(group: Group, tmp_path: Path) -> None:
    for name, body in honest().items():
        (tmp_path / name).write_bytes(body)
    shell = Shell(group.pipeline, "submitter")

    submitted = shell.signoff(
        "submit", str(tmp_path / "model.tar.gz"), "--group", group.name, "--create-group", "--json"
    )

    assert submitted.returncode == 0, submitted.stderr
    (package,) = group.packages()
    first = package.entries(Kind.REGISTERED)[0]
    who = group.pipeline.user("submitter")
    assert (first["submitter"], first["channel"]) == (who, "proof")
    shown = json.loads(shell.signoff("show", f"{group.name}/1", "--json").stdout)
    assert json.loads(submitted.stdout)["submitter"] == shown["submitter"] == who
    assert {check["name"]: check["status"] for check in shown["checks"]}["submitter"] == "passed"


def test_what_local_up_prints_can_submit_and_the_administrator_is_told_whom_to_be(
    group: Group, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, body in honest().items():
        (tmp_path / name).write_bytes(body)
    engine, faults = group.pipeline.stack.engine, group.pipeline.stack.request_faults
    command = ("submit", str(tmp_path / "model.tar.gz"), "--group", group.name, "--create-group", "--wait")

    refused = signoff(command, engine.environment(), faults)
    _ready(engine, engine.port)
    printed = [line.removeprefix("export ") for line in capsys.readouterr().out.splitlines() if "export " in line]
    submitted = signoff(command, dict(line.split("=", 1) for line in printed), faults)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "these credentials cannot sign" in refused.stderr
    assert "signoff local env --as submitter" in refused.stderr
    assert submitted.returncode == 0, submitted.stderr
    assert "is PendingApproval" in submitted.stdout


def test_a_signature_is_confirmed_even_while_nothing_is_registered(group: Group) -> None:
    pipeline, submission = group.pipeline, group.submission()
    signatures = {"Bucket": pipeline.outputs["VaultBucket"], "Prefix": "signatures/"}

    def confirmed() -> int:
        return int(pipeline.aws("s3").list_objects_v2(**signatures)["KeyCount"])

    with pipeline.without_reader("RegisterModel"):
        before = confirmed()
        submission.upload(honest())
        eventually(lambda: confirmed() > before, what="the signature to be confirmed")
        assert not submission.reported()

    assert submission.package().until("PendingApproval").state.submitter == pipeline.user("submitter")


def test_an_archive_exchanged_after_it_was_signed_is_never_approved(group: Group) -> None:
    files = measured(0.95)
    submission = group.submission()

    submission.upload({**files, "model.tar.gz": honest()["model.tar.gz"] + b"\0"}, signed=files)

    package = submission.package().until("ValidationFailed")
    failed = {check["name"]: check["reason"] for check in package.evidence()["checks"] if check["status"] == "failed"}
    assert failed["submitter:model.tar.gz"] == "model.tar.gz does not match what its submitter signed"
    assert package.models() == []


@pytest.mark.deep
def test_a_signature_taken_from_another_submission_is_refused(group: Group) -> None:
    mine, theirs = group.submission(), group.submission()

    theirs.put(SIGNED, json.dumps(mine.statement(honest())).encode())
    for name, body in honest().items():
        theirs.put(name, body)

    assert_refused(theirs, SIGNED, "WrongSubmission", SIGNED)
    assert group.packages() == []


def test_a_statement_changed_after_it_was_signed_is_refused(group: Group) -> None:
    submission, files = group.submission(), honest()
    statement = submission.statement(files)
    other = {**files, "manifest.json": as_json(manifest(ModelPackageDescription="Another"))}

    submission.put(SIGNED, json.dumps({**statement, "objects": submission.statement(other)["objects"]}).encode())

    assert_refused(submission, SIGNED, "NotProven", SIGNED)
    assert group.packages() == []


@pytest.mark.deep
def test_a_signature_for_another_registry_is_refused(group: Group) -> None:
    submission = group.submission()

    submission.sign(honest(), audience="arn:aws:events:us-east-1:999999999999:event-bus/signoff")

    assert_refused(submission, SIGNED, "WrongAudience", SIGNED)


@pytest.mark.deep
def test_whoever_is_not_among_the_submitters_of_a_group_submits_nothing_to_it(group: Group) -> None:
    group.policy(submissions={"submitters": [group.pipeline.user("submitter")]})
    refused, taken = group.submission(), group.submission()

    refused.sign(honest(), "approver")
    taken.upload(honest())

    assert_refused(refused, "submitter", f"{group.pipeline.user('approver')} is not among those", SIGNED)
    assert taken.package().until("PendingApproval").state.submitter == group.pipeline.user("submitter")


def test_nobody_else_completes_what_was_uploaded_to_be_signed_by_somebody(group: Group) -> None:
    submission, files = group.submission(), honest()
    for name, body in files.items():
        submission.put(name, body, Metadata={**TO_BE_SIGNED, SIGNER: group.pipeline.user("submitter")})

    submission.sign(files, "approver")

    assert_refused(submission, SIGNED, "was uploaded to be signed by", SIGNED)
    submission.sign(files)
    group.pipeline.quiet()
    assert submission.package().until("PendingApproval").state.submitter == group.pipeline.user("submitter")


@pytest.mark.deep
def test_what_nobody_signed_takes_no_name_of_a_group_that_lists_its_submitters_in_any_spelling(group: Group) -> None:
    group.policy(submissions={"submitters": [group.pipeline.user("submitter")]})
    unsigned, elsewhere = group.submission(), Group(group.pipeline, group.name.upper()).submission()

    for submission in (elsewhere, unsigned):
        for name, body in honest().items():
            submission.put(name, body)

    assert_refused(elsewhere, "ModelPackageGroupName", f"upload under {group.name}/")
    assert_refused(unsigned, "submitter", "it is not signed")
    assert group.submit().package().until("PendingApproval").state.group == group.name


def test_what_nobody_signed_is_refused_where_the_policy_wants_to_know_who_it_was(group: Group) -> None:
    group.policy(approvals={"unknown_submitter": "refuse"})
    submission = group.submission()

    for name, body in honest().items():
        submission.put(name, body)

    assert_refused(submission, "submitter", "it is not known who submitted this")
    assert group.packages() == []
