"""The product on the engine, once per test process."""

from collections.abc import Iterator

import pytest

from tests.support.deployed import Deployed, assembly_in, deployed, shared_directory


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """An engine with the product deployed to it."""
    assembly = assembly_in(shared_directory(tmp_path_factory.getbasetemp()))
    with deployed(tmp_path_factory.mktemp("stack"), assembly) as running:
        yield running
