"""Pickles that versions of the libraries wrote which are not installed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scans import scanned
from tests.support.tensor_files import SAMPLES

PICKLES = sorted((SAMPLES / "pickles").iterdir())
REFUSED = [path for path in PICKLES if path.name.startswith("statsmodels")]


@pytest.mark.parametrize("path", [path for path in PICKLES if path not in REFUSED], ids=lambda path: path.name)
def test_what_older_versions_wrote_passes(path: Path) -> None:
    assert scanned(path.read_bytes()) == []


def test_what_evaluates_a_formula_when_it_is_loaded_is_refused() -> None:
    (path,) = REFUSED
    told = [reason for _, _, reason in scanned(path.read_bytes())]
    assert any("statsmodels.base.data" in reason for reason in told)
