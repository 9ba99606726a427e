"""The engine, once per test run; each test makes the buckets, queues and groups of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with nothing deployed to it."""
    directory: Path = tmp_path_factory.mktemp("engine")
    with Engine.start(log=directory / "engine.log", wait_scale=0.05) as running:
        yield running
