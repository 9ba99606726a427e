"""Loaders that run nothing of what they read: what they read to its end shall be told by its format."""

from __future__ import annotations

from pathlib import Path

from attack.loaders.registry import Loader, each_file


def by_xgboost() -> dict[str, Loader]:
    """Return XGBoost's, which tells JSON from UBJSON by the content where the name does not say."""
    import xgboost

    return {"xgboost": each_file(lambda path: xgboost.Booster().load_model(path))}


def by_lightgbm() -> dict[str, Loader]:
    """Return LightGBM's."""
    import lightgbm

    return {"lightgbm": each_file(lambda path: lightgbm.Booster(model_file=path))}


def by_catboost() -> dict[str, Loader]:
    """Return CatBoost's, of its binary format and of its JSON."""
    from catboost import CatBoost

    def load(path: Path, form: str = "cbm") -> None:
        if not CatBoost().load_model(str(path), format=form).tree_count_:
            raise ValueError("no trees")

    def json(path: Path) -> None:
        load(path, "json")

    return {"catboost": each_file(load), "catboost-json": each_file(json)}


def by_safetensors() -> dict[str, Loader]:
    """Return that of safetensors."""
    from safetensors.numpy import load_file

    return {"safetensors": each_file(load_file)}


def by_numpy() -> dict[str, Loader]:
    """Return NumPy's without pickles, which also loads every array of an archive."""
    import numpy as np

    def load(path: Path) -> None:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded[name] for name in loaded.files] if isinstance(loaded, np.lib.npyio.NpzFile) else [loaded]
        if not any(isinstance(array, np.ndarray) for array in arrays):
            raise ValueError("no arrays")

    return {"npy": each_file(load)}
