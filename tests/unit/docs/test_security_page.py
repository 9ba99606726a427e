"""docs/security.md: what it says is tried somewhere is tried there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PAGE = ROOT / "docs/security.md"
TRIED = re.compile(r"`((?:unit|workflow|infrastructure|end_to_end)/[\w/]+\.py)::(\w+)`")
LOCKED = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)(?: ; [^\\\n]+?)?((?: \\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE
)


@cache
def kept_in(file: str) -> set[str]:
    """The names of the test functions of a file below `tests`; none where there is no such file."""
    path = ROOT / "tests" / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def rows() -> list[list[str]]:
    """The cells of each row of the table of threats."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| threat")]


def test_each_test_that_the_page_names_exists() -> None:
    named = TRIED.findall(PAGE.read_text())
    assert len(named) >= 60
    assert [f"{file}::{name}" for file, name in named if name not in kept_in(file)] == []


def test_no_test_is_named_in_a_way_that_nobody_checks() -> None:
    quoted = re.findall(r"`([^`]*::[^`]*)`", PAGE.read_text())
    assert [each for each in quoted if "arn:" not in each and not TRIED.fullmatch(f"`{each}`")] == []


def test_each_threat_has_what_stops_it_and_where_that_is_tried() -> None:
    found = rows()
    assert len(found) >= 30
    assert [row for row in found if len(row) != 3 or not row[1] or not TRIED.search(row[2])] == []


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/security.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda file: file.name)
def test_every_dependency_is_locked_by_its_hash(file: Path) -> None:
    text = file.read_text()
    locked = {name: hashes for name, _, hashes in LOCKED.findall(text)}
    named = re.findall(r"^([A-Za-z0-9._-]+)", text, re.MULTILINE)
    assert len(named) > 5
    assert [name for name in named if not locked.get(name)] == []
