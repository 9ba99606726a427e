"""The benchmarks can measure every function that there is."""

import pytest

from benchmarks.imports import FUNCTIONS, services_of
from tests.support.depth import some


@pytest.mark.parametrize("function", some(sorted(path.stem for path in FUNCTIONS.glob("*.py"))))
def test_the_clients_of_every_function_can_be_made_without_its_stack(function: str) -> None:
    assert services_of(function)
