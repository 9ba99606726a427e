"""Formats that hold tensors and say what they hold: safetensors, ONNX, NumPy's, Keras', HDF5 and TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.scanning.contents import Peekable, Scan, Where
from signoff.scanning.hdf5 import hdf5, is_hdf5
from signoff.scanning.keras import is_keras_config, keras_config
from signoff.scanning.numpy_arrays import is_npy, npy
from signoff.scanning.onnx import is_onnx, onnx
from signoff.scanning.safetensors import is_safetensors, safetensors
from signoff.scanning.saved_model import is_keras_metadata, is_saved_model, saved_model

Kind = tuple[Callable[[bytes], bool], Callable[[Peekable, Where, Scan], None]]

SAFETENSORS: Kind = (is_safetensors, safetensors)
# The last are told by more than a magic: what is none of the others first.
KINDS: Sequence[Kind] = (
    (is_npy, npy),
    (is_hdf5, hdf5),
    SAFETENSORS,
    (is_keras_config, keras_config),
    (is_onnx, onnx),
    (is_saved_model, saved_model),
    (is_keras_metadata, hdf5),
)
