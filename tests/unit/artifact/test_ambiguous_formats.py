"""Formats that begin alike are distinguished: no valid file is taken for another, and none has two formats."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import tarfile
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.artifact import scan
from signoff.artifact.context import ScanContext
from signoff.artifact.pickle.ambiguity import PickleWatch, may_act
from signoff.artifact.pickle.stream import LONGEST_LINE
from signoff.artifact.streams.limits import Budget
from signoff.artifact.streams.readers import PEEK, PeekableReader
from tests.support.archives import member, tar
from tests.support.depth import few, some
from tests.support.pickled import bounded_memory
from tests.support.scans import BoundedChunks, faults
from tests.support.tensor_files import field

LETTERS = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in '"\\')
OPCODES = b"(.012BCFGHIJKLMNPQRSTUVX]abcdeghijlopqrstu}\x80\x82\x88\x8a\x8c\x8d\x8e\x90\x93\x94\x95\x96\x98"
NUMBERS = st.integers(0, 2**32 - 1)
WORDS = (
    "copyright",
    "(c)",
    "the",
    "I64",
    "x^2",
    "Class",
    "model",
    "of",
    "N/A",
    "a,b",
    "Python",
    "gives",
    "0.5",
    "-",
    "Values",
)
BENIGN = b"\ncbuiltins\nlen\n(S'id'\ntR."


class Reached(Exception):
    """Raised where an unpickler would have loaded something."""


class Unpickler(pickle.Unpickler):
    def find_class(self, module: str, _name: str) -> Any:
        if "\0" in module or len(module) > LONGEST_LINE:
            raise ModuleNotFoundError(module[:99])
        raise Reached

    def persistent_load(self, _identity: Any) -> Any:
        return None


def runs(data: bytes) -> bool:
    """Whether Python's unpickler comes as far as to name something, be it in a later pickle; it has nothing to run."""
    file = io.BytesIO(data)
    try:
        with bounded_memory():
            while True:
                Unpickler(file).load()
    except Reached:
        return True
    except Exception:  # whatever an unpickler raises at bytes that are none of its own
        return False


def kind_of(data: bytes) -> str | None:
    where = ScanContext("m", lambda *_: None, Budget())
    scan.scan(BoundedChunks(data), where)
    return where.summary.kind


DRAWN = "".join(random.Random(0).choices(LETTERS, k=200_000))  # noqa: S311


def drawn(rng: random.Random, count: int) -> str:
    """So many letters in a row out of those that were drawn once: to draw a million takes long."""
    start = rng.randrange(len(DRAWN) - count)
    return DRAWN[start : start + count]


def safetensors(length: int, seed: int, data: bytes = b"") -> bytes:
    """A file whose header has that length, most of which are tensors' names, drawn from whatever letters there are."""
    rng = random.Random(seed)  # noqa: S311
    names = [f"{number} {drawn(rng, 60_000)}" for number in range(length // 65_000)]
    header = {name: {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for name in names}
    header["weights"] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    left = length - len(json.dumps(header)) - len(json.dumps({"__metadata__": {"about": ""}}))
    text = json.dumps({"__metadata__": {"about": drawn(rng, left)}, **header}).encode()
    assert len(text) == length
    return struct.pack("<Q", length) + text + data


LONG = 0x110000  # takes long to look through
SIZED = [(first, size) for size in (0x200, 0x4100, LONG) for first in (few if size == LONG else some)(sorted(OPCODES))]


@pytest.mark.parametrize(("first", "size"), SIZED)
def test_safetensors_with_a_header_of_any_length_is_no_pickle(first: int, size: int) -> None:
    rng = random.Random(first * size)  # noqa: S311
    data = safetensors(size + first, first, rng.randbytes(5000))
    assert (faults(data), kind_of(data)) == ([], "safetensors")


@given(st.integers(0x100, 0x20000), NUMBERS, st.sampled_from([b"", bytes(3000), b"\n" * 99, bytes(range(256)) * 9]))
def test_safetensors_drawn_is_no_pickle_to_python_or_here(length: int, seed: int, weights: bytes) -> None:
    data = safetensors(length, seed, weights)
    if not runs(data):
        assert faults(data) == []
    assert kind_of(data) == "safetensors"


def hidden(code: bytes, text: str, weights: bytes, length: int = 0x40000) -> bytes:
    """safetensors whose first opcode jumps into its header, to where `text` goes on as opcodes."""
    length += code[0]
    # Its count is the length's upper bytes: so far behind the count's own four bytes lies what is executed next.
    target = 5 + (length >> 8)
    data = bytearray(safetensors(length, 7, weights))
    data[target : target + len(text)] = text.encode()
    return bytes(data)


@pytest.mark.parametrize("code", [b"X", b"T", b"B"])
@pytest.mark.parametrize("jump", ["V", "NV", "(V", "]V", "}NNsV", "NI1", "2", "(u", "nothing"])
def test_safetensors_that_goes_on_as_a_pickle_is_refused(code: bytes, jump: str) -> None:
    data = hidden(code, jump, BENIGN)
    assert faults(data) == ([("m", "ambiguous-content")] if runs(data) else [])


def test_a_pickle_in_safetensors_really_is_reached() -> None:
    assert runs(hidden(b"X", "V", BENIGN))
    assert faults(hidden(b"X", "V", BENIGN)) == [("m", "ambiguous-content")]


@given(st.binary(max_size=300) | st.lists(st.sampled_from([bytes([each]) for each in OPCODES])).map(b"".join))
def test_what_is_said_to_be_no_pickle_is_none_to_python(data: bytes) -> None:
    for content in (data, data + BENIGN, b"X\x02\0\0\0xx" + data):
        assert may_act(PeekableReader(BoundedChunks(content))) or not runs(content)


@pytest.mark.parametrize("code", [b"P", b"I", b"L", b"F", b"c", b"V", b"(i", b"Ng", b"Np"])
def test_lines_of_any_length_are_followed(code: bytes) -> None:
    for size in (10, LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE):
        for text in (b"0" * size, b'"' * size, b"\0" * size):
            content = code + text + BENIGN
            assert may_act(PeekableReader(BoundedChunks(content))) or not runs(content)


@given(st.integers(0, PEEK + 900), NUMBERS, st.sampled_from(OPCODES))
def test_numbers_of_any_kind_are_no_pickle(size: int, seed: int, first: int) -> None:
    data = bytes([first]) + random.Random(seed).randbytes(size)  # noqa: S311
    assert faults(data) == [] or runs(data)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(" \n,;")).map("".join), min_size=1, max_size=60))
def test_text_is_no_pickle_and_no_compressed_data(words: list[str]) -> None:
    data = "".join(words).encode()
    assert faults(data) == [] or runs(data)


@given(st.text(max_size=300))
def test_any_text_is_none_of_these(text: str) -> None:
    assert faults(text.encode()) == [] or runs(text.encode())


@given(st.integers(1, 12), st.text(LETTERS, max_size=40), st.binary(max_size=200))
def test_onnx_as_protobuf_writes_it_is_no_pickle(version: int, producer: str, rest: bytes) -> None:
    data = field(1, version) + field(2, producer.encode()) + field(7, field(2, b"graph")) + field(6, rest)
    assert kind_of(data) == "onnx"


def test_what_begins_as_onnx_and_as_a_pickle_is_refused() -> None:
    opset = b"\x42\x04\x10\x0d\x00\x00"  # or BINBYTES, and how many
    data = opset + field(1, 8) + field(2, b"x") + field(6, bytes(0x0D1004)) + BENIGN
    assert ("m", "ambiguous-content") in faults(data)


@given(st.sampled_from(["learner", "version", "Config"]), NUMBERS)
def test_ubj_is_no_pickle(key: str, seed: int) -> None:
    rest = random.Random(seed).randbytes(2000)  # noqa: S311
    data = b"{L" + struct.pack(">q", len(key)) + key.encode() + b"{" + rest
    assert ({rule for _, rule in faults(data)}, kind_of(data)) == ({"unreadable-ubjson"}, "xgboost-ubj")


@pytest.mark.parametrize("number", [b"I0x10", b"I1\0and more of it, so that it is long", b"L7\0L", b"F1.5\0x", b"I\0"])
def test_numbers_that_only_some_unpicklers_take_hide_nothing(number: bytes) -> None:
    data = number + b"\n0cposix\nsystem\n(S'id'\ntR."
    assert runs(data)
    assert ("m", "unsafe-pickle") in faults(data)


# Archives and compressed streams that are also pickles.

HOSTILE = b"cposix\ngetpid\n(tR."


@pytest.mark.parametrize("before", [PEEK, LONGEST_LINE, 300 * 1024])
def test_a_tar_archive_that_is_also_a_pickle_is_refused_however_far_the_pickle_is_in_it(before: int) -> None:
    archive = tar(member("(V", b"x" * before + b"\n0" + HOSTILE), form=tarfile.USTAR_FORMAT)
    assert pickle.loads(archive) == os.getpid()  # noqa: S301  # it does what is written above
    assert faults(archive) == [("m", "ambiguous-content")]


def test_what_is_only_a_tar_archive_passes_whatever_its_first_member_is_called() -> None:
    for name in ("Vocabulary", "V", "N", "(", "]", "Images/one", "Large", "model", "code/x.py", "xs", "B", "X", "T"):
        lines = member(name, b"one\ntwo\n" * 1000)
        assert faults(tar(lines, member("other.txt", b"word\n" * 1000), form=tarfile.USTAR_FORMAT)) == [], name


def test_a_zlib_stream_whose_bytes_go_on_as_a_pickle_is_refused() -> None:
    first = b"\x58\x09" + stored(b"\0") + stored(bytes(60000))  # X: a text of 65,545 bytes, by the next four bytes
    last = bytes(65550 - len(first) - 5)
    for pickled, told in ((b"0" + HOSTILE, ["ambiguous-content"]), (b"no opcodes", [])):
        stream = first + stored(last + pickled, b"\1")
        stream += struct.pack(">I", zlib.adler32(bytes(60001) + last + pickled))
        assert zlib.decompress(stream).endswith(pickled)
        assert [rule for _, rule in faults(stream)] == told


def stored(data: bytes, last: bytes = b"\0") -> bytes:
    """Return a block of deflate that is not compressed."""
    return last + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data


def test_what_follows_the_length_that_bzip2s_first_bytes_are_is_followed() -> None:
    watch, block = PickleWatch(), bytes(1 << 20)
    head = b"BZh9\x17rE8P\x90" + bytes(4)  # B: that many bytes, the fewest that any stream of bzip2 may say
    left = 5 + int.from_bytes(head[1:5], "little") - len(head)
    watch.feed(head)
    for _ in range(left >> 20):
        watch.feed(block)
    watch.feed(bytes(left & 0xFFFFF))
    assert watch.acts is None
    watch.feed(b"0" + HOSTILE)
    assert watch.acts
    assert {"tar", "bzip2", "zlib", "lzma"} <= {scan.NAMES[kind] for kind in scan.FOLLOWED}
