"""The product on the engine, once per test process; each test has a model package group of its own in it."""

import gc
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.engine.strict_requests import make_strict
from tests.support import depth
from tests.support.deployed import Deployed, assembly_in, deployed, shared_directory
from tests.support.groups import Group
from tests.support.lazy_jsii import load_when_used
from tests.support.pipeline import Pipeline
from tests.support.reporting import report_briefly
from tests.support.role_use_report import RoleUseReport, keep_observed
from tests.support.service_models import read_once

depth.register()


def pytest_configure(config: pytest.Config) -> None:
    """Send nothing in the whole run, from whatever client, that AWS would not take."""
    make_strict()
    read_once()
    load_when_used()
    report_briefly(config)
    config.pluginmanager.register(RoleUseReport())


def pytest_collection_finish() -> None:
    """Look no more through what was collected, millions of objects, each time that garbage is: it stays to the end."""
    gc.collect()
    gc.freeze()


# Each sweep and each audit looks through all that the tests before it left in their stack.
LOOK_THROUGH_ALL = ("lost_events", "deletion", "test_audit", "what_happens_by_itself", "retirement", "doctor")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Try what looks through the whole registry while little is in it, and what fills it at the end.

    What only a deep look tries is left out of a quick one, unless it is asked for by its name.
    """
    if not depth.deep() and not any("::" in each for each in config.args):
        left = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if "test_a_large_group_is_listed" in item.nodeid:
        return 2
    early = "end_to_end" in item.nodeid and any(name in item.nodeid for name in LOOK_THROUGH_ALL)
    return 0 if early else 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let the tests that share the stack run in one test process, beside all the others."""
    from tests.support.scheduling import Scheduling

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """An engine with the product deployed to it; all that was asked of AWS must be what AWS takes."""
    assembly = assembly_in(shared_directory(tmp_path_factory.getbasetemp()))
    with deployed(tmp_path_factory.mktemp("stack"), assembly) as running:
        yield running
        keep_observed(tmp_path_factory, running.observed(assembly))
        assert running.request_faults.read_text() == ""


@pytest.fixture(scope="session")
def pipeline(stack: Deployed) -> Iterator[Pipeline]:
    """The deployed pipeline; nothing that a test did not set aside itself may have ended in a dead-letter queue."""
    running = Pipeline(stack)
    yield running
    queues = ("Register", "Decision", "Deploy", "Sweep", "Validation", "Announce")
    assert {name: running.waiting(name, "DeadLetters") for name in queues} == dict.fromkeys(queues, 0)


@pytest.fixture
def group(pipeline: Pipeline) -> Group:
    """A model package group that no other test knows."""
    return Group(pipeline, f"group-{uuid4().hex[:8]}")
