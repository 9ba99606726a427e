"""ONNX models that take data from another file, or operators from elsewhere; field numbers are those of onnx.proto."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attack.grammar import Choices, Files, Grammar
from attack.grammars.archives import Entry, zipped
from attack.grammars.hosts import MESSAGE_HOSTS
from attack.grammars.messages import LONG, MESSAGES, Field

EXTERNAL = 1  # TensorProto.DataLocation


def _tensor(location: bytes = b"../secret") -> list[Field]:
    entries: list[Field] = [(13, [(1, b"location"), (2, location)])]
    return [(1, 2), (2, 1), (8, b"weights"), *entries, (14, EXTERNAL)]


def _node(operator: bytes, domain: bytes = b"", *attributes: list[Field]) -> Field:
    return (1, [(2, b"y"), (4, operator), (7, domain), *((5, each) for each in attributes)])


def _graph(*fields: Field) -> Field:
    return (7, [*fields, (2, b"graph"), (12, [(1, b"y")])])


def _constant(tensor: list[Field]) -> Field:
    return _node(b"Constant", b"", [(1, b"value"), (20, 4), (5, tensor)])


def _branch(body: Field) -> Field:
    return _node(b"If", b"", [(1, b"then_branch"), (20, 5), (6, body[1])])


BODIES: Mapping[str, Callable[[], list[Field]]] = {
    "initializer": lambda: [_graph((5, _tensor()))],
    "absolute": lambda: [_graph((5, _tensor(b"/etc/hostname")))],
    "constant": lambda: [_graph(_constant(_tensor()))],
    "constants": lambda: [_graph(_node(b"Constant", b"", [(1, b"values"), (20, 9), (10, _tensor())]))],
    "sparse": lambda: [_graph((15, [(1, _tensor()), (2, _tensor())]))],
    "branch": lambda: [_graph(_branch(_graph((5, _tensor()))))],
    "function": lambda: [_graph(), (25, [(1, b"f"), (10, b"local"), (7, _constant(_tensor())[1])])],
    "training": lambda: [_graph(), (20, [(1, _graph((5, _tensor()))[1])])],
    "operator": lambda: [_graph(_node(b"Run", b"attacker"))],
    "operator-in-branch": lambda: [_graph(_branch(_graph(_node(b"Run", b"attacker"))))],
}
"""What is hidden in a model, by its name."""

ABOUTS: Mapping[str, list[Field]] = {
    "usual": [(2, b"pytorch"), (8, [(1, b""), (2, 17)])],
    "little": [(8, [(1, b""), (2, 17)])],
    "nothing": [],
    "documented": [(6, b"d" * LONG), (8, [(1, b""), (2, 17)])],
    "documented-empty": [(6, b""), (8, [(1, b""), (2, 17)])],
    "producer-long": [(2, b"p" * 5_000), (8, [(1, b""), (2, 17)])],
    "producer-lines": [(2, b"a\nb"), (8, [(1, b""), (2, 17)])],
    "metadata": [(14, [(1, b"key"), (2, b"v" * LONG)]), (8, [(1, b""), (2, 17)])],
    "opset-of-others": [(8, [(1, b"attacker"), (2, 1)]), (8, [(1, b""), (2, 17)])],
}
"""What stands before the graph, by its name."""

FORMS: Mapping[str, Callable[[bytes], Files]] = {
    "no-suffix": lambda data: {"model": data},
    "file": lambda data: {"model.onnx": data},
    "pb": lambda data: {"model.pb": data},
    "bin": lambda data: {"model.bin": data},
    "upper": lambda data: {"MODEL.ONNX": data},
    "text": lambda data: {"notes.txt": data},
    "triton": lambda data: {"model/1/model.onnx": data, "model/config.pbtxt": b'backend: "onnxruntime"'},
    **{name: lambda data, host=host: {"model": host(data)} for name, host in MESSAGE_HOSTS.items()},  # type: ignore[misc]
    "zip": lambda data: {"model.zip": zipped([Entry("model.onnx", data)])},
}
"""Where the model is, by its name."""


def _compose(choices: Choices) -> Files:
    fields: list[Field] = [(1, 9), *ABOUTS[choices["about"]], *BODIES[choices["body"]]()]
    return FORMS[choices["form"]](MESSAGES[choices["message"]](fields))


ONNX = Grammar(
    "onnx",
    {"body": tuple(BODIES), "about": tuple(ABOUTS), "message": tuple(MESSAGES), "form": tuple(FORMS)},
    _compose,
    ("onnx",),
)
