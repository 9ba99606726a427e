"""Scans pickles for what they would do when loaded, without loading them.

Loading a pickle may run any code, so it is checked by the names it uses (`allowed`). The opcodes and
their arguments are those of Python's own table (`pickletools`). joblib files are pickles with array bytes
between the opcodes; PyTorch files before 1.6 are five pickles followed by the storages' bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.machine import PickleMachine
from signoff.artifact.pickle.opcodes import TABLE, UNKNOWN_OPCODE
from signoff.artifact.pickle.stream import InvalidPickle, PickleStream, TruncatedPickle, UnreadablePickle
from signoff.artifact.streams.readers import PEEK, PeekableReader
from signoff.artifact.streams.refusal import OtherFormat

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext

PROTO = 0x80
PROTOCOLS = range(6)
DECLARED = tuple(bytes([PROTO, protocol]) for protocol in range(2, 6))  # earlier protocols are not declared
CERTAIN = 8  # opcodes in a row that text or numbers do not have by chance
SHORT = 512  # bytes; shorter content is complete
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PICKLES = 5  # magic number, version, system, what was saved, keys of the storages (torch/serialization.py)
MOST_FINDINGS = 100
TEXT_LIKE = 0x09  # the highest byte of a length of 32 bits: more is most likely text


class _HeadReader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        part, self._data = self._data[:size], self._data[size:]
        return part


def is_pickle(head: bytes) -> bool:
    """Whether content that begins with `head` (ideally `PEEK` bytes) is a pickle.

    Protocol 2 and later are declared; otherwise its first opcodes are walked. A single number or text is not a pickle.
    """
    if head[:1] == bytes([PROTO]) and len(head) > 1:
        return head[1] in PROTOCOLS and (len(head) == 2 or TABLE[head[2]] is not UNKNOWN_OPCODE)
    if not head or TABLE[head[0]] is UNKNOWN_OPCODE or _counts_too_much(head):
        return False
    machine = PickleMachine(PickleStream(PeekableReader(_HeadReader(head))), lambda *_: None, TABLE)
    try:
        machine.run()
    except UnreadablePickle as error:
        if not isinstance(error, InvalidPickle):
            return True  # Python might follow it further than can be done here
        cut = isinstance(error, TruncatedPickle) and len(head) >= SHORT
        return machine.called or (cut and (machine.opcodes >= CERTAIN or head[0] in b"\x8d\x8e\x96BXT"))
    return machine.called or (machine.opcodes > 2 and not machine.open_marks and head[0] not in b"NIKLFMJSV")


def _counts_too_much(head: bytes) -> bool:
    """Whether the first opcode declares more bytes than any artifact has, as most text and numbers would."""
    if head[0] in b"BXT":
        return len(head) > 4 and head[4] >= TEXT_LIKE
    return head[0] in b"\x8d\x8e\x96" and any(head[7:9])


def pickle(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report everything forbidden that the content's pickles would do, and where they cannot be followed.

    Raises `OtherFormat` when it is not a pickle, and `Refused` when the reader does.
    """
    findings = _PickleFindings(context)
    says_so = content.peek(2) in DECLARED
    stream = PickleStream(content)
    try:
        _walk_all(stream, findings, says_so=says_so)
    except UnreadablePickle as error:
        context.report(error.rule, str(error))
    findings.end()


def _walk_all(stream: PickleStream, findings: _PickleFindings, *, says_so: bool) -> None:
    count, of_torch = 0, False
    while True:
        machine = PickleMachine(stream, findings.report, TABLE)
        try:
            machine.run()
        except InvalidPickle:
            if says_so or count or not machine.idle:
                raise
            # Python would fail here too, before doing anything.
            raise OtherFormat("is not a pickle") from None
        count += 1
        of_torch = of_torch or (count == 1 and machine.first_number == TORCH_MAGIC)
        if of_torch and count == TORCH_PICKLES:
            return  # PyTorch reads what follows as numbers
        if not stream.ahead(PEEK):
            return
        if not is_pickle(stream.block[stream.at : stream.at + PEEK]) and not of_torch:
            findings.report("data-after-pickle", "Has other data after the end of the pickle", stream.position)
            return


class _PickleFindings:
    """Reports each finding once, and beyond `MOST_FINDINGS` only their number."""

    def __init__(self, context: ScanContext) -> None:
        self._context = context
        self._reported: set[tuple[str, str]] = set()
        self._more = 0

    def report(self, rule: str, reason: str, at: int) -> None:
        if (rule, reason) in self._reported:
            return
        if len(self._reported) >= MOST_FINDINGS:
            self._more += 1
            return
        self._reported.add((rule, reason))
        self._context.report(rule, f"{reason} (byte {at})")

    def end(self) -> None:
        if self._more:
            self._context.report("unsafe-pickle", f"Would do {self._more} more forbidden things that are not listed")
