from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.streams.refusal import Refused
from tests.support.depth import deep, examples
from tests.support.tensor_files import SAMPLES, array, npy, safetensors, sample, tensor, told

HONEST = {
    "tensors.safetensors": [],
    "empty.safetensors": [],
    "floats.npy": [],
    "structured.npy": [],
    "scalar.npy": [],
    "objects.npy": ["nested"],
    "matmul.onnx": [],
    "function.onnx": [],
    "sklearn.onnx": [],
    "dense.config.json": [],
    "dense.h5": [],
    "dense.weights.h5": [],
    "custom.config.json": ["keras-custom-object (warning)"],
}


@pytest.mark.parametrize(("name", "rules"), HONEST.items(), ids=HONEST)
@pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
def test_what_a_library_wrote_is_found_to_be_valid(name: str, rules: list[str], chunk: int) -> None:
    assert [rule for rule, _ in told(sample(name), chunk)] == rules


@pytest.mark.parametrize("name", ["lightgbm.txt"])
def test_what_is_no_tensor_format_is_left_to_others(name: str) -> None:
    assert told(sample(name)) == [("unknown", "")]


def test_every_sample_is_small_and_described() -> None:
    readme = (SAMPLES / "README.md").read_text()
    files = [path for path in SAMPLES.iterdir() if path.name != "README.md"]
    assert len(files) >= 15
    assert all(path.stat().st_size < 20_000 and path.name in readme for path in files)


# safetensors.

HEADERS: dict[str, tuple[Any, int, str]] = {
    "a hole between two tensors": ({"a": tensor(0, 4), "b": tensor(8, 12)}, 12, "safetensors-size"),
    "tensors that overlap": ({"a": tensor(0, 4), "b": tensor(2, 6)}, 6, "safetensors-size"),
    "tensors in one place": ({"a": tensor(0, 4), "b": tensor(0, 4)}, 4, "safetensors-size"),
    "bytes before the first tensor": ({"a": tensor(4, 8)}, 8, "safetensors-size"),
    "bytes after the last tensor": ({"a": tensor(0, 4)}, 5, "safetensors-size"),
    "too few bytes": ({"a": tensor(0, 4)}, 3, "safetensors-size"),
    "data without tensors": ({}, 1, "safetensors-size"),
    "a shape that takes more": ({"a": tensor(0, 4, [5])}, 4, "safetensors-header"),
    "an unknown dtype": ({"a": tensor(0, 4, dtype="OBJECT")}, 4, "safetensors-header"),
    "a dtype that is no string": ({"a": tensor(0, 4, dtype=["U8"])}, 4, "safetensors-header"),
    "offsets the wrong way round": ({"a": tensor(4, 0, [4])}, 4, "safetensors-header"),
    "three offsets": ({"a": {**tensor(0, 4), "data_offsets": [0, 4, 8]}}, 4, "safetensors-header"),
    "a negative length": ({"a": tensor(0, 4, [-2, -2])}, 4, "safetensors-header"),
    "a length that is no whole number": ({"a": tensor(0, 4, [4.0])}, 4, "safetensors-header"),
    "a length that is true": ({"a": tensor(0, 1, [True])}, 1, "safetensors-header"),
    "a shape of very many lengths": ({"a": tensor(0, 1, [1] * 1000)}, 1, "safetensors-header"),
    "lengths that overflow": ({"a": tensor(0, 0, [2**32, 2**32])}, 0, "safetensors-header"),
    "a field of its own": ({"a": {**tensor(0, 4), "pickle": "x"}}, 4, "safetensors-header"),
    "a field too few": ({"a": {"dtype": "U8", "shape": [4]}}, 4, "safetensors-header"),
    "metadata that is no strings": ({"__metadata__": {"a": 1}}, 0, "safetensors-header"),
    "metadata that nests": (b'{"__metadata__":{"a":{"b":"c"}}}', 0, "safetensors-header"),
    "a tensor given twice": (
        b'{"a":%s,"a":%s}' % ((json.dumps(tensor(0, 4)).encode(),) * 2),
        4,
        "safetensors-header",
    ),
    "a name in two spellings": (
        b'{"a":%s,"\\u0061":%s}' % (json.dumps(tensor(0, 4)).encode(), json.dumps(tensor(4, 8)).encode()),
        8,
        "safetensors-header",
    ),
    "a dtype given twice": (
        b'{"a":{"dtype":"U8","dtype":"F32","shape":[4],"data_offsets":[0,4]}}',
        4,
        "safetensors-header",
    ),
    "blanks before the object": (b" \n" + b'{"a":%s}' % json.dumps(tensor(0, 4)).encode(), 4, "safetensors-header"),
    "blanks for long": (b" " * 5000 + b'{"a":%s}' % json.dumps(tensor(0, 4)).encode(), 4, "safetensors-header"),
    "something after the object": (b'{"a":%s} {}' % json.dumps(tensor(0, 4)).encode(), 4, "safetensors-header"),
    "a comma at the end": (b'{"a":%s,}' % json.dumps(tensor(0, 4)).encode(), 4, "safetensors-header"),
    "an object that does not end": (b'{"a":', 0, "safetensors-header"),
    "bytes that are not UTF-8": (b'{"\xff":%s}' % json.dumps(tensor(0, 4)).encode(), 4, "safetensors-header"),
}


@pytest.mark.parametrize(("header", "data", "rule"), HEADERS.values(), ids=HEADERS)
def test_a_safetensors_file_with_a_bad_header_is_refused(header: Any, data: int, rule: str) -> None:
    assert [found for found, _ in told(safetensors(header, data))] == [rule]


def test_tensors_may_lie_in_any_order_and_be_smaller_than_a_byte() -> None:
    header = {"b": tensor(4, 8), "a": tensor(0, 4), "c": tensor(8, 10, [4], "F4"), "none": tensor(4, 4, [0, 7])}
    assert told(safetensors(header, 10)) == []


def test_a_header_padded_with_blanks_is_read() -> None:
    assert told(safetensors(json.dumps({"a": tensor(0, 4)}).encode() + b"   ", 4)) == []


@pytest.mark.parametrize("length", [16 * 1024 * 1024 + 1, 100_000_000, 2**32])
def test_a_very_long_header_is_refused_before_it_is_read(length: int) -> None:
    with pytest.raises(Refused) as refused:
        told(length.to_bytes(8, "little") + b'{"a":')
    assert refused.value.rule == "header-too-large"


def test_a_file_that_ends_inside_its_header_is_refused() -> None:
    with pytest.raises(Refused, match="Ends at byte 50, inside its header") as refused:
        told(sample("tensors.safetensors")[:50])
    assert refused.value.rule == "safetensors-size"


def test_many_faults_of_a_header_are_summed_up() -> None:
    found = told(safetensors({f"t{index}": tensor(0, 4, dtype="?") for index in range(1000)}, 0))
    assert [reason for _, reason in found][-1] == "Has at least 995 more errors in its header"
    assert len(found) == 6


def test_a_header_of_nothing_but_faults_is_not_read_to_its_end() -> None:
    begun = time.monotonic()
    found = told(safetensors(b"{" + b'"a":{},' * 1_500_000 + b'"a":{}}', 0))
    assert len(found) == 6
    assert time.monotonic() - begun < 5


def test_a_long_header_takes_bounded_memory_and_time() -> None:
    members = 20_000 if deep() else 4_000
    entry = '"%d":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]}'
    header = "{" + ",".join(entry % (index, index, index + 1) for index in range(members)) + "}"
    data = safetensors(header.encode(), members)
    tracemalloc.start()
    begun = time.monotonic()
    found = told(data)
    took, (_, peak) = time.monotonic() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == []
    assert peak < 8 * len(data)
    assert took < 30


# NumPy.

NOT_NPY = {
    "an unknown version": npy(array("'<f8'"), version=9),
    "a header that is too long": npy(array("'<f8'") + " " * 70_000, version=2),
    "a header cut off": npy(array("'<f8'"))[:30],
    "nothing after its magic": b"\x93NUMPY",
    "a call": npy(array("__import__('os').system('id')")),
    "an operator": npy(array("'<f8'", "(10**10**10,)")),
    "a sum": npy(array("'<f8'", "(1+1,)")),
    "a comprehension": npy(array("['<f8' for x in y]")),
    "a name": npy(array("x")),
    "a missing key": npy("{'descr': '<f8', 'shape': (3,)}"),
    "a key too many": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}"),
    "no dictionary": npy("[1, 2]"),
    "brackets without end": npy("{'descr': " + "[" * 30_000),
    "a deep literal": npy(array("[" * 40 + "]" * 40)),
    "a negative length": npy(array("'<f8'", "(-3,)")),
    "a shape that is no tuple": npy(array("'<f8'", "3")),
    "a very long number": npy(array("'<f8'", f"({'9' * 5000},)")),
    "a length beyond 2^63": npy(array("'<f8'", f"({2**64},)")),
    "a dtype of several": npy(array("'<f8,O'")),
    "an unknown dtype": npy(array("'<q8'")),
    "a dtype of an odd size": npy(array("'<f7'")),
    "a dtype that is a number": npy(array("8")),
    "a field that is none": npy(array("[('a',)]")),
    "a header that is not UTF-8": npy(b"{'descr': '\xff'}", version=3),
    "a dictionary with a list for a key": npy("{[]: 1}"),
}


@pytest.mark.parametrize("data", NOT_NPY.values(), ids=NOT_NPY)
def test_an_npy_file_with_a_bad_header_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        told(data)
    assert refused.value.rule == "unreadable-npy"


@pytest.mark.parametrize("data", [b"", bytes(23), bytes(25), b"\x80\x04N."], ids=["none", "few", "many", "a pickle"])
def test_an_npy_file_whose_elements_are_not_what_its_header_says_is_refused(data: bytes) -> None:
    assert [rule for rule, _ in told(npy(array("'<f8'"), data))] == ["npy-size"]


DTYPES = {
    "'|b1'": 1,
    "'<i2'": 2,
    "'>c16'": 16,
    "'<U3'": 12,
    "'|S5'": 5,
    "'|V7'": 7,
    "'<m8[ns]'": 8,
    "'<M8'": 8,
    "[('a', '<i4'), (('title', 'b'), '|u1', (2, 2))]": 8,
    "('<f4', (3,))": 12,
}


@pytest.mark.parametrize(("descr", "size"), DTYPES.items())
def test_the_elements_of_each_dtype_have_their_size(descr: str, size: int) -> None:
    assert told(npy(array(descr), bytes(3 * size))) == []
    assert [rule for rule, _ in told(npy(array(descr), bytes(3 * size + 1)))] == ["npy-size"]


def test_a_header_that_python_2_wrote_is_read() -> None:
    assert told(npy(array("'<f8'", "(3L,)"), bytes(24))) == []


@pytest.mark.parametrize(
    "descr", ["'|O'", "'O'", "'|O8'", "[('a', '<i4'), ('b', '|O')]", "[('a', [('b', 'O')], (2,))]"]
)
def test_the_pickle_of_an_array_of_objects_is_scanned(descr: str) -> None:
    assert told(npy(array(descr), b"\x80\x04N.")) == [("nested", "m > objects: b'\\x80\\x04'")]


def test_objects_that_are_not_pickled_as_numpy_does_are_refused_and_scanned() -> None:
    found = told(npy(array("'|O'"), b"cos\nsystem\n(S'id'\ntR."))
    assert [rule for rule, _ in found] == ["npy-objects", "nested"]


# Whatever the bytes are.


@settings(max_examples=examples(400), deadline=2000)
@given(name=st.sampled_from(sorted(HONEST)), data=st.data())
def test_a_damaged_file_is_only_ever_found_faulty_or_refused(name: str, data: st.DataObject) -> None:
    damaged = bytearray(sample(name))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    try:
        found = told(bytes(damaged), data.draw(st.integers(1, 4096)))
    except Refused as refusal:
        found = [(refusal.rule, str(refusal))]
    assert all(rule and len(reason) < 5000 for rule, reason in found if rule != "unknown")


@settings(max_examples=examples(200))
@given(name=st.sampled_from(sorted(name for name in HONEST if name.endswith((".npy", ".safetensors")))), cut=st.data())
def test_a_file_cut_short_anywhere_is_never_valid(name: str, cut: st.DataObject) -> None:
    whole = sample(name)
    length = cut.draw(st.integers(0, len(whole) - 1))
    try:
        found = told(whole[:length])
    except Refused as refusal:
        found = [(refusal.rule, str(refusal))]
    assert found
