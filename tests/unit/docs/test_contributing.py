"""CONTRIBUTING.md and the hooks say what there is: each package has its row, each linter its hook."""

import re

import pytest

from tests.support.repository import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FOLDERS = ("functions/signoff", "signoff_cli", "signoff_cdk", "infra", "local", "attack", "benchmarks", "examples")


def packages(folder: str) -> list[str]:
    """The packages in a folder and below, itself among them, where modules lie: as paths of the repository."""
    found = {module.parent for module in (ROOT / folder).rglob("*.py")} - {ROOT / folder}
    return sorted(each.relative_to(ROOT).as_posix() for each in found)


@pytest.mark.parametrize("folder", ["functions/signoff", "signoff_cli", "infra", "local"])
def test_each_package_has_a_row(folder: str) -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))

    assert packages(folder)
    assert [each for each in packages(folder) if f"`{each}`" not in rows] == []


def test_each_row_says_who_may_import_it() -> None:
    rows = [
        line.strip("|").split("|")
        for line in PAGE.splitlines()
        if line.startswith(tuple(f"| `{each}" for each in FOLDERS))
    ]

    assert len(rows) >= 25
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_what_make_lint_runs_has_a_hook() -> None:
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    linters = re.findall(r"\$\(BIN\)/(\S+(?: check| format)?)", recipe[1])

    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert len(linters) >= 3
    assert [each for each in linters if f".venv/bin/{each}" not in hooks] == []


def test_hooks_take_nothing_from_elsewhere() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()

    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}


def test_the_licence_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text()

    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "Copyright 2026 Signoff's authors" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
