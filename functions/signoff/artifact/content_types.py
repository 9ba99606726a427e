"""What content may be: the names that an inventory, policies and documentation use for its types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

FORMATS = (
    "safetensors",
    "onnx",
    "skops",
    "xgboost-json",
    "xgboost-ubj",
    "lightgbm",
    "catboost",
    "npy",
    "npz",
    "keras",
    "hdf5",
    "pytorch",
    "torchscript",
    "pickle",
    "saved_model",
    "tflite",
    "gguf",
    "parquet",
)
"""Formats that models are written in."""
UNKNOWN = "unknown"
PYTHON, SCRIPT = "python source", "shell script"
COMPILED = frozenset({"ELF", "PE", "Mach-O", "wasm", "class file", "jar", "python bytecode"})
CONTAINERS = frozenset({"gzip", "bzip2", "xz", "zlib", "lzma", "zip", "tar"})
"""Kinds that say nothing of what lies within."""


def apart(kind: str | None, within: Mapping[tuple[str, bool], str]) -> Iterator[tuple[tuple[str, bool], str]]:
    """Yield of what lies `within` content of a kind what counts by itself: each kind, and the first thing that is one.

    Within a model's format that is only what is compiled: whatever else such a file holds is part of it.
    """
    return ((each, member) for each, member in within.items() if kind in CONTAINERS or each[0] in COMPILED)
