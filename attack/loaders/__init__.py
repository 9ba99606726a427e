"""The real loaders of models, each as those call it who use its library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attack.loaders import parsers, peers, pickles, tensors
from attack.loaders.registry import Loader

FAMILIES: Mapping[tuple[str, ...], Callable[[], dict[str, Loader]]] = {
    ("pickle", "pickle-python", "opened", "torch-zip"): pickles.by_standard_library,
    ("joblib",): pickles.by_joblib,
    ("numpy",): pickles.by_numpy,
    ("pandas",): pickles.by_pandas,
    ("torch", "torch-jit"): pickles.by_torch,
    ("keras", "keras-hdf5", "keras-json"): tensors.by_keras,
    ("h5py",): tensors.by_h5py,
    ("skops",): tensors.by_skops,
    ("onnx",): tensors.by_onnx,
    ("tensorflow", "tensorflow-v1"): tensors.by_tensorflow,
    ("xgboost",): parsers.by_xgboost,
    ("lightgbm",): parsers.by_lightgbm,
    ("catboost", "catboost-json"): parsers.by_catboost,
    ("safetensors",): parsers.by_safetensors,
    ("npy",): parsers.by_numpy,
    ("picklescan",): peers.by_picklescan,
    ("modelscan",): peers.by_modelscan,
    ("fickling",): peers.by_fickling,
}
"""The loaders of each library, by their names: what makes them imports it."""


def available(wanted: Sequence[str]) -> dict[str, Loader]:
    """Return the loaders whose libraries are installed, by their names; only the `wanted` ones if there are any."""
    found: dict[str, Loader] = {}
    for names, family in FAMILIES.items():
        if wanted and not set(names) & set(wanted):
            continue
        try:
            found |= family()
        except ImportError:  # not in this environment
            continue
    return {name: loader for name, loader in found.items() if not wanted or name in wanted}
