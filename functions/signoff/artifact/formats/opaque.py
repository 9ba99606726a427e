"""Formats that are known by their first bytes, may run code when they are loaded, and are looked into no further.

Each is refused, unless a policy names the format where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from signoff.artifact.streams.refusal import OtherFormat, Refused

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

JAVA = b"\xac\xed\x00\x05"  # STREAM_MAGIC, STREAM_VERSION
# R Internals, "Serialization Formats": XDR, text, or the machine's own; one object, or several with their names.
R = (
    *(b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"B\n\2\0\0", b"B\n\3\0\0"),
    *(f"RD{form}{version}\n".encode() for form in "XAB" for version in "23"),
)


def is_java_object(head: bytes) -> bool:
    """Whether it is a stream of serialized objects.

    https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html
    """
    return head.startswith(JAVA)


def is_r_data(head: bytes) -> bool:
    """Whether it is one serialized object of R, or a file of several."""
    return head.startswith(R)


def is_torchscript_flatbuffer(head: bytes) -> bool:
    """Whether it is TorchScript as PyTorch's mobile runtime stores it.

    https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/serialization/mobile_bytecode.fbs
    """
    return head[4:8] == b"PTMF"


_REASONS = (
    (is_java_object, "java-object", "Is a stream of serialized Java objects, and reading it may run code"),
    (is_r_data, "r-object", "Is a serialized object of R, and reading or using it may run code"),
    (
        is_torchscript_flatbuffer,
        "torchscript-flatbuffer",
        "Is a TorchScript program as a flatbuffer, which PyTorch would run",
    ),
)


def core_ml(content: PeekableReader, _context: ScanContext, _scan: Scan) -> None:
    """Take a file that is called so for a model of Core ML, which begins with its version, and then a description.

    https://github.com/apple/coremltools/blob/main/mlmodel/format/Model.proto

    Other messages begin alike, so no file is taken for one by its bytes alone. Raises `OtherFormat`.
    """
    if content.peek(3) not in {bytes([0x08, version, 0x12]) for version in range(1, 16)}:
        raise OtherFormat("does not begin as a model of Core ML does")


def onnx_text(_content: PeekableReader, _context: ScanContext, _scan: Scan) -> None:
    """Refuse a model of ONNX as text or JSON, which `onnx.load` reads by the suffix of its name."""
    raise Refused("unreadable-onnx", "Is a model of ONNX as text, which is not looked into")


def other_saved_model(_content: PeekableReader, _context: ScanContext, _scan: Scan) -> None:
    """Refuse a SavedModel as text (`saved_model.pbtxt`) or in chunks (`saved_model.cpb`): TensorFlow reads both."""
    raise Refused("unreadable-saved-model", "Is a SavedModel as text or in chunks, which is not looked into")


def _reporter(rule: str, reason: str) -> Callable[[PeekableReader, ScanContext, Scan], None]:
    def opaque(_content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
        context.report(rule, reason)

    return opaque


KINDS: Sequence[tuple[Callable[[bytes], bool], Callable[[PeekableReader, ScanContext, Scan], None]]] = tuple(
    (test, _reporter(rule, reason)) for test, rule, reason in _REASONS
)
"""Each with a test of the first bytes and a scanner."""
