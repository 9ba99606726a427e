"""TensorFlow's SavedModels: graphs that only compute pass, anything else that they would do is reported."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.artifact.detection import kind_of
from signoff.artifact.formats.saved_model import keras_metadata, saved_model
from signoff.artifact.formats.tensorflow.messages import MESSAGES
from signoff.artifact.formats.tensorflow.operators import ALLOWED, DOES
from signoff.artifact.formats.tensorflow.saver import SAVES
from signoff.artifact.requirements import Trusted
from signoff.artifact.streams.refusal import OtherFormat, Refused
from tests.support.depth import examples
from tests.support.protobuf_mutants import mutant
from tests.support.tensor_files import field, number, read_by, sample, told

REGISTRY: dict[str, Any] = json.loads(sample("tensorflow.operators.json"))
# What by its name may be a file, a host, a device or code, and what it is.
HARMLESS = {
    "a pattern of texts": "StaticRegexFullMatch StaticRegexReplace RegexFullMatch RegexReplace",
    "the name of a gradient": "TensorArrayGrad TensorArrayGradV2 TensorArrayGradV3 TensorArrayGradWithShape",
    "a checkpoint, by the saver in every SavedModel": "RestoreV2 SaveV2 MergeV2Checkpoints",
    "devices of the process, that a variable may lie on": "VarHandleOp",
}
EXCEPTIONS = {operator for operators in HARMLESS.values() for operator in operators.split()}
REACHING = {
    "Python": "PyFunc EagerPyFunc PyFuncStateless",
    "code that is not in the graph": "XlaCallModule XlaCustomCallV2 MlirPassthroughOp TPUExecute XlaLaunch RemoteCall",
    "devices and other hosts": "Send Recv _Send _HostRecv CollectiveReduceV2 NcclAllReduce RpcCall TPUPartitionedCall",
    "files of its own choice": "PrintV2 DumpTensor Copy CopyHost CalibrationStatisticsSaver FileSystemSetConfiguration",
    "files that are read": "InitializeTableFromTextFileV2 FixedUnigramCandidateSampler DecodeProtoV2 ImmutableConst",
    "input pipelines": "TextLineDataset MapDataset IteratorV2 QueueDequeueV2 TFRecordReaderV2 GeneratorDataset",
    "operators of libraries": "SentencepieceOp WordpieceTokenizeWithOffsets SimpleMLLoadModelFromPathWithHandle",
    "nothing that TensorFlow has": "Conv2d conv2D readFile",
}

HONEST = ("dense.saved_model.pb",)
HOSTILE = {
    "writes.saved_model.pb": "Would write files when it runs: WriteFile",
    "reads.saved_model.pb": "Would read files when it runs: ReadFile",
    "python.saved_model.pb": "Would run Python when it runs: EagerPyFunc",
    "loops.saved_model.pb": "Would write files when it runs: WriteFile",  # in a function that a branch of a loop calls
}


def saved(*fields: bytes) -> bytes:
    """A SavedModel of one graph with these fields of its MetaGraphDef."""
    return b"\x08\x01" + field(2, b"".join(fields))


def node(operator: str) -> bytes:
    return field(1, field(1, b"name") + field(2, operator.encode()))


@pytest.mark.parametrize("name", HONEST)
def test_a_model_that_computes_passes(name: str) -> None:
    assert told(sample(name)) == []
    assert kind_of(sample(name)[:4096]) == "saved_model"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_model_that_does_more_is_refused_by_what_it_would_do(name: str) -> None:
    ((rule, reason),) = told(sample(name))
    assert rule == "tensorflow-operator"
    assert reason.startswith(HOSTILE[name] + ", at byte ")


def test_operators_of_ordinary_models_are_allowed() -> None:
    assert set(REGISTRY["ordinary"]) <= ALLOWED


def test_no_operator_that_may_reach_a_file_a_host_or_code_is_allowed() -> None:
    reaching = REGISTRY["reaching"]
    assert len(reaching) > 100
    assert {operator: reaching[operator] for operator in ALLOWED.intersection(reaching) - EXCEPTIONS} == {}


def test_no_exception_is_left_over() -> None:
    assert set(REGISTRY["reaching"]) & ALLOWED >= EXCEPTIONS


@pytest.mark.parametrize("names", REACHING.values(), ids=REACHING)
def test_an_operator_that_is_not_allowed_is_refused_by_its_name(names: str) -> None:
    for operator in names.split():
        ((rule, reason),) = told(saved(field(2, node(operator))))
        assert (rule, operator in reason) == ("tensorflow-operator", True)


def test_no_operator_whose_doings_are_known_is_allowed_but_those_that_save() -> None:
    assert ALLOWED & set(DOES) == set(SAVES)


def test_an_operator_that_the_policy_admits_is_a_warning_and_others_are_not() -> None:
    model = saved(field(2, node("InitializeTableFromTextFileV2") + node("SentencepieceOp") + node("ReadFile")))
    admitted = Trusted(operators=frozenset({"InitializeTableFromTextFileV2", "SentencepieceOp"}))
    found = [(rule, reason.split(":")[0]) for rule, reason in read_by(saved_model, model, trusted=admitted)]
    assert found == [
        ("tensorflow-operator (warning)", "Would read files when it runs"),
        ("tensorflow-operator (warning)", "Uses an operator that is not known only to compute"),
        ("tensorflow-operator", "Would read files when it runs"),
    ]


def test_a_node_that_calls_a_function_of_the_graph_passes_and_what_the_function_does_is_found() -> None:
    assert told(saved(field(2, node("mine") + function("mine", "MatMul")))) == []
    ((rule, _),) = told(saved(field(2, node("mine") + function("mine", "SentencepieceOp"))))
    assert rule == "tensorflow-operator"


def test_a_function_that_is_called_as_an_operator_does_not_hide_it() -> None:
    ((rule, _),) = told(saved(field(2, node("WriteFile") + function("WriteFile"))))
    assert rule == "tensorflow-operator"


def function(name: str, *operators: str, calls: str = "") -> bytes:
    nodes = b"".join(field(3, field(2, operator)) for operator in operators)
    return field(2, field(1, field(1, field(1, name)) + nodes + (field(3, calling(calls)) if calls else b"")))


def calling(function: str, name: str = "call") -> bytes:
    """A node that calls a function by an attribute."""
    return field(1, name) + field(2, "PartitionedCall") + field(5, field(2, field(10, field(1, function))))


def saver(*nodes: bytes) -> bytes:
    """A graph that is saved and restored by functions, as TensorFlow 2 writes it."""
    functions = function("save", "ShardedFilename", "SaveV2", "MergeV2Checkpoints") + function("restore", "RestoreV2")
    own = (calling("save", "saves") + field(3, "filename"), calling("restore", "back"))
    graph = b"".join(field(1, each) for each in (*own, field(1, "filename") + field(2, "Placeholder"), *nodes))
    return field(2, graph + functions) + field(3, field(1, "filename:0") + field(2, "saves:0") + field(3, "back"))


def output(tensor: bytes) -> bytes:
    """A signature with this output."""
    return field(5, field(1, "serve") + field(2, field(2, field(1, "y") + field(2, tensor))))


def run(name: str) -> bytes:
    return output(field(1, name))


def with_attribute(attribute: bytes) -> bytes:
    return saver(field(1, "n") + field(2, "Case") + field(5, field(2, attribute))) + run("n")


def test_what_saves_a_model_and_is_not_run_otherwise_passes() -> None:
    model = saver(field(1, "y") + field(2, "MatMul") + field(3, "x:1"), field(1, "x") + field(2, "Placeholder"))
    assert told(b"\x08\x01" + field(2, model + run("y:0"))) == []


SAVING: dict[str, bytes] = {
    "as the output of a signature": saver() + run("saves:0"),
    "as a sparse output": saver() + output(field(4, field(2, "saves:0"))),
    "as a part of an output": saver() + output(field(5, field(2, field(1, "saves:0")))),
    "before another node": saver(field(1, "y") + field(2, "Add") + field(3, "x") + field(3, "^saves")) + run("y:0"),
    "by a node among the graph's own": saver(field(1, "w") + field(2, "SaveV2")) + run("w"),
    "when it is loaded": saver() + field(4, field(1, "saved_model_main_op") + field(2, field(1, field(1, "saves")))),
    "when it is restored": saver() + field(3, field(3, "saves")),
    "by a function of an object": saver() + field(7, field(2, field(1, "save"))),
    "by a function that calls another": saver(calling("outer"))
    + field(2, function("outer", calls="save"))
    + run("call"),
    "by a function that is called as an operator": saver(field(1, "n") + field(2, "save")) + run("n"),
    "by one of several functions": with_attribute(field(1, field(9, field(1, "?")) + field(9, field(1, "save")))),
    "by a function in an attribute of another": with_attribute(
        field(10, field(1, "?") + field(2, field(2, field(10, field(1, "save")))))
    ),
}


@pytest.mark.parametrize("way", SAVING)
def test_what_saves_a_model_is_refused_where_anything_else_leads_to_it(way: str) -> None:
    found = [rule for rule, reason in told(b"\x08\x01" + field(2, SAVING[way])) if "SaveV2" in reason]
    assert found == ["tensorflow-operator"]


@pytest.mark.parametrize("name", ["", "n" * 60_000])
def test_names_beyond_what_is_remembered_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signoff.artifact.formats.tensorflow.saver.MAX_SIZE", 1_000_000)
    nodes = b"".join(field(1, field(1, f"{index}{name}")) for index in range(40_000 if not name else 20))
    with pytest.raises(Refused, match="names of more than"):
        told(saved(field(2, nodes)))


def test_very_many_operators_that_are_not_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signoff.artifact.formats.saved_model.MAX_OPERATORS", 1000)
    with pytest.raises(Refused, match="operators that are not allowed"):
        told(saved(field(2, b"".join(node(f"Op{index}") for index in range(1100)))))


def test_a_function_of_one_graph_excuses_no_operator_of_another() -> None:
    graphs = field(2, field(2, function("SentencepieceOp"))) + field(2, field(2, node("SentencepieceOp")))
    assert [rule for rule, _ in read_by(saved_model, graphs)] == ["tensorflow-operator"]


def test_of_a_function_that_is_declared_twice_the_last_name_counts() -> None:
    declared = field(1, field(1, "SentencepieceOp")) + field(1, field(1, "other"))
    ((rule, _),) = told(saved(field(2, node("SentencepieceOp") + field(2, field(1, declared)))))
    assert rule == "tensorflow-operator"


def test_a_declaration_in_two_parts_keeps_its_name() -> None:
    function = field(1, field(1, "w")) + field(1, field(5, "no name")) + field(3, field(2, "SaveV2"))
    ((rule, _),) = told(saved(field(2, field(2, field(1, function))), field(7, field(2, field(1, "w")))))
    assert rule == "tensorflow-operator"


@settings(max_examples=examples(200), deadline=5000)
@given(st.data())
def test_fields_in_any_order_make_no_difference(data: st.DataObject) -> None:
    changed = field(2, mutant(SAVING[data.draw(st.sampled_from([*SAVING]))], MESSAGES, "MetaGraph", data))
    assert "SaveV2" in str(read_by(saved_model, changed, chunk=data.draw(st.integers(1, 300))))
    honest = field(2, mutant(saver() + run("filename"), MESSAGES, "MetaGraph", data))
    assert read_by(saved_model, honest, chunk=data.draw(st.integers(1, 300))) == []


@pytest.mark.parametrize("operator", sorted(DOES))
def test_each_operator_is_found_in_a_graph_and_in_a_function(operator: str) -> None:
    in_function = field(2, function("f", operator)) + field(7, field(2, field(1, "f")))
    for model in (saved(field(2, node(operator)) + run("name")), saved(in_function)):
        assert [rule for rule, _ in told(model)] == ["tensorflow-operator"]


@pytest.mark.parametrize("filename", ["../vocabulary.txt", "/etc/passwd", "a\\b", "s3://bucket/key"])
def test_an_asset_outside_of_the_model_is_refused(filename: str) -> None:
    ((rule, reason),) = told(saved(field(6, field(2, filename.encode()))))
    assert (rule, repr(filename) in reason) == ("tensorflow-asset", True)


def test_an_asset_of_the_model_passes() -> None:
    assert told(saved(field(6, field(2, b"vocabulary.txt")))) == []


def test_an_asset_outside_of_the_model_is_found_in_a_collection_as_tensorflow_1_keeps_it() -> None:
    asset = field(2, field(5, field(1, field(2, field(2, "/etc/passwd")))))
    ((rule, _),) = told(saved(field(4, field(1, "saved_model_assets") + asset)))
    assert rule == "tensorflow-asset"


LAMBDA = json.dumps({"class_name": "Lambda", "config": {}})
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "as TensorFlow writes it": lambda graph: field(1, 1) + field(2, graph),
    "without a version": lambda graph: field(2, graph),
    "with the version at its end": lambda graph: field(2, graph) + field(1, 1),
    "with another version": lambda graph: field(1, 7) + field(2, graph),
    "with an unknown field before it": lambda graph: field(99, "x" * 5000) + field(2, graph),
    "with its tag in more bytes than it needs": lambda graph: b"\x92\x80\x00" + number(len(graph)) + graph,
    "behind a graph that only computes": lambda graph: field(2, field(2, node("Add"))) + field(2, graph),
    "with its graph in two parts": lambda graph: field(2, field(2, node("Add")) + graph),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_tensorflow_reads_is_looked_at_whatever_it_begins_with(form: str) -> None:
    assert read_by(saved_model, FORMS[form](field(2, node("MatMul")))) == []
    ((rule, reason),) = read_by(saved_model, FORMS[form](field(2, node("WriteFile"))))
    assert (rule, "WriteFile" in reason) == ("tensorflow-operator", True)


def test_the_last_of_two_names_of_an_operator_counts_as_it_does_for_protobuf() -> None:
    twice = field(1, field(2, "Add") + field(2, "WriteFile"))
    ((rule, _),) = read_by(saved_model, saved(field(2, twice)))
    assert rule == "tensorflow-operator"


HIDDEN = {
    "a field whose number some readers cut off": field(2, b"") + b"\x92\x80\x80\x80\x10" + field(1, b"")[1:],
    "a group around it": b"\x13" + field(2, node("WriteFile")) + b"\x14",
    "the text form": b'meta_graphs { graph_def { node { op: "WriteFile" } } }',
    "the chunked form": b"\x83\xaf\x70\xd1\x0d\x88\x4a\x3f" + bytes(56),
}


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN)
def test_what_some_reader_may_see_a_graph_in_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_by(saved_model, data)
    assert refused.value.rule == "unreadable-saved-model"


@pytest.mark.parametrize("data", [b"", field(1, 1), field(3, "no graph")])
def test_what_holds_no_graph_is_none_of_tensorflows(data: bytes) -> None:
    with pytest.raises(OtherFormat):
        read_by(saved_model, data)


def test_a_lambda_layer_in_the_graphs_own_description_is_found() -> None:
    described = field(7, field(1, field(4, field(1, "_tf_keras_layer") + field(3, LAMBDA))))
    assert [rule for rule, _ in told(saved(field(2, node("Add")), described))] == ["keras-lambda"]


@pytest.mark.parametrize("spelling", ['"\\u004cambda"', '"Lambda"' + " " * 5000])
def test_a_lambda_layer_beside_the_model_is_found_in_any_spelling(spelling: str) -> None:
    layer = LAMBDA.replace('"Lambda"', spelling)
    assert [rule for rule, _ in read_by(keras_metadata, field(1, field(5, layer)))] == ["keras-lambda"]


def test_keras_2_s_lambda_layers_are_found_in_what_lies_beside_the_model() -> None:
    assert "keras-lambda" in [rule for rule, _ in told(sample("lambda.keras_metadata.pb"))]
    assert told(sample("dense.keras_metadata.pb")) == []


@given(st.data())
@settings(max_examples=examples(200), deadline=2000)
def test_a_model_that_is_cut_or_changed_is_checked_or_unreadable(data: st.DataObject) -> None:
    model = bytearray(sample(data.draw(st.sampled_from([*HONEST, *HOSTILE]))))
    for _ in range(data.draw(st.integers(0, 3))):
        model[data.draw(st.integers(3, len(model) - 1))] = data.draw(st.integers(0, 255))
    known: list[str] = []
    with contextlib.suppress(Refused):
        told(bytes(model[: data.draw(st.integers(4, len(model)))]), data.draw(st.integers(1, 5000)), known)
    assert set(known) <= {"tensorflow-operator", "tensorflow-asset", "onnx-custom-opset"}


def test_a_length_beyond_the_end_is_unreadable() -> None:
    with pytest.raises(Refused, match="ends inside a field"):
        told(b"\x08\x01\x12" + number(1000) + b"\x0a\x05")
