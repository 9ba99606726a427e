"""TensorFlow's SavedModels with an operator that writes a file when the model is loaded.

Field numbers are those of `tensorflow/core/protobuf/saved_model.proto` and what it imports. The operator is the model's
initialiser, which TensorFlow runs when it loads the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attack.grammar import Choices, Files, Grammar
from attack.grammars.calls import MARK
from attack.grammars.messages import MESSAGES, Field

STRING, FLOAT, INT64 = 7, 1, 9  # tensorflow/core/framework/types.proto


def _node(name: str, operator: str, *inputs: str, **attributes: list[Field]) -> Field:
    entries: list[Field] = [(5, [(1, key.encode()), (2, value)]) for key, value in attributes.items()]
    return (1, [(1, name.encode()), (2, operator.encode()), *((3, each.encode()) for each in inputs), *entries])


def _text(name: str, *texts: bytes) -> Field:
    """A constant: one text, or a list of several."""
    shape: list[Field] = [(2, [(1, len(texts))])] if len(texts) > 1 else []
    tensor: list[Field] = [(1, STRING), (2, shape), *((8, text) for text in texts)]
    return _node(name, "Const", dtype=[(6, STRING)], value=[(8, tensor)])


def _write(mark: bytes) -> list[Field]:
    return [_text("name", mark), _text("text", b"x"), _node("init", "WriteFile", "name", "text")]


def _print(mark: bytes) -> list[Field]:
    return [
        _text("text", b"x"),
        _node("init", "PrintV2", "text", output_stream=[(2, b"file://" + mark)], end=[(2, b"")]),
    ]


def _save(mark: bytes) -> list[Field]:
    types: list[Field] = [(1, [(6, STRING)])]
    names = [_text("prefix", mark), _one("names", b"x"), _one("slices", b""), _text("text", b"x")]
    return [*names, _node("init", "SaveV2", "prefix", "names", "slices", "text", dtypes=types)]


def _save_old(mark: bytes) -> list[Field]:
    types: list[Field] = [(1, [(6, STRING)])]
    return [
        _text("prefix", mark),
        _one("names", b"x"),
        _text("text", b"x"),
        _node("init", "Save", "prefix", "names", "text", T=types),
    ]


def _one(name: str, text: bytes) -> Field:
    """A constant list of one text."""
    tensor: list[Field] = [(1, STRING), (2, [(2, [(1, 1)])]), (8, text)]
    return _node(name, "Const", dtype=[(6, STRING)], value=[(8, tensor)])


def _summary(mark: bytes) -> list[Field]:
    number: list[Field] = [(8, [(1, 3), (2, []), (7, 1)])]
    return [
        _text("folder", mark),
        _text("text", b""),
        _node("number", "Const", dtype=[(6, 3)], value=number),
        _node("writer", "SummaryWriter", shared_name=[(2, b"w")], container=[(2, b"")]),
        _node("init", "CreateSummaryFileWriter", "writer", "folder", "number", "number", "text"),
    ]


OPERATORS: Mapping[str, Callable[[bytes], list[Field]]] = {
    "WriteFile": _write,
    "PrintV2": _print,
    "SaveV2": _save,
    "Save": _save_old,
    "CreateSummaryFileWriter": _summary,
}
"""The nodes of a graph, of which the last, `init`, leaves the mark."""


def _in_graph(nodes: list[Field]) -> list[Field]:
    return [*nodes, (4, [(1, 1_087)])]


def _in_function(nodes: list[Field], call: str = "StatefulPartitionedCall") -> list[Field]:
    """A graph that calls a function with the nodes."""
    body: list[Field] = [(3, _tied(each)[1]) for each in nodes]
    function: list[Field] = [(1, [(1, b"__inner")]), *body, (6, [(1, b"init"), (2, b"init")])]
    named: list[Field] = [(10, [(1, b"__inner")])]
    caller = _node("init", call, Tin=[(1, [])], Tout=[(1, [])], f=named)
    return [caller, (2, [(1, function)]), (4, [(1, 1_087)])]


def _tied(node: Field) -> Field:
    """The node as a function's: its inputs name an output of a node."""
    fields = node[1]
    assert isinstance(fields, list)
    outputs = {b"writer": b"writer:0"}
    tied = [
        (key, outputs.get(value, value + b":output:0") if key == 3 and isinstance(value, bytes) else value)
        for key, value in fields
    ]
    return (node[0], tied)


GRAPHS: Mapping[str, Callable[[list[Field]], list[Field]]] = {
    "graph": _in_graph,
    "function": _in_function,
    "pure-function": lambda nodes: _in_function(nodes, "PartitionedCall"),
}
"""Where in the graph the nodes are."""


def _meta_graph(graph: list[Field]) -> list[Field]:
    about: list[Field] = [(4, b"serve"), (5, b"2.21.0")]
    initialiser: list[Field] = [(1, b"saved_model_main_op"), (2, [(1, [(1, b"init")])])]
    return [(1, about), (2, graph), (4, initialiser)]


MODELS: Mapping[str, Callable[[list[Field]], list[Field]]] = {
    "model": lambda graph: [(1, 1), (2, _meta_graph(graph))],
    "graph-first": lambda graph: [(1, 1), (2, _meta_graph(graph)[::-1])],
    "long-info": lambda graph: [(1, 1), (2, [(1, [(99, bytes(20_000)), *_info()]), *_meta_graph(graph)[1:]])],
    "second": lambda graph: [(1, 1), (2, [(1, [(4, b"train")]), (2, [])]), (2, _meta_graph(graph))],
    "merged": lambda graph: [(1, 1), (2, [(2, graph[:1]), (2, graph[1:]), *_meta_graph([])])],
}
"""Where the graph is in the model."""


def _info() -> list[Field]:
    return [(4, b"serve"), (5, b"2.21.0")]


PLACES = (
    "saved_model.pb",
    "1/saved_model.pb",
    "model/saved_model.pb",
    "export/Servo/1700000000/saved_model.pb",
    "code/saved_model.pb",
    "saved_model.pbtxt",
)


def _compose(choices: Choices) -> Files:
    graph = GRAPHS[choices["graph"]](OPERATORS[choices["operator"]](MARK.encode()))
    place, fields = choices["place"], MODELS[choices["model"]](graph)
    data = _as_text(fields) if place.endswith(".pbtxt") else MESSAGES[choices["message"]](fields)
    return {place: data}


NAMES = {
    "": {1: "saved_model_schema_version", 2: "meta_graphs"},
    "meta_graphs": {1: "meta_info_def", 2: "graph_def", 4: "collection_def"},
    "meta_info_def": {4: "tags", 5: "tensorflow_version"},
    "graph_def": {1: "node", 2: "library", 4: "versions"},
    "versions": {1: "producer"},
    "node": {1: "name", 2: "op", 3: "input", 5: "attr"},
    "attr": {1: "key", 2: "value"},
    "value": {1: "list", 2: "s", 3: "i", 5: "b", 6: "type", 8: "tensor"},
    "tensor": {1: "dtype", 2: "tensor_shape", 7: "int_val", 8: "string_val"},
    "tensor_shape": {2: "dim"},
    "dim": {1: "size"},
    "list": {6: "type"},
    "collection_def": {1: "key", 2: "value"},
}
"""The text form's names, by message; a collection's own are in `_as_text`."""


def _as_text(fields: list[Field], within: str = "") -> bytes:
    lines = []
    for key, value in fields:
        name = NAMES.get(within, {}).get(key, "")
        if within == "collection_def" and key == 2:
            lines.append(b'value { node_list { value: "init" } }')
        elif not name:
            continue
        elif isinstance(value, list):
            lines.append(name.encode() + b" {\n" + _as_text(value, name) + b"\n}")
        elif isinstance(value, bytes):
            lines.append(name.encode() + b': "' + value.replace(b'"', b'\\"') + b'"')
        else:
            lines.append(f"{name}: {value}".encode())
    return b"\n".join(lines)


SAVED_MODELS = Grammar(
    "saved-model",
    {
        "operator": tuple(OPERATORS),
        "graph": tuple(GRAPHS),
        "model": tuple(MODELS),
        "message": tuple(MESSAGES),
        "place": PLACES,
    },
    _compose,
    ("tensorflow", "tensorflow-v1"),
)
