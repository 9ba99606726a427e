"""Loaders of models that are no pickles: Keras, skops, ONNX and TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attack.grammars.calls import MARK
from attack.loaders.registry import Loader, each_file, try_each


def by_keras() -> dict[str, Loader]:
    """Return Keras': archives and folders, HDF5 whatever its name, and a JSON by itself."""
    import h5py

    os.environ["KERAS_BACKEND"] = "tensorflow" if find_spec("tensorflow") else "numpy"
    import keras
    from keras.src.legacy.saving import legacy_h5_format
    from keras.src.saving.serialization_lib import SafeModeScope

    def load(path: Path) -> None:
        keras.saving.load_model(path, safe_mode=False, compile=False)

    def hdf5(path: Path) -> None:
        with h5py.File(path) as file:
            legacy_h5_format.load_model_from_hdf5(file, compile=False, safe_mode=False)

    def json(path: Path) -> None:
        with SafeModeScope(False):
            keras.models.model_from_json(path.read_bytes())

    return {"keras": _each_path(load), "keras-hdf5": each_file(hdf5), "keras-json": each_file(json)}


def by_h5py() -> dict[str, Loader]:
    """Return h5py's, which leaves a mark where a file that it reads has data in others, as Keras' of old does."""
    import h5py

    def outside(group: Any) -> bool:
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                return True
            found = group[name]
            if outside(found) if isinstance(found, h5py.Group) else found.external or found.is_virtual:
                return True
        return False

    def load(path: Path) -> None:
        with h5py.File(path) as file:
            if outside(file):
                Path(MARK).touch()

    return {"h5py": each_file(load)}


def by_skops() -> dict[str, Loader]:
    """Return skops', with a caller who trusts every type."""
    import skops.io

    def load(path: Path) -> None:
        skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))

    return {"skops": each_file(load)}


def by_onnx() -> dict[str, Loader]:
    """Return ONNX', which leaves a mark where a model takes data from another folder or operators from elsewhere."""
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    def load(path: Path) -> None:
        model = onnx.load(path, load_external_data=False)
        tensors = [each for each in _parts(model) if isinstance(each, onnx.TensorProto)]
        nodes = [each for each in _parts(model) if isinstance(each, onnx.NodeProto)]
        places = [ExternalDataInfo(each).location for each in tensors if uses_external_data(each)]
        if any(map(_is_elsewhere, places)) or any(each.domain == "attacker" for each in nodes):
            Path(MARK).touch()
        if not (model.graph.node or model.graph.initializer):
            raise ValueError("no graph")  # any message is one with unknown fields

    return {"onnx": each_file(load)}


def _is_elsewhere(location: str) -> bool:
    """Whether data is not in the model's own folder: there it may be, in a file of any name."""
    return ".." in location.split("/") or location.startswith(("/", "*/"))


def _parts(message: Any) -> Iterator[Any]:
    """Yield a message and all messages in it."""
    yield message
    for _, value in message.ListFields():
        for each in value if hasattr(value, "__len__") and not isinstance(value, str | bytes) else [value]:
            if hasattr(each, "ListFields"):
                yield from _parts(each)


def by_tensorflow() -> dict[str, Loader]:
    """Return TensorFlow's, of version 2 and of version 1, for every folder that may be a model."""
    import tensorflow as tf

    def load(folder: Path) -> None:
        tf.saved_model.load(str(folder))

    def load_old(folder: Path) -> None:
        with tf.compat.v1.Session(graph=tf.Graph()) as session:
            tf.compat.v1.saved_model.load(session, ["serve"], str(folder))

    return {"tensorflow": _each_path(load), "tensorflow-v1": _each_path(load_old)}


def _each_path(load: Loader) -> Loader:
    """Return a loader that tries a folder, and every file and folder in it."""
    return lambda folder: try_each(load, [folder, *sorted(folder.rglob("*"))])
