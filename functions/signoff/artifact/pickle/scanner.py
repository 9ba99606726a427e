"""Scans pickles for what they would do when loaded, without loading them.

Loading a pickle may run any code, so it is checked by the names it uses (`allowed`). The opcodes and
their arguments are those of Python's own table (`pickletools`). joblib files are pickles with array bytes
between the opcodes; PyTorch files before 1.6 are five pickles followed by the storages' bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from signoff.artifact.pickle.ambiguity import PickleWatch
from signoff.artifact.pickle.judgement import TRUSTED
from signoff.artifact.pickle.machine import PickleMachine
from signoff.artifact.pickle.opcodes import TABLE, UNKNOWN_OPCODE
from signoff.artifact.pickle.plain_reading import PlainReading
from signoff.artifact.pickle.stream import InvalidPickle, PickleStream, UnreadablePickle
from signoff.artifact.pickle.torch_storages import TorchStorages
from signoff.artifact.streams.readers import PEEK, PeekableReader
from signoff.artifact.streams.refusal import OtherFormat

if TYPE_CHECKING:
    from signoff.artifact.context import FindingCollector, Scan, ScanContext

PROTO = 0x80
PROTOCOLS = range(6)
DECLARED = tuple(bytes([PROTO, protocol]) for protocol in range(2, 6))  # earlier protocols are not declared
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PICKLES = 5  # magic number, version, system, what was saved, keys of the storages (torch/serialization.py)
MOST_FINDINGS = 100
MOST_PICKLES = 100_000  # pickles in a row: a bound on time
CONSTANTS = b"NIKLFMJSV"  # opcodes that a text begins with, rather than a pickle that needs more than one


def is_pickle(head: bytes) -> bool:
    """Whether content that begins with `head` (`PEEK` bytes, or all that there is) may be a pickle.

    False is certain: every unpickler fails or ends within these bytes before it names anything. What is true of the
    rest, `pickle` finds out. A single number or text is no pickle.
    """
    if _is_declared(head) is not None:
        return bool(_is_declared(head))
    if not head or TABLE[head[0]] is UNKNOWN_OPCODE:
        return False
    watch = PickleWatch()
    watch.feed(head)
    if len(head) < PEEK:
        watch.end()
    return watch.acts is not False or (watch.written and head[0] not in CONSTANTS)


def _is_declared(head: bytes) -> bool | None:
    """Whether a protocol stands before an opcode, None where none is declared."""
    if head[:1] != bytes([PROTO]) or len(head) < 2:
        return None
    return head[1] in PROTOCOLS and (len(head) == 2 or TABLE[head[2]] is not UNKNOWN_OPCODE)


def pickle(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Report everything forbidden that the content's pickles would do, and where they cannot be followed.

    Raises `OtherFormat` where it is proven that every unpickler fails before it calls anything or names what is known
    to run code: it may import a module, as of a list of words that begins with `cat` and `dog`, and runs nothing that
    was brought along. Raises what the reader raises.
    """
    findings = PickleFindings(context)
    try:
        _walk_all(PickleStream(content), findings, context.trusted.names, certain=content.peek(2) in DECLARED)
    except OtherFormat:
        findings.drop()
        raise
    except UnreadablePickle as error:
        findings.end()
        context.report(error.rule, str(error))
    finally:
        findings.end()


def _walk_all(stream: PickleStream, findings: PickleFindings, trusted: Collection[str], *, certain: bool) -> None:
    """Walk one pickle after another. `certain`: the content says that it is one."""
    of_torch, before, latest = False, TorchStorages(), TorchStorages()

    def diverge(other: PickleMachine) -> None:
        stream.let_follow(PlainReading(other))

    for count in range(MOST_PICKLES):
        begin = stream.block[stream.at : stream.at + 1] if stream.ahead(1) else b""
        machine = PickleMachine(stream, findings.report, TABLE, diverge, trusted)
        try:
            machine.run()
        except InvalidPickle as error:
            if certain or machine.acts or machine.names_code:
                raise
            reason = str(error)
            raise OtherFormat(f"is no pickle: {reason[0].lower()}{reason[1:]}") from None
        certain = certain or machine.foreign or (machine.written and begin not in CONSTANTS)
        of_torch = of_torch or (count == 0 and machine.first_number == TORCH_MAGIC)
        before, latest = latest, machine.storages
        if of_torch and count + 1 == TORCH_PICKLES:
            _pass_storages(stream, before, findings)
            return
        if not stream.ahead(PEEK):
            return
        if certain and not of_torch and not is_pickle(stream.block[stream.at : stream.at + PEEK]):
            findings.report("data-after-pickle", "Has other data after the end of the pickle", stream.position)
            return
    raise UnreadablePickle("Is one of more pickles in a row than anybody writes", stream.position)


def _pass_storages(stream: PickleStream, storages: TorchStorages, findings: PickleFindings) -> None:
    """Pass over the numbers that PyTorch reads behind its pickles, which another reader may take for one more."""
    if storages.size is None:
        raise UnreadablePickle("Is followed by PyTorch's storages, of which it does not say the sizes", stream.position)
    begin, another = stream.position, PickleWatch()
    stream.let_follow(another)
    stream.skip(storages.size)
    if stream.ahead(1):
        findings.report("data-after-pickle", "Has other data after the end of PyTorch's storages", stream.position)
    if another.end():
        findings.report("ambiguous-content", "Has storages that are also a pickle: readers disagree", begin)


class PickleFindings:
    """Holds each finding once, beyond `MOST_FINDINGS` only their number, until it is certain what they are about."""

    def __init__(self, context: ScanContext | FindingCollector) -> None:
        self._context = context
        self._found: dict[tuple[str, str], int] = {}
        self._more = 0

    def report(self, rule: str, reason: str, at: int) -> None:
        """Hold a finding, with the offset of the opcode."""
        if (rule, reason) in self._found:
            return
        if len(self._found) >= MOST_FINDINGS:
            self._more += 1
        else:
            self._found[rule, reason] = at

    def drop(self) -> None:
        """Forget them: the content is no pickle. What else it is, others know."""
        self._found.clear()
        self._more = 0

    def end(self) -> None:
        """Report them."""
        for (rule, reason), at in self._found.items():
            self._context.report(rule, f"{reason} (byte {at})", "warning" if rule == TRUSTED else "error")
        if self._more:
            self._context.report("unsafe-pickle", f"Would do {self._more} more forbidden things that are not listed")
        self.drop()
