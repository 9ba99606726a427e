"""ONNX: a protobuf message `ModelProto`, read as a stream of fields; tensors are skipped, nothing of it is built.

Field numbers are onnx.proto's (onnx/onnx, "onnx/onnx.proto"). Only what the findings need is read: the operators that
nodes name, the functions that the model itself defines, imported operator sets, and where tensors lie outside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from signoff.artifact.context import FindingCollector
from signoff.artifact.formats.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    MalformedMessage,
    MessageReader,
    MessageTooLarge,
    WireReader,
    number_in,
)
from signoff.artifact.member_names import leaves, shown
from signoff.artifact.streams.refusal import OtherFormat, Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAX_NAMES = 100_000  # different names that are remembered

# Operators that ONNX itself defines, so that every runtime knows them.
STANDARD = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"}
# Operators that ONNX Runtime brings along, and no other runtime; `com.microsoft.extensions` is another library's.
MICROSOFT = {f"com.microsoft{part}" for part in ("", ".nchwc", ".mlfeaturizers", ".experimental", ".dml")}
COMPILED = "EPContext"  # holds, or names the file of, what was compiled for one kind of device
# ONNX Runtime and OpenVINO take the offset of a tensor at this place for an address in memory:
# https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/framework/tensorprotoutils.h
IN_MEMORY = "*/"

MESSAGES = {
    "Model": {7: "Graph", 8: "Opset", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 9: "Opset", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
}
TEXTS = {
    "Opset": {1: "domain"},
    "Function": {1: "name", 10: "domain"},
    "Node": {4: "operator", 7: "domain"},
    "Entry": {1: "key", 2: "value"},
}

IR_VERSION, PRODUCER, GRAPH, OPSET = 1, 2, 7, 8
PRINTED = (PRODUCER, 3, 4)  # producer_name, producer_version, domain: a line of text each
MODEL = {IR_VERSION: VARINT, 5: VARINT, **dict.fromkeys((*PRINTED, 6, GRAPH, OPSET, 14, 20, 25, 26), BYTES)}
GRAPH_FIELDS = (1, 2, 5, 10, 11, 12, 13, 14, 15, 16)

T = TypeVar("T")


def is_onnx(head: bytes) -> bool:
    """Whether content that begins with `head` is an ONNX model: fields as ModelProto has them, in any order.

    It must have an `ir_version`, and a graph, an operator set or a producer. TensorFlow's saved_model.pb begins
    alike, but its field 2 is not a line of text. What hides these fields behind 4 KB of others is known by its name
    only.
    """
    seen: set[int] = set()
    at = 0
    while at < len(head):
        tag, at = number_in(head, at)
        number, wire = tag >> 3, tag & 7
        if tag < 0 or at == len(head):
            break
        until = _end_of(head, at, number, wire)
        if until is None:
            return False
        seen.add(number)
        at = until
    return IR_VERSION in seen and bool(seen & {PRODUCER, GRAPH, OPSET})


def _end_of(head: bytes, at: int, number: int, wire: int) -> int | None:
    """Return where a field of ModelProto ends, or None when it cannot be one."""
    if not number or MODEL.get(number, wire) != wire or wire not in (VARINT, FIXED64, BYTES, FIXED32):
        return None
    if wire in (FIXED64, FIXED32):
        return at + (8 if wire == FIXED64 else 4)
    value, at = number_in(head, at)
    if wire == VARINT:
        return at if number != IR_VERSION or 1 <= value <= 100 else None
    return at + max(value, 0) if _plausible(number, value, head[at : at + max(value, 0)]) else None


def _plausible(number: int, size: int, value: bytes) -> bool:
    if number in PRINTED:
        return size < 1024 and all(byte >= 0x20 for byte in value)
    if number == GRAPH:
        return not value or (value[0] & 7 == BYTES and value[0] >> 3 in GRAPH_FIELDS) or value[0] >= 0x80
    return number != OPSET or not value or value[0] in (0x0A, 0x10)


def onnx(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Read every field of a model, and check what it would load from elsewhere.

    Reports `onnx-external-data`, `onnx-external-data-inside` (warning), `onnx-custom-operator` (a warning for
    com.microsoft) and `onnx-custom-opset` (warning); raises `Refused` (`unreadable-onnx`), and `OtherFormat` where
    there is no graph to run.
    """
    wire, names = WireReader(content), _ModelNames()
    try:
        MessageReader(wire, MESSAGES, TEXTS, names.note).read("Model")
    except MalformedMessage as error:
        reason = f"Cannot be read as an ONNX model: it {error}, at byte {wire.offset}"
        raise Refused("unreadable-onnx", reason) from None
    finally:
        names.report(context)
    if not names.graph:
        raise OtherFormat("it holds no graph of ONNX")


def hidden_onnx(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Read unknown data as a model, whose first fields need not tell that it is one, and check it if it is.

    Raises `OtherFormat` for what protobuf cannot read to its end, so that every reader of ONNX fails, or what has no
    graph; `Refused` (`unreadable-onnx`) where a limit is exceeded before that is known.
    """
    wire, names = WireReader(content), _ModelNames()
    try:
        MessageReader(wire, MESSAGES, TEXTS, names.note, lenient=True).read("Model")
    except MessageTooLarge as error:
        raise Refused("unreadable-onnx", f"May be an ONNX model, and cannot be read as one: it {error}") from None
    except MalformedMessage as error:
        raise OtherFormat(f"it {error}") from None
    if not names.graph:
        raise OtherFormat("it holds no graph of ONNX")
    context.summary.kind = "onnx"
    names.report(context)


@dataclass
class _ModelNames:
    """The names in a model, each with the byte of its first occurrence."""

    operators: dict[tuple[str, str], int] = field(default_factory=dict)
    functions: dict[tuple[str, str], int] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    locations: dict[str, int] = field(default_factory=dict)
    graph: bool = False

    def note(self, kind: str, texts: dict[str, str], at: int) -> None:
        """Record the names in a message. Raises `MalformedMessage` when there are too many."""
        domain = texts.get("domain", "")
        if kind == "Function":
            _remember(self.functions, (domain, texts.get("name", "")), at)
        elif kind == "Node" and domain not in STANDARD:
            _remember(self.operators, (domain, texts.get("operator", "")), at)
        elif kind == "Opset" and domain not in STANDARD:
            _remember(self.imports, domain, at)
        elif kind == "Entry" and texts.get("key") == "location":
            _remember(self.locations, texts.get("value", ""), at)
        elif kind == "Graph":
            self.graph = True

    def report(self, context: ScanContext) -> None:
        """Report what is wrong with the names."""
        findings = FindingCollector(context)
        for location, at in self.locations.items():
            _report_location(findings, location, at)
        for (domain, operator), at in self.operators.items():
            if (domain, operator) not in self.functions:
                _report_operator(findings, domain, operator, at)
        defined = {domain for domain, _ in (*self.functions, *self.operators)}
        for domain, at in self.imports.items():
            if domain not in defined and domain not in MICROSOFT:
                reason = f"Imports the operator set {shown(domain)!r} at byte {at}, which is not ONNX's own"
                findings.report("onnx-custom-opset", reason, "warning")


def _remember(names: dict[T, int], name: T, at: int) -> None:
    if len(names) >= MAX_NAMES:
        raise MessageTooLarge(f"names more than {MAX_NAMES} different things of one kind")
    names.setdefault(name, at)


def _report_operator(findings: FindingCollector, domain: str, operator: str, at: int) -> None:
    name = f"{shown(domain)}.{shown(operator)}"
    if domain in MICROSOFT and operator != COMPILED:
        findings.report("onnx-custom-operator", f"Uses {name} at byte {at}, which only ONNX Runtime knows", "warning")
    else:
        reason = f"Uses the custom operator {name} at byte {at}: loading it needs a library of foreign code"
        findings.report("onnx-custom-operator", reason)


def _report_location(findings: FindingCollector, location: str, at: int) -> None:
    if leaves(location) or location.startswith(IN_MEMORY):
        reason = f"Has a tensor at byte {at} whose data lies outside the model's directory: {shown(location)!r}"
        findings.report("onnx-external-data", reason)
    else:
        reason = f"Has a tensor at byte {at} whose data is in another file, {shown(location)!r}"
        findings.report("onnx-external-data-inside", reason, "warning")
