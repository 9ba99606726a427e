"""What a shell completes."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signoff.ledger.entries import Draft
from signoff.ledger.history import History
from signoff_cli.commands.completion import groups_of, packages_of, with_timeout
from signoff_cli.commands.completion_cache import LIFETIME, Proposal, remembered
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


class SageMaker:
    """Has groups, some of which nobody submitted to yet."""

    def group_names(self, containing: str = "") -> Iterator[str]:
        return (name for name in ("fraud", "churn", "refrain", "new") if containing in name)


@pytest.mark.parametrize(("incomplete", "names"), [("", ["churn", "fraud", "new", "refrain"]), ("fr", ["fraud"])])
def test_groups_are_completed_by_how_they_begin(incomplete: str, names: list[str]):
    assert [name for name, _ in groups_of(SageMaker(), incomplete)] == names


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
    found = packages_of(ledger, SageMaker(), incomplete)
    assert [name for name, _ in found] == names
    assert {status for _, status in found} <= {"Validating"}


def test_an_old_version_of_a_large_group_is_found_by_its_number():
    ledger = FakeLedger(Clock())
    for version in range(1, 203):
        ledger.append(
            History(f"{ARN}/churn/{version}@2026-03-02"), [entries.registered(group="churn", version=version)]
        )
    assert [name for name, _ in packages_of(ledger, SageMaker(), "churn/2")] == [
        *("churn/202", "churn/201", "churn/200"),
        *(f"churn/{version}" for version in range(29, 19, -1)),
        "churn/2",
    ]


class Found:
    """What is found, with a count of how often it is looked for."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self) -> list[Proposal]:
        self.looked += 1
        return [("churn/1", "Approved")]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "signoff" / "completion.json"


def test_what_was_completed_a_moment_ago_is_not_looked_for_again(cache: Path, monkeypatch: pytest.MonkeyPatch):
    clock, find = Clock(), Found()
    assert [remembered(("Signoff", "ch"), find, clock) for _ in range(3)] == [[("churn/1", "Approved")]] * 3
    assert (find.looked, cache.stat().st_mode & 0o077) == (1, 0)
    remembered(("Signoff", "chu"), find, clock)
    monkeypatch.setenv("AWS_PROFILE", "another")
    remembered(("Signoff", "ch"), find, clock)
    assert find.looked == 3
    clock.forward(seconds=LIFETIME)
    remembered(("Signoff", "ch"), find, clock)
    assert find.looked == 4


@pytest.mark.parametrize("written", ["", "[]", '{"a": {}}', '{"a": {"time": "x", "found": []}}', "\0"])
def test_what_was_kept_and_cannot_be_read_is_looked_for(cache: Path, written: str):
    cache.parent.mkdir()
    cache.write_text(written)
    assert remembered(("Signoff", "ch"), Found(), Clock()) == [("churn/1", "Approved")]


def test_where_nothing_can_be_kept_it_is_looked_for_each_time(cache: Path):
    cache.parent.write_text("a file in place of the folder")
    assert remembered(("Signoff", "ch"), Found(), Clock()) == [("churn/1", "Approved")]


def test_what_fails_is_not_kept(cache: Path):
    def broken() -> list[Proposal]:
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        remembered(("Signoff", "ch"), broken, Clock())
    assert not cache.exists()


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
