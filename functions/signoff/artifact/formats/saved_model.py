"""TensorFlow's SavedModel: `saved_model.pb`, read as a stream of fields for what its graphs do besides computing.

TensorFlow's own advice is to treat models as programs (tensorflow/tensorflow, "SECURITY.md"): some of its operators run
Python, read and write files, and connect to other hosts. So an allow list says which may stand in a graph. Field
numbers are those of its .proto files (`tensorflow/core/protobuf/saved_model.proto` and what it imports).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras import MAX_CONFIG, check_metadata
from signoff.artifact.formats.onnx import is_onnx
from signoff.artifact.formats.protobuf import MalformedMessage, MessageReader, WireReader
from signoff.artifact.formats.tensorflow_operators import ALLOWED, DOES
from signoff.artifact.member_names import leaves, shown
from signoff.artifact.streams.refusal import OtherFormat, Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.findings import Severity
    from signoff.artifact.streams.readers import PeekableReader

MAX_OPERATORS = 10_000  # different ones that are not allowed
MAX_FUNCTIONS = 1_000_000  # a graph of very many layers has some ten thousand

MESSAGES = {
    "SavedModel": {2: "MetaGraph"},
    "MetaGraph": {2: "Graph", 4: "Collection", 6: "Asset", 7: "Objects"},
    "Graph": {1: "Node", 2: "Library"},
    "Library": {1: "Function"},
    "Function": {1: "Signature", 3: "Node"},
    # TensorFlow 1 keeps its assets in a collection of messages of any type; nothing else is kept so.
    "Collection": {2: "CollectionValue"},
    "CollectionValue": {5: "AnyList"},
    "AnyList": {1: "Any"},
    "Any": {2: "Asset"},
    "Objects": {1: "Object"},
    "Object": {4: "UserObject"},
}
TEXTS = {
    "Node": {2: "operator"},
    "Signature": {1: "function"},
    "Asset": {2: "filename"},
    "UserObject": {3: "metadata"},
}

# `saved_metadata.proto` of Keras 2: it describes layers in JSON, as TensorFlow 2.0 to 2.4 does within saved_model.pb.
METADATA_MESSAGES = {"SavedMetadata": {1: "SavedObject"}}
METADATA_TEXTS = {"SavedObject": {5: "metadata"}}

_KERAS = b"_tf_keras_"


def is_saved_model(head: bytes) -> bool:
    """Whether content that begins with `head` is a SavedModel: schema version 1, then a graph and what describes it."""
    return head.startswith(b"\x08\x01\x12") and not is_onnx(head)


def saved_model(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report each operator that is not allowed, assets that lie outside, and what Keras would run.

    An operator that the policy admits is a warning. Reports `tensorflow-operator`, `tensorflow-asset` and Keras'
    findings; raises `Refused` (`unreadable-saved-model`), and `OtherFormat` where there is no graph to load.
    """
    graphs = _Graphs(FindingCollector(context), context.trusted.operators)
    try:
        _read(content, MESSAGES, TEXTS, graphs, "SavedModel")
    finally:
        graphs.report()
    if not graphs.found:
        raise OtherFormat("it holds no graph of TensorFlow")


def is_keras_metadata(head: bytes) -> bool:
    """Whether content that begins with `head` is `keras_metadata.pb`, which Keras 2 writes beside a SavedModel."""
    return head.startswith(b"\n") and _KERAS in head[:200]


def keras_metadata(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check the layers that Keras 2 would build beside the graph.

    Reports what `keras_config` does; raises `Refused` (`unreadable-saved-model`).
    """
    _read(content, METADATA_MESSAGES, METADATA_TEXTS, _Graphs(FindingCollector(context)), "SavedMetadata")


def _read(
    content: PeekableReader,
    messages: dict[str, dict[int, str]],
    texts: dict[str, dict[int, str]],
    graphs: _Graphs,
    kind: str,
) -> None:
    wire = WireReader(content)
    try:
        MessageReader(wire, messages, texts, graphs.note, {"metadata": MAX_CONFIG}).read(kind)
    except MalformedMessage as error:
        reason = f"Cannot be read as TensorFlow's: it {error}, at byte {wire.offset}"
        raise Refused("unreadable-saved-model", reason) from None


@dataclass
class _Graphs:
    """What was found in the graphs of one model so far: operators that are not allowed, and its own functions."""

    findings: FindingCollector
    admitted: frozenset[str] = frozenset()
    found: bool = False
    operators: dict[str, int] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)

    def note(self, kind: str, texts: dict[str, str], at: int) -> None:
        """Record what a message names. Raises `MalformedMessage` when there is too much."""
        if kind == "Node":
            self._operator(texts.get("operator", ""), at)
        elif kind == "Signature":
            self._function(texts.get("function", ""))
        elif kind == "Asset" and leaves(texts.get("filename", "")):
            name = shown(texts.get("filename", ""))
            reason = f"Has an asset at byte {at} that lies outside of the model: {name!r}"
            self.findings.report("tensorflow-asset", reason)
        elif kind == "MetaGraph":
            self.found = True
        elif "metadata" in texts:
            check_metadata(texts["metadata"], self.findings)

    def report(self) -> None:
        """Report the operators. A node may also name a function of the same graph: its nodes were looked at as well."""
        for operator, at in self.operators.items():
            if operator not in self.functions or operator in DOES:
                severity: Severity = "warning" if operator in self.admitted else "error"
                self.findings.report("tensorflow-operator", _described(operator, at), severity)

    def _operator(self, operator: str, at: int) -> None:
        if operator not in ALLOWED:
            if len(self.operators) == MAX_OPERATORS:
                raise MalformedMessage(f"names more than {MAX_OPERATORS} operators that are not allowed")
            self.operators.setdefault(operator, at)

    def _function(self, name: str) -> None:
        if len(self.functions) == MAX_FUNCTIONS:
            raise MalformedMessage(f"has more than {MAX_FUNCTIONS} functions")
        self.functions.add(name)


def _described(operator: str, at: int) -> str:
    if does := DOES.get(operator):
        return f"Would {does} when it runs: {operator}, at byte {at}"
    return f"Uses an operator that is not known only to compute: {shown(operator)!r}, at byte {at}"
