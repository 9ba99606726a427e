"""Archives around the files of one model, and what the cases of hostile ones are made of."""

from __future__ import annotations

import gzip
import io
import marshal
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import numpy as np

from tests.corpus.framework_files import Files
from tests.support.archives import member, tar

NEIGHBOURS: Files = {
    "code/inference.py": b"import joblib\n\n\ndef model_fn(model_dir):\n    return joblib.load(model_dir)\n",
    "code/requirements.txt": b"scikit-learn==1.9.1\n",
    "config.json": b'{"model_type": "bert", "hidden_size": 4, "id2label": {"0": "no", "1": "yes"}}',
    "tokenizer.json": b'{"version": "1.0", "model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "good": 1}}}',
    "README.md": b"# Model\n",
}


@dataclass(frozen=True)
class HostileModel:
    """An archive by its name: what writes its model, the rule it is refused by, and where that is found."""

    name: str
    write: Callable[[], Files]
    rule: str = "unsafe-pickle"
    said: str = ""


def archive(model: Mapping[str, bytes], *, neighbours: bool = True) -> bytes:
    """Return a model's files as a model.tar.gz."""
    everything = {**model, **NEIGHBOURS} if neighbours else model
    return gzip.compress(tar(*(member(name, data) for name, data in everything.items())), compresslevel=1, mtime=0)


class PickledCall:
    """Pickled, it is a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call

    def __deepcopy__(self, _: Any) -> PickledCall:
        raise TypeError("a copy would be made by the call")


class CustomClass:
    """A class that only who wrote the model has."""


SHELL = PickledCall(os.system, "id")
MARSHALLED = PickledCall(marshal.loads, marshal.dumps(compile("print(1)", "model", "exec")))
PAYLOADS = {
    "a shell": SHELL,
    "marshalled code": MARSHALLED,
    "an expression": PickledCall(eval, "1"),
    "an import": PickledCall(__import__, "antigravity"),
    "another pickle": PickledCall(pickle.loads, b"N."),
    "another file of joblib": PickledCall(joblib.load, "/opt/ml/model/other"),
    "a mapped file": PickledCall(np.memmap, "/etc/passwd"),
    "a partial function": partial(os.system, "id"),
    "a method of a class": str.upper,
    "a class of its own": CustomClass(),
}


def poisoned(model: Any, payload: Any = SHELL) -> Any:
    """Return a copy of a model with one more attribute."""
    copy = deepcopy(model)
    copy.payload_ = payload
    return copy


def dumped(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


def entries(data: bytes) -> dict[str, bytes]:
    """Return the entries of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return files as a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_entry(model: Files, entry: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> Files:
    """Return a model's only file, a zip archive, with an entry more or another."""
    ((name, archive),) = model.items()
    return {name: zipped({**entries(archive), entry: data}, compression)}


def npy(array: Any) -> bytes:
    """Return an array as NumPy writes it, with pickled objects where it holds any."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()
