"""The records of pax headers, read strictly: what POSIX does not define is refused before tarfile sees it."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from signoff.artifact.streams.refusal import Refused
from signoff.documents.patterns import compiled_on_use

if TYPE_CHECKING:
    from collections.abc import Iterator

PAX_TYPES = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
DIGITS = compiled_on_use(rb"[0-9]{256}")  # longer than any part of a path may be
NUMBERS = (b"size", b"GNU.sparse.size", b"GNU.sparse.realsize", b"GNU.sparse.offset", b"GNU.sparse.numbytes")
NUMBER = compiled_on_use(rb"[0-9]{1,19}")


def announces_pax(block: bytes) -> bool:
    """Whether `block` is a tar header after which pax records follow."""
    if len(block) != tarfile.BLOCKSIZE or block[156:157] not in PAX_TYPES:
        return False
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape").type in PAX_TYPES
    except (tarfile.TarError, ValueError):
        return False


def check_pax(records: bytes) -> None:
    """Raise `Refused` unless each record is as POSIX writes it: its length, a blank, a keyword, `=`, a value, newline.

    tarfile before Python 3.11.10, 3.12.6 and 3.13 takes minutes, or a gigabyte, over records that are not
    (CVE-2024-6232). Sizes must be decimal digits: each reader makes something else of `-1`, `1e3` or `NaN`.
    """
    if DIGITS.search(records):
        raise _malformed()
    for keyword, value in pax_records(records):
        if keyword in NUMBERS and not NUMBER.fullmatch(value):
            reason = "which is not a number of bytes: readers disagree about what follows it"
            raise Refused("ambiguous-header", f"A pax header has {keyword_name(keyword)}={shorten(value)}, {reason}")


def pax_records(records: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keyword and value of each record. Raises `Refused` (`corrupt-tar`) at one that is none."""
    at = 0
    while records[at : at + 1].strip(b"\0"):
        number = records[at : at + 8].partition(b" ")[0]
        record = records[at : at + int(number)] if number.isdigit() else b""
        keyword, equals, value = record[len(number) + 1 :].partition(b"=")
        if not keyword or not equals or not value.endswith(b"\n"):
            raise _malformed()
        yield keyword, value[:-1]
        at += len(record)


def keyword_name(keyword: bytes) -> str:
    """Return a keyword fit for a report."""
    return shorten(keyword)


def shorten(value: bytes) -> str:
    """Return some bytes of a header fit for a report."""
    return ascii(value[:60].decode("utf-8", "replace"))[1:-1]


def _malformed() -> Refused:
    return Refused("corrupt-tar", "A pax header has a record that is not as POSIX defines it")
