"""TensorFlow's SavedModel: `saved_model.pb`, read as a stream of fields for what its graphs do besides computing.

TensorFlow's own advice is to treat models as programs (tensorflow/tensorflow, "SECURITY.md"): some of its operators run
Python, read and write files, and connect to other hosts. So an allow list says which may stand in a graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.keras import MAX_CONFIG, check_metadata
from signoff.artifact.formats.onnx import is_onnx
from signoff.artifact.formats.protobuf import Fields, MalformedMessage, MessageReader, WireReader
from signoff.artifact.formats.tensorflow import messages
from signoff.artifact.formats.tensorflow.operators import ALLOWED, DOES
from signoff.artifact.formats.tensorflow.saver import SaverCheck
from signoff.artifact.member_names import leaves, shown
from signoff.artifact.streams.refusal import OtherFormat, Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.findings import Severity
    from signoff.artifact.streams.readers import PeekableReader

MAX_OPERATORS = 100_000  # different names of nodes that are none of an allowed operator

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
        _read(content, "SavedModel", messages.MESSAGES, messages.TEXTS, graphs)
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
    graphs = _Graphs(FindingCollector(context))
    _read(content, "SavedMetadata", messages.METADATA_MESSAGES, messages.METADATA_TEXTS, graphs)


def _read(content: PeekableReader, kind: str, inner: Fields, texts: Fields, graphs: _Graphs) -> None:
    wire = WireReader(content)
    try:
        longest = {"metadata": MAX_CONFIG}
        reader = MessageReader(wire, inner, texts, graphs.note, messages.EACH, longest, messages.MARKS)
        reader.read(kind)
    except MalformedMessage as error:
        reason = f"Cannot be read as TensorFlow's: it {error}, at byte {wire.offset}"
        raise Refused("unreadable-saved-model", reason) from None


@dataclass
class _Graphs:
    """What was found in the graphs of one model so far: operators that are not allowed, each with its first byte.

    `used` are those of the graph that is being read, whose functions are not all known yet.
    """

    findings: FindingCollector
    admitted: frozenset[str] = frozenset()
    found: bool = False
    used: dict[str, int] = field(default_factory=dict)
    operators: dict[str, int] = field(default_factory=dict)
    saver: SaverCheck = field(default_factory=SaverCheck)

    def note(self, kind: str, texts: dict[str, str], at: int) -> None:
        """Record what a message names. Raises `MalformedMessage` when there is too much."""
        self.saver.note(kind, texts, at)
        if kind in ("GraphNode", "FunctionNode"):
            self._operator(texts.get("operator", ""), at)
        elif kind == "Asset" and leaves(texts.get("filename", "")):
            name = shown(texts.get("filename", ""))
            reason = f"Has an asset at byte {at} that lies outside of the model: {name!r}"
            self.findings.report("tensorflow-asset", reason)
        elif kind == "MetaGraph":
            self.found = True
            self._end_graph()
        elif "metadata" in texts:
            check_metadata(texts["metadata"], self.findings)

    def report(self) -> None:
        """Report the operators, those of a graph that could not be read to its end too."""
        self._end_graph()
        for operator, at in self.operators.items():
            severity: Severity = "warning" if operator in self.admitted else "error"
            self.findings.report("tensorflow-operator", _described(operator, at), severity)

    def _operator(self, operator: str, at: int) -> None:
        if operator not in ALLOWED:
            self.used.setdefault(operator, at)
            if len(self.used) + len(self.operators) > MAX_OPERATORS:
                raise MalformedMessage(f"names more than {MAX_OPERATORS} operators that are not allowed")

    def _end_graph(self) -> None:
        """Keep what is not allowed. A node may also name a function of its graph: its nodes were looked at as well."""
        for operator, at in self.used.items():
            if operator not in self.saver.functions or operator in DOES:
                self.operators.setdefault(operator, at)
        for operator, at in self.saver.saves():
            self.operators.setdefault(operator, at)
        self.used.clear()


def _described(operator: str, at: int) -> str:
    if does := DOES.get(operator):
        return f"Would {does} when it runs: {operator}, at byte {at}"
    return f"Uses an operator that is not known only to compute: {shown(operator)!r}, at byte {at}"
