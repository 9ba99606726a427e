"""Keras models with a layer of marshalled code: the JSON, what it lies in, and where the layer is in it.

The format is that of `keras.saving.load_model`: a zip archive or a folder with `config.json`, or HDF5.
"""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable, Mapping
from typing import Any

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import Entry, zipped
from attack.grammars.calls import WRITES
from attack.grammars.hdf5 import ATTRIBUTES, FILES, hdf5
from attack.grammars.hosts import HOSTS
from attack.grammars.texts import TEXTS

Json = dict[str, Any]

METADATA = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'


def _code() -> str:
    function = compile(f"lambda x: [x, {WRITES}][0]", "layer", "eval").co_consts[0]
    return base64.encodebytes(marshal.dumps(function)).decode()


def _of_keras(name: str, config: Json, module: str = "keras.layers") -> Json:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _lambda(function: object, **more: object) -> Json:
    return _of_keras("Lambda", {"name": "layer", "trainable": True, "function": function, "arguments": {}, **more})


def _in_lambda() -> Json:
    return _lambda({"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}})


def _in_list() -> Json:
    """As Keras 2 wrote it: code, defaults and closure in a list."""
    return _lambda([_code(), None, None], function_type="lambda", module="__main__")


def _wrapped() -> Json:
    return _of_keras("TimeDistributed", {"name": "each", "layer": _in_lambda()})


def _as_activation() -> Json:
    function = {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}
    return _of_keras("Activation", {"name": "act", "activation": function})


def _nested() -> Json:
    return _sequential([_input(), _in_lambda()])


def _input() -> Json:
    return _of_keras("InputLayer", {"batch_shape": [None, 2, 2], "dtype": "float32", "name": "input"})


def _sequential(layers: list[Json]) -> Json:
    config = {"name": "model", "trainable": True, "layers": layers, "build_input_shape": [None, 2, 2]}
    model = _of_keras("Sequential", config, "keras")
    return {**model, "build_config": {"input_shape": [None, 2, 2]}}


def _of_module(module: str | None) -> Callable[[], Json]:
    """The layer, its class named in another module, or in none."""

    def layer() -> Json:
        named = {**_in_lambda(), "module": module}
        return named if module is not None else {key: value for key, value in named.items() if key != "module"}

    return layer


LAYERS: Mapping[str, Callable[[], Json]] = {
    "lambda": _in_lambda,
    "list": _in_list,
    "wrapped": _wrapped,
    "activation": _as_activation,
    "nested": _nested,
    "in-source": _of_module("keras.src.layers.core.lambda_layer"),
    "no-module": _of_module(None),
    "old-module": _of_module("keras.layers.core"),
}


def _archive(*entries: tuple[str, bytes], **how: Any) -> Callable[[bytes], bytes]:
    return lambda text: zipped([Entry("config.json", text), *(Entry(*entry) for entry in entries)], **how)


FORMS: Mapping[str, Callable[[bytes], Files]] = {
    "archive": lambda text: {"model.keras": _archive(("metadata.json", METADATA))(text)},
    "archive-alone": lambda text: {"model.keras": _archive()(text)},
    "archive-config-last": lambda text: {
        "model.keras": zipped([Entry("metadata.json", METADATA), Entry("config.json", text)])
    },
    "archive-torch": lambda text: {"model.keras": _archive(("archive/data.pkl", b"\x80\2}q\0."))(text)},
    "archive-npy": lambda text: {"model.keras": _archive(("a.npy", b""))(text)},
    "archive-in-comment": lambda text: {
        "model.keras": zipped([Entry("config.json", b"{}")], comment=_archive(("metadata.json", METADATA))(text))
    },
    "archive-prefixed": lambda text: {"model.keras": b"#!" + _archive(("metadata.json", METADATA))(text)},
    "archive-other-case": lambda text: {"MODEL.KERAS": _archive(("metadata.json", METADATA))(text)},
    "archive-zip": lambda text: {"model.zip": _archive(("metadata.json", METADATA))(text)},
    "folder": lambda text: {"model/config.json": text, "model/metadata.json": METADATA},
    "folder-alone": lambda text: {"model/config.json": text},
    "folder-keras": lambda text: {"model.keras/config.json": text, "model.keras/metadata.json": METADATA},
    "json": lambda text: {"model.json": text},
    "json-text": lambda text: {"architecture.txt": text},
}
"""What the JSON lies in, by its name."""


def _compose(choices: Choices) -> Files:
    text = TEXTS[choices["text"]](_sequential([_input(), LAYERS[choices["layer"]]()]))
    return FORMS[choices["form"]](text)


def _compose_hdf5(choices: Choices) -> Files:
    text = TEXTS[choices["text"]](_sequential([_input(), LAYERS[choices["layer"]]()]))
    data = hdf5(text, choices["file"], choices["attribute"])
    return {choices["place"]: HOSTS[choices["host"]](data)}


KERAS = Grammar(
    "keras",
    {"layer": tuple(LAYERS), "text": tuple(TEXTS), "form": tuple(FORMS)},
    _compose,
    ("keras", "keras-json"),
)
KERAS_HDF5 = Grammar(
    "hdf5",
    {
        "layer": tuple(LAYERS),
        "text": tuple(TEXTS),
        "file": tuple(FILES),
        "attribute": tuple(ATTRIBUTES),
        "host": tuple(HOSTS),
        "place": ("model", "model.h5", "model.hdf5", "model.H5", "model.bin", "model.keras", "notes.txt"),
    },
    _compose_hdf5,
    ("keras", "keras-hdf5"),
)
