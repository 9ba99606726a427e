"""Serialized Java objects: reading them may create any object on the reader's class path.

https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext
    from signoff.artifact.streams.readers import PeekableReader

MAGIC = b"\xac\xed\x00\x05"  # STREAM_MAGIC, STREAM_VERSION


def is_java_object(head: bytes) -> bool:
    """Whether content that begins with `head` is a stream of serialized objects."""
    return head.startswith(MAGIC)


def java_object(_content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report `java-object`: no list says which classes are harmless with any fields."""
    context.report("java-object", "Is a stream of serialized Java objects, and reading it may run code")
