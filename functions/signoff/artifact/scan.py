"""Dispatches content to the scanner of its format: what its name claims, or else what its bytes say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from signoff.artifact.claims import Claim
from signoff.artifact.content_types import APPLE_DOUBLE, EMPTY, UNKNOWN, apart
from signoff.artifact.context import Scan, ScanContext
from signoff.artifact.detection import is_xgboost_json, is_xgboost_ubjson, kind_of
from signoff.artifact.formats import compressed, opaque, skops
from signoff.artifact.formats.hdf5 import LateSignature, hdf5, is_hdf5
from signoff.artifact.formats.hidden_lzma import LzmaWatch, hides_lzma
from signoff.artifact.formats.json_structure import is_json_text, json_text
from signoff.artifact.formats.keras import is_keras_config, keras_config
from signoff.artifact.formats.keras_words import keras_words, may_be_json
from signoff.artifact.formats.message_watch import MessageWatch
from signoff.artifact.formats.npy import is_npy, npy
from signoff.artifact.formats.onnx import hidden_onnx, is_onnx, onnx
from signoff.artifact.formats.safetensors import is_safetensors, safetensors
from signoff.artifact.formats.saved_model import is_keras_metadata, is_saved_model, keras_metadata, saved_model
from signoff.artifact.formats.sentencepiece import is_sentencepiece, sentencepiece
from signoff.artifact.formats.ubjson import ubjson
from signoff.artifact.member_names import normalised
from signoff.artifact.pickle import scanner
from signoff.artifact.pickle.ambiguity import PickleWatch
from signoff.artifact.startup import files
from signoff.artifact.streams.readers import PEEK, PeekableReader, Reader
from signoff.artifact.streams.refusal import OtherFormat, Refused
from signoff.artifact.tar import nested
from signoff.artifact.zip import archive
from signoff.artifact.zip.beside_members import ZipMarks
from signoff.artifact.zip.directory import TrailingBytes

Kind = tuple[Callable[[bytes], bool], Callable[[PeekableReader, ScanContext, Scan], None]]

ONNX: Kind = (is_onnx, onnx)
HDF5: Kind = (is_hdf5, hdf5)
SAFETENSORS: Kind = (is_safetensors, safetensors)
# The last ones have no magic number, so they are tried after all others.
TENSORS: Sequence[Kind] = (
    (is_npy, npy),
    HDF5,
    SAFETENSORS,
    (is_keras_config, keras_config),
    ONNX,
    (is_saved_model, saved_model),
    (is_keras_metadata, keras_metadata),
    (is_sentencepiece, sentencepiece),
    (is_xgboost_json, json_text),
    (is_xgboost_ubjson, ubjson),
)

TAR: Kind = (nested.is_tar, nested.tar_archive)
PICKLE: Kind = (scanner.is_pickle, scanner.pickle)
SKOPS: Kind = (skops.is_skops, skops.skops)
JSON: Kind = (may_be_json, keras_words)
HIDDEN_ONNX: Kind = (is_onnx, hidden_onnx)
"""For data of unknown format: protobuf has no magic number, and a model of ONNX may begin with any field."""
CONTAINERS: Sequence[Kind] = ((archive.is_zip, archive.zip_archive), TAR, *compressed.KINDS)
"""Formats whose content may have any format, even a zip archive at the very end."""
FOLLOWED: Sequence[Kind] = (TAR, *compressed.NAMES)
"""Formats whose first bytes may be opcodes: a tar's are a name, others' may be the length of a text."""

KINDS: Sequence[Kind] = (*CONTAINERS, SAFETENSORS, PICKLE, SKOPS, *opaque.KINDS, *TENSORS)
"""Each with a test of the first bytes and a scanner; the first match is used.

safetensors begins with a length, whose bytes may also be opcodes: it comes before pickles and checks for them itself.
"""

READ_AS: Mapping[str, Kind] = {
    "pickle": PICKLE,
    "onnx": ONNX,
    "saved_model": (is_saved_model, saved_model),
    "coreml": (lambda _head: False, opaque.core_ml),
    "onnx text": (lambda _head: False, opaque.onnx_text),
    "saved_model text": (lambda _head: False, opaque.other_saved_model),
    "keras metadata": (is_keras_metadata, keras_metadata),
    "keras config": (is_keras_config, keras_config),
    "json": (is_json_text, json_text),
}
"""By the content type that a name claims: what the content is then read as, whatever it begins with.

Not here are formats whose loaders look at the first bytes themselves: what does not begin so is refused.
"""

NAMES: Mapping[Kind, str] = {
    TAR: "tar",
    SAFETENSORS: "safetensors",
    PICKLE: "pickle",
    **compressed.NAMES,
}
"""Type names of the formats that are detected here by more than `detection.kind_of` checks."""

MESSAGES: Sequence[Kind] = (ONNX, HIDDEN_ONNX)
"""What is read as a message anyway."""
FIRST_MEMBER = 512  # bytes of a tar archive before what it holds
LARGEST_ATTRIBUTES = 16 * 1024 * 1024  # bytes, as an old resource fork may be: nobody hides a model among them
ENDING = ("expansion-limit", "too-many-members")  # limits on all content together, so nothing more is read


class _TrackedReader:
    """A reader that remembers its own refusal, to distinguish it from one about the content, and its first bytes.

    `keep` is how many of these are kept.
    """

    def __init__(self, reader: Reader, keep: int = 0) -> None:
        self._reader = reader
        self._keep = keep
        self.kept = bytearray()
        self.broken: Refused | None = None
        self.tail = TrailingBytes()
        self.hdf5 = LateSignature()
        self.pickle: PickleWatch | None = None
        self.lzma: LzmaWatch | None = None
        self.message: MessageWatch | None = None
        self.zip: ZipMarks | None = None

    def watch(self, kind: Kind | None, context: ScanContext) -> None:
        """Follow content of that kind as others that it may be too; its head is all that was read so far."""
        head = context.summary.head
        if kind in FOLLOWED:
            self.pickle = PickleWatch()
            self.pickle.feed(head)
        if kind not in CONTAINERS and hides_lzma(head):
            self.lzma = LzmaWatch(context.budget, context.depth)
            self.lzma.feed(head)
        if kind is TAR:
            self.zip = ZipMarks()
            self.zip.feed(head)
        if kind not in MESSAGES:
            self.message = MessageWatch()
            self.message.feed(head)

    def read(self, size: int) -> bytes:
        try:
            part = self._reader.read(size)
        except Refused as refusal:
            self.broken = refusal
            raise
        if not part:
            return part
        self.tail.add(part)
        self.hdf5.add(part)
        if self.pickle:
            self.pickle.feed(part)
        if self.lzma:
            self.lzma.feed(part)
        if self.message:
            self.message.feed(part)
        if self.zip:
            self.zip.feed(part)
        if self._keep:
            self.kept += part[: self._keep - len(self.kept)]
        return part


def scan(reader: Reader, context: ScanContext) -> None:
    """Scan all content of `reader` to its end and report the findings.

    What its name claims, the content must prove; without a claim, its bytes decide what it is. `context.summary`
    receives the content's type. Raises `Refused` when the reader does, or when all contents of an artifact together
    exceed a limit.
    """
    startup = files.checks_for(context.called or context.member)
    source = _TrackedReader(reader, files.LARGEST + 1 if startup else 0)
    content = PeekableReader(source)
    head = content.peek(PEEK)
    # skops looks the schema up by name; no JSON begins like a container or a pickle.
    detected = SKOPS if skops.is_schema(context.member, head) else _kind(head)
    context.summary.head, context.summary.kind = head, _named(detected, head)
    kind = _as_claimed(context, detected) or _hidden(context, head)
    _look_into(kind, content, context, source)
    _report_size(context, content.offset)
    if startup:
        files.check_file(startup, bytes(source.kept), context)
    _report_later_beginnings(context, source, kind)
    for stray in context.summary.saved_models.strays():
        context.summary.within.setdefault((UNKNOWN, False), stray)
    if context.outer:
        _add_to_outer(context.outer, context)


def _look_into(kind: Kind | None, content: PeekableReader, context: ScanContext, source: _TrackedReader) -> None:
    """Read `content` to its end, as what it is. Raises `Refused` where nothing more is read."""
    head = context.summary.head
    if kind is PICKLE and is_onnx(head):
        context.report("ambiguous-content", "Begins both like a pickle and like an ONNX model: readers disagree")
    source.watch(kind, context)
    try:
        if kind:
            kind[1](content, context, scan)
    except OtherFormat as other:
        _withdraw(context, other, kind)
    except Refused as refusal:
        if refusal is source.broken or refusal.rule in ENDING:
            raise
        context.report(refusal.rule, str(refusal))
    content.drain()
    if kind is PICKLE and context.claim and context.summary.kind == NAMES[PICKLE] and _begins_as_claimed(context):
        context.report("not-what-it-is-called", _disproved(context.claim, "goes on as a pickle"))


def _as_claimed(context: ScanContext, detected: Kind | None) -> Kind | None:
    """Return what content is read as, of which `detected` is the kind by its bytes; report a claim it cannot prove."""
    claim, named = context.claim, context.summary.kind
    if claim is None or detected is SKOPS or _is_apple_double(context):
        return detected
    if named in claim.kinds and not claim.read_as:
        return detected or READ_AS.get(named or "")
    demanded = READ_AS.get(claim.read_as or claim.kind)
    if named == EMPTY:
        if claim.model:
            context.report("empty-file", f"Is empty, where {claim.loader} would read {claim.kind}")
        return None
    if demanded and (claim.read_as or detected is None):
        context.summary.kind = named if named in claim.kinds else claim.kind
        return demanded
    if detected is PICKLE and _begins_as_claimed(context):
        return detected
    context.report("not-what-it-is-called", _disproved(claim, f"is {named or 'of an unknown format'}"))
    return detected


def _begins_as_claimed(context: ScanContext) -> bool:
    """Whether it begins as its name claims, of a format that is looked into no further; it may go on as a pickle."""
    head, told = context.summary.head, kind_of(context.summary.head)
    known = told in READ_AS or any(kind[0](head) for kind in KINDS if kind is not PICKLE)
    return context.claim is not None and told in context.claim.kinds and not known


def _is_apple_double(context: ScanContext) -> bool:
    """Whether it is what macOS packs beside a file of another name: no loader reads what begins so as anything else."""
    beside = (context.called or context.member).rpartition("/")[2].startswith("._")
    return beside and context.summary.kind == APPLE_DOUBLE


def _report_size(context: ScanContext, size: int) -> None:
    if size > LARGEST_ATTRIBUTES and _is_apple_double(context):
        reason = f"Is named as macOS's attributes of another file, which are never more than {LARGEST_ATTRIBUTES} bytes"
        context.report("not-what-it-is-called", reason)


def _hidden(context: ScanContext, head: bytes) -> Kind | None:
    """Return what content may be that neither its name nor its first bytes say is anything that is looked into."""
    if may_be_json(head):
        return JSON
    return HIDDEN_ONNX if context.summary.kind is None and context.claim is None else None


def _withdraw(context: ScanContext, other: OtherFormat, kind: Kind | None) -> None:
    """Take back that the content is of the format that it was read as, which its name may have claimed."""
    context.summary.kind = kind_of(context.summary.head)
    if context.claim and not (kind is PICKLE and _begins_as_claimed(context)):
        context.report(other.rule, _disproved(context.claim, str(other)))


def _disproved(claim: Claim, reason: str) -> str:
    return f"Has a name that {claim.loader} takes for {claim.kind}, but {reason}"


def _report_later_beginnings(context: ScanContext, source: _TrackedReader, kind: Kind | None) -> None:
    """Report formats that some readers find as well: HDF5 at some offsets, zip archives from the end, and others."""
    # The first member of a tar archive is there, and looked into by itself.
    late = [offset for offset in source.hdf5.found if kind is not TAR or offset != FIRST_MEMBER]
    if kind is not HDF5 and late:
        context.report("ambiguous-content", f"Is HDF5 from byte {late[0]} on, and begins as something else")
    if kind not in CONTAINERS and source.tail.holds_end():
        context.report("zip-ambiguous", "Ends like a zip archive but does not begin like one: readers disagree")
    if source.zip and (reason := source.zip.reason(source.tail, context.summary.stored)):
        context.report("zip-ambiguous", reason)
    if source.pickle and (source.pickle.end() or source.pickle.written):
        what = f"Is {context.summary.kind} that is also a pickle: readers disagree"
        context.report("ambiguous-content", what)
    if source.lzma and source.lzma.reason:
        context.report("ambiguous-content", source.lzma.reason)
    if source.message and source.message.holds_graph:
        context.report("ambiguous-content", "Is a message with a graph too, as ONNX reads one: readers disagree")


def _add_to_outer(outer: ScanContext, inner: ScanContext) -> None:
    """Add the types found in a member to its container's summary, the first member of each type only."""
    within, name, kind = outer.summary.within, normalised(inner.name), inner.summary.kind
    if kind == "saved_model":
        outer.summary.saved_models.add_model(name)
    if kind is not None or not outer.summary.saved_models.take(name, inner.member):
        within.setdefault((kind or UNKNOWN, name.startswith("code/")), inner.member)
    for place, member in apart(kind, inner.summary.within):
        within.setdefault(place, member)


def _named(kind: Kind | None, head: bytes) -> str | None:
    return (kind and NAMES.get(kind)) or kind_of(head)


def _kind(head: bytes) -> Kind | None:
    for kind in KINDS:
        if kind[0](head):
            return kind
    return None
