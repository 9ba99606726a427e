"""Content types: their names in inventories, policies and the documentation."""

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
    "torchscript-flatbuffer",
    "xgboost-binary",
    "r-data",
    "pmml",
    "ort",
    "coreml",
    "mojo",
    "mxnet",
    "fasttext",
)
"""Formats that models are written in."""
NOT_LOOKED_INTO = {
    "gguf": "its chat template, which a server runs as a Jinja template",
    "tflite": "custom operators, which a server must bring along",
    "ort": "custom operators, which ONNX Runtime would load a library for",
    "coreml": "custom layers, which an app must bring along",
    "mojo": "what H2O stores in it",
    "fasttext": "the sizes that it gives of itself, by which its loader takes memory",
    "mxnet": "the operators of the graph beside it, some of which take addresses in memory",
    "xgboost-binary": "its trees, in a format that XGBoost no longer reads",
}
"""Formats that are known by their first bytes and read no further, and what in them nobody looks at."""
UNKNOWN, EMPTY = "unknown", "empty"
APPLE_DOUBLE = "AppleDouble"  # macOS's attributes of the file that is called so without `._`
PYTHON, SCRIPT = "python source", "shell script"
COMPILED = frozenset({"ELF", "PE", "Mach-O", "wasm", "class file", "jar", "python bytecode"})
CONTAINERS = frozenset({"gzip", "bzip2", "xz", "zlib", "lzma", "zip", "mar", "tar"})
"""Types that say nothing about their content."""


def apart(kind: str | None, within: Mapping[tuple[str, bool], str]) -> Iterator[tuple[tuple[str, bool], str]]:
    """Yield the types found `within` content of type `kind` that count by themselves, each with its first member.

    Within a model format only compiled code counts: everything else in such a file is part of it.
    """
    return ((each, member) for each, member in within.items() if kind in CONTAINERS or each[0] in COMPILED)
