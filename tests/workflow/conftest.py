"""The engine, once per test process; each test makes the buckets, queues and groups of its own."""

from collections.abc import Iterator

import pytest

from local.engine.process import Engine
from local.engine.seed import seed


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with nothing deployed to it, and an image to make models of."""
    with Engine.start(log=tmp_path_factory.mktemp("engine") / "engine.log", wait_scale=0.05) as running:
        seed(running)
        yield running
