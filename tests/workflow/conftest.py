"""The engine, once per test process; each test makes the buckets, queues and groups of its own."""

from collections.abc import Iterator

import pytest

from local.engine import Engine
from tests.support.deployed import Deployed, assembly_in, deployed, shared_directory


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with nothing deployed to it."""
    with Engine.start(log=tmp_path_factory.mktemp("engine") / "engine.log", wait_scale=0.05) as running:
        yield running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """An engine with the product deployed to it."""
    assembly = assembly_in(shared_directory(tmp_path_factory.getbasetemp()))
    with deployed(tmp_path_factory.mktemp("stack"), assembly) as running:
        yield running
