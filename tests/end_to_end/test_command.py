"""The `signoff` command against the deployed pipeline, as two people type it in two shells."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.engine.strict_requests import FILE
from tests.support.groups import Group
from tests.support.repository import ROOT
from tests.support.submissions import Files, as_json, honest, image_only, manifest, measured

ACCURACY = {"name": "accuracy", "path": "binary_classification_metrics.accuracy.value", "at_least": 0.9}
FIELDS = {"package", "group", "version", "status", "checks", "evidence", "decisions", "model", "ledger"}


@dataclass(frozen=True)
class Shell:
    """A person's shell, with the settings that `signoff local env --as` prints for them."""

    group: Group
    user: str
    folder: Path

    def signoff(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command and return what it printed and its exit code."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        paths = os.pathsep.join([str(ROOT / "functions"), str(ROOT)])
        settings = self.group.pipeline.stack.engine.environment(self.user)
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tests.support.strict_command", *arguments],
            cwd=ROOT,
            env=kept | settings | {"PYTHONPATH": paths, FILE: str(self.group.pipeline.stack.request_faults)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def submit(self, files: Files, *options: str) -> subprocess.CompletedProcess[str]:
        """Write a submission's files to a folder and submit it."""
        for name, body in files.items():
            (self.folder / name).write_bytes(body)
        to = ("--group", self.group.name, "--create-group")
        return self.signoff("submit", str(self.folder / "model.tar.gz"), *to, *options)

    def shown(self) -> dict[str, Any]:
        """What `show --json` says of the group's first version."""
        shown = self.signoff("show", f"{self.group.name}/1", "--json")
        assert shown.returncode == 0, shown.stderr
        document: dict[str, Any] = json.loads(shown.stdout)
        return document


@pytest.fixture
def submitter(group: Group, tmp_path: Path) -> Shell:
    return Shell(group, "submitter", tmp_path)


@pytest.fixture
def approver(group: Group, tmp_path: Path) -> Shell:
    return Shell(group, "approver", tmp_path)


def test_what_one_submits_and_waits_for_another_approves_and_has_a_model(submitter: Shell, approver: Shell) -> None:
    package = f"{submitter.group.name}/1"

    submitted = submitter.submit(honest(), "--wait")
    seen = ("--evidence", submitter.shown()["evidence"]["sha256"], "--yes")
    own = submitter.signoff("approve", package, "--reason", "I made it", *seen)
    approved = approver.signoff("approve", package, "--reason", "Recall holds", *seen)
    submitter.group.pipeline.quiet()
    shown = submitter.shown()

    assert (submitted.returncode, own.returncode, approved.returncode) == (0, 1, 0)
    assert "PendingApproval" in submitted.stdout
    assert "OwnModel" in own.stderr
    assert shown.keys() >= FIELDS
    assert (shown["group"], shown["version"], shown["status"]) == (submitter.group.name, 1, "Approved")
    assert {check["status"] for check in shown["checks"]} == {"passed"}
    assert shown["evidence"].keys() >= {"uri", "sha256"}
    assert [decision["outcome"] for decision in shown["decisions"]] == ["refused", "recorded"]
    model = submitter.group.packages()[0].model()
    assert (shown["model"]["name"], shown["model"]["arn"]) == (model["ModelName"], model["ModelArn"])


def test_a_submission_that_is_refused_says_why_and_exits_with_1(submitter: Shell) -> None:
    files = honest() | {"manifest.json": as_json(manifest(SkipModelValidation="Maybe"))}

    refused = submitter.submit(files, "--wait")

    assert refused.returncode == 1
    assert "SkipModelValidation" in refused.stderr


@pytest.mark.deep
def test_a_package_that_fails_its_validation_says_why_and_exits_with_1(submitter: Shell) -> None:
    submitter.group.policy(metrics=[ACCURACY])

    failed = submitter.submit(measured(0.5), "--json")

    assert failed.returncode == 1
    assert "0.5 is below the threshold 0.9" in failed.stderr
    assert json.loads(failed.stdout)["status"] == "ValidationFailed"


@pytest.mark.deep
def test_a_model_that_the_manifest_does_not_name_is_its_containers_and_inspected(submitter: Shell) -> None:
    submitted = submitter.submit(honest(InferenceSpecification=image_only()), "--json")

    assert submitted.returncode == 0, submitted.stderr
    path = "InferenceSpecification.Containers[0].ModelDataUrl"
    assert f"added     {path}: model.tar.gz" in submitted.stderr
    checks = {check["name"]: check["reason"] for check in json.loads(submitted.stdout)["checks"]}
    assert "a readable archive" in checks[f"artifact:{path}"]


@pytest.mark.deep
def test_a_package_without_model_data_says_so_and_fails_where_the_policy_requires_files(submitter: Shell) -> None:
    files = {"manifest.json": as_json(manifest(InferenceSpecification=image_only()))}
    submitter.group.pending(files)
    passed = submitter.signoff("show", f"{submitter.group.name}/1")
    submitter.group.policy(artifact={"required_files": ["model.joblib"]})
    submitter.group.submit(files).package().until("ValidationFailed")

    failed = submitter.signoff("show", f"{submitter.group.name}/2")

    path = "artifact:InferenceSpecification.Containers[0]"
    assert f"passed    {path}: model data: none (image only)" in passed.stdout
    assert (
        f"failed    {path}: model data: none (image only), and the policy sets artifact.required_files" in failed.stdout
    )


@pytest.mark.deep
def test_a_model_is_revoked_from_the_terminal(submitter: Shell, approver: Shell) -> None:
    package = submitter.group.pending()
    package.approve()

    revoked = approver.signoff("revoke", f"{submitter.group.name}/1", "--reason", "Drifts", "--yes")
    submitter.group.pipeline.quiet()

    assert revoked.returncode == 0, revoked.stderr
    assert submitter.shown()["model"] is None
    assert package.models() == []


@pytest.mark.deep
def test_an_erred_package_is_validated_anew_from_the_terminal(submitter: Shell) -> None:
    package = submitter.group.pending()

    again = submitter.signoff("revalidate", f"{submitter.group.name}/1", "--reason", "Once more", "--wait")

    assert again.returncode == 0, again.stderr
    assert package.until("PendingApproval").state.attempt == 2


def test_packages_are_listed_by_group_and_status(submitter: Shell) -> None:
    submitter.group.pending()

    pending = submitter.signoff("list", "--group", submitter.group.name, "--status", "PendingApproval", "--json")
    approved = submitter.signoff("list", "--group", submitter.group.name, "--status", "Approved", "--json")

    assert [row["version"] for row in json.loads(pending.stdout)] == [1]
    assert json.loads(approved.stdout) == []
