"""What the documents name is there: files and folders, modules and what they define, pages and their headings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
# coverage.md is generated, and thousands of lines long: `test_coverage` holds it.
READ = [page for page in PAGES if page.name != "coverage.md"]
CODE = ("attack", "benchmarks", "examples", "functions", "infra", "local", "signoff_cdk", "signoff_cli", "tests")
FOLDERS = (*CODE, "docs", "events", "requirements", "statemachine")
# The folder that each package lies in.
PACKAGES = {"signoff": "functions", **dict.fromkeys(CODE, ".")}
# Names that look like modules, and are not: the source of the command's events.
NO_MODULES = {"signoff.cli"}

LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./*<>-]*")
DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+")
RUN = re.compile(r"python -m ([\w.]+)")


def told(page: Path, form: re.Pattern[str]) -> list[str]:
    """What a page quotes (in backticks) that has this form."""
    return [quoted for quoted in QUOTED.findall(page.read_text()) if form.fullmatch(quoted)]


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have on GitHub."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def is_there(path: str) -> bool:
    """Whether a path of the repository exists; `<name>` and `*` stand for any name."""
    pattern = re.sub(r"<[^>]*>", "*", path.rstrip("/"))
    return any(ROOT.glob(pattern))


@cache
def defined_in(module: Path) -> dict[str, set[str]]:
    """The names that a module defines or imports, each with the names that its class has."""
    names: dict[str, set[str]] = {}
    for node in ast.parse(module.read_text()).body:
        own = set().union(*map(_names, node.body)) if isinstance(node, ast.ClassDef) else set()
        names.update(dict.fromkeys(_names(node), own))
    return names


def _names(node: ast.stmt) -> set[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {each.asname or each.name for each in aliases}
    return set()


def resolves(dotted: str) -> bool:
    """Whether it names a package, a module, or something that a module defines."""
    first, *rest = dotted.split(".")
    place = ROOT / PACKAGES[first] / first
    while rest and (place / rest[0]).is_dir():
        place /= rest.pop(0)
    module = place / f"{rest[0]}.py" if rest and (place / f"{rest[0]}.py").is_file() else place / "__init__.py"
    rest = rest[1:] if module.name != "__init__.py" else rest
    return module.is_file() and _defines(module, rest)


def _defines(module: Path, rest: list[str]) -> bool:
    names = defined_in(module)
    match rest:
        case []:
            return True
        case [name]:
            return name in names
        case [name, member]:
            return member in names.get(name, ())
    return False


def named(form: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    return ((page.relative_to(ROOT).as_posix(), each) for page in READ for each in told(page, form))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]

    assert [link for link in links if not leads_somewhere(page, link)] == []


def test_every_path_that_is_named_exists() -> None:
    paths = list(named(PATH))

    assert len(paths) >= 60
    assert [(page, path) for page, path in paths if not is_there(path)] == []


def test_every_module_that_is_named_exists_and_defines_what_is_said() -> None:
    modules = [(page, each) for page, each in named(DOTTED) if each not in NO_MODULES]

    assert len(modules) >= 10
    assert [(page, each) for page, each in modules if not resolves(each)] == []


def test_every_module_that_is_to_be_run_exists() -> None:
    run = [(page.name, each) for page in READ for each in RUN.findall(page.read_text())]
    ours = [(page, each) for page, each in run if each.split(".")[0] in PACKAGES]

    assert len(ours) >= 3
    assert [(page, each) for page, each in ours if not resolves(each)] == []


@pytest.mark.parametrize("wrong", ["functions/signoff/steps/", "infra/policies/groups/<group>.yaml"])
def test_a_path_that_is_not_there_is_found(wrong: str) -> None:
    assert not is_there(wrong)


@pytest.mark.parametrize(
    "wrong",
    ["signoff.ledger.fold", "signoff.ledger.state.State.phase", "signoff_cli.main.run.app", "local.sagemaker.x"],
)
def test_a_name_that_nothing_defines_is_found(wrong: str) -> None:
    assert not resolves(wrong)
