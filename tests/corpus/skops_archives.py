"""Hostile skops files: every way in which a schema may name what must not be loaded."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tests.corpus.framework_files import Files, files, fitted
from tests.corpus.model_archives import (
    SHELL,
    HostileModel,
    entries,
    npy,
    poisoned,
    with_entry,
    zipped,
)

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


def skops_models() -> Iterator[HostileModel]:
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
    pickled = lambda: with_entry(files("skops: pipeline"), "7.npy", npy(np.array([SHELL], dtype=object)))  # noqa: E731
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
