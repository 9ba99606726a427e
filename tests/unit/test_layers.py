"""What import-linter cannot see: the handlers, which lie in no package, and what importing each loads in the end."""

import ast
import json
import subprocess
import sys
from functools import cache

import grimp
import pytest

from tests.support.repository import ROOT

HANDLERS = sorted(path.stem for path in (ROOT / "functions").glob("*.py"))
PROGRAMS = {"signoff_cli", "signoff_cdk", "infra", "local", "aws_cdk"}
READERS = tuple(f"signoff.artifact.{name}" for name in ("scan", "detection", "formats", "pickle", "tar", "zip"))

# Beside boto3 and what it brings. typing_extensions is Powertools' own.
EVERY = {"aws_lambda_powertools", "typing_extensions", "rfc8785"}
DECIDING = {*EVERY, "msgspec"}
LIBRARIES = dict.fromkeys(HANDLERS, DECIDING) | {
    "announce": EVERY,
    "keep_artifact": EVERY,
    "keep_signature": EVERY,
    "inspect_artifact": {*DECIDING, "zlib_ng"},
}

LOADED = """
import json, sys
import boto3
before = set(sys.modules)
__import__(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@cache
def loaded_by(handler: str) -> set[str]:
    """Return the modules that importing a handler loads in a new interpreter, beside those of boto3."""
    answer = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", LOADED, handler],
        env={"PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize("handler", HANDLERS)
def test_only_the_function_that_inspects_loads_what_reads_bytes(handler: str) -> None:
    readers = {name for name in loaded_by(handler) if name.startswith(READERS)}
    assert bool(readers) == (handler == "inspect_artifact")


def test_the_function_that_keeps_signatures_reads_no_manifests() -> None:
    readers = ("signoff.submission.manifest", "signoff.policy", "signoff.aws.sagemaker")
    assert [name for name in loaded_by("keep_signature") if name.startswith(readers)] == []


@pytest.mark.parametrize("handler", HANDLERS)
def test_no_function_loads_a_program_around_signoff(handler: str) -> None:
    assert {name.partition(".")[0] for name in loaded_by(handler)} & PROGRAMS == set()


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_loads_no_more_libraries_than_it_needs(handler: str) -> None:
    packages = {name.partition(".")[0] for name in loaded_by(handler)}
    assert packages - sys.stdlib_module_names - {"signoff", "boto3", handler} == LIBRARIES[handler]


def test_nothing_imports_a_handler() -> None:
    graph = grimp.build_graph("signoff", include_external_packages=True, cache_dir=None)
    assert graph.modules & {*HANDLERS} == set()


@pytest.mark.parametrize("folder", ["functions", "signoff_cli", "infra", "local"])
def test_a_package_is_its_docstring(folder: str) -> None:
    packages = [*(ROOT / folder).rglob("__init__.py")]
    assert packages
    assert [path for path in packages if not _is_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def _is_docstring(module: ast.Module) -> bool:
    return len(module.body) <= 1 and (not module.body or ast.get_docstring(module) is not None)
