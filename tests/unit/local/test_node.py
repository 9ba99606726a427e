"""Node and what runs under it come from the project's own environment."""

import json
import subprocess
from pathlib import Path

import pytest

from local import node


def test_the_cdks_command_line_runs_under_the_environments_node() -> None:
    pinned = json.loads((node.ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    command = [*node.program("cdk"), "--version"]

    said = subprocess.run(command, env=node.environment(), capture_output=True, text=True, check=True)  # noqa: S603

    assert said.stdout.startswith(pinned)
    assert "site-packages" in command[0]


def test_jsii_finds_that_node() -> None:
    settings = node.environment()

    assert Path(settings["JSII_NODE"]) == node.node()
    assert settings["PATH"].startswith(str(node.node().parent))


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(node.NodeError, match="make setup"):
        node.program("cdk", tmp_path)


def test_the_lock_file_names_no_address() -> None:
    lock = json.loads((node.ROOT / "package-lock.json").read_text())

    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
