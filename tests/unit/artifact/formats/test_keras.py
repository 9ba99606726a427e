from __future__ import annotations

import io
import json
import time
from typing import Any

import h5py
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.formats.hdf5 import hdf5
from signoff.artifact.formats.keras import keras_config
from signoff.artifact.formats.keras_objects import CODE
from signoff.artifact.streams.readers import BLOCK
from signoff.artifact.streams.refusal import Refused
from tests.support.archives import member, tar
from tests.support.depth import examples
from tests.support.scans import faults
from tests.support.tensor_files import read_by, sample, told

HDF5 = b"\x89HDF\r\n\x1a\n\2\x08\x08"  # and the sizes of its addresses


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
    "a tokenizer's merges in a file": (
        layer("BytePairTokenizer", "keras_hub.tokenizers", {"merges": "/etc/passwd"}),
        "keras-external-file",
    ),
    "a function of Python itself": (layer("function", "builtins", "exec"), "keras-unsafe-module"),
    "a class of a library": (layer("Booster", "xgboost"), "keras-unsafe-module"),
    "a function of a library": (layer("function", "torch.hub", "load"), "keras-unsafe-module"),
    "a function of TensorFlow": (layer("function", "tensorflow.io", "write_file"), "keras-unsafe-module"),
    "a specification of a type of Python's": (
        layer("__typespec__", "os", [], spec_name="system", registered_name="system"),
        "keras-unsafe-module",
    ),
    "a download by TensorFlow's name for Keras": (
        layer("function", "tensorflow.keras.utils", "get_file"),
        "keras-unsafe-module",
    ),
    "Keras 2 loading another model": (
        layer("function", "keras.src.legacy.saving.legacy_h5_format", "load_model_from_hdf5"),
        "keras-unsafe-module",
    ),
    "a model's loss": (
        layer("Sequential", "keras", {}, compile_config={"loss": layer("function", "os", "system")}),
        "keras-unsafe-module",
    ),
    "a call of TensorFlow that writes": (
        layer("TFOpLambda", None, {"function": "io.write_file"}),
        "keras-unsafe-module",
    ),
    "a call of TensorFlow that loads a library": (
        layer("TFOpLambda", None, {"function": "load_op_library"}),
        "keras-unsafe-module",
    ),
    "a call of an operator by its name": (
        layer("TFOpLambda", None, {"function": "raw_ops.WriteFile"}),
        "keras-unsafe-module",
    ),
    "a call of TensorFlow 1's": (
        layer("TFOpLambda", None, {"function": "compat.v1.py_func"}),
        "keras-unsafe-module",
    ),
    "a class of TensorFlow's that is called": (
        layer("ClassMethod", None, {"cls_symbol": "io.gfile.GFile", "method_name": "__init__"}),
        "keras-unsafe-module",
    ),
    "a node of a graph": (
        layer("TensorFlowOpLayer", None, {"node_def": {"name": "w", "op": "WriteFile"}}),
        "keras-unsafe-module",
    ),
    "a node of a graph that cannot be read": (
        layer("TensorFlowOpLayer", None, {"node_def": "\n\u0001w\u0012\tWriteFile"}),
        "keras-unsafe-module",
    ),
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


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
BLANKS = " \t\r\n" * 20_000
SPELLINGS = {
    "blanks before it": lambda text: BLANKS + text,
    "blanks in it": lambda text: text.replace("{", "{" + BLANKS[:40_000], 1),
    "blanks before a value": lambda text: text.replace('"Lambda"', BLANKS + '"Lambda"'),
    "a long key before it": lambda text: text.replace("{", '{"' + "k" * 10_000 + '": 1, ', 1),
    "a long value before it": lambda text: text.replace("{", '{"k": "' + "v" * 300_000 + '", ', 1),
    "escapes in a key": lambda text: text.replace("class_name", "\\u0063las\\u0073\\u005fname"),
    "escapes in a value": lambda text: text.replace("Lambda", "\\u004cambda"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_keras_reads_is_looked_at_in_any_spelling_and_encoding(spelling: str, encoding: str) -> None:
    text = SPELLINGS[spelling](model(layer("Lambda")).decode())
    assert [rule for rule, _ in read_by(keras_config, text.encode(encoding))] == ["keras-lambda"]
    assert json.loads(text.encode(encoding)) == json.loads(text)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_keras_reads_from_hdf5_is_looked_at_in_any_spelling(spelling: str) -> None:
    text = SPELLINGS[spelling](model(layer("Lambda")).decode()).encode()
    assert [rule for rule, _ in read_by(hdf5, HDF5 + bytes(100) + text + bytes(100), chunk=1000)] == ["keras-lambda"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["architecture.txt", "model.json"])
def test_a_model_in_json_is_found_under_any_name_spelling_and_encoding(name: str, encoding: str, spelling: str) -> None:
    text = SPELLINGS[spelling](model(layer("Lambda")).decode())
    refused = {rule for _, rule in found_in(name, text.encode(encoding))}
    assert refused & {"keras-lambda", "not-what-it-is-called"}


def found_in(name: str, content: bytes) -> list[tuple[str, str]]:
    """Return member and rule of all that is found in an archive with one file."""
    return faults(tar(member(name, content)))


@pytest.mark.parametrize("shift", range(0, 60, 7))
def test_a_model_in_json_is_found_across_the_blocks_that_are_read(shift: int) -> None:
    text = json.dumps({"words": "w" * (BLOCK - shift), "class_name": "Lambda"}).encode()
    assert ("m > tokenizer.json", "keras-lambda") in found_in("tokenizer.json", text)


def test_in_json_that_describes_objects_a_module_of_pythons_own_is_found_and_elsewhere_it_is_a_word() -> None:
    model_of_os = json.dumps({"class_name": "function", "module": "os", "config": "system"}).encode()
    assert found_in("model.json", model_of_os) == [("m > model.json", "keras-unsafe-module")]
    assert found_in("model.json", b'{"module": "os", "class": "Lambda"}') == []


def test_json_that_describes_no_object_of_keras_passes_when_it_is_read_as_such() -> None:
    assert read_by(keras_config, b'{"architectures": ["BertModel"], "vocab_size": 3}') == []


def test_a_key_that_says_nothing_of_an_object_may_stand_twice() -> None:
    assert read_by(keras_config, b'{"label": 1, "label": 2}') == []


def test_valid_layers_of_keras_pass() -> None:
    layers = (
        layer("Dense", config={"activation": layer("function", "builtins", "relu")}),
        layer("Functional", "keras.src.models.functional"),
        layer("TokenEmbedding", "keras_hub.layers"),
        layer("TextVectorization", config={"vocabulary": ["a", "b"]}),
        layer("function", "keras.activations", "gelu"),
        layer("function", "keras.ops", "relu"),
        layer("TFOpLambda", None, {"function": "math.multiply"}),
        layer("TFOpLambda", None, {"function": "compat.v1.nn.softmax"}),
        layer("TFOpLambda", None, {"function": "concat"}),
        layer("SlicingOpLambda", None, {"function": "__operators__.getitem"}),
        layer("ClassMethod", None, {"cls_symbol": "RaggedTensor", "method_name": "from_row_splits"}),
        layer("TensorFlowOpLayer", None, {"node_def": {"name": "m", "op": "Mul"}}),
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
    assert rules(b"u" * offset + HDF5 + b'{ "class_name" : "Lambda" }') == ["keras-lambda"]


@pytest.mark.parametrize("offset", [4096, 8192, 1 << 20])
@pytest.mark.parametrize("block", [b"just words ", b"\x89PNG\r\n\x1a\n", b"\xff\xfe\0\1"])
def test_hdf5_behind_a_long_block_of_the_users_own_is_refused(offset: int, block: bytes) -> None:
    before = (block * offset)[:offset]
    assert ("m > notes", "ambiguous-content") in found_in("notes", before + HDF5 + model(layer("Lambda")))
    assert ("m > notes", "ambiguous-content") not in found_in("notes", before + b"x" + HDF5)


@given(st.integers(-120, 20))
def test_a_lambda_is_found_across_the_blocks_that_are_read(shift: int) -> None:
    data = HDF5.ljust(BLOCK + shift, b"\0") + b'{"class_name": "Lambda", "config": {}}' + bytes(100)
    assert rules(data) == ["keras-lambda"]


@settings(max_examples=examples(200))
@given(st.data())
def test_whatever_keras_reads_from_a_file_of_hdf5_is_found(data: st.DataObject) -> None:
    before = data.draw(st.binary(max_size=40) | st.text('{}[]":, a\\', max_size=40).map(str.encode))
    blank = st.text(" \t\r\n", max_size=3)
    key, value = data.draw(st.sampled_from(["class_name", "\\u0063lass_name"])), data.draw(st.sampled_from(CODE))
    text = data.draw(blank).join(["{", f'"{key}"', ":", f'"{value}"', ",", '"config"', ":", "{}", "}"])
    with io.BytesIO() as file:
        with h5py.File(file, "w", userblock_size=data.draw(st.sampled_from([0, 512]))) as written:
            if data.draw(st.booleans()):
                written.create_dataset("before", data=numpy.frombuffer(before, "u1"))
            written.attrs["model_config"] = data.draw(st.sampled_from([text, text.encode(), numpy.bytes_(text)]))
        whole = file.getvalue()
    with h5py.File(io.BytesIO(whole)) as read:
        config = read.attrs["model_config"]
    assert json.loads(config.decode() if hasattr(config, "decode") else config)["class_name"] == value
    assert "keras-lambda" in [rule for rule, _ in read_by(hdf5, whole, chunk=data.draw(st.integers(1, 500)))]


def test_a_description_in_hdf5_of_very_many_bytes_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read_by(hdf5, HDF5 + b'{"a": "' + b"x" * 5_000_000 + b'", "class_name": "Lambda"}')
    assert refused.value.rule == "keras-config-too-large"


def test_very_many_texts_in_hdf5_that_read_like_json_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        read_by(hdf5, HDF5 + b'{"a":1}' * 110_000)
    assert refused.value.rule == "unreadable-keras-config"


@pytest.mark.parametrize("count", [1, 2000, 2341, 37_449, 40_000])
def test_a_lambda_is_found_behind_other_texts_in_hdf5(count: int) -> None:
    assert rules(HDF5 + b'{"a":1}' * count + model(layer("Lambda"))) == ["keras-lambda"]


def test_text_in_hdf5_that_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(Refused, match="nested too deep"):
        read_by(hdf5, HDF5 + b'{"a":' * 100_000)


def test_attributes_of_hdf5_that_are_compressed_are_refused() -> None:
    heap = b"FRHP\x00\x08\x00\x0e\x00\x02" + bytes(12) + b"\xff" * 8 + bytes(80)
    for shift in range(12):
        with pytest.raises(Refused, match="compressed"):
            read_by(hdf5, HDF5.ljust(BLOCK - shift, b"\0") + heap)
    assert read_by(hdf5, HDF5 + heap.replace(b"\x0e", b"\x00")) == []


def test_weights_in_hdf5_are_passed_over_quickly() -> None:
    begun = time.monotonic()
    assert read_by(hdf5, HDF5 + numpy.random.default_rng(0).bytes(20_000_000)) == []
    assert time.monotonic() - begun < 5


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
