"""The wheel, installed where the repository is not."""

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.groups import Group
from tests.support.installed import Installed, build_wheel, install
from tests.support.repository import ROOT
from tests.support.submissions import honest

PACKAGES = {"signoff": ROOT / "functions", "signoff_cli": ROOT, "signoff_cdk": ROOT}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The command as `pip install signoff[cli]` installs it, beside the files of a submission."""
    installed = install(wheel, tmp_path_factory.mktemp("command"), "cli")
    for name, content in honest().items():
        (installed.directory / name).write_bytes(content)
    return installed


def test_the_wheel_holds_every_file_of_its_three_packages_and_nothing_else(wheel: Path) -> None:
    sources = {
        file.relative_to(place).as_posix()
        for package, place in PACKAGES.items()
        for file in (place / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert names == sources


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--help"], "The gate between a trained model and production"),
        (["--version"], "signoff 0."),
        (["inspect", "model.tar.gz"], "model.tar.gz"),
        (["manifest", "check", "manifest.json"], "manifest.json"),
        (["policy", "check", str(ROOT / "infra" / "policies" / "default.json")], "default.json"),
    ],
)
def test_the_command_works_without_the_repository(command: Installed, arguments: list[str], says: str) -> None:
    ended = command.run("signoff", *arguments)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert says in ended.stdout


def test_what_the_installed_command_submits_is_registered(command: Installed, group: Group) -> None:
    submitter = replace(command, settings=group.pipeline.stack.engine.environment("submitter"))

    submitted = submitter.run("signoff", "submit", "model.tar.gz", "--group", group.name, "--create-group", "--wait")

    assert (submitted.returncode, submitted.stderr) == (0, "")
    assert "PendingApproval" in submitted.stdout
    assert [package.status for package in group.packages()] == ["PendingApproval"]


def test_aws_on_this_machine_is_said_to_be_in_the_repository(command: Installed) -> None:
    ended = command.run("signoff", "local", "up")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("signoff: AWS on this machine is part of Signoff's repository")
    assert "`make setup`" in ended.stderr


def test_without_its_extra_the_command_says_what_to_install(wheel: Path, tmp_path: Path) -> None:
    library = install(wheel, tmp_path)

    ended = library.run("signoff", "--help")
    imported = library.run("python", "-c", "import signoff.artifact.inspection, signoff.policy.policy, signoff.ledger")

    said = "signoff: the command needs typer: pip install 'signoff[cli]'\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize(("module", "arguments"), [("boto3", ["list"]), ("rich", ["inspect", "model.tar.gz"])])
def test_whatever_else_of_the_extra_is_missing_is_named(command: Installed, module: str, arguments: list[str]) -> None:
    # What Python itself does with a module that is None is to find none of that name.
    without = f"import sys; sys.modules['{module}'] = None; from signoff_cli.__main__ import main; main()"

    ended = command.run("python", "-c", without, *arguments)

    said = f"signoff: the command needs {module}: pip install 'signoff[cli]'\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
