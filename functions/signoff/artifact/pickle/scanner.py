"""Pickles: what one would do when it is loaded, without loading it.

A pickle is a program whose loading may run anything, so it is judged by what it names (`allowed`). The opcodes and
their arguments are those of Python's own table (`pickletools`). joblib's files are pickles with the arrays' bytes
between the opcodes; PyTorch's before 1.6 are five pickles with the storages' bytes behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.artifact.pickle.machine import Machine
from signoff.artifact.pickle.opcodes import TABLE, UNKNOWN_OPCODE
from signoff.artifact.pickle.stream import Broken, Ended, Stream, Unreadable
from signoff.artifact.streams.readers import PEEK, Peekable

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, Where

PROTO = 0x80
PROTOCOLS = range(6)
DECLARED = tuple(bytes([PROTO, protocol]) for protocol in range(2, 6))  # the earlier ones do not say so
CERTAIN = 8  # opcodes in a row that text or numbers have not by chance, when what is looked at ends among them
SHORT = 512  # bytes; of less the end is known
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PICKLES = 5  # magic number, version, system, what was saved, keys of the storages (torch/serialization.py)
MOST_FINDINGS = 100
TEXT_LIKE = 0x09  # the highest byte of a length of 32 bits: more is most likely text


class _Head:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        part, self._data = self._data[:size], self._data[size:]
        return part


def is_pickle(head: bytes) -> bool:
    """Whether content that begins with `head` (the more the better, `PEEK` bytes at most) is a pickle.

    From protocol 2 on it says so; without that its first opcodes are walked. A lone number or text is none.
    """
    if head[:1] == bytes([PROTO]) and len(head) > 1:
        return head[1] in PROTOCOLS and (len(head) == 2 or TABLE[head[2]] is not UNKNOWN_OPCODE)
    if not head or TABLE[head[0]] is UNKNOWN_OPCODE or _counts_too_much(head):
        return False
    machine = Machine(Stream(Peekable(_Head(head))), lambda *_: None, TABLE)
    try:
        machine.run()
    except Unreadable as error:
        if not isinstance(error, Broken):
            return True  # Python might follow it further than can be done here
        cut = isinstance(error, Ended) and len(head) >= SHORT
        return machine.called or (cut and (machine.opcodes >= CERTAIN or head[0] in b"\x8d\x8e\x96BXT"))
    return machine.called or (machine.opcodes > 2 and not machine.open_marks and head[0] not in b"NIKLFMJSV")


def _counts_too_much(head: bytes) -> bool:
    """Whether the first opcode announces more bytes than there are in any artifact, as most text and numbers would."""
    if head[0] in b"BXT":
        return len(head) > 4 and head[4] >= TEXT_LIKE
    return head[0] in b"\x8d\x8e\x96" and any(head[7:9])


def pickle(content: Peekable, where: Where, _scan: Scan) -> None:
    """Report all that the pickles of the content would do but may not, and where they cannot be followed.

    Raises `Refused` only when reading does.
    """
    findings = _Findings(where)
    says_so = content.peek(2) in DECLARED
    stream = Stream(content)
    try:
        _walk_all(stream, findings, says_so=says_so)
    except Unreadable as error:
        where.report(error.rule, str(error))
    findings.end()


def _walk_all(stream: Stream, findings: _Findings, *, says_so: bool) -> None:
    count, of_torch = 0, False
    while True:
        machine = Machine(stream, findings.tell, TABLE)
        try:
            machine.run()
        except Broken:
            if says_so or count or not machine.idle:
                raise
            findings.none()
            return  # something else that begins alike: Python would fail here too, and have done nothing
        count += 1
        of_torch = of_torch or (count == 1 and machine.first_number == TORCH_MAGIC)
        if of_torch and count == TORCH_PICKLES:
            return  # PyTorch reads what follows as numbers
        if not stream.ahead(PEEK):
            return
        if not is_pickle(stream.block[stream.at : stream.at + PEEK]) and not of_torch:
            findings.tell(
                "data-after-pickle", "Goes on behind the end of the pickle with something else", stream.position
            )
            return


class _Findings:
    """Tells each thing once, and after very many only their number."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._told: set[tuple[str, str]] = set()
        self._more = 0

    def tell(self, rule: str, reason: str, at: int) -> None:
        if (rule, reason) in self._told:
            return
        if len(self._told) >= MOST_FINDINGS:
            self._more += 1
            return
        self._told.add((rule, reason))
        self._where.report(rule, f"{reason} (byte {at})")

    def none(self) -> None:
        """Take back that the content is a pickle; what else it is, others know."""
        self._where.seen.kind = None

    def end(self) -> None:
        if self._more:
            self._where.report("unsafe-pickle", f"Would do {self._more} more things that are not listed")
