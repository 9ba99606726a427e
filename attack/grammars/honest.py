"""Honest models, which are tried changed by chance: what a loader still reads is told by its format, or refused.

SavedModels and skops files, which tell their formats by names, are changed in the grammars of their disguises.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import joblib
import numpy as np

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import Entry, zipped

SAMPLES = Path(__file__).parents[2] / "tests" / "corpus" / "samples"
_KERAS = (("config.json", "dense.config.json"), ("model.weights.h5", "dense.weights.h5"))


def _sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, floats=np.arange(6.0), words=np.array(["a", "b"]))
    return file.getvalue()


def _joblib() -> bytes:
    file = io.BytesIO()
    joblib.dump({"floats": np.arange(6.0), "words": ["a", "b"]}, file)
    return file.getvalue()


def _keras() -> bytes:
    metadata = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'
    return zipped([Entry("metadata.json", metadata), *(Entry(name, _sample(sample)) for name, sample in _KERAS)])


FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    **{
        name: (usual, partial(_sample, name))
        for name, usual in {
            "lightgbm.txt": "model.txt",
            "xgboost.json": "xgboost-model",
            "xgboost.ubj": "model.ubj",
            "catboost.cbm": "model.cbm",
            "catboost.json": "model.json",
            "tensors.safetensors": "model.safetensors",
            "matmul.onnx": "model.onnx",
            "function.onnx": "model.onnx",
            "floats.npy": "array.npy",
            "structured.npy": "array.npy",
            "dense.h5": "model.h5",
            "state-dict.pt": "model.pt",
            "state-dict.legacy.pth": "model.pth",
            "script.pt": "model.pt",
            "module.ff": "model.ff",
            "module.ptl": "model.ptl",
        }.items()
    },
    "npz": ("arrays.npz", _npz),
    "joblib": ("model.joblib", _joblib),
    "keras": ("model.keras", _keras),
}
"""The usual name of each, and what makes it: files of the tests' corpus, which the real libraries wrote."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "xgboost": ("xgboost-json", "xgboost-ubj", "json"),  # which may begin with something else
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "catboost-json": ("json",),
    "safetensors": ("safetensors",),
    "npy": ("npy", "npz"),
    "onnx": ("onnx",),
    "keras": ("keras", "hdf5"),
    "keras-hdf5": ("hdf5",),
    "torch": ("pytorch", "torchscript", "pickle", "tar", "safetensors"),
    "torch-jit": ("torchscript", "torchscript-flatbuffer"),
    "joblib": ("pickle",),
}
"""What each loader's file is to be taken for, where it reads one."""


def _compose(choices: Choices) -> Files:
    usual, make = FILES[choices["file"]]
    return {usual if choices["place"] == "usual" else choices["place"]: make()}


HONEST = Grammar(
    "honest",
    {"file": tuple(FILES), "place": ("model", "usual", "model.bin", "deep/er/model.dat")},
    _compose,
    tuple(KINDS),
    hostile=False,
    kinds=KINDS,
)
