"""Archives of the frameworks' files: valid ones, and hostile ones with one change."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tests.corpus.framework_files import COMPRESSIONS, Files, files, fitted, saved
from tests.corpus.model_archives import (
    PAYLOADS,
    SHELL,
    HostileModel,
    PickledCall,
    dumped,
    entries,
    npy,
    poisoned,
    with_entry,
    zipped,
)
from tests.corpus.skops_archives import NODES, _attribute, _with_schema, skops_models
from tests.support.archives import member, tar
from tests.support.pickled import named
from tests.support.tensor_files import SAMPLES

TORCH = """
    state-dict.pt checkpoint.pt dtypes.pt unsigned.pt parameters.pt views.pt quantised.pt sparse.pt tensor.pt meta.pt
    conjugated.pt state-dict.legacy.pth checkpoint.legacy.pth
"""

UNKNOWN = "unknown-global"


def torch_samples() -> dict[str, Files]:
    """Return what PyTorch wrote, each by its name."""
    return {f"PyTorch: {name}": {name: (SAMPLES / name).read_bytes()} for name in TORCH.split()}


def hostile() -> list[HostileModel]:
    """Return all of them."""
    made = (_pickles, _boosters, _arrays, _torch, skops_models, _keras, _onnx, _safetensors, _nested)
    return [case for make in made for case in make()]


def _pickles() -> Iterator[HostileModel]:
    pipeline, forest = fitted("pipeline"), fitted("forest")
    for protocol in range(6):
        yield HostileModel(
            f"forest, protocol {protocol}",
            lambda protocol=protocol: {"model.pkl": pickle.dumps(poisoned(forest), protocol)},
        )
    for suffix, compression in COMPRESSIONS.items():
        yield HostileModel(
            f"pipeline, joblib{suffix}",
            lambda it=compression: {"model.joblib": dumped(poisoned(pipeline), compress=it)},
        )
    for name, payload in PAYLOADS.items():
        rule = "own-class" if name == "a class of its own" else "unsafe-pickle"
        yield HostileModel(
            f"pipeline with {name}", lambda it=payload: {"m.joblib": dumped(poisoned(pipeline, it))}, rule
        )
    yield HostileModel("a name without an extension", lambda: {"model": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("the name of an image", lambda: {"logo.png": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("a hidden name", lambda: {".cache/.model": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("a second pickle", lambda: {"model.pkl": pickle.dumps(pipeline) + pickle.dumps(SHELL)})
    yield HostileModel("behind an array", lambda: {"m.joblib": dumped([np.arange(100_000.0), SHELL])})
    yield HostileModel("between arrays", lambda: {"m.joblib": dumped([np.ones(9), SHELL, np.ones(9)])})
    yield HostileModel("in an array of objects", lambda: {"m.joblib": dumped([np.array([SHELL, None], dtype=object)])})
    code = named("marshal", "loads") + b"C\x05abcde\x85R"
    function = b"\x80\x04" + named("types", "FunctionType") + code + b"}\x86R."
    yield HostileModel("a function of marshalled code", lambda: {"model.pkl": function})
    cut = lambda: {"model.pkl": pickle.dumps(pipeline)[:-20]}  # noqa: E731
    yield HostileModel("cut off", cut, "unreadable-pickle")
    more = lambda: {"model.pkl": pickle.dumps(pipeline) + b"#!/bin/sh"}  # noqa: E731
    yield HostileModel("something behind the end", more, "data-after-pickle")


def _boosters() -> Iterator[HostileModel]:
    import lightgbm
    import xgboost

    def of(name: str, file: str) -> Any:
        return pickle.loads(files(name)[file])  # noqa: S301 - written above, by the framework itself

    for name in ("XGBoost: booster", "XGBoost: classifier", "LightGBM: booster", "LightGBM: classifier"):
        for file in ("protocol-2.pkl", "protocol-5.pkl"):
            yield HostileModel(
                f"{name}, {file}",
                lambda name=name, file=file: {
                    file: pickle.dumps(poisoned(of(f"{name}, pickle and joblib", file)), int(file[9]))
                },
            )
        yield HostileModel(
            f"{name}, joblib",
            lambda name=name: {"m.joblib": dumped(poisoned(of(f"{name}, pickle and joblib", "protocol-4.pkl")))},
        )
    callback = PickledCall(xgboost.core._load_lib)
    yield HostileModel(
        "a library of XGBoost", lambda: {"m.pkl": pickle.dumps(poisoned(fitted("pipeline"), callback))}, UNKNOWN
    )
    loads = PickledCall(lightgbm.basic._safe_call, 0)
    yield HostileModel(
        "a call of LightGBM", lambda: {"m.pkl": pickle.dumps(poisoned(fitted("pipeline"), loads))}, UNKNOWN
    )


def _arrays() -> Iterator[HostileModel]:
    import pandas

    objects = np.array([SHELL, None], dtype=object)
    yield HostileModel("npy of objects", lambda: saved(lambda path: np.save(path, objects, allow_pickle=True), "m.npy"))
    for save in (np.savez, np.savez_compressed):
        yield HostileModel(
            f"npz of objects, {save.__name__}",
            lambda save=save: saved(lambda path: save(path, weights=np.ones(3), names=objects), "m.npz"),
        )
    yield HostileModel(
        "sparse npz with objects", lambda: with_entry(files("arrays: sparse, csr"), "shape.npy", npy(objects))
    )
    frame = pandas.DataFrame({"a": [1, 2]})
    frame.attrs["source"] = SHELL
    yield HostileModel("frame with an attribute", lambda: {"features.pkl": pickle.dumps(frame)})
    cells = pandas.Series([SHELL, None], dtype=object)
    yield HostileModel("series of objects", lambda: {"features.joblib": dumped(cells)})
    short = lambda: {"weights.npy": files("arrays: npy")["weights.npy"][:-1]}  # noqa: E731
    yield HostileModel("npy that is cut off", short, "npy-size")


def _torch() -> Iterator[HostileModel]:
    shell = pickle.dumps(SHELL, 2)

    def sample(name: str) -> Files:
        return {name: (SAMPLES / name).read_bytes()}

    for name in ("module.pt", "module.legacy.pth", "attribute.pt", "buffer.pt"):
        rule = UNKNOWN if name == "module.pt" else "unsafe-pickle"
        yield HostileModel(f"PyTorch: {name}", lambda name=name: sample(name), rule)
    for name in ("script.pt", "trace.pt"):
        yield HostileModel(f"PyTorch: {name}", lambda name=name: sample(name), "torchscript-code")
    yield HostileModel("PyTorch: program", lambda: sample("program.pt2"), "torch-export-code")
    state = "state-dict.pt"
    yield HostileModel("PyTorch: another data.pkl", lambda: with_entry(sample(state), "archive/data.pkl", shell))
    deflated = partial(with_entry, entry="archive/data.pkl", data=shell, compression=zipfile.ZIP_DEFLATED)
    yield HostileModel("PyTorch: another data.pkl, deflated", lambda: deflated(sample(state)))
    yield HostileModel(
        "PyTorch: a storage that is a pickle", lambda: with_entry(sample(state), "archive/data/0", shell)
    )
    yield HostileModel("PyTorch: an entry more", lambda: with_entry(sample(state), "archive/extra", shell))
    inserted = lambda: with_entry(sample(state), "archive/data.pkl", _inserted(sample(state)[state]))  # noqa: E731
    yield HostileModel("PyTorch: a call before the state dict", inserted)
    script = lambda: with_entry(sample(state), "archive/constants.pkl", pickle.dumps((), 2))  # noqa: E731
    yield HostileModel("PyTorch: a state dict as a script", script, "torchscript-code")
    yield HostileModel("PyTorch: legacy with another object", lambda: _legacy(shell))
    yield HostileModel("PyTorch: legacy with another magic", lambda: _legacy_magic(shell))
    behind = lambda: {state: b"#" * 64 + sample(state)[state]}  # noqa: E731
    yield HostileModel("PyTorch: zip behind something else", behind, "zip-ambiguous")
    old = {"sys_info": pickle.dumps({}, 2), "pickle": shell, "tensors": b"", "storages": b""}
    yield HostileModel(
        "PyTorch: tar, as before 0.1.10", lambda: {"m.pth": tar(*(member(*each) for each in old.items()))}
    )


def _inserted(data: bytes) -> bytes:
    """Return the pickle of a state dict with a call before it, whose result is dropped."""
    honest = entries(data)["archive/data.pkl"]
    return honest[:2] + b"cposix\nsystem\nX\x02\0\0\0id\x85R0" + honest[2:]


def _legacy(pickled: bytes) -> Files:
    """Return a legacy file with another object in the place of its state dict: the fourth of five pickles."""
    name = "state-dict.legacy.pth"
    buffer = io.BytesIO((SAMPLES / name).read_bytes())
    for _ in range(3):
        pickle.load(buffer)  # noqa: S301 - a number and a dict, as kept beside this file
    return {name: buffer.getvalue()[: buffer.tell()] + pickled + pickle.dumps([], 2)}


def _legacy_magic(pickled: bytes) -> Files:
    name = "state-dict.legacy.pth"
    return {name: pickled + (SAMPLES / name).read_bytes()}


# skops.


# Formats that hold no pickles.


def _keras() -> Iterator[HostileModel]:
    import keras

    def model(layer: Any) -> Any:
        return keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])

    code = keras.layers.Lambda(lambda x: x * 2)
    yield HostileModel("Keras: lambda, .keras", lambda: saved(model(code).save, "model.keras"), "keras-lambda")
    yield HostileModel("Keras: lambda, .h5", lambda: saved(model(code).save, "model.h5"), "keras-lambda")
    for name, layer in {"a model of TensorFlow": "TFSMLayer", "a module of PyTorch": "TorchModuleWrapper"}.items():
        rule = "keras-lambda" if layer == "TorchModuleWrapper" else "keras-unsafe-module"
        yield HostileModel(f"Keras: {name}", lambda it=layer: _with_layer(class_name=it), rule)
    function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    yield HostileModel("Keras: a function of Python", lambda: _with_layer(**function), "keras-unsafe-module")
    helper = function | {"module": "keras.utils", "config": "get_file"}
    yield HostileModel("Keras: a helper that fetches", lambda: _with_layer(**helper), "keras-unsafe-module")
    outside = {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}
    yield HostileModel("Keras: a vocabulary outside", lambda: _with_layer(**outside), "keras-external-file")
    twice = lambda: {"m.keras": _second_config(files("Keras: network, .keras")["model.keras"])}  # noqa: E731
    yield HostileModel("Keras: a second config.json", twice, "zip-ambiguous")
    renamed = lambda: {"m.h5": _h5(b'"class_name": "Dropout"', b'"class_name": "Lambda"')}  # noqa: E731
    yield HostileModel("Keras: a layer renamed in .h5", renamed, "keras-lambda")


def _with_layer(**fields: Any) -> Files:
    """Return a Keras model with one of its layers described otherwise."""
    (data,) = files("Keras: network, .keras").values()
    config = json.loads(entries(data)["config.json"])
    config["config"]["layers"][2] |= fields
    return with_entry({"model.keras": data}, "config.json", json.dumps(config).encode())


def _second_config(data: bytes) -> bytes:
    buffer = io.BytesIO(data)
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", b"{}")
    return buffer.getvalue()


def _h5(before: bytes, after: bytes) -> bytes:
    (data,) = files("Keras: network, .h5").values()
    assert before in data
    return data.replace(before, after + b" " * (len(before) - len(after)))


def _onnx() -> Iterator[HostileModel]:
    import onnx

    def changed(name: str, change: Callable[[Any], None]) -> Files:
        model = onnx.load_model_from_string(files(name)["model.onnx"])
        change(model)
        return {**files(name), "model.onnx": model.SerializeToString()}

    def location(value: str) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            (entry,) = (entry for entry in model.graph.initializer[0].external_data if entry.key == "location")
            entry.value = value

        return change

    def operator(domain: str) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            model.graph.node[0].domain = domain
            model.graph.node[0].op_type = "Run"

        return change

    beside = "ONNX: weights beside the model"
    for where in ("/etc/passwd", "../../model.onnx.data", "data/../../x", "file:///etc/passwd", "C:\\weights"):
        yield HostileModel(f"ONNX: {where}", lambda it=where: changed(beside, location(it)), "onnx-external-data")
    for domain in ("mine", "ai.onnx.ml.", "com.microsoft2"):
        yield HostileModel(
            f"ONNX: {domain}", lambda it=domain: changed("ONNX: pipeline", operator(it)), "onnx-custom-operator"
        )
    cut = lambda: {"model.onnx": files("ONNX: forest")["model.onnx"][:-20]}  # noqa: E731
    yield HostileModel("ONNX: cut off", cut, "unreadable-onnx")


def _safetensors() -> Iterator[HostileModel]:
    def changed(before: bytes, after: bytes) -> Files:
        data = files("safetensors: one file")["model.safetensors"]
        assert before in data
        return {"model.safetensors": data.replace(before, after)}

    size, header = "safetensors-size", "safetensors-header"
    yield HostileModel("safetensors: an unknown type", lambda: changed(b'"F16"', b'"F99"'), header)
    yield HostileModel("safetensors: too large a shape", lambda: changed(b'"shape":[4]', b'"shape":[9]'), header)
    yield HostileModel("safetensors: tensors that overlap", lambda: changed(b"[72,80]", b"[64,72]"), size)
    more = lambda: {"m.safetensors": files("safetensors: one file")["model.safetensors"] + pickle.dumps(SHELL)}  # noqa: E731
    yield HostileModel("safetensors: a pickle behind it", more, size)


def _nested() -> Iterator[HostileModel]:
    def model() -> bytes:
        return pickle.dumps(poisoned(fitted("pipeline")))

    def in_tar(name: str, data: bytes) -> bytes:
        return tar(member(name, data), form=tarfile.GNU_FORMAT)

    def deep() -> Files:
        return {"all.tar": in_tar("models.zip", zipped({"model.tar.gz": gzip.compress(in_tar("model.pkl", model()))}))}

    yield HostileModel("tar.gz in zip in tar", deep)
    yield HostileModel(
        "skops in a zip",
        lambda: {"m.zip": zipped(_with_schema(_attribute(NODES["a type"][0])))},
        "skops-untrusted-type",
    )
    yield HostileModel("joblib in gzip in xz", lambda: {"m.xz": lzma.compress(gzip.compress(model()))})
    module = (SAMPLES / "module.pt").read_bytes()
    yield HostileModel("PyTorch in a tar", lambda: {"m.tar": in_tar("m.pt", module)}, UNKNOWN)
    yield HostileModel("npz in a zip, deflated", lambda: {"m.zip": zipped(_objects(), zipfile.ZIP_DEFLATED)})


def _objects() -> Files:
    return saved(lambda path: np.savez(path, names=np.array([SHELL], dtype=object)), "m.npz")
