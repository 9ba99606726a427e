"""The end of a test run: it fails if a role may do what none of the tests needed, or needed what it may not do.

Tests of the engine share deployments that live in several test processes, so what roles used is known when all of them
have ended. What nothing used is told only by a run of all tests of the engine that passed: others use less.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.support.deployed import shared_directory
from tests.support.repository import ROOT
from tests.support.role_use import Difference, Observed, difference, keep, kept

_FOLDER, _WHOLE = "role-use", "whole"
_TITLE = "permissions"


def keep_observed(factory: pytest.TempPathFactory, one: Observed) -> None:
    """Keep what was observed of a deployment until the end of the run."""
    keep(shared_directory(factory.getbasetemp()) / _FOLDER, one)


class RoleUseReport:
    """Registered once in each test process: remembers what is to be run, and at the end reports the difference."""

    def __init__(self) -> None:
        self._difference = Difference([], [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Note for the process that reports whether this run is of all files with tests of the engine."""
        narrowed = any("::" in argument for argument in config.args) or config.option.keyword or config.option.markexpr
        if not narrowed and _of_engine() <= {item.path for item in items}:
            (_base(config) / _WHOLE).touch()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose roles may do more, or less, than they did."""
        if hasattr(session.config, "workerinput"):
            return
        base = _base(session.config)
        found = difference(kept(base / _FOLDER))
        passed = session.exitstatus == pytest.ExitCode.OK
        unused = found.unused if passed and (base / _WHOLE).exists() else []
        self._difference = Difference(unused, found.missing)
        if str(self._difference) and passed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the difference."""
        if str(self._difference):
            terminalreporter.section(_TITLE, red=True, bold=True)
            terminalreporter.line(str(self._difference))


def _base(config: pytest.Config) -> Path:
    """Return the directory that all test processes share."""
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    return shared_directory(factory.getbasetemp())


def _of_engine() -> set[Path]:
    """Return the files of the tests that use deployments."""
    return {*(ROOT / "tests/end_to_end").glob("test_*.py"), *(ROOT / "tests/workflow").glob("test_*.py")}
