from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto

from signoff.artifact.formats.onnx import MESSAGES, is_onnx, onnx
from signoff.artifact.formats.protobuf import MAX_DEPTH
from signoff.artifact.streams.refusal import OtherFormat, Refused
from tests.support.depth import examples
from tests.support.protobuf_mutants import mutant
from tests.support.tensor_files import external, field, model, node, number, read_by, sample, told

OUTSIDE = {
    "an absolute path": "/etc/passwd",
    "a path that climbs": "../../weights.bin",
    "a path that climbs later": "a/../../weights.bin",
    "a path that climbs by percent signs": "%2e%2e/weights.bin",
    "a drive letter": "C:weights.bin",
    "backslashes": "a\\weights.bin",
    "an address": "https://example.com/weights.bin",
    "a home directory": "~/weights.bin",
    "a control character": "weights\x00.bin",
    "nothing": "",
    "an address in memory": "*/_ORT_MEM_ADDR_/*",
}
# Every place in a model that a tensor can lie in.
PLACES = {
    "an initializer": lambda tensor: model(field(5, tensor)),
    "the values of a sparse initializer": lambda tensor: model(field(15, field(1, tensor))),
    "the indices of a sparse initializer": lambda tensor: model(field(15, field(2, tensor))),
    "a node's attribute": lambda tensor: model(field(1, node("Constant", "", field(5, tensor)))),
    "an attribute of several": lambda tensor: model(field(1, node("Constant", "", field(10, tensor)))),
    "a sparse attribute": lambda tensor: model(field(1, node("Constant", "", field(22, field(1, tensor))))),
    "several sparse attributes": lambda tensor: model(field(1, node("Constant", "", field(23, field(2, tensor))))),
    "a graph in a node": lambda tensor: model(field(1, node("If", "", field(6, field(5, tensor))))),
    "one of several graphs in a node": lambda tensor: model(field(1, node("If", "", field(11, field(5, tensor))))),
    "a function's node": lambda tensor: model(b"", field(25, field(7, node("Constant", "", field(5, tensor))))),
    "a function's attribute": lambda tensor: model(b"", field(25, field(11, field(5, tensor)))),
    "training": lambda tensor: model(b"", field(20, field(1, field(5, tensor)))),
    "training's algorithm": lambda tensor: model(b"", field(20, field(2, field(5, tensor)))),
}


# Every place in a model that a node can lie in.
NODES: dict[str, Callable[[bytes], bytes]] = {
    "the graph": lambda one: model(field(1, one)),
    "a graph in a node": lambda one: model(field(1, node("If", "", field(6, field(1, one))))),
    "one of several graphs in a node": lambda one: model(field(1, node("If", "", field(11, field(1, one))))),
    "a function": lambda one: model(b"", field(25, field(1, "f") + field(7, one))),
    "a graph that is an attribute's default": lambda one: model(b"", field(25, field(11, field(6, field(1, one))))),
    "training": lambda one: model(b"", field(20, field(1, field(1, one)))),
    "training's algorithm": lambda one: model(b"", field(20, field(2, field(1, one)))),
}


def rules(data: bytes) -> list[str]:
    return [rule for rule, _ in told(data)]


def unreadable(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        told(data)
    assert refused.value.rule == "unreadable-onnx"
    return str(refused.value)


@pytest.mark.parametrize("location", OUTSIDE.values(), ids=OUTSIDE)
def test_tensors_whose_data_lies_outside_the_model_are_refused(location: str) -> None:
    assert rules(model(field(5, external(location)))) == ["onnx-external-data"]


@pytest.mark.parametrize("place", PLACES)
def test_tensors_are_found_wherever_they_lie(place: str) -> None:
    ((rule, reason),) = told(PLACES[place](external("../x")))
    assert rule == "onnx-external-data"
    assert "'../x'" in reason


def test_data_in_another_file_of_the_model_is_a_warning_that_names_it() -> None:
    ((rule, reason),) = told(model(field(5, external("weights/a..b.bin")) * 3))
    assert rule == "onnx-external-data-inside (warning)"
    assert "'weights/a..b.bin'" in reason


def test_the_last_of_two_locations_counts_as_it_does_for_protobuf() -> None:
    entry = field(1, "location") + field(2, "inside.bin") + field(2, "/etc/passwd")
    assert rules(model(field(5, field(13, entry)))) == ["onnx-external-data"]


def test_a_custom_operator_is_refused_with_its_name_and_domain() -> None:
    ((rule, reason),) = told(model(field(1, node("Steal", "evil.example"))))
    assert rule == "onnx-custom-operator"
    assert "evil.example.Steal" in reason


def test_a_custom_operator_in_a_graph_in_a_node_is_refused() -> None:
    inner = field(1, node("Steal", "evil.example"))
    assert rules(model(field(1, node("Loop", "", field(6, inner))))) == ["onnx-custom-operator"]


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"])
def test_operators_of_onnx_itself_pass(domain: str) -> None:
    assert told(model(field(1, node("Scaler", domain)))) == []


@pytest.mark.parametrize("domain", ["com.microsoft", "com.microsoft.nchwc"])
def test_operators_of_onnx_runtime_are_a_warning(domain: str) -> None:
    assert rules(model(field(1, node("FusedConv", domain)))) == ["onnx-custom-operator (warning)"]


def test_what_was_compiled_for_a_device_is_refused() -> None:
    assert rules(model(field(1, node("EPContext", "com.microsoft")))) == ["onnx-custom-operator"]


@pytest.mark.parametrize(
    "domain", ["com.microsoftx", "com.microsoft.extensions", "AI.ONNX", "ai.onnx ", "ai.onnx.contrib"]
)
def test_domains_that_look_alike_are_refused(domain: str) -> None:
    assert rules(model(field(1, node("Conv", domain)))) == ["onnx-custom-operator"]


def test_an_operator_set_that_no_node_uses_is_a_warning() -> None:
    assert rules(model(b"", field(8, field(1, "evil.example") + field(2, 1)))) == ["onnx-custom-opset (warning)"]


def test_a_function_of_the_model_is_no_custom_operator_but_another_of_its_domain_is() -> None:
    function = field(25, field(1, "Mine") + field(10, "local"))
    assert told(model(field(1, node("Mine", "local")), function)) == []
    assert rules(model(field(1, node("Other", "local")), function)) == ["onnx-custom-operator"]


def test_very_many_custom_operators_do_not_fill_the_report() -> None:
    nodes = b"".join(field(1, node(f"Op{index}", "evil.example")) for index in range(5000))
    assert rules(model(nodes)) == ["onnx-custom-operator"] * 20


DAMAGED = {
    "cut off": model(field(1, node("Add")))[:-3],
    "a field longer than its message": model(field(1, number(4 << 3 | 2) + number(1000) + b"Add")),
    "a number of more than 64 bits": model(field(1, number(3 << 3) + b"\xff" * 11)),
    "a group": model(field(1, number(99 << 3 | 3))),
    "a field of number 0": model(field(1, b"\x00\x00")),
    "a fixed number cut off": model(field(1, number(99 << 3 | 1) + b"\x00" * 7)),
    "a very long name": model(field(1, node("A" * 70_000))),
    "a length beyond the file": model() + number(14 << 3 | 2) + number(2**62),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_model_is_refused(data: bytes) -> None:
    assert "at byte" in unreadable(data)


def test_graphs_deep_in_graphs_are_refused() -> None:
    graph = b""
    for _ in range(MAX_DEPTH):
        graph = field(1, field(5, field(6, graph)))
    assert "messages more than 100 deep" in unreadable(model(graph))


def test_what_was_found_before_the_damage_is_reported_too() -> None:
    found: list[str] = []
    data = model(field(5, external("/etc/passwd"))) + b"\x72\xff"
    with pytest.raises(Refused):
        told(data, into=found)
    assert found == ["onnx-external-data"]


def test_tensors_are_passed_over_quickly_and_without_being_held() -> None:
    begun = time.monotonic()
    assert told(model(field(5, field(9, bytes(64_000_000))))) == []
    assert time.monotonic() - begun < 10


def test_fields_in_another_order_are_still_a_model() -> None:
    graph, version = field(7, field(5, external("../x"))), field(1, 8)
    assert rules(graph + version) == ["onnx-external-data"]
    assert rules(field(99, "unknown") + version + graph) == ["onnx-external-data"]


BEGINNINGS = {
    "a long text before all": lambda fields: [field(6, "d" * 5000), *fields],
    "a long field of an unknown number": lambda fields: [field(99, "d" * 5000), *fields],
    "its version at the end": lambda fields: [*fields[1:], fields[0]],
    "no version": lambda fields: fields[1:],
    "two graphs, of which the first only computes": lambda fields: [field(7, field(1, node("Add"))), *fields],
    "tags in more bytes than they need": lambda fields: [b"\x88\x80\x00\x08", *fields],
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_model_is_read_whatever_it_begins_with(beginning: str) -> None:
    graph = field(1, node("Steal", "evil.example")) + field(5, external("../x"))
    data = b"".join(BEGINNINGS[beginning]([field(1, 8), field(7, graph)]))
    assert [rule for rule, _ in read_by(onnx, data)] == ["onnx-external-data", "onnx-custom-operator"]
    assert ModelProto.FromString(data).graph.node[-1].op_type == "Steal"


def test_a_field_whose_number_some_readers_cut_off_is_refused() -> None:
    hidden = b"\xba\x80\x80\x80\x10" + field(7, field(1, node("Steal", "evil.example")))[1:]
    with pytest.raises(Refused, match="has a field of number"):
        read_by(onnx, model() + hidden)


@pytest.mark.parametrize("data", [b"", field(1, 8) + field(2, "by hand"), field(99, "?")])
def test_what_holds_no_graph_is_no_model(data: bytes) -> None:
    with pytest.raises(OtherFormat):
        read_by(onnx, data)


@settings(max_examples=examples(300))
@given(st.data())
def test_what_the_onnx_library_reads_from_fields_in_any_order_is_found(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([*NODES]))
    changed = mutant(NODES[place](node("Steal", "evil.example")), MESSAGES, "Model", data)
    read = ModelProto.FromString(changed)
    found = [rule for rule, _ in read_by(onnx, changed, chunk=data.draw(st.integers(1, 100)))]
    assert ("Steal" in str(read)) == ("onnx-custom-operator" in found)
    assert found == ["onnx-custom-operator"]


@pytest.mark.parametrize("name", ["xgboost.ubj", "lightgbm.txt", "dense.h5", "floats.npy", "tensors.safetensors"])
def test_other_formats_are_no_model(name: str) -> None:
    assert not is_onnx(sample(name)[:4096])


def test_tensorflows_saved_model_is_no_onnx() -> None:
    assert not is_onnx(field(1, 1) + field(2, field(1, field(4, "serve") + field(5, "2.16.1")) + field(2, b"graph")))


@settings(max_examples=examples(500))
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_nearly_nothing_else_is_taken_for_a_model(data: bytes) -> None:
    assert not is_onnx(b"x" + data)
    assert not is_onnx(b"\x00" + data)


@settings(max_examples=examples(200))
@given(cut=st.data(), name=st.sampled_from(["matmul.onnx", "sklearn.onnx", "function.onnx"]))
def test_a_model_cut_inside_its_graph_is_never_valid(cut: st.DataObject, name: str) -> None:
    whole = sample(name)
    start = whole.index(b"\x3a")
    data = whole[: cut.draw(st.integers(start + 3, whole.index(b"\x42", start) - 1))]
    assert unreadable(data)
