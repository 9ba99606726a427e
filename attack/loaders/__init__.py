"""The real loaders of models, each as those call it who use its library."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attack.loaders import peers, pickles
from attack.loaders.registry import Loader

FAMILIES: Sequence[Callable[[], dict[str, Loader]]] = (
    pickles.by_standard_library,
    pickles.by_joblib,
    pickles.by_numpy,
    pickles.by_pandas,
    pickles.by_torch,
    peers.by_picklescan,
    peers.by_modelscan,
    peers.by_fickling,
)


def available(wanted: Sequence[str]) -> dict[str, Loader]:
    """Return the loaders whose libraries are installed, by their names; only the `wanted` ones if there are any."""
    found: dict[str, Loader] = {}
    for family in FAMILIES:
        try:
            found |= family()
        except ImportError:  # not in this environment
            continue
    return {name: loader for name, loader in found.items() if not wanted or name in wanted}
