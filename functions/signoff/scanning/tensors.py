"""Formats that hold tensors and say what they hold: safetensors, ONNX, NumPy's .npy, HDF5 and Keras' config.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.scanning.contents import Peekable, Scan, Where
from signoff.scanning.hdf5 import hdf5, is_hdf5
from signoff.scanning.keras import is_keras_config, keras_config
from signoff.scanning.numpy_arrays import is_npy, npy
from signoff.scanning.onnx import is_onnx, onnx
from signoff.scanning.safetensors import is_safetensors, safetensors

Scanner = Callable[[Peekable, Where, Scan], None]

# The last two are told by more than a magic: what is neither of the others first.
KINDS: Sequence[tuple[Callable[[bytes], bool], Scanner]] = (
    (is_npy, npy),
    (is_hdf5, hdf5),
    (is_safetensors, safetensors),
    (is_keras_config, keras_config),
    (is_onnx, onnx),
)
