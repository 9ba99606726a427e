"""safetensors: a JSON header with the offsets of each tensor, then the tensors' bytes, and nothing else.

The format is the reference implementation's (huggingface/safetensors, "Format" in its README). It allows headers of
100 MB; `MAX_HEADER` here admits some 150,000 tensors in one file, which no published model reaches, in bounded memory.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from signoff.artifact.member_names import shown
from signoff.artifact.pickle.ambiguity import may_act
from signoff.artifact.streams.readers import BLOCK, PeekableReader, PrefixedReader
from signoff.artifact.streams.refusal import Refused
from signoff.documents import strict_json
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from signoff.artifact.context import Scan, ScanContext

MAX_HEADER = 16 * 1024 * 1024
MAX_DIMENSION = 2**63
SHOWN = 5  # errors of one header that are reported in full
MAX_FAULTS = 1000  # after which a header is read no further: a bound on time and memory

# Bits of one element; F4 and the F6 kinds are smaller than a byte.
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
TENSOR = {"dtype", "shape", "data_offsets"}

_STRING = rb'"(?:[^"\\]|\\.)*+"'
# One pair of the header: a name and an object that holds no other. Possessive, so that no bytes are tried twice.
_PAIR = compiled_on_use(
    rb"[ \t\r\n]*+(%s)[ \t\r\n]*+:[ \t\r\n]*+(\{(?:[^{}\"]|%s)*+\})[ \t\r\n]*+([,}])" % (_STRING, _STRING)
)
_OBJECT = compiled_on_use(rb"[ \t\r\n]*+(?:\{[ \t\r\n]*+(?:[\"}]|\Z)|\Z)")
_BEGIN = compiled_on_use(rb"\{[ \t\r\n]*+(\}?)")


def is_safetensors(head: bytes) -> bool:
    """Whether content that begins with `head` is safetensors: a plausible length, then a JSON object.

    Blanks before the object are not allowed, and read by the reference implementation.
    """
    length = int.from_bytes(head[:8], "little")
    return len(head) > 9 and 2 <= length <= 2**32 and _OBJECT.match(head, 8) is not None


def safetensors(content: PeekableReader, context: ScanContext, _scan: Scan) -> None:
    """Check the header, and that the tensors fill the rest exactly, without holes and overlaps.

    Reports `safetensors-header`, `safetensors-size` and `ambiguous-content`; raises `Refused` (`header-too-large`,
    `safetensors-size`).
    """
    begin = _whole(content, 8)
    length = int.from_bytes(begin, "little")
    if length > MAX_HEADER:
        raise Refused("header-too-large", f"Has a header of {length} bytes; at most {MAX_HEADER} are read")
    header, text = _HeaderCheck(), _whole(content, length)
    header.read(text)
    if may_act(PeekableReader(PrefixedReader(begin + text, content))):
        context.report(
            "ambiguous-content", "Is safetensors that would also act if it were loaded as a pickle: readers disagree"
        )
    for reason in header.faults[:SHOWN]:
        context.report("safetensors-header", reason)
    if len(header.faults) > SHOWN:
        context.report("safetensors-header", f"Has at least {len(header.faults) - SHOWN} more errors in its header")
    content.drain()
    if header.faults:
        return
    for reason in _misplaced(header.starts, header.ends, content.offset - 8 - length):
        context.report("safetensors-size", reason)


def _whole(content: PeekableReader, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := content.read(min(size - len(data), BLOCK))):
        data += more
    if len(data) < size:
        raise Refused("safetensors-size", f"Ends at byte {content.offset}, inside its header")
    return bytes(data)


@dataclass
class _HeaderCheck:
    """Checks a header pair by pair: parsing it as a whole would take many times its size in memory."""

    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    faults: list[str] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)

    def read(self, header: bytes) -> None:
        """Read all pairs of `header`, and record each error."""
        begin = _BEGIN.match(header)
        if not begin:
            self.faults.append("Has a header that is not a JSON object")
            return
        at, more = begin.end(), not begin[1]
        while more and len(self.faults) < MAX_FAULTS:
            pair = _PAIR.match(header, at)
            if not pair:
                self.faults.append(f"Has a header that is not a JSON object of tensors from byte {8 + at} on")
                return
            self._pair(pair[1], pair[2], 8 + at)
            at, more = pair.end(), pair[3] == b","
        if not more and header[at:].strip(b" "):
            self.faults.append(f"Has more than spaces after its header's JSON, at byte {8 + at}")

    def _pair(self, key: bytes, value: bytes, at: int) -> None:
        parsed, faults = strict_json.parse(b"{%s:%s}" % (key, value))
        if faults:
            self.faults.append(f"Has a header whose JSON, at byte {at}, {shown(faults[0].message)}")
            return
        ((name, described),) = parsed.items()
        if name in self._names:
            self.faults.append(f"Describes {shown(name)!r} more than once")
        self._names.add(name)
        fault = _metadata_fault(described) if name == "__metadata__" else self._tensor(described)
        if fault:
            self.faults.append(f"Describes {shown(name)!r} {fault}")

    def _tensor(self, tensor: dict[str, Any]) -> str | None:
        if tensor.keys() != TENSOR:
            return "with fields other than dtype, shape and data_offsets"
        bits, shape, offsets = _bits(tensor["dtype"]), tensor["shape"], tensor["data_offsets"]
        if bits is None:
            return f"with an unknown dtype: {shown(str(tensor['dtype']))}"
        if not (_whole_numbers(shape) and _whole_numbers(offsets) and len(offsets) == 2):
            return "with a shape or data_offsets that are not whole numbers from 0 to 2^63"
        begin, end = offsets
        if end - begin < 0 or prod(shape) * bits != (end - begin) * 8:
            return f"with a shape that takes {prod(shape) * bits / 8:.0f} bytes and offsets for {end - begin}"
        self.starts.append(begin)
        self.ends.append(end)
        return None


def _bits(dtype: Any) -> int | None:
    return BITS.get(dtype) if isinstance(dtype, str) else None


def _whole_numbers(value: Any) -> bool:
    """Whether it is a list of few whole numbers; the product of many would take long."""
    if not isinstance(value, list) or len(value) > 64:
        return False
    return all(type(number) is int and 0 <= number < MAX_DIMENSION for number in value)


def _metadata_fault(metadata: dict[str, Any]) -> str | None:
    return None if all(isinstance(text, str) for text in metadata.values()) else "with values that are not strings"


def _misplaced(starts: array[int], ends: array[int], data: int) -> list[str]:
    """Return the reasons why the tensors do not fill 0 to `data`: the first gap or overlap, and the end."""
    places = sorted(zip(starts, ends, strict=True))
    reasons = []
    if places and places[0][0]:
        reasons.append(f"Has {places[0][0]} bytes before its first tensor that belong to no tensor")
    for (_, end), (start, _) in pairwise(places):
        if end != start:
            reasons.append(f"Has tensors that overlap or leave a hole: one ends at {end}, the next begins at {start}")
            break
    last = max(ends, default=0)
    if last != data:
        reasons.append(f"Has {data} bytes of tensors where its header describes {last}")
    return reasons
