"""`signoff policy check` and `schema`: what they print, and how they end."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from signoff_cli import main
from signoff_cli.policies.schema import policy_schema
from tests.support.policy_files import ALICE, BOB, approvals, asserted, write


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main.run(["policy", *arguments])
    return int(ended.value.code or 0)


def test_a_policy_is_explained_in_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, approvals(approvers=[ALICE, BOB], expiry={"after": "P14D", "reminders": ["P7D"]}))
    assert run("check", file) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{file} is valid\n")
    assert "  expiring    A package without a decision after 14 days is rejected.\n" in printed.out
    assert "              People are reminded after 7 days.\n" in printed.out
    assert "warning" not in printed.out
    assert printed.err == ""


def test_every_fault_of_every_file_is_listed_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, {}, "good.json")
    faulty = write(
        tmp_path, {"aprovals": {}, "approvals": {"needed": 0, "expiry": {"after": "2 weeks"}}}, "faulty.json"
    )
    broken = write(tmp_path, "{", "broken.json")
    assert run("check", good, faulty, broken) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{good} is valid\n")
    assert faulty not in printed.out
    lines = printed.err.splitlines()
    assert lines[0] == f"signoff: {faulty} has 3 errors:"
    assert lines[1].startswith("  approvals.expiry.after: must be an ISO 8601 duration in days or shorter units")
    assert lines[2] == "  approvals.needed: must be at least 1, not 0"
    assert lines[3] == "  aprovals: is not a field here; did you mean approvals?"
    assert lines[4] == f"{broken} has 1 error:"
    assert lines[5].startswith("  policy: is not JSON")


def test_warnings_are_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, approvals(submitter_may_approve=True))) == 0
    assert "  warning     approvals.submitter_may_approve: one person alone" in capsys.readouterr().out


def test_a_program_reads_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, faulty = write(tmp_path, {}, "good.json"), write(tmp_path, {"mode": "loud"}, "faulty.json")
    assert run("check", good, faulty, "--json") == 1
    passed, failed = json.loads(capsys.readouterr().out)
    assert (passed["file"], passed["verdict"], passed["faults"]) == (good, "passed", [])
    assert [warning["path"] for warning in passed["warnings"]] == ["approvals.approvers"]
    assert passed["policy"]["mode"] == ["Enforced: no model is created of what is refused."]
    assert (failed["file"], failed["verdict"], failed["policy"]) == (faulty, "failed", {})
    assert failed["faults"] == [{"path": "mode", "message": 'must be one of enforce, report, not "loud"'}]


def test_standard_input_is_a_policy_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"{}")))
    assert run("check", "-") == 0
    assert capsys.readouterr().out.startswith("the policy is valid")


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "none.json")) == 1
    assert "none.json cannot be read: No such file" in capsys.readouterr().err


def test_policies_that_believe_a_source_of_different_principals_are_faulty_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = write(tmp_path, asserted(ALICE), "one.json"), write(tmp_path, asserted(BOB), "other.json")
    assert run("check", one) == run("check", other) == 0
    capsys.readouterr()
    assert run("check", one, other) == 1
    printed = capsys.readouterr()
    assert f"signoff: {other} has 1 error:\n" in printed.err
    assert f'approvals.publishers["acme.tickets"]: {one} lists other principals for' in printed.err


def test_two_spellings_of_one_groups_name_are_faulty_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = write(tmp_path, {}, "Churn.json"), write(tmp_path, {}, "churn.json")
    assert run("check", one, other) == 1
    assert capsys.readouterr().err.startswith(f"signoff: {other} has 1 error:\n  policy: Churn.json is for the same")


def test_names_in_a_policy_do_not_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", write(tmp_path, {"artifact": {"required_files": ["\x1b[2Jmodel"]}})) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert json.loads(capsys.readouterr().out) == policy_schema()
