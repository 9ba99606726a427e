"""What a pickle is a part of: PyTorch's old format, NumPy's arrays of objects, and where it is a file by itself."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable, Mapping

from attack.grammars.archives import Entry, zipped

TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def _dumped(value: object) -> bytes:
    return pickle.dumps(value, 2)


def _torch_old(data: bytes) -> bytes:
    return _dumped(TORCH_MAGIC) + _dumped(1001) + _dumped(SYSTEM) + data + _dumped([])


def _torch_first(data: bytes) -> bytes:
    """The payload in the place of the magic number."""
    return data + _dumped(1001) + _dumped(SYSTEM) + _dumped({}) + _dumped([])


def _torch_keys(data: bytes) -> bytes:
    return _dumped(TORCH_MAGIC) + _dumped(1001) + _dumped(SYSTEM) + _dumped({}) + data


def _torch_tar(data: bytes) -> bytes:
    """PyTorch's format before 0.1.10: a tar of storages, tensors and a pickle."""
    file = io.BytesIO()
    parts = {"sys_info": _dumped(SYSTEM), "storages": _dumped(0), "tensors": _dumped(0), "pickle": data}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def npy(data: bytes, version: int = 1, descr: str = "'|O'", pad: int = 0, shape: str = "()") -> bytes:
    """Return an array's file (numpy/lib/format.py) whose contents are `data`."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}{' ' * pad}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(head).to_bytes(2 if version == 1 else 4, "little") + head + data


def _npz(data: bytes) -> bytes:
    return zipped([Entry("weights.npy", npy(bytes(8), descr="'<f8'")), Entry("arr_0.npy", npy(data))])


def _joblib(array: object) -> bytes:
    import joblib

    file = io.BytesIO()
    joblib.dump([array], file, protocol=4)
    return file.getvalue()


def _behind_array(data: bytes) -> bytes:
    """A list of an array by joblib, whose bytes lie between opcodes, and the payload before the STOP."""
    import numpy as np

    return _joblib(np.arange(20.0))[:-1] + data


def _in_array(data: bytes) -> bytes:
    """The payload both as an array's bytes, where nobody runs it, and behind it."""
    import numpy as np

    return _joblib(np.frombuffer(data, "u1"))[:-1] + data


def _behind_matrix(data: bytes) -> bytes:
    import numpy as np

    return _joblib(np.asfortranarray(np.ones((3, 4), ">f4")))[:-1] + data


LAYOUTS: Mapping[str, Callable[[bytes], bytes]] = {
    "pickle": lambda data: data,
    "second": lambda data: _dumped({"honest": 1}) + data,
    "second-old": lambda data: pickle.dumps(["honest"], 0) + data,
    "second-text": lambda data: pickle.dumps("honest", 0) + data,
    "second-number": lambda data: pickle.dumps(1, 0) + data,
    "torch-old": _torch_old,
    "torch-first": _torch_first,
    "torch-keys": _torch_keys,
    "torch-tar": _torch_tar,
    "joblib-array": _behind_array,
    "joblib-bytes": _in_array,
    "joblib-matrix": _behind_matrix,
    "npy": npy,
    "npy-2": lambda data: npy(data, 2),
    "npy-3": lambda data: npy(data, 3),
    "npy-long-head": lambda data: npy(data, pad=9_000),
    "npy-longest-head": lambda data: npy(data, 2, pad=70_000),
    "npy-fields": lambda data: npy(data, descr="[('a', '|O')]"),
    "npy-nested-fields": lambda data: npy(data, descr="[('a', [('b', '<f8'), ('c', '|O', (2,))])]"),
    "npy-object-name": lambda data: npy(data, descr="'O'"),
    "npy-object-8": lambda data: npy(data, descr="'|O8'"),
    "npy-object-big": lambda data: npy(data, descr="'>O'"),
    "npy-object-word": lambda data: npy(data, descr="'object'"),
    "npy-comma": lambda data: npy(data, descr="'f8,O'"),
    "npy-escaped": lambda data: npy(data, descr="'\\x4f'"),
    "npy-keys-order": lambda data: _npy_reordered(data),
    "npz": _npz,
}
"""What a pickle is made part of, by its name."""


def _npy_reordered(data: bytes) -> bytes:
    head = b"{'shape': (), 'fortran_order': False, 'descr': '|O'}\n"
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + data
