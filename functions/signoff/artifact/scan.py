"""What content is, told by its own bytes and never by a file's name, and what scans each kind of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from signoff.artifact.content_types import UNKNOWN, apart
from signoff.artifact.context import Scan, Where
from signoff.artifact.detection import kind_of
from signoff.artifact.formats import compressed, java_serialization, skops
from signoff.artifact.formats.hdf5 import hdf5, is_hdf5
from signoff.artifact.formats.keras import is_keras_config, keras_config
from signoff.artifact.formats.npy import is_npy, npy
from signoff.artifact.formats.onnx import is_onnx, onnx
from signoff.artifact.formats.safetensors import is_safetensors, safetensors
from signoff.artifact.formats.saved_model import is_keras_metadata, is_saved_model, saved_model
from signoff.artifact.member_names import normalised
from signoff.artifact.pickle import scanner
from signoff.artifact.streams.readers import PEEK, Peekable, Reader
from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar import nested
from signoff.artifact.zip import archive
from signoff.artifact.zip.directory import Tail

Kind = tuple[Callable[[bytes], bool], Callable[[Peekable, Where, Scan], None]]

SAFETENSORS: Kind = (is_safetensors, safetensors)
# The last are told by more than a magic: what is none of the others first.
TENSORS: Sequence[Kind] = (
    (is_npy, npy),
    (is_hdf5, hdf5),
    SAFETENSORS,
    (is_keras_config, keras_config),
    (is_onnx, onnx),
    (is_saved_model, saved_model),
    (is_keras_metadata, hdf5),
)

TAR: Kind = (nested.is_tar, nested.tar_archive)
PICKLE: Kind = (scanner.is_pickle, scanner.pickle)
SKOPS: Kind = (skops.is_skops, skops.skops)
JAVA: Kind = (java_serialization.is_java_object, java_serialization.java_object)
CONTAINERS: Sequence[Kind] = ((archive.is_zip, archive.zip_archive), TAR, *compressed.KINDS)
"""Kinds in which something of any kind may lie, be it a zip archive at the very end."""

KINDS: Sequence[Kind] = (*CONTAINERS, SAFETENSORS, PICKLE, SKOPS, JAVA, *TENSORS)
"""Whether content begins as one of a kind, and what scans it then; the first that fits is taken.

safetensors begins with a length, which may be opcodes as well: before pickles, and it sees for itself that it is none.
"""

NAMES: Mapping[Kind, str] = {
    TAR: "tar",
    SAFETENSORS: "safetensors",
    PICKLE: "pickle",
    **{kind: form.name for kind, form in zip(compressed.KINDS, compressed.FORMS, strict=False)},
}
"""What kinds are called that are told here by more than `names.kind_of` goes by."""

ENDING = ("expansion-limit", "too-many-members")  # what lies within is bounded all together, so nothing more is read


class _Source:
    """A reader that remembers whether it broke: then that is no fault of what is read from it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.broken: Refused | None = None
        self.tail = Tail()

    def read(self, size: int) -> bytes:
        try:
            part = self._reader.read(size)
        except Refused as refusal:
            self.broken = refusal
            raise
        self.tail.add(part)
        return part


def scan(reader: Reader, where: Where) -> None:
    """Report all that is found in what `reader` gives, and read it to its end.

    `where.seen` says what it turned out to be. Raises `Refused` when the reader does, or when all that lies within an
    artifact comes to too much together.
    """
    source = _Source(reader)
    content = Peekable(source)
    head = content.peek(PEEK)
    # skops goes by the name; no JSON begins as a container or a pickle does.
    kind = SKOPS if skops.is_schema(where.member, head) else _kind(head)
    where.seen.head, where.seen.kind = head, _named(kind, head)
    if kind is TAR and PICKLE[0](head):
        where.report("ambiguous-content", "Is a tar archive, and begins as a pickle too: readers disagree")
    if kind is PICKLE and is_onnx(head):
        where.report("ambiguous-content", "Begins as a pickle, and as an ONNX model too: readers disagree")
    try:
        if kind:
            kind[1](content, where, scan)
    except Refused as refusal:
        if refusal is source.broken or refusal.rule in ENDING:
            raise
        where.report(refusal.rule, str(refusal))
    where.seen.kind = where.seen.kind or kind_of(head)  # what began as a pickle may turn out to be none
    content.drain()
    if kind not in CONTAINERS and source.tail.holds_end():
        where.report("zip-ambiguous", "Ends as a zip archive does, and does not begin as one: readers disagree")
    if where.outer:
        _tell(where.outer, where)


def _tell(outer: Where, inner: Where) -> None:
    """Let what lies around something know of it, by the first of each kind only."""
    within = outer.seen.within
    within.setdefault((inner.seen.kind or UNKNOWN, normalised(inner.name).startswith("code/")), inner.member)
    for place, member in apart(inner.seen.kind, inner.seen.within):
        within.setdefault(place, member)


def _named(kind: Kind | None, head: bytes) -> str | None:
    return (kind and NAMES.get(kind)) or kind_of(head)


def _kind(head: bytes) -> Kind | None:
    return next((kind for kind in KINDS if kind[0](head)), None)
