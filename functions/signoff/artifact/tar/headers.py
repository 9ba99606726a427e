"""Ambiguities in a tar member's headers: repeated or unusual fields about which tar readers disagree.

The inspection must see the same files as the program that unpacks the archive. POSIX describes ustar and pax, the GNU
tar manual its own records and sparse files: https://www.gnu.org/software/tar/manual/html_node/Tar-Internals.html
"""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from signoff.artifact.streams.refusal import Refused
from signoff.artifact.tar.pax import PAX_TYPES, keyword_name, pax_records
from signoff.documents.patterns import compiled_on_use

LONG = {tarfile.GNUTYPE_LONGNAME: ("name", b"path"), tarfile.GNUTYPE_LONGLINK: ("link target", b"linkpath")}
REGULAR = (tarfile.AREGTYPE, tarfile.REGTYPE, tarfile.CONTTYPE)
OCTAL = compiled_on_use(rb" *[0-7]* *(\0.*)?", re.DOTALL)
LARGEST_OCTAL = 0o77777777777  # bytes: what eleven octal digits can say
REPEATED = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")  # one pair for each piece of a sparse file, in version 0.0
OVERRIDING = (b"path", b"linkpath", b"size", b"hdrcharset")
SPARSE = b"GNU.sparse."


@dataclass(frozen=True)
class HeaderRecord:
    """A header that says something about the next one: its type, its block, and the blocks that follow it."""

    kind: bytes
    block: bytes
    body: bytes


class MemberHeaders:
    """All that tarfile read about one member: the records before it, its own block, and its own pax attributes."""

    def __init__(self, records: Sequence[HeaderRecord], block: bytes) -> None:
        self.records = records
        self.block = block
        self.own = [pair for record in records if _is_own_pax(record) for pair in pax_records(record.body)]

    @classmethod
    def of(cls, reads: Iterable[bytes]) -> MemberHeaders:
        """Split `reads` into records; tarfile reads a single byte first to check that the last member is complete."""
        records: list[HeaderRecord] = []
        blocks = (read for read in reads if len(read) != 1)
        for block in blocks:
            kind = block[156:157]
            if kind not in PAX_TYPES and kind not in LONG:
                return cls(records, block)
            records.append(HeaderRecord(kind, block, next(blocks, b"")))
        return cls(records, b"")

    def long(self, kind: bytes) -> list[bytes]:
        """Return what the GNU records of `kind` say."""
        return [record.body.partition(b"\0")[0] for record in self.records if record.kind == kind]

    @property
    def name(self) -> bytes:
        """The name as it is written, with a slash at its end if there is one."""
        said = [value for keyword, value in self.own if keyword in (b"path", b"GNU.sparse.name")]
        return [self.block_name, *self.long(tarfile.GNUTYPE_LONGNAME), *said][-1]

    @property
    def block_name(self) -> bytes:
        """The name in the member's own block, which records before it may overrule."""
        return self.block[:100].partition(b"\0")[0]


def describes_nothing(reads: Sequence[bytes]) -> bool:
    """Whether the records read last belong to no member: the archive's end marker follows them."""
    headers = MemberHeaders.of(reads)
    return bool(headers.records) and len(headers.block) == tarfile.BLOCKSIZE and not any(headers.block)


def header_faults(reads: Iterable[bytes], member: tarfile.TarInfo) -> Iterator[tuple[str, str]]:
    """Yield (rule, reason) for each ambiguity of `member`, which tarfile parsed from `reads`.

    Raises `Refused` (`corrupt-tar`) at a negative size.
    """
    headers = MemberHeaders.of(reads)
    for check in (*_OF_EVERY_HEADER, *_OF_RECORDS) if headers.records else _OF_EVERY_HEADER:
        for reason in check(headers, member):
            yield "ambiguous-header", reason
    if member.issparse() and not _fits(member, _number(headers.block)):
        yield "sparse-map", "Is a sparse file whose pieces overlap, or are more than its size or than what is stored"


def _is_own_pax(record: HeaderRecord) -> bool:
    return record.kind in PAX_TYPES and record.kind != tarfile.XGLTYPE


def _number(block: bytes) -> int:
    return int(tarfile.nti(block[124:136]))  # type: ignore[attr-defined]  # tarfile read it before, without fault


def _repeated(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    kinds = Counter("pax" if _is_own_pax(record) else LONG.get(record.kind, ("",))[0] for record in headers.records)
    for kind, times in kinds.items():
        if kind and times > 1:
            yield f"Has {times} {kind} records, of which some readers take the first and others the last"
    for keyword, times in Counter(keyword for keyword, _ in headers.own).items():
        if times > 1 and keyword not in REPEATED:
            yield f"Has {keyword_name(keyword)} {times} times in its pax header"


def _twofold(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    keywords = {keyword for keyword, _ in headers.own}
    for kind, (what, keyword) in LONG.items():
        if headers.long(kind) and keyword in keywords:
            yield f"Has its {what} in a GNU record and in a pax header, and readers take the one or the other"
    if b"linkpath" in keywords and headers.block[156:157] not in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        yield "Has a link target in its pax header and is not a link"


def _sizes(headers: MemberHeaders, member: tarfile.TarInfo) -> Iterator[str]:
    field = headers.block[124:136]
    octal = field[0] not in (0x80, 0xFF)
    if octal and (not OCTAL.fullmatch(field) or (not field[0] and any(field))):
        yield "Has a size that is not written as octal digits"
    if not octal and _number(headers.block) < 0:
        # Newer versions of Python's tarfile raise an error themselves.
        raise Refused("corrupt-tar", f"A tar header has a size of {_number(headers.block)} bytes")
    said = [int(value) for keyword, value in headers.own if keyword == b"size"]
    if said and member.issparse():
        yield "Is a sparse file with a pax size, which readers take for what is stored or for what it expands to"
    elif said and not _agree(said[-1], _number(headers.block)):
        reason = "so that readers disagree where the next member begins"
        yield f"Has a size of {_number(headers.block)} bytes, and in its pax header {said[-1]}, {reason}"


def _agree(pax: int, ustar: int) -> bool:
    """Whether a writer may produce both: it writes a size beyond octal as zero, the maximum, or its last digits."""
    return pax == ustar or (pax > LARGEST_OCTAL and ustar in (0, LARGEST_OCTAL, pax & LARGEST_OCTAL))


def _charset(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    # Python's tarfile looks for it anywhere, inside values too.
    if any(b"hdrcharset=BINARY" in record.body for record in headers.records if record.kind in PAX_TYPES):
        yield "Has names in an unknown encoding (hdrcharset=BINARY), which readers decode differently"


def _for_all(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    for record in headers.records:
        for keyword, _ in pax_records(record.body) if record.kind == tarfile.XGLTYPE else ():
            if keyword in OVERRIDING or keyword.startswith(SPARSE):
                yield f"Follows a global pax header with {keyword_name(keyword)}, which some readers ignore"


def _padding(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    # Python's tarfile also reads the padding of the last block.
    if any(any(record.body[_number(record.block) :]) for record in headers.records):
        yield "Has a record that continues past its end, where some readers do not look"


def _prefix(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    # Python's tarfile takes it for a part of the name whatever the format is.
    block = headers.block
    if block[257:263] != b"ustar\0" and block[156:157] != tarfile.GNUTYPE_SPARSE and any(block[345:346]):
        yield "Has a name prefix in a header that is not of the ustar format, which readers use or ignore"


def _slash(headers: MemberHeaders, member: tarfile.TarInfo) -> Iterator[str]:
    kind = headers.block[156:157]
    slashes = {headers.name.endswith(b"/"), member.isdir()}
    if kind == tarfile.AREGTYPE:
        slashes.add(headers.block_name.endswith(b"/"))  # Python's tarfile looks there, newer versions no longer
    if kind in REGULAR and len(slashes) > 1:
        yield "Is a file by its type and a directory by the slash at its name's end, or the other way round"


def _old_sparse(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    if headers.block[156:157] == tarfile.GNUTYPE_SPARSE and headers.block[257:265] != tarfile.GNU_MAGIC:
        yield "Is a sparse file as GNU tar writes it, in a header of another format, where readers do not look for that"


def _sparse(headers: MemberHeaders, _member: tarfile.TarInfo) -> Iterator[str]:
    said = {keyword.removeprefix(SPARSE): value for keyword, value in headers.own if keyword.startswith(SPARSE)}
    if not said:
        return
    version = (said.get(b"major", b"0"), said.get(b"minor", b"0"))
    if version not in ((b"1", b"0"), (b"0", b"0"), (b"0", b"1")):
        yield "Is a sparse file of an unknown version"
    older = [key for key in (b"map", b"offset", b"size") if key in said]
    wrong_type = headers.block[156:157] not in REGULAR
    if wrong_type or (older and version[0] == b"1") or (b"map" in said and b"offset" in said):
        yield "Is a sparse file in more than one way, of which readers take one or the other"


def _fits(member: tarfile.TarInfo, stored: int) -> bool:
    """Whether a sparse file's pieces follow one another, end within its size, and are no more than what is stored."""
    end = total = 0
    pieces: list[tuple[int, int]] = member.sparse  # type: ignore[assignment]
    for offset, length in pieces:
        if not length:
            continue  # old GNU headers fill up with pieces of nothing
        if offset < end or length < 0:
            return False
        end, total = offset + length, total + length
    return end <= member.size and total <= stored


_Check = Callable[[MemberHeaders, tarfile.TarInfo], Iterator[str]]
_OF_EVERY_HEADER: tuple[_Check, ...] = (_sizes, _prefix, _slash, _old_sparse)
_OF_RECORDS: tuple[_Check, ...] = (_repeated, _twofold, _charset, _for_all, _padding, _sparse)
