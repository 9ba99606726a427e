"""Archives of the frameworks' files: valid ones, and hostile ones with one change."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import marshal
import os
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
import numpy as np

from tests.corpus.framework_files import COMPRESSIONS, Files, files, fitted, saved
from tests.support.archives import member, tar
from tests.support.pickled import named
from tests.support.tensor_files import SAMPLES

NEIGHBOURS: Files = {
    "code/inference.py": b"import joblib\n\n\ndef model_fn(model_dir):\n    return joblib.load(model_dir)\n",
    "code/requirements.txt": b"scikit-learn==1.9.1\n",
    "config.json": b'{"model_type": "bert", "hidden_size": 4, "id2label": {"0": "no", "1": "yes"}}',
    "tokenizer.json": b'{"version": "1.0", "model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "good": 1}}}',
    "README.md": b"# Model\n",
}
TORCH = """
    state-dict.pt checkpoint.pt dtypes.pt unsigned.pt parameters.pt views.pt quantised.pt sparse.pt tensor.pt meta.pt
    conjugated.pt state-dict.legacy.pth checkpoint.legacy.pth
"""


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


def torch_samples() -> dict[str, Files]:
    """Return what PyTorch wrote, each by its name."""
    return {f"PyTorch: {name}": {name: (SAMPLES / name).read_bytes()} for name in TORCH.split()}


def hostile() -> list[HostileModel]:
    """Return all of them."""
    made = (_pickles, _boosters, _arrays, _torch, _skops, _keras, _onnx, _safetensors, _nested)
    return [case for make in made for case in make()]


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


def _dumped(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


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
            lambda it=compression: {"model.joblib": _dumped(poisoned(pipeline), compress=it)},
        )
    for name, payload in PAYLOADS.items():
        yield HostileModel(f"pipeline with {name}", lambda it=payload: {"m.joblib": _dumped(poisoned(pipeline, it))})
    yield HostileModel("a name without an extension", lambda: {"model": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("the name of an image", lambda: {"logo.png": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("a hidden name", lambda: {".cache/.model": pickle.dumps(poisoned(pipeline))})
    yield HostileModel("a second pickle", lambda: {"model.pkl": pickle.dumps(pipeline) + pickle.dumps(SHELL)})
    yield HostileModel("behind an array", lambda: {"m.joblib": _dumped([np.arange(100_000.0), SHELL])})
    yield HostileModel("between arrays", lambda: {"m.joblib": _dumped([np.ones(9), SHELL, np.ones(9)])})
    yield HostileModel("in an array of objects", lambda: {"m.joblib": _dumped([np.array([SHELL, None], dtype=object)])})
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
            lambda name=name: {"m.joblib": _dumped(poisoned(of(f"{name}, pickle and joblib", "protocol-4.pkl")))},
        )
    callback = PickledCall(xgboost.core._load_lib)
    yield HostileModel("a library of XGBoost", lambda: {"m.pkl": pickle.dumps(poisoned(fitted("pipeline"), callback))})
    loads = PickledCall(lightgbm.basic._safe_call, 0)
    yield HostileModel("a call of LightGBM", lambda: {"m.pkl": pickle.dumps(poisoned(fitted("pipeline"), loads))})


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
        "sparse npz with objects", lambda: _with(files("arrays: sparse, csr"), "shape.npy", _npy(objects))
    )
    frame = pandas.DataFrame({"a": [1, 2]})
    frame.attrs["source"] = SHELL
    yield HostileModel("frame with an attribute", lambda: {"features.pkl": pickle.dumps(frame)})
    cells = pandas.Series([SHELL, None], dtype=object)
    yield HostileModel("series of objects", lambda: {"features.joblib": _dumped(cells)})
    short = lambda: {"weights.npy": files("arrays: npy")["weights.npy"][:-1]}  # noqa: E731
    yield HostileModel("npy that is cut off", short, "npy-size")


def _npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
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


def _with(model: Files, entry: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> Files:
    """Return a model's only file, a zip archive, with an entry more or another."""
    ((name, archive),) = model.items()
    return {name: zipped({**entries(archive), entry: data}, compression)}


def _torch() -> Iterator[HostileModel]:
    shell = pickle.dumps(SHELL, 2)

    def sample(name: str) -> Files:
        return {name: (SAMPLES / name).read_bytes()}

    for name in ("module.pt", "module.legacy.pth", "attribute.pt", "buffer.pt"):
        yield HostileModel(f"PyTorch: {name}", lambda name=name: sample(name))
    for name in ("script.pt", "trace.pt"):
        yield HostileModel(f"PyTorch: {name}", lambda name=name: sample(name), "torchscript-code")
    yield HostileModel("PyTorch: program", lambda: sample("program.pt2"), "torch-export-code")
    state = "state-dict.pt"
    yield HostileModel("PyTorch: another data.pkl", lambda: _with(sample(state), "archive/data.pkl", shell))
    deflated = partial(_with, entry="archive/data.pkl", data=shell, compression=zipfile.ZIP_DEFLATED)
    yield HostileModel("PyTorch: another data.pkl, deflated", lambda: deflated(sample(state)))
    yield HostileModel("PyTorch: a storage that is a pickle", lambda: _with(sample(state), "archive/data/0", shell))
    yield HostileModel("PyTorch: an entry more", lambda: _with(sample(state), "archive/extra", shell))
    inserted = lambda: _with(sample(state), "archive/data.pkl", _inserted(sample(state)[state]))  # noqa: E731
    yield HostileModel("PyTorch: a call before the state dict", inserted)
    script = lambda: _with(sample(state), "archive/constants.pkl", pickle.dumps((), 2))  # noqa: E731
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

Node = dict[str, Any]


def schema_of(name: str = "skops: pipeline") -> tuple[Node, Files]:
    """Return a skops file's schema, and its entries."""
    (data,) = files(name).values()
    inside = entries(data)
    return json.loads(inside["schema.json"]), inside


def _with_schema(change: Callable[[Node], Any], name: str = "skops: pipeline", **options: Any) -> Files:
    """Return a skops file whose schema was changed; what `change` returns is the new one, if it is anything."""
    schema, inside = schema_of(name)
    changed = change(schema) or schema
    data = changed if isinstance(changed, bytes) else json.dumps(changed, indent=2).encode()
    return {"model.skops": zipped({**inside, "schema.json": data}, **options)}


def node(loader: str, module: str, name: str, **fields: Any) -> Node:
    """Return a node as skops writes one."""
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 1, **fields}


def _attribute(value: Node, key: str = "verbose") -> Callable[[Node], None]:
    """Return a change that puts another value into the model's attributes."""

    def change(schema: Node) -> None:
        schema["content"]["content"][key] = value

    return change


TEXT = node("JsonNode", "builtins", "str", content='"id"', is_json=True)
ARGUMENTS = node("TupleNode", "builtins", "tuple", content=[TEXT])
NODES: dict[str, tuple[Node, str]] = {
    "a type": (node("TypeNode", "subprocess", "Popen"), "subprocess.Popen"),
    "a function": (node("FunctionNode", "os", "system"), "os.system"),
    "a function of an old schema": (
        node("FunctionNode", "builtins", "set", content={"module_path": "posix", "function": "system"}),
        "posix.system",
    ),
    "an object": (node("ObjectNode", "shutil", "rmtree"), "shutil.rmtree"),
    "a call": (node("ConstructorFromReduceNode", "os", "system", content=ARGUMENTS), "os.system"),
    "a call that only pickles have": (
        node("ConstructorFromReduceNode", "_codecs", "encode", content=ARGUMENTS),
        "_codecs.encode",
    ),
    "a method": (
        node("MethodNode", "builtins", "str", content={"func": "format", "obj": TEXT}),
        "the method builtins.str.format",
    ),
    "an operator": (node("OperatorFuncNode", "operator", "methodcaller", attrs=ARGUMENTS), "operator.methodcaller"),
    "a partial function": (
        node(
            "PartialNode",
            "builtins",
            "dict",
            content=dict.fromkeys(["func", "kwds", "namespace"], TEXT) | {"args": ARGUMENTS},
        ),
        "builtins.dict by PartialNode",
    ),
    "a loss": (
        node("LossNode", "os", "popen", __reduce__={"args": ARGUMENTS}, content=TEXT),
        "os.popen",
    ),
    "a container": (node("ListNode", "importlib", "import_module", content=[TEXT]), "importlib.import_module"),
    "an array": (
        node("NdArrayNode", "builtins", "eval", type="json", content=[TEXT], shape=ARGUMENTS),
        "builtins.eval",
    ),
    "a loader that nobody knows": (node("EvalNode", "builtins", "str", content="1"), "builtins.str by EvalNode"),
    "a random generator": (
        node(
            "RandomGeneratorNode",
            "numpy.random._generator",
            "Generator",
            content={
                "bit_generator": node(
                    "DictNode",
                    "builtins",
                    "dict",
                    content={"bit_generator": node("JsonNode", "builtins", "str", content='"seed"')},
                    key_types=TEXT,
                ),
                "seed_seq": TEXT,
            },
        ),
        "numpy.random.seed",
    ),
    "a class of its own": (node("ObjectNode", "inference", "Model", content=None), "inference.Model"),
}


def _skops() -> Iterator[HostileModel]:
    untrusted = "skops-untrusted-type"
    for name, (value, said) in NODES.items():
        yield HostileModel(f"skops: {name}", lambda it=value: _with_schema(_attribute(it)), untrusted, said)
    shell = NODES["a function"][0]
    deflated = partial(_with_schema, compression=zipfile.ZIP_DEFLATED)
    yield HostileModel("skops: deflated", lambda: deflated(_attribute(shell)), untrusted, "os.system")
    yield HostileModel("skops: behind blanks", lambda: _with_schema(_blanks(shell)), untrusted, "os.system")
    yield HostileModel("skops: escaped", lambda: _with_schema(_escaped(shell)), untrusted, "os.system")
    yield HostileModel("skops: as Keras would write it", lambda: _with_schema(_as_keras(shell)), untrusted, "os.system")
    yield HostileModel(
        "skops: a name twice", lambda: _with_schema(_twice), "unreadable-skops", "__class__ more than once"
    )
    yield HostileModel("skops: in UTF-16", lambda: _with_schema(_encoded(shell)), "unreadable-skops", "UTF-8")
    yield HostileModel("skops: cut off", lambda: _with_schema(_cut), "unreadable-skops")
    pickled = lambda: _with(files("skops: pipeline"), "7.npy", _npy(np.array([SHELL], dtype=object)))  # noqa: E731
    yield HostileModel("skops: an array of objects", pickled)
    functions = lambda: {"model.skops": _partial()}  # noqa: E731
    yield HostileModel(
        "skops: what skops itself writes of a partial function", functions, untrusted, "functools.partial"
    )


def _blanks(value: Node) -> Callable[[Node], bytes]:
    def change(schema: Node) -> bytes:
        _attribute(value)(schema)
        return b'{"filler": "%s",' % (b"x" * 100_000) + b" " * 5000 + json.dumps(schema).encode()[1:]

    return change


def _escaped(value: Node) -> Callable[[Node], bytes]:
    def change(schema: Node) -> bytes:
        _attribute(value)(schema)
        text = json.dumps(schema).replace('"__class__": "system"', '"\\u005f_class__": "sys\\u0074em"')
        return text.replace("__loader__", "__l\\u006fader__").encode()

    return change


def _as_keras(value: Node) -> Callable[[Node], Node]:
    def change(schema: Node) -> Node:
        _attribute(value)(schema)
        return {"class_name": "Sequential", "config": {}, "module": "keras", **schema}

    return change


def _twice(schema: Node) -> bytes:
    return json.dumps(schema).replace('"__class__"', '"__class__": "x", "__class__"', 1).encode()


def _encoded(value: Node) -> Callable[[Node], bytes]:
    def change(schema: Node) -> bytes:
        _attribute(value)(schema)
        return json.dumps(schema).encode("utf-16")

    return change


def _cut(schema: Node) -> bytes:
    return json.dumps(schema).encode()[:-40]


def _partial() -> bytes:
    import skops.io as skops

    return skops.dumps(poisoned(fitted("pipeline"), partial(np.exp, 1)))


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
    return _with({"model.keras": data}, "config.json", json.dumps(config).encode())


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
    yield HostileModel("PyTorch in a tar", lambda: {"m.tar": in_tar("m.pt", (SAMPLES / "module.pt").read_bytes())})
    yield HostileModel("npz in a zip, deflated", lambda: {"m.zip": zipped(_objects(), zipfile.ZIP_DEFLATED)})


def _objects() -> Files:
    return saved(lambda path: np.savez(path, names=np.array([SHELL], dtype=object)), "m.npz")
