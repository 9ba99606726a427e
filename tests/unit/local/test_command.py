"""`signoff local`: the command hands over to the program beside it in the repository."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from local import commands
from local.__main__ import run
from local.patches.quotas import Quotas
from signoff_cli.commands import engine
from signoff_cli.errors import CommandFailed
from tests.support.repository import ROOT

HAND_OVER = "import sys; sys.argv[0] = 'signoff'; from signoff_cli.main import main; main()"


def exit_code(arguments: Sequence[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    return int(ended.value.code or 0)


def signoff(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command where the repository is not."""
    path = os.pathsep.join([str(ROOT / "functions"), str(ROOT)])
    return subprocess.run(  # noqa: S603 - our own interpreter and command
        [sys.executable, "-c", HAND_OVER, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["up", "env"])
def test_the_help_of_every_command_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([command, "--help"]) == 0
    assert re.search(rf"Examples:\n +.*signoff local {command}", capsys.readouterr().out)


@pytest.mark.parametrize(
    "rate", ["CreateModelPackage", "CreateModelPackage=", "=5", "CreateModelPackage=0", "a=-1", "a=b"]
)
def test_a_quota_is_an_operation_and_a_rate(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["up", "--throttle", rate]) == 2
    assert "such as CreateModelPackage=5" in " ".join(capsys.readouterr().err.split())


def test_the_engine_gets_the_quotas_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("local.commands.up", lambda **given: started.append(given["quotas"]))
    throttle = ["--throttle", "CreateModelPackage=5", "--throttle", "UpdateModelPackage=0.5"]

    assert exit_code(["up"]) == exit_code(["up", *throttle, "--concurrency", "10"]) == 0
    assert started == [Quotas(), Quotas({"CreateModelPackage": 5, "UpdateModelPackage": 0.5}, concurrency=10)]


@pytest.mark.parametrize(
    "arguments", [["env", "--as", "root"], ["up", "--port", "0"], ["up", "--concurrency", "0"], ["dance"]]
)
def test_wrong_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(arguments) == 2
    assert "Error" in capsys.readouterr().err


def test_strict_ends_with_what_aws_would_not_have_taken_or_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = {"role": "SweepRole", "action": "s3:GetObject", "resource": "arn:aws:s3:::vault/a"}

    def up(*, notes: Path | None, **_: Any) -> None:
        if notes:
            (notes / "request-faults.txt").write_text("CreateModelInput.ModelName: too long\n")
            lines = [json.dumps({**denied, "allowed": allowed}) for allowed in (True, False)]
            (notes / "role-use.jsonl").write_text("\n".join(lines))

    monkeypatch.setattr(commands, "up", up)

    assert (exit_code(["up"]), exit_code(["up", "--strict"])) == (0, 1)
    said = capsys.readouterr().err
    assert "CreateModelInput.ModelName: too long" in said
    assert said.count("SweepRole may not s3:GetObject on arn:aws:s3:::vault/a") == 1


def test_the_engines_settings_can_be_evaluated_by_a_shell_from_any_directory(tmp_path: Path) -> None:
    printed = signoff("local", "env", "--port", "4600", "--as", "approver", directory=tmp_path)

    assert (printed.returncode, printed.stderr) == (0, "")
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4600\n" in printed.stdout
    assert all(re.fullmatch(r"export AWS_\w+=\S+", line) for line in printed.stdout.splitlines())


def test_help_and_exit_codes_are_those_of_the_program_it_hands_over_to(tmp_path: Path) -> None:
    helped = signoff("local", "env", "--help", directory=tmp_path)
    wrong = signoff("local", "env", "--as", "root", directory=tmp_path)

    assert (helped.returncode, wrong.returncode) == (0, 2)
    assert helped.stdout.startswith("Usage: signoff local env")
    assert "'administrator', 'submitter', 'approver', 'reviewer'" in wrong.stderr


def test_without_the_repository_it_says_where_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ROOT", tmp_path)
    with pytest.raises(CommandFailed, match="in a clone of the repository run `make setup`"):
        engine.local(["up"])
