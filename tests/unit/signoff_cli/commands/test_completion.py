"""What a shell completes."""

import os
import subprocess
import sys
import threading

import pytest

from signoff.ledger.entries import Draft
from signoff.ledger.history import History
from signoff_cli.commands.completion import groups_of, packages_of, with_timeout
from tests.support import entries
from tests.support.clock import Clock
from tests.support.fakes import FakeLedger

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package"


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger(Clock())
    for group, version in (("churn", 9), ("churn", 10), ("fraud", 1)):
        drafts = [entries.registered(group=group, version=version), entries.started()]
        ledger.append(History(f"{ARN}/{group}/{version}@2026-03-02T09:15:20.000Z"), drafts)
    refused = Draft(entries.Kind.DECISION_REFUSED, entries.APPROVER, {"decision": "approve", "refusal": "Unknown"})
    ledger.append(History("unknown:arn:aws:x"), [refused])
    return ledger


@pytest.mark.parametrize(("incomplete", "names"), [("", ["churn", "fraud"]), ("fr", ["fraud"]), ("x", [])])
def test_groups_are_completed_by_how_they_begin(ledger: FakeLedger, incomplete: str, names: list[str]):
    assert [name for name, _ in groups_of(ledger, incomplete)] == names


@pytest.mark.parametrize(
    ("incomplete", "names"),
    [
        ("", ["churn/10", "churn/9", "fraud/1"]),
        ("ch", ["churn/10", "churn/9"]),
        ("churn/", ["churn/10", "churn/9"]),
        ("churn/1", ["churn/10"]),
        ("fraud/2", []),
        ("none/", []),
    ],
)
def test_packages_are_completed_by_group_and_version_the_newest_first(
    ledger: FakeLedger, incomplete: str, names: list[str]
):
    found = packages_of(ledger, incomplete)
    assert [name for name, _ in found] == names
    assert {status for _, status in found} <= {"Validating"}


def test_whatever_fails_completes_to_nothing():
    def broken() -> list[tuple[str, str]]:
        raise OSError("no network")

    assert with_timeout(broken) == []


def test_what_takes_too_long_completes_to_nothing():
    ever = threading.Event()

    def slow() -> list[tuple[str, str]]:
        ever.wait(60)
        return [("churn/1", "")]

    assert with_timeout(slow, seconds=0.05) == []
    ever.set()


def completed(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What bash gets for a line whose last word is to be completed."""
    words = line.split(" ")
    asks = {"_SIGNOFF_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    program = "import sys; sys.argv = ['signoff']; from signoff_cli.main import main; main()"
    settings = {**os.environ, **asks, "AWS_EC2_METADATA_DISABLED": "true", **environment}
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", program], env=settings, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_shell_completes_the_names_of_commands():
    answer = completed("signoff ro")
    assert (answer.stdout.split(), answer.stderr) == (["rollback"], "")


def test_a_shell_completes_what_there_is_to_do_with_the_local_engine():
    assert completed("signoff local ").stdout.split() == ["up", "env"]
    assert completed("signoff local e").stdout.split() == ["env"]
    assert completed("signoff local up ").stdout.split() == []


def test_a_shell_hears_nothing_of_what_keeps_a_package_from_being_completed():
    answer = completed("signoff show ch", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_REGION="eu-west-1")
    assert (answer.stdout.strip(), answer.stderr) == ("", "")
