"""How the command is used: its help, its version, and wrong usage."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.command_line import run

COMMANDS = [
    "submit",
    "list",
    "queue",
    "show",
    "evidence",
    "compare",
    "report",
    "champion",
    "audit",
    "watch",
    "approve",
    "reject",
    "revoke",
    "reopen",
    "rollback",
    "annotate",
    "revalidate",
    "doctor",
    "redrive",
    "inspect",
    "manifest check",
    "manifest schema",
    "policy check",
    "policy test",
    "policy show",
    "policy schema",
    "projects list",
    "projects show",
    "projects update",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command.split(), "--help") == 0
    assert re.search(rf"Examples:\n +.*signoff {command}", capsys.readouterr().out)


def test_the_help_loads_neither_boto3_nor_anything_else_that_takes_long() -> None:
    slow = "boto3 botocore rich.console msgspec regex jmespath ministack moto"
    check = f"import sys, signoff_cli.main; print(*[m for m in '{slow}'.split() if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)  # noqa: S603 -- our own line
    assert (loaded.stdout, loaded.stderr) == ("\n", "")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert re.fullmatch(r"signoff \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nonsense"],
        ["show"],
        ["evidence"],
        ["policy", "test", "churn.json"],
        ["evidence", "nonsense"],
        ["evidence", "churn/3", "--schema"],
        ["compare", "churn/3"],
        ["compare", "churn/3", "nonsense"],
        ["approve", "churn/3"],
        ["approve", "churn/3", "--reason", "  "],
        ["list", "--status", "Fine"],
        ["list", "--since", "yesterday"],
        ["list", "--since", "P7"],
        ["list", "--verdict", "fine"],
        ["rollback", "churn"],
        ["rollback", "churn", "--reason", "because", "--to", "0"],
        ["reject", "churn/3", "--reason", "because", "--break-glass"],
        ["annotate", "churn/3"],
        ["annotate", "churn/3", "--set", "ticket"],
        ["annotate", "churn/3", "--set", "ticket="],
        ["submit", "model.tar.gz"],
        ["submit", "model.tar.gz", "--group", "churn", "--file", "quality.json"],
        ["projects", "show"],
        ["projects", "list", "--limit", "0"],
        ["projects", "list", "--sort-by", "Size"],
        ["projects", "list", "--created-after", "yesterday"],
        ["projects", "update", "churn", "--version", "v2", "--template-url", "https://s3/t/v2.json"],
        ["projects", "update", "churn", "--parameter", "Policy"],
        ["projects", "update", "churn", "--tag", "=crm"],
        ["redrive"],
        ["redrive", "RegisterDeadLetters", "--limit", "0"],
        ["dance"],
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert "Error" in capsys.readouterr().err
