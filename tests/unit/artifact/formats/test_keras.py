from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused
from tests.support.tensor_files import sample, told

HDF5 = b"\x89HDF\r\n\x1a\n"


def rules(data: bytes) -> list[str]:
    return sorted({rule for rule, _ in told(data)})


def layer(name: str, module: Any = "keras.layers", config: Any = None, **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {} if config is None else config, **more}


def model(*layers: dict[str, Any]) -> bytes:
    return json.dumps(layer("Sequential", "keras", {"layers": list(layers)})).encode()


HOSTILE = {
    "a Lambda layer": (layer("Lambda"), "keras-lambda"),
    "a lambda as a value": (layer("Dense", config={"activation": layer("__lambda__", None)}), "keras-lambda"),
    "a pickled PyTorch module": (layer("TorchModuleWrapper"), "keras-lambda"),
    "another computation": (layer("TFSMLayer", config={"filepath": "/srv/x"}), "keras-unsafe-module"),
    "a function of the operating system": (layer("function", "os", "system"), "keras-unsafe-module"),
    "a class of Python's own": (layer("Popen", "subprocess"), "keras-unsafe-module"),
    "a module in a package": (layer("function", "importlib.util", "find_spec"), "keras-unsafe-module"),
    "a download": (layer("function", "keras.utils", "get_file"), "keras-unsafe-module"),
    "a download by its inner name": (layer("get_file", "keras.src.utils.file_utils"), "keras-unsafe-module"),
    "the switch of the safeguards": (
        layer("function", "keras.config", "enable_unsafe_deserialization"),
        "keras-unsafe-module",
    ),
    "another model loaded": (layer("function", "keras.models", "load_model"), "keras-unsafe-module"),
    "a vocabulary in a file": (layer("StringLookup", config={"vocabulary": "/etc/passwd"}), "keras-external-file"),
    "a layer of another package": (layer("Layer", "mine.layers"), "keras-custom-object (warning)"),
    "a package that is nearly Keras": (layer("Layer", "kerasx.layers"), "keras-custom-object (warning)"),
    "a registered layer": (layer("Layer", None, registered_name="mine>Layer"), "keras-custom-object (warning)"),
}


@pytest.mark.parametrize(("described", "rule"), HOSTILE.values(), ids=HOSTILE)
def test_a_layer_that_is_more_than_a_layer_is_found(described: dict[str, Any], rule: str) -> None:
    assert rules(model(described)) == [rule]


@pytest.mark.parametrize("name", ["lambda.config.json", "lambda.h5"])
def test_a_lambda_that_keras_wrote_is_refused(name: str) -> None:
    found = told(sample(name))
    assert {rule for rule, _ in found} == {"keras-lambda"}
    assert any("Lambda" in reason for _, reason in found)


@pytest.mark.parametrize("spelling", ['"\\u004cambda"', '"L\\u0061mbd\\u0061"'])
def test_a_lambda_in_another_spelling_is_refused_in_json_and_in_hdf5(spelling: str) -> None:
    text = model(layer("Lambda")).replace(b'"Lambda"', spelling.encode())
    assert rules(text) == ["keras-lambda"]
    assert rules(HDF5 + text) == ["keras-lambda"]


def test_a_key_in_another_spelling_is_found_in_hdf5() -> None:
    assert rules(HDF5 + b'{"\\u0063lass_name":"Lambda"}') == ["keras-lambda"]


def test_valid_layers_of_keras_pass() -> None:
    layers = (
        layer("Dense", config={"activation": layer("function", "builtins", "relu")}),
        layer("Functional", "keras.src.models.functional"),
        layer("TokenEmbedding", "keras_hub.layers"),
        layer("TextVectorization", config={"vocabulary": ["a", "b"]}),
    )
    assert told(model(*layers)) == []
    assert told(HDF5 + model(*layers)) == []


def test_findings_of_one_kind_are_reported_a_few_times_only() -> None:
    assert len(told(model(*(layer(f"C{index}", "mine") for index in range(5000))))) == 20


UNREADABLE = {
    "cut off": model(layer("Dense"))[:-1],
    "not UTF-8": model(layer("Dense")).replace(b"Dense", b"D\xff"),
    "nested too deep": b'{"class_name":"A","config":' + b"[" * 200_000,
    "more after it": model() + b"{}",
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_a_description_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        told(data)
    assert refused.value.rule == "unreadable-keras-config"


def test_a_key_that_is_given_twice_is_refused() -> None:
    assert rules(b'{"class_name":"Lambda","class_name":"Dense","config":{}}') == ["unreadable-keras-config"]


def test_a_description_of_very_many_bytes_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        told(model() + b" " * 5_000_000)
    assert refused.value.rule == "keras-config-too-large"


def test_other_json_is_left_alone() -> None:
    assert told(b'{"config": {"depth": 3}, "name": "x"}') == [("unknown", "")]


# HDF5.


@pytest.mark.parametrize("offset", [0, 512, 1024, 2048])
def test_hdf5_is_known_behind_a_block_of_the_users_own(offset: int) -> None:
    assert rules(b"u" * offset + HDF5 + b'"class_name" : "Lambda"') == ["keras-lambda"]


@given(st.integers(-120, 20))
def test_a_lambda_is_found_across_the_blocks_that_are_read(shift: int) -> None:
    data = HDF5.ljust(BLOCK + shift, b"\0") + b'{"class_name": "Lambda", "config": {}}' + bytes(100)
    ((rule, reason),) = told(data)
    assert rule == "keras-lambda"
    assert reason.endswith(f"at byte {BLOCK + shift + 1}")


@pytest.mark.parametrize(
    ("module", "rule"),
    [
        ("os", "keras-unsafe-module"),
        ("keras.src.utils.file_utils", "keras-unsafe-module"),
        ("mine.layers", "keras-custom-object (warning)"),
    ],
)
def test_a_module_that_is_not_keras_own_is_found_in_hdf5(module: str, rule: str) -> None:
    assert rules(HDF5 + json.dumps({"module": module, "class_name": "function"}).encode()) == [rule]
