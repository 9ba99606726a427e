"""Compressed pickles that the real loaders run, whatever is done to them, are refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tempfile
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.depth import examples
from tests.support.pickled import bounded_memory
from tests.support.scans import faults

RUN: list[str] = []


def leave_mark(text: str) -> str:
    """What the pickles here call: whoever loads one has run it."""
    RUN.append(text)
    return text


HOSTILE = f"c{__name__}\nleave_mark\n(S'it ran'\ntR.".encode()
LONG = HOSTILE + bytes(range(256)) * 80  # what follows the pickle's end is not read, and may be damaged


def alone(data: bytes, **filters: int) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, **filters}])


def zfile(data: bytes) -> bytes:
    return b"ZF" + hex(len(data)).ljust(19).encode() + zlib.compress(data)


def gzip_with(flags: int, extra: bytes = b"", data: bytes = HOSTILE) -> bytes:
    plain = gzip.compress(data)
    return plain[:3] + bytes([flags]) + plain[4:10] + extra + plain[10:]


def small_window(data: bytes, bits: int) -> bytes:
    deflater = zlib.compressobj(wbits=bits)
    return deflater.compress(data) + deflater.flush()


def unended(data: bytes) -> bytes:
    deflater = zlib.compressobj()
    return deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)


def late(data: bytes) -> bytes:
    """Return a zlib stream in which nothing comes for longer than is looked at."""
    nothing = b"\0\0\0\xff\xff" * 1000
    return zlib.compress(data)[:2] + nothing + zlib.compress(data)[2:]


FORMS: dict[str, bytes] = {
    "gzip": gzip.compress(HOSTILE),
    "gzip, reserved flags": gzip_with(0x20),
    "gzip, all reserved flags": gzip_with(0xE0),
    "gzip, checked header": gzip_with(0x02, b"\x12\x34"),
    "gzip, a name and a comment": gzip_with(0x18, b"name\0comment\0"),
    "gzip, an extra field": gzip_with(0x04, b"\xff\xff" + bytes(0xFFFF)),
    "gzip, in two": gzip.compress(HOSTILE[:9]) + bytes(100) + gzip.compress(HOSTILE[9:]),
    "gzip, cut off": gzip.compress(LONG)[:-9],
    "zlib": zlib.compress(HOSTILE),
    "zlib, stored": zlib.compress(HOSTILE, 0),
    "zlib, without its end": unended(HOSTILE),
    "zlib, late": late(HOSTILE),
    **{f"zlib, a window of {bits} bits": small_window(HOSTILE, bits) for bits in range(9, 15)},
    "joblib's old format": zfile(HOSTILE),
    "joblib's old format, one blank more": zfile(HOSTILE)[:21] + b" " + zfile(HOSTILE)[21:],
    "joblib's old format, another number": b"ZF" + f"+0X{len(HOSTILE):x}".ljust(19).encode() + zlib.compress(HOSTILE),
    "bzip2": bz2.compress(HOSTILE),
    "bzip2, after an empty one": bz2.compress(b"") + bz2.compress(HOSTILE),
    "xz": lzma.compress(HOSTILE),
    "xz, unchecked": lzma.compress(HOSTILE, check=lzma.CHECK_NONE),
    "xz, then lzma": lzma.compress(HOSTILE[:9]) + alone(HOSTILE[9:]),
    "lzma": alone(HOSTILE),
    "lzma, after an empty one": alone(b"") + alone(HOSTILE),
    "lzma, then xz, after an empty one": alone(b"") + lzma.compress(HOSTILE),
    "lzma, cut off": alone(LONG)[:-9],
    "lzma, other properties": alone(HOSTILE, lc=0, lp=2, pb=0),
    "lzma, a dictionary of a size between": alone(HOSTILE, dict_size=3 << 20),
    "lzma, of a known size": alone(HOSTILE)[:5] + len(HOSTILE).to_bytes(8, "little") + alone(HOSTILE)[13:],
}


def load_by_joblib(data: bytes) -> Any:
    """Load a file, whose old format joblib knows by its path only."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        return joblib.load(file.name)


LOADERS: dict[str, Callable[[bytes], Any]] = {
    "joblib": load_by_joblib,
    "gzip": lambda data: pickle.load(gzip.GzipFile(fileobj=io.BytesIO(data))),  # noqa: S301  # it leaves a mark
    "bz2": lambda data: pickle.load(bz2.BZ2File(io.BytesIO(data))),  # noqa: S301
    "lzma": lambda data: pickle.load(lzma.LZMAFile(io.BytesIO(data))),  # noqa: S301, SIM115
    "zlib": lambda data: pickle.loads(zlib.decompress(data)),  # noqa: S301
    "zlib, as it comes": lambda data: pickle.loads(zlib.decompressobj().decompress(data)),  # noqa: S301
}


def run_by(data: bytes) -> list[str]:
    """Return the loaders that run the pickle."""
    ran = []
    with warnings.catch_warnings(action="ignore"), bounded_memory():
        for name, load in LOADERS.items():
            RUN.clear()
            with suppress(Exception):
                load(data)
            ran += [name] if RUN else []
    return ran


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_what_a_loader_runs_is_refused(data: bytes) -> None:
    assert run_by(data)
    assert faults(data)


edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "insert"]),
        st.one_of(st.integers(0, 30), st.floats(0, 1)),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=3,
)


def edited(data: bytes, changes: Any) -> bytes:
    for change, place, content in changes:
        at = place if isinstance(place, int) else int(place * len(data))
        kept = at if change == "insert" else at + len(content)
        data = data[:at] + (b"" if change == "remove" else content) + data[kept:]
    return data


@given(st.sampled_from(sorted(FORMS)), edits)
@example("lzma, after an empty one", [("put", 0, b"\0")])  # of other properties than the next
@settings(max_examples=examples(2000), deadline=5000)
def test_what_a_loader_runs_of_a_changed_stream_is_refused(form: str, changes: Any) -> None:
    data = edited(FORMS[form], changes)
    assert faults(data) or not run_by(data)
